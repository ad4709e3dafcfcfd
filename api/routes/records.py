"""A client's documents as lists, their past reports, corrected typing, and deleting them."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import (
    DocumentAnswer,
    DocumentList,
    ReportList,
    document_answer,
    find_document,
    past_reports,
    summary,
)
from api.corrections import Correction, correct
from api.gate import Gate
from api.json_body import json_body, json_request
from api.principal import client_id_of
from api.problems import Problem
from api.query import heed_all
from api.routes.examples import problem_responses
from api.services import Services
from api.submission import in_utc
from docqa.errors import HeldDocument

DEFAULT_PAGE_ITEMS = 50
MOST_PAGE_ITEMS = 200


def record_routes(services: Services, *, gate: Gate) -> APIRouter:
    """The routes under ``/v1/documents`` that are about what is stored already.

    Args:
        services: what they work with.
        gate: admits what may need a child, as uploads do.
    """
    router = APIRouter(prefix="/v1", tags=["documents"])
    _add_listing(router, services)

    @router.patch(
        "/documents/{document_id}/claims",
        response_model=DocumentAnswer,
        summary="Correct what the citizen typed",
        openapi_extra=json_request(Correction),
        responses=problem_responses(
            "http.not_json",
            "http.document_not_found",
            "http.document_changed",
            "http.body_too_large",
            "http.invalid",
            "service.overloaded",
        ),
    )
    async def correct_claims(request: Request, document_id: str) -> DocumentAnswer:
        """Holds the corrected values against the document, which is not uploaded or measured again.

        Makes a new report; the old ones stay. What cannot be read for the new values is review.
        """
        correction = await json_body(request, Correction)

        def work() -> DocumentAnswer:
            return document_answer(
                correct(services, find_document(services, document_id), correction)
            )

        with gate.admitted():
            return await gate.run(work)

    @router.delete(
        "/documents/{document_id}",
        status_code=204,
        response_class=Response,
        summary="Delete a document",
        responses=problem_responses(
            "http.document_not_found", "http.document_held", "http.invalid"
        ),
    )
    def delete_document(request: Request, document_id: str) -> Response:
        """Deletes its bytes, its reports and what was decided on it, for good."""
        document = find_document(services, document_id)
        try:
            services.portal.records.erase(document, client_id_of(request))
        except HeldDocument:
            raise Problem("http.document_held") from None
        return Response(status_code=204)

    return router


def _add_listing(router: APIRouter, services: Services) -> None:
    @router.get(
        "/documents",
        response_model=DocumentList,
        summary="A client's documents",
        dependencies=[Depends(heed_all)],
        responses=problem_responses("http.invalid"),
    )
    def list_documents(
        request: Request,
        booking_ref: Annotated[str | None, Query(max_length=100)] = None,
        decision: Literal["accept", "review", "reject"] | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_PAGE_ITEMS)] = DEFAULT_PAGE_ITEMS,
        cursor: Annotated[
            str | None,
            Query(max_length=400, description="From the next of another page, and opaque."),
        ] = None,
    ) -> DocumentList:
        """The oldest first, without their reports; next leads on."""
        found = services.portal.records.page(
            client_id_of(request),
            after=None if cursor is None else _place(cursor),
            limit=limit + 1,
            booking_ref=booking_ref,
            decision=decision,
        )
        asked = {"booking_ref": booking_ref, "decision": decision, "limit": limit}
        shown = found[:limit]
        following = None
        if len(found) > limit:
            following = _address(asked, _cursor(shown[-1].received_at, shown[-1].id))
        return DocumentList(
            items=[summary(document) for document in shown],
            self=_address(asked, cursor),
            next=following,
        )

    @router.get(
        "/documents/{document_id}/reports",
        response_model=ReportList,
        summary="Every report a document had",
        responses=problem_responses("http.document_not_found", "http.invalid"),
    )
    def list_reports(document_id: str) -> ReportList:
        """The first one first; the last one is in force."""
        find_document(services, document_id)
        return past_reports(services.portal.records.history(document_id))


def _address(asked: dict[str, str | int | None], cursor: str | None) -> str:
    given = {
        name: value for name, value in {**asked, "cursor": cursor}.items() if value is not None
    }
    return "/v1/documents?" + urlencode(given)


def _cursor(received_at: datetime, document_id: str) -> str:
    text = json.dumps([received_at.isoformat(), document_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, document_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        received_at = datetime.fromisoformat(moment)
        if received_at.tzinfo is None or not document_id.isprintable():
            raise ValueError("no place in the list")
        return in_utc(received_at), document_id
    except (ValueError, TypeError, AttributeError, RecursionError):
        errors = [{"pointer": "/query/cursor", "detail": "is not from the next of a page"}]
        raise Problem("http.invalid", errors=errors) from None
