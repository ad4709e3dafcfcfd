"""Uploading documents and asking about them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.gate import Gate
from api.problems import Problem
from api.routes.examples import CHECK, DOCUMENT, UPLOAD, problem_responses
from api.services import Services
from api.submission import Submission, inspect, parse_submission, submit
from api.upload import received
from docqa.ports import Ruling, StoredDocument

_KEY = re.compile(r"[!-~]{1,200}")


class RulingAnswer(BaseModel):
    """What a reviewer decided."""

    decision: Literal["accept", "reject"]
    reason: str = Field(description="In the reviewer's words.")
    ruled_at: datetime


class DocumentAnswer(BaseModel):
    """A stored document with the report in force."""

    model_config = ConfigDict(json_schema_extra={"examples": [DOCUMENT]})

    id: str
    decision: str = Field(description="accept, review or reject: the reviewer's once there is one.")
    document_type: str
    file_name: str
    booking_ref: str | None
    received_at: datetime
    deadline_at: datetime | None
    report: dict[str, Any] = Field(description="docqa.report/1")
    ruling: RulingAnswer | None = None


class CheckAnswer(BaseModel):
    """The report on a file of which nothing was stored."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHECK]})

    file_name: str
    report: dict[str, Any] = Field(description="docqa.report/1")


def document_routes(services: Services, *, gate: Gate, drawing: Gate, spool: Path) -> APIRouter:
    """The routes under ``/v1/documents`` and ``/v1/checks``.

    Args:
        services: what they work with.
        gate: admits uploads.
        drawing: admits requests for page images.
        spool: a private folder for files that are being received.
    """
    router = APIRouter(prefix="/v1", tags=["documents"])
    _add_uploading(router, services, gate, spool)
    _add_showing(router, services, drawing)
    return router


def _add_uploading(router: APIRouter, services: Services, gate: Gate, spool: Path) -> None:
    @asynccontextmanager
    async def submission(request: Request) -> AsyncIterator[Submission]:
        with gate.admitted():
            async with received(
                request,
                folder=spool,
                max_bytes=services.settings.max_upload_bytes,
                timeout_s=services.settings.upload_timeout_s,
            ) as upload:
                yield parse_submission(upload, dict(request.query_params))

    @router.post(
        "/documents",
        status_code=201,
        response_model=DocumentAnswer,
        summary="Upload a document",
        openapi_extra=UPLOAD,
        responses=problem_responses(400, 408, 409, 413, 415, 422, 503),
    )
    async def upload_document(request: Request, response: Response) -> DocumentAnswer:
        """Judges the file and keeps it. The answer comes once file and report are committed.

        A poor document is no error: it is a 201 whose decision is reject. With an Idempotency-Key
        the same upload may be sent again and again and is stored once.
        """
        key = request.headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            raise Problem("http.idempotency.key_invalid")
        async with submission(request) as sent:
            document, replayed = await gate.run(lambda: submit(services, sent, key))
        response.headers["Location"] = f"/v1/documents/{document.id}"
        if replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return _answer(document)

    @router.post(
        "/checks",
        response_model=CheckAnswer,
        summary="Try a document before submitting it",
        openapi_extra=UPLOAD,
        responses=problem_responses(400, 408, 413, 415, 422, 503),
    )
    async def check_document(request: Request) -> CheckAnswer:
        """Judges the file and forgets it."""
        async with submission(request) as sent:
            found = await gate.run(lambda: inspect(services, sent))
            return CheckAnswer(file_name=sent.file_name, report=found.report)


def _add_showing(router: APIRouter, services: Services, drawing: Gate) -> None:
    @router.get(
        "/documents/{document_id}",
        response_model=DocumentAnswer,
        summary="A document with the report in force",
        responses=problem_responses(404),
    )
    def show_document(document_id: str) -> DocumentAnswer:
        """Also tells what a reviewer decided."""
        document = _find(services, document_id)
        return _answer(document, services.rulings.rulings(document_id))

    @router.get(
        "/documents/{document_id}/pages/{page}/image",
        response_class=Response,
        summary="A page as a picture",
        responses={
            200: {"content": {"image/png": {}}, "description": "The page, drawn anew."},
            **problem_responses(404, 422, 503),
        },
    )
    async def page_image(document_id: str, page: int) -> Response:
        """A PNG made from the page's pixels: no byte of the uploaded file reaches a browser."""
        with drawing.admitted():
            picture = await drawing.run(lambda: draw_page(services, document_id, page))
        return Response(picture, media_type="image/png")


def draw_page(
    services: Services, document_id: str, page: int, max_side_px: int | None = None
) -> bytes:
    """A PNG of a stored document's page; blocks.

    Args:
        services: where the document is, and what draws it.
        document_id: which.
        page: 1 for the first.
        max_side_px: of its longer side; the settings' ``page_image_max_side_px`` if None or more.

    Raises:
        Problem: there is no such document or page.
        InvalidDocument: the page cannot be drawn.
    """
    document = _find(services, document_id)
    if not 1 <= page <= max(1, len(document.report["pages"])):
        raise Problem("http.page_not_found")
    data = services.blobs.get(document.blob_key)
    most = services.settings.page_image_max_side_px
    return services.render_page(data, page, min(max_side_px or most, most))


def _find(services: Services, document_id: str) -> StoredDocument:
    document = services.store.get(document_id)
    if document is None:
        raise Problem("http.document_not_found")
    return document


def _answer(document: StoredDocument, rulings: Sequence[Ruling] = ()) -> DocumentAnswer:
    ruling = None
    if rulings:
        last = rulings[-1]
        ruling = RulingAnswer(decision=last.decision, reason=last.reason, ruled_at=last.ruled_at)
    return DocumentAnswer(
        id=document.id,
        decision=document.decision,
        document_type=document.document_type,
        file_name=document.file_name,
        booking_ref=document.booking_ref,
        received_at=document.received_at,
        deadline_at=document.deadline_at,
        report=document.report,
        ruling=ruling,
    )
