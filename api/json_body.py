"""Reads a small JSON body: a bounded number of bytes, checked by a model."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from api.problems import Problem, validation_problem

MOST_BYTES = 65_536

M = TypeVar("M", bound=BaseModel)


async def json_body(request: Request, model: type[M]) -> M:
    """The body of ``request``.

    Raises:
        Problem: it is too large, no JSON, or a value is wrong.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BYTES:
            raise Problem("http.body_too_large")
    try:
        value = read_json(data)
    except (ValueError, RecursionError) as error:
        raise Problem("http.not_json") from error
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise validation_problem(error.errors(include_input=False)) from None


def read_json(text: str | bytes | bytearray, at: str = "") -> Any:
    """The value that a JSON text writes.

    Args:
        text: which.
        at: what the pointers of its problems begin with.

    Raises:
        ValueError, RecursionError: it is no JSON.
        Problem: a name is given twice: which of its values was meant nobody knows.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, value in pairs:
            if name in made:
                errors = [{"pointer": f"{at}/{name}", "detail": "is given twice"}]
                raise Problem("http.invalid", errors=errors)
            made[name] = value
        return made

    return json.loads(text, object_pairs_hook=once)


def json_request(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI description of a route that takes such a body."""
    schema = model.model_json_schema()
    examples = schema.pop("examples")
    content = {"schema": schema, "examples": {"example": {"value": examples[0]}}}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}
