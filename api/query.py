"""The query of an upload, whose values citizens typed."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from api.form_data import utf8_value


def query_values(request: Request) -> dict[str, str]:
    """The parameters by name.

    Raises:
        Problem: a value is not UTF-8, which Starlette would take with other characters in it.
    """
    # One character for each byte, whatever the bytes mean.
    pairs = parse_qsl(
        request.scope["query_string"].decode("latin-1"),
        keep_blank_values=True,
        encoding="latin-1",
    )
    named = ((name.encode("latin-1").decode("utf-8", "replace"), value) for name, value in pairs)
    return {name: utf8_value(name, value.encode("latin-1")) for name, value in named}
