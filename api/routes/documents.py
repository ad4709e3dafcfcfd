"""Uploading documents and asking about them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, Request, Response

from api.answers import CheckAnswer, DocumentAnswer, document_answer, find_document, first_answer
from api.gate import Gate
from api.principal import client_id_of
from api.problems import Problem
from api.query import query_values
from api.routes.examples import KEYED_UPLOAD, UPLOAD, problem_responses, upload_responses
from api.services import Services
from api.submission import Submission, inspect, parse_submission, refuse_cancelled, submit
from api.upload import received
from docqa.overlay import Veil

_KEY = re.compile(r"[!-~]{1,200}")


def document_routes(services: Services, *, gate: Gate, drawing: Gate) -> APIRouter:
    """The routes under ``/v1/documents`` and ``/v1/checks``.

    Args:
        services: what they work with.
        gate: admits uploads.
        drawing: admits requests for page images.
    """
    router = APIRouter(prefix="/v1", tags=["documents"])
    _add_uploading(router, services, gate)
    _add_showing(router, services, drawing)
    return router


def _add_uploading(router: APIRouter, services: Services, gate: Gate) -> None:
    @asynccontextmanager
    async def submission(request: Request) -> AsyncIterator[Submission]:
        async with AsyncExitStack() as kept:
            with gate.sending(client_id_of(request)), services.stage("upload"):
                upload = await kept.enter_async_context(
                    received(
                        request,
                        files=services.files,
                        max_bytes=services.settings.max_upload_bytes,
                        timeout_s=services.settings.upload_timeout_s,
                    )
                )
            with gate.arrived():
                yield parse_submission(upload, query_values(request), services.clock())

    @router.post(
        "/documents",
        status_code=201,
        response_model=DocumentAnswer,
        summary="Upload a document",
        openapi_extra=KEYED_UPLOAD,
        responses=upload_responses(
            services,
            "http.idempotency.key_missing",
            "http.idempotency.in_flight",
            "http.idempotency.document_deleted",
        ),
    )
    async def upload_document(request: Request, response: Response) -> DocumentAnswer:
        """Judges the file and keeps it. The answer comes once file and report are committed.

        A poor document is no error: it is a 201 whose decision is reject. The same upload may be
        sent again and again with its Idempotency-Key: it is stored once, and answered as the first
        time even when the document has changed since.
        """
        key = _idempotency_key(request)
        client_id = client_id_of(request)
        async with submission(request) as sent:
            answer, replayed = await gate.run_until(
                lambda done: _submitted(services, sent, client_id, key, done)
            )
        response.headers["Location"] = f"/v1/documents/{answer.id}"
        if replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return answer

    @router.post(
        "/checks",
        response_model=CheckAnswer,
        summary="Try a document before submitting it",
        openapi_extra=UPLOAD,
        responses=upload_responses(services, "http.rejected", "http.booking_cancelled"),
    )
    async def check_document(request: Request) -> Response:
        """Judges the file and forgets it."""
        client_id = client_id_of(request)
        async with submission(request) as sent:
            return await gate.run(lambda: _checked(services, sent, client_id))


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("idempotency-key")
    if key is None:
        raise Problem("http.idempotency.key_missing")
    if not _KEY.fullmatch(key):
        raise Problem("http.idempotency.key_invalid")
    return key


def _checked(services: Services, sent: Submission, client_id: str) -> Response:
    refuse_cancelled(services, client_id, sent.booking_ref)
    answer = CheckAnswer(file_name=sent.file_name, report=inspect(services, sent).report)
    return Response(answer.model_dump_json(), media_type="application/json")


def _submitted(
    services: Services, sent: Submission, client_id: str, key: str, done: Callable[[], object]
) -> tuple[DocumentAnswer, bool]:
    document, replayed = submit(services, sent, client_id, key, done)
    if not replayed:
        return document_answer(document), False
    history = services.portal.records.history(document.id)
    if not history:  # deleted at this very moment
        raise Problem("http.idempotency.document_deleted")
    return first_answer(document, history[0]), True


def _add_showing(router: APIRouter, services: Services, drawing: Gate) -> None:
    @router.get(
        "/documents/{document_id}",
        response_model=DocumentAnswer,
        summary="A document with the report in force",
        responses=problem_responses("http.document_not_found", "http.invalid"),
    )
    def show_document(document_id: str) -> DocumentAnswer:
        """Also tells what a reviewer decided."""
        document = find_document(services, document_id)
        return document_answer(document, services.rulings.rulings(document_id))

    @router.get(
        "/documents/{document_id}/pages/{page}/image",
        response_class=Response,
        summary="A page as a picture",
        responses={
            200: {"content": {"image/png": {}}, "description": "The page, drawn anew."},
            **problem_responses("http.page_not_found", "http.invalid", "service.overloaded"),
        },
    )
    async def page_image(document_id: str, page: int) -> Response:
        """A PNG made from the page's pixels: no byte of the uploaded file reaches a browser."""
        with drawing.admitted():
            picture = await drawing.run(lambda: draw_page(services, document_id, page))
        return Response(picture, media_type="image/png")


def draw_page(
    services: Services,
    document_id: str,
    page: int,
    max_side_px: int | None = None,
    veil: Veil | None = None,
) -> bytes:
    """A PNG of a stored document's page; blocks.

    Args:
        services: where the document is, and what draws it.
        document_id: which.
        page: 1 for the first.
        max_side_px: of its longer side; the settings' ``page_image_max_side_px`` if None or more.
        veil: what of the page is not in it.

    Raises:
        Problem: there is no such document or page.
        InvalidDocument: the page cannot be drawn.
    """
    document = find_document(services, document_id)
    if not 1 <= page <= max(1, len(document.report["pages"])):
        raise Problem("http.page_not_found")
    data = services.blobs.get(document.blob_key)
    most = services.settings.page_image_max_side_px
    return services.render_page(data, page, min(max_side_px or most, most), veil)
