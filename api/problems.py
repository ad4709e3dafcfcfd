"""Errors as RFC 9457 problems, in Arabic and English, without anything internal."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import compile_path

from api.services import Services, Texts
from docqa.errors import InvalidDocument, InvalidRequest
from docqa.wiring import REDACTOR

_NO_OBJECT = frozenset({"model_type", "model_attributes_type", "dict_type"})
"""Errors of pydantic that name its classes."""
TYPE_PREFIX = "https://docqa.invalid/problems/"
_TABLES: Mapping[str, Mapping[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "problems.toml").read_text(encoding="utf-8")
)
_STATUS = {"file.too_large": 413, "request.claims.not_json": 400}
_CODE_OF_STATUS = {
    400: "http.not_json",  # FastAPI's own, for bodies with which its reader breaks down
    404: "http.not_found",
    405: "http.method_not_allowed",
    413: "http.body_too_large",
}


class Problem(Exception):
    """A request that is answered with a problem whose code stands in ``problems.toml``.

    Args:
        code: which.
        retry_after_s: sent as Retry-After.
        errors: single wrong values, each ``{"pointer": …, "detail": …}``.
    """

    def __init__(
        self,
        code: str,
        *,
        retry_after_s: int | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_s = retry_after_s
        self.errors = errors


def status_of(code: str) -> int:
    """The HTTP status of a problem code."""
    if code in _TABLES:
        return int(_TABLES[code]["status"])
    if code.startswith("file.format."):
        return 415
    return _STATUS.get(code, 422)


def problem_response(problem: Problem, request_id: str) -> JSONResponse:
    """The answer to a request that failed with ``problem``."""
    return _response(problem.code, problem_texts(problem.code), request_id, problem)


def problem_texts(code: str) -> Texts:
    """The ``title`` and ``detail`` of a code of ``problems.toml``, by language."""
    table = _TABLES[code]
    return {
        language: {"title": table["title"][language], "detail": table["detail"][language]}
        for language in ("ar", "en")
    }


def problem_body(code: str, texts: Texts, request_id: str) -> dict[str, Any]:
    """The members that every problem has."""
    return {
        "type": TYPE_PREFIX + code.replace(".", "-").replace("_", "-"),
        "title": texts["en"]["title"],
        "status": status_of(code),
        "detail": texts["en"]["detail"],
        "code": code,
        "title_ar": texts["ar"]["title"],
        "detail_ar": texts["ar"]["detail"],
        "request_id": request_id,
    }


def validation_problem(errors: Sequence[Any]) -> Problem:
    """The problem of values that pydantic found wrong; what was sent is not repeated.

    A pointer is into the body, whoever has read it, or begins with ``/query`` or ``/path``.
    """
    if any(error["type"] == "json_invalid" for error in errors):
        return Problem("http.not_json")
    return Problem(
        "http.invalid",
        errors=[{"pointer": _pointer(error["loc"]), "detail": _detail(error)} for error in errors],
    )


def _pointer(place: Sequence[int | str]) -> str:
    inside = place[1:] if place[:1] == ("body",) else place
    return "/".join(("", *map(str, inside)))


def _detail(error: Mapping[str, Any]) -> str:
    if error["type"] in _NO_OBJECT:
        return "Input should be a JSON object"
    return str(error["msg"]).removeprefix("Value error, ")


def install_problems(app: FastAPI, services: Services) -> None:
    """Make every error of ``app`` a problem; those nobody foresaw are api.envelope's."""

    async def coded(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, InvalidDocument | InvalidRequest)
        # A name that a client made up may be a citizen's number.
        facts = {
            name: REDACTOR.mask(fact) if isinstance(fact, str) else fact
            for name, fact in error.facts.items()
        }
        texts = services.problem_text(error.code, facts)
        return _response(error.code, texts, request.state.request_id)

    async def known(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return problem_response(error, request.state.request_id)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return problem_response(validation_problem(error.errors()), request.state.request_id)

    async def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = _CODE_OF_STATUS.get(error.status_code, "http.rejected")
        response = problem_response(Problem(code), request.state.request_id)
        response.headers.update(error.headers or {})
        if error.status_code == 405 and (methods := _methods_at(request)):
            response.headers["Allow"] = ", ".join(sorted(methods))
        return response

    app.add_exception_handler(InvalidDocument, coded)
    app.add_exception_handler(InvalidRequest, coded)
    app.add_exception_handler(Problem, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)


def _methods_at(request: Request) -> set[str]:
    """Every method that /openapi.json has for this address, whichever route takes it."""
    described: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    return {
        method.upper()
        for template, methods in described.items()
        if compile_path(template)[0].fullmatch(request.url.path)
        for method in methods
    }


def _response(
    code: str, texts: Texts, request_id: str, problem: Problem | None = None
) -> JSONResponse:
    body = problem_body(code, texts, request_id)
    headers = {}
    if problem is not None and problem.errors:
        # A client may have put a citizen's number where a name belongs; details are docqa's words.
        body["errors"] = [
            {**error, "pointer": REDACTOR.mask(_whole(error["pointer"]))}
            for error in problem.errors
        ]
    if problem is not None and problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")


def _whole(text: str) -> str:
    """``text`` with no half of a surrogate pair, which no answer can carry."""
    return text.encode("utf-8", "replace").decode()
