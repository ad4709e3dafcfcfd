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
from docqa.webhooks.records import EVENT_KINDS

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
_NO_OR_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_TOLD: dict[str, Any] = {
    "type": "object",
    "required": ["type", "timestamp", "data"],
    "properties": {
        "type": {"type": "string", "enum": list(EVENT_KINDS)},
        "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
        "data": {
            "type": "object",
            "description": "More may be added.",
            "required": ["document_id", "booking_ref", "sequence"],
            "properties": {
                "document_id": _NO_OR_TEXT,
                "booking_ref": _NO_OR_TEXT,
                "sequence": {"type": "integer", "description": "Grows with every event."},
                "decision": {**_TEXT, "description": "Of the document: accept, review or reject."},
                "reason_codes": {**_TEXTS, "description": "Of the document, or of the booking."},
                "because": {**_TEXT, "description": "Why it was escalated."},
                "outcome": {**_TEXT, "description": "Of the booking, as its address says it."},
                "state": {**_TEXT, "description": "Of the booking: open or cancelled."},
                "reason": {**_TEXT, "description": "Why the document was deleted."},
                "receipt": {**_TEXT, "description": "That it was deleted: the receipt's id."},
                "request_id": {**_TEXT, "description": "Of the request that had it happen."},
                "truncated": {
                    "type": "boolean",
                    "description": "true where what happened was too long to tell: ask for it.",
                },
            },
        },
    },
}
WEBHOOKS: dict[str, Any] = {
    "event": {
        "post": {
            "summary": "What happened",
            "description": "Sent to every endpoint that wants it, signed as Standard Webhooks"
            " describes; docs/api.md says how it is verified.",
            "parameters": [
                {"name": name, "in": "header", "required": True, "schema": _TEXT}
                for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _TOLD}},
            },
            "responses": {
                "2XX": {"description": "It is kept. After anything else it is sent again."},
                "410": {"description": "Nothing more is wanted: the endpoint is switched off."},
            },
        }
    }
}
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
        described["webhooks"] = WEBHOOKS
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
