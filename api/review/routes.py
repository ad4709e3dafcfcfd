"""The reviewers' pages: the queue, and everything else under ``/review``. No page needs scripts."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.responses import RedirectResponse

from api.gate import Gate
from api.review import queue, views
from api.review.account import HOME, account_routes, has_font, style_routes
from api.review.coming_back import sign_in_address
from api.review.document_routes import document_page_routes
from api.review.last_filter import keep_filter, last_asked
from api.review.notices import done_notice
from api.review.pages import keep_keys
from api.review.sign_in import form_is_ours, read_form
from api.review.supervising import supervisor_routes
from api.review.taking import next_document
from api.review.visits import SignInNeeded, Visit, visits
from api.services import Services
from docqa.reviewing import ESCALATE_WITHIN


def install_review(app: FastAPI, services: Services, *, drawing: Gate) -> None:
    """Add everything under ``/review`` to ``app``.

    Args:
        app: the application.
        services: what the pages work with.
        drawing: admits requests for page images.
    """

    async def to_sign_in(request: Request, _: Exception) -> Response:
        return RedirectResponse(sign_in_address(request), 303)

    font = services.settings.arabic_font
    app.state.has_font = has_font(font)
    app.add_exception_handler(SignInNeeded, to_sign_in)
    app.include_router(account_routes(services))
    app.include_router(style_routes(font))
    app.include_router(_queue_routes(services))
    app.include_router(supervisor_routes(services))
    app.include_router(document_page_routes(services, drawing))


def _queue_routes(services: Services) -> APIRouter:
    router = APIRouter(prefix=HOME, include_in_schema=False)
    signed_in = Depends(visits(services))

    @router.get("")
    def show_queue(visit: Visit = signed_in) -> Response:
        page = _queue_page(services, visit)
        query, now = visit.request.query_params, services.clock()
        keep_filter(visit, page, queue.asked(query, services, visit.reviewer, now))
        return page

    @router.get("/")
    def to_queue() -> Response:
        return RedirectResponse(HOME, 308)

    @router.post("/next")
    async def take_next(visit: Visit = signed_in) -> Response:
        form = await read_form(visit.request)
        if not form_is_ours(visit.request, form):
            return await anyio.to_thread.run_sync(
                lambda: _queue_page(services, visit, 403, "form_expired")
            )
        return await anyio.to_thread.run_sync(lambda: _take_next(services, visit, form))

    @router.post("/preferences")
    async def keep_preferences(visit: Visit = signed_in) -> Response:
        form = await read_form(visit.request)
        back = form.get("back", "")
        response = RedirectResponse(back if _is_our_page(back) else HOME, 303)
        if form_is_ours(visit.request, form):
            keep_keys(visit.request, response, on=form.get("keys") != "off")
        return response

    return router


def _queue_page(
    services: Services, visit: Visit, status: int = 200, failure: str | None = None
) -> Response:
    now = services.clock()
    query = visit.request.query_params
    asked = queue.asked(query, services, visit.reviewer, now)
    found = services.desk.queue(
        asked.which, after=asked.after, limit=queue.PAGE_LENGTH + 1, now=now
    )
    shown = found[: queue.PAGE_LENGTH]
    following = queue.cursor(shown[-1].position) if len(found) > queue.PAGE_LENGTH else ""
    return visit.render(
        "queue.html",
        status,
        address=HOME,
        rows=[queue.queue_row(waiting, services, visit.language, now) for waiting in shown],
        counters=services.desk.counters(visit.reviewer, now=now, soon=ESCALATE_WITHIN),
        asked=asked,
        is_start=asked.after is None,
        following=asked.link(after=following) if following else "",
        reasons=[
            (code, views.reason_label(code, visit.language)) for code in views.known_reasons()
        ],
        types=[
            (known, views.type_title(services.document_types, known, visit.language))
            for known in services.document_types
        ],
        ages=queue.AGES_DAYS,
        failure=failure,
        done=done_notice(services, visit),
        none_left="none" in query,
    )


def _take_next(services: Services, visit: Visit, form: dict[str, str]) -> Response:
    current = form.get("current", "")
    if current:
        services.desk.release(current, visit.reviewer)
    found = next_document(services, visit, queue.position_of(form.get("after")))
    if found is None:
        return RedirectResponse(last_asked(services, visit).link(none="1"), 303)
    return RedirectResponse(f"{HOME}/{found}" + (f"?previous={current}" if current else ""), 303)


def _is_our_page(path: str) -> bool:
    return path.startswith(f"{HOME}/") or path == HOME or path == "/try"
