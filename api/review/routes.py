"""The reviewers' pages: the queue, one document, the decision. They work without scripts."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.responses import RedirectResponse

from api.gate import Gate
from api.review import views
from api.review.account import HOME, SIGN_IN, account_routes, style_routes
from api.review.pages import render
from api.review.sign_in import form_is_ours, read_form, session_token
from api.review.texts import days_left, language_of
from api.routes.documents import draw_page
from api.services import Services
from docqa.ports import Ruling, StoredDocument

_LONGEST_REASON_CHARACTERS = 1000
_SHORTEST_REASON_CHARACTERS = 3


class SignInNeeded(Exception):
    """Whoever asks is not signed in (any more)."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who is signed in."""

    request: Request
    reviewer: str
    token: str
    language: str

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """``template`` for this reviewer."""
        return render(
            self.request,
            template,
            token=self.token,
            reviewer=self.reviewer,
            status=status,
            **values,
        )


def install_review(app: FastAPI, services: Services, *, drawing: Gate) -> None:
    """Add everything under ``/review`` to ``app``.

    Args:
        app: the application.
        services: what the pages work with.
        drawing: admits requests for page images.
    """

    async def to_sign_in(_: Request, __: Exception) -> Response:
        return RedirectResponse(SIGN_IN, 303)

    app.add_exception_handler(SignInNeeded, to_sign_in)
    app.include_router(account_routes(services))
    app.include_router(style_routes())
    app.include_router(_review_routes(services, drawing))


def _review_routes(services: Services, drawing: Gate) -> APIRouter:
    router = APIRouter(prefix=HOME, include_in_schema=False)

    def visit(request: Request) -> Visit:
        token = session_token(request)
        reviewer = services.sessions.reviewer(token, now=services.clock())
        if reviewer is None:
            raise SignInNeeded
        return Visit(request, reviewer, token, language_of(request))

    signed_in = Depends(visit)

    @router.get("")
    def queue(visit: Visit = signed_in) -> Response:
        after = visit.request.query_params.get("after")
        now = services.clock()
        with closing(cast("Any", services.store.scan(decision="review"))) as waiting:
            documents, following = views.queue_page(waiting, after)
        return visit.render(
            "queue.html",
            rows=[views.queue_row(found, services, visit.language, now) for found in documents],
            after=after,
            following=following,
            was_recorded="recorded" in visit.request.query_params,
        )

    @router.get("/{document_id}")
    def show(document_id: str, visit: Visit = signed_in) -> Response:
        return _document_page(services, visit, document_id)

    @router.get("/{document_id}/pages/{page}/image")
    async def page_image(document_id: str, page: int, visit: Visit = signed_in) -> Response:
        with drawing.admitted():
            picture = await drawing.run(lambda: draw_page(services, document_id, page))
        return Response(picture, media_type="image/png")

    @router.post("/{document_id}")
    async def decide(document_id: str, visit: Visit = signed_in) -> Response:
        form = await read_form(visit.request)
        return await anyio.to_thread.run_sync(lambda: _rule(services, visit, document_id, form))

    return router


def _rule(services: Services, visit: Visit, document_id: str, form: dict[str, str]) -> Response:
    reason = form.get("reason", "").strip()[:_LONGEST_REASON_CHARACTERS]
    decision = form.get("decision")
    if not form_is_ours(visit.request, form):
        return _document_page(services, visit, document_id, 403, "form_expired", reason)
    if len(reason) < _SHORTEST_REASON_CHARACTERS or decision not in ("accept", "reject"):
        return _document_page(services, visit, document_id, 422, "ruling_reason_missing", reason)
    ruling = Ruling(
        document_id=document_id,
        decision="accept" if decision == "accept" else "reject",
        reason=reason,
        reviewer=visit.reviewer,
        ruled_at=services.clock(),
    )
    if not services.rulings.rule_if_open(ruling):
        return _document_page(services, visit, document_id, 409, "already_ruled")
    return RedirectResponse(f"{HOME}?recorded", 303)


def _document_page(
    services: Services,
    visit: Visit,
    document_id: str,
    status: int = 200,
    failure: str | None = None,
    reason: str = "",
) -> Response:
    document = services.store.get(document_id)
    if document is None:
        return visit.render("missing.html", 404)
    report = document.report
    indexes = [page["index"] for page in report["pages"]]
    shown = _shown_page(visit.request, indexes)
    days = views.whole_days(document.deadline_at, services.clock())
    return visit.render(
        "document.html",
        status,
        document=document,
        title=views.type_title(services.document_types, document.document_type, visit.language),
        score=report["verdict"]["score"],
        received=views.day(document.received_at),
        deadline=views.day(document.deadline_at),
        left=days_left(days, visit.language),
        is_urgent=views.is_urgent(days),
        indexes=indexes,
        shown=shown,
        page=views.page_view(services, report, shown, visit.language) if indexes else None,
        findings=views.findings(report, visit.language, shown),
        claims=views.claim_rows(document, services, visit.language),
        rulings=_rulings(services, document),
        is_open=document.decision == "review",
        failure=failure,
        reason=reason,
        longest_reason=_LONGEST_REASON_CHARACTERS,
        shortest_reason=_SHORTEST_REASON_CHARACTERS,
    )


def _rulings(services: Services, document: StoredDocument) -> list[tuple[Ruling, str]]:
    """Each ruling with its day, the newest first."""
    made = services.rulings.rulings(document.id)
    return [(ruling, views.day(ruling.ruled_at)) for ruling in reversed(made)]


def _shown_page(request: Request, indexes: list[int]) -> int:
    asked = request.query_params.get("page", "")
    number = int(asked) if asked.isdecimal() and len(asked) < 5 else 1
    return number if number in indexes else 1
