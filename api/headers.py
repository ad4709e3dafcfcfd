"""Headers as ASGI has them."""

from __future__ import annotations

from collections.abc import Mapping


def raw_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Names in lower case, and values."""
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
    ]
