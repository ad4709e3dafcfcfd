"""TOML texts of ``models/`` and of settings, read with one promise: tables or InvalidModel."""

from __future__ import annotations

import tomllib
from typing import Any

from docqa.errors import InvalidModel


def tables_of(text: str, what: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Args:
        text: the text.
        what: what it is, as the error's message begins, such as ``a policy``.

    Raises:
        InvalidModel: it is no TOML, or nested deeper than can be read.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidModel(f"{what} is not TOML: {error}") from error
    except RecursionError:
        raise InvalidModel(f"{what} is nested too deeply") from None
