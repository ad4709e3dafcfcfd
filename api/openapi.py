"""What /openapi.json says beyond the routes: examples, and what all answers have in common."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from api.routes.examples import (
    BOOKING,
    CHECK,
    DOCUMENT,
    DOCUMENT_LIST,
    REPORT_LIST,
    problem_responses,
)
from api.routes.revalidations import PLAN, REVALIDATION, SUMMARY
from api.routes.webhooks import ENDPOINT, EVENT, SECRET
from api.scopes import describe_scopes, operations

EXAMPLES: dict[str, dict[str, Any]] = {
    "BookingAnswer": BOOKING,
    "CheckAnswer": CHECK,
    "DocumentAnswer": DOCUMENT,
    "DocumentList": DOCUMENT_LIST,
    "ReportList": REPORT_LIST,
    "EndpointAnswer": ENDPOINT,
    "NewEndpointAnswer": {**ENDPOINT, "secret": SECRET},
    "EndpointList": {"items": [ENDPOINT]},
    "PlanAnswer": PLAN,
    "RevalidationAnswer": REVALIDATION,
    "RevalidationList": {"items": [SUMMARY]},
    "StartAnswer": {"plan": PLAN, "revalidation": SUMMARY},
    "EventPage": {"items": [EVENT], "next": None},
}
"""By answer."""
_TEXT: dict[str, Any] = {"type": "string"}
PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "What is wrong, as RFC 9457 describes it, and in Arabic as well.",
    "type": "object",
    "required": [
        "type", "title", "status", "detail", "code", "title_ar", "detail_ar", "request_id"
    ],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": {**_TEXT, "description": "What to do."},
        "code": {**_TEXT, "description": "Codes are only ever added."},
        "title_ar": _TEXT,
        "detail_ar": _TEXT,
        "request_id": _TEXT,
        "errors": {
            "type": "array",
            "description": "Single wrong values, where there are any.",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        **_TEXT,
                        "description": "Where: in the body or the form, or after /query or /path.",
                    },
                    "detail": {**_TEXT, "description": "In English, for developers."},
                },
            },
        },
    },
}  # fmt: skip
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {"schema": _TEXT, "description": "Also in the logs; a client may send one."},
    "RateLimit": {
        "schema": _TEXT,
        "description": "Requests left (r), until there are more (t, s).",
    },
    "RateLimit-Policy": {"schema": _TEXT, "description": "Requests (q) that a window (w, s) has."},
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."},
    "Location": {"schema": _TEXT, "description": "Address of what was made."},
    "Idempotency-Replayed": {
        "schema": _TEXT,
        "description": "true where an earlier upload with this key was answered with this.",
    },
}
_CREATED: dict[str, tuple[str, tuple[str, ...]]] = {
    "POST /v1/documents": ("201", ("Location", "Idempotency-Replayed")),
    "POST /v1/revalidations": ("202", ("Location",)),
}
"""By operation: the status and the headers that only this answer has."""
_WAITED_FOR = ("409", "429", "503")
_UNCOUNTED = ("401", "500")
"""No client is known, or what counts its requests was left by an error."""


def describe(app: FastAPI) -> None:
    """Have the document say what the routes alone do not."""
    _install_examples(app)
    describe_scopes(app)
    _describe_answers(app)


def _describe_answers(app: FastAPI) -> None:
    """Have every problem described with its form, and every answer with its headers."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        described = generate()
        described["components"]["schemas"]["Problem"] = PROBLEM
        described["components"]["headers"] = HEADERS
        for name, operation in operations(described):
            _add_common_problems(operation)
            for status, response in operation["responses"].items():
                _describe_answer(name, status, response, has_key="security" in operation)
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation does it


def _add_common_problems(operation: dict[str, Any]) -> None:
    codes = ["service.failure"]
    codes += ["service.storage" if "security" in operation else "service.stopping"]
    codes += ["http.content_encoding"] if "requestBody" in operation else []
    for status, shown in problem_responses(*codes).items():
        response = operation["responses"].setdefault(str(status), shown)
        for media_type, content in shown["content"].items():
            response.setdefault("content", {}).setdefault(media_type, content)


def _describe_answer(name: str, status: str, response: dict[str, Any], *, has_key: bool) -> None:
    problem = response.get("content", {}).get("application/problem+json")
    if problem is not None:
        problem["schema"] = {"type": "object", "$ref": "#/components/schemas/Problem"}
    headers = ["X-Request-Id"]
    if has_key and status not in _UNCOUNTED:
        headers += ["RateLimit", "RateLimit-Policy"]
    if status in _WAITED_FOR:
        headers.append("Retry-After")
    created, more = _CREATED.get(name, ("", ()))
    headers += more if status == created else ()
    response["headers"] = {each: {"$ref": f"#/components/headers/{each}"} for each in headers}


def _install_examples(app: FastAPI) -> None:
    """Have the examples shown whole: FastAPI leaves out of its own every member that is null."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        described = generate()
        for name, example in EXAMPLES.items():
            described["components"]["schemas"][name]["examples"] = [example]
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation does it
