"""The examples of /openapi.json."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from api.routes.examples import BOOKING, CHECK, DOCUMENT, DOCUMENT_LIST, REPORT_LIST
from api.routes.revalidations import PLAN, REVALIDATION, SUMMARY
from api.routes.webhooks import ENDPOINT, EVENT, SECRET

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


def install_examples(app: FastAPI) -> None:
    """Have the examples shown whole: FastAPI leaves out of its own every member that is null."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        described = generate()
        for name, example in EXAMPLES.items():
            described["components"]["schemas"][name]["examples"] = [example]
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation does it
