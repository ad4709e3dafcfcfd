"""The query of a request, every parameter of it heeded or refused."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from api.form_data import utf8_value
from api.problems import Problem


def query_values(request: Request, at: str = "") -> dict[str, str]:
    """The parameters by name.

    Args:
        request: which.
        at: what the pointers of its problems begin with.

    Raises:
        Problem: one is given twice, or is not UTF-8: Starlette would take the last one, and other
            characters.
    """
    # One character for each byte, whatever the bytes mean.
    pairs = parse_qsl(
        request.scope["query_string"].decode("latin-1"),
        keep_blank_values=True,
        encoding="latin-1",
    )
    values: dict[str, str] = {}
    for latin, value in pairs:
        name = latin.encode("latin-1").decode("utf-8", "replace")
        if name in values:
            raise _wrong(f"{at}/{name}", "is given twice")
        values[name] = utf8_value(f"{at}/{name}", value.encode("latin-1"))
    return values


async def heed_all(request: Request) -> None:
    """For lists, as a dependency: who mistypes a filter is not to be answered without it.

    Raises:
        Problem: the route has no such parameter, or takes one and not several; or one holds a NUL,
            for which PostgreSQL cannot be asked.
    """
    known = {parameter.alias for parameter in request.scope["route"].dependant.query_params}
    for name, value in query_values(request, "/query").items():
        if name not in known:
            raise _wrong(f"/query/{name}", f"is unknown here: use {', '.join(sorted(known))}")
        if "\0" in value:
            raise _wrong(f"/query/{name}", "holds a NUL character")


def _wrong(pointer: str, detail: str) -> Problem:
    return Problem("http.invalid", errors=[{"pointer": pointer, "detail": detail}])
