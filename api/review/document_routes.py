"""One document under ``/review/{id}``: look, take, reveal, decide, undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Depends, Response
from starlette.responses import RedirectResponse

from api.answers import find_document
from api.gate import Gate
from api.review.account import HOME
from api.review.deciding import (
    LONGEST_WORDS_CHARACTERS,
    SHORTEST_WORDS_CHARACTERS,
    citizen_message,
    is_sampled,
    offered,
    ticked_codes,
)
from api.review.document_page import Typed, address_of, document_page
from api.review.last_filter import last_asked
from api.review.notices import UNDO_GRACE, UNDO_WITHIN, is_repeated
from api.review.sign_in import form_is_ours, read_form
from api.review.taking import next_document, refusal, take
from api.review.veil import is_revealed, veil_of
from api.review.visits import Visit, visits
from api.routes.documents import draw_page
from api.services import Services
from docqa.reviewing import Decided, Outcome, TrailEntry

_SIDES_PX = {"thumb": 320, "small": 1000}
_OUTCOMES: dict[str, Outcome] = {
    "accept": "accept",
    "reject": "reject",
    "rescan": "rescan",
    "escalate": "escalate",
}
_FAILED = {
    "lost": (412, "claim_lost"),
    "changed": (409, "changed"),
    "closed": (409, "already_ruled"),
}
_Form = dict[str, str]
_Work = Callable[[Services, Visit, str, _Form], Response]


def document_page_routes(services: Services, drawing: Gate) -> APIRouter:
    """The routes of one document."""
    router = APIRouter(prefix=HOME, include_in_schema=False)
    signed_in = Depends(visits(services))

    @router.get("/{document_id}")
    def show(document_id: str, visit: Visit = signed_in) -> Response:
        return document_page(services, visit, document_id)

    @router.get("/{document_id}/pages/{page}/image")
    async def page_image(
        document_id: str, page: int, size: str = "full", visit: Visit = signed_in
    ) -> Response:
        with drawing.admitted():
            picture = await drawing.run(
                lambda: _picture(services, visit, document_id, page, _SIDES_PX.get(size))
            )
        return Response(picture, media_type="image/png")

    def add(path: str, work: _Work, visitor: Any = signed_in) -> None:
        async def answer(document_id: str, visit: Visit = visitor) -> Response:
            form = await read_form(visit.request)

            def checked() -> Response:
                if not form_is_ours(visit.request, form):
                    return document_page(
                        services, visit, document_id, 403, "form_expired", _typed(form)
                    )
                if services.store.get(document_id) is None:
                    return document_page(services, visit, document_id)
                return work(services, visit, document_id, form)

            return await anyio.to_thread.run_sync(checked)

        router.add_api_route(path, answer, methods=["POST"])

    add("/{document_id}", _decide)
    add("/{document_id}/claim", _claim)
    add("/{document_id}/beat", _beat, Depends(visits(services, renews=False)))
    add("/{document_id}/release", _release)
    add("/{document_id}/reveal", _reveal)
    add("/{document_id}/undo", _undo)
    return router


def _picture(
    services: Services, visit: Visit, document_id: str, page: int, side_px: int | None
) -> bytes:
    """A page as this reviewer may see it at the moment."""
    veil = veil_of(services, find_document(services, document_id), page)
    if veil is None or is_revealed(services, services.desk.trail(document_id), visit.reviewer):
        return draw_page(services, document_id, page, side_px)
    return draw_page(services, document_id, page, side_px, veil)


def _decide(services: Services, visit: Visit, document_id: str, form: _Form) -> Response:
    typed, document = _typed(form), services.store.get(document_id)
    if document is None:
        return document_page(services, visit, document_id)
    outcome = _OUTCOMES.get(form.get("decision", ""))
    wants_reason = outcome in ("reject", "rescan")
    codes = offered(services, document.report, typed.codes or ()) if wants_reason else ()
    lacks_reason = not codes and len(typed.words) < SHORTEST_WORDS_CHARACTERS
    if outcome is None or (wants_reason and lacks_reason):
        return document_page(services, visit, document_id, 422, "reject_reason_missing", typed)
    now = services.clock()
    result = services.desk.decide(
        Decided(
            document_id=document_id,
            report_number=_number(form, "report") or 0,
            reviewer=visit.reviewer,
            outcome=outcome,
            message=citizen_message(services, document.report, codes, typed.words),
            note=typed.note,
            given_codes=codes,
            decided_at=now,
            undo_until=now + UNDO_WITHIN + UNDO_GRACE,
        ),
        claim_version=_number(form, "claim"),
        second_look=is_sampled(document_id, services.settings.second_look_fraction),
    )
    is_over = result == "closed" and is_repeated(services, visit, document_id, outcome)
    if result != "recorded" and not is_over:
        status, failure = _FAILED[result]
        if services.desk.is_withdrawn(document_id):
            failure = "booking_cancelled"
        if result == "changed":  # what was ticked was among the reasons of another report
            typed = replace(typed, codes=None)
        return document_page(services, visit, document_id, status, failure, typed)
    position = document.deadline_at, document.received_at, document.id
    found = next_document(services, visit, position)
    if found is None:
        return RedirectResponse(last_asked(services, visit).link(done=document_id), 303)
    return RedirectResponse(f"{HOME}/{found}?done={document_id}&previous={document_id}", 303)


def _claim(services: Services, visit: Visit, document_id: str, form: _Form) -> Response:
    takes_over = visit.supervises and "over" in form
    claim = take(services, document_id, visit.reviewer, take_over=takes_over)
    if claim is None:
        status, failure = refusal(services, document_id)
        return document_page(services, visit, document_id, status, failure, _typed(form))
    return RedirectResponse(address_of(visit, document_id), 303)


def _beat(services: Services, visit: Visit, document_id: str, form: _Form) -> Response:
    """Hold on to what is held; a script asks, and nobody sees the answer."""
    held = services.desk.holder(document_id, now=services.clock())
    is_mine = held is not None and held.reviewer == visit.reviewer
    if not is_mine or take(services, document_id, visit.reviewer, take_over=False) is None:
        return Response(status_code=412)
    return Response(status_code=204)


def _release(services: Services, visit: Visit, document_id: str, form: _Form) -> Response:
    services.desk.release(document_id, visit.reviewer)
    return RedirectResponse(last_asked(services, visit).link(), 303)


def _reveal(services: Services, visit: Visit, document_id: str, form: _Form) -> Response:
    why = form.get("why", "").strip()[:LONGEST_WORDS_CHARACTERS]
    if len(why) < SHORTEST_WORDS_CHARACTERS:
        return document_page(
            services, visit, document_id, 422, "reveal_reason_missing", _typed(form)
        )
    services.desk.record(TrailEntry(document_id, visit.reviewer, "revealed", why, services.clock()))
    return RedirectResponse(address_of(visit, document_id) + "#claims", 303)


def _undo(services: Services, visit: Visit, document_id: str, form: _Form) -> Response:
    undone = services.desk.undo(
        document_id,
        visit.reviewer,
        now=services.clock(),
        within=UNDO_WITHIN + UNDO_GRACE,
    )
    if not undone:
        return document_page(services, visit, document_id, 409, "undo_late")
    take(services, document_id, visit.reviewer, take_over=False)
    return RedirectResponse(f"{HOME}/{document_id}?undone", 303)


def _number(form: _Form, name: str) -> int | None:
    said = form.get(name, "")
    return int(said) if said.isdecimal() and len(said) < 10 else None


def _typed(form: _Form) -> Typed:
    return Typed(
        words=form.get("reason", "").strip()[:LONGEST_WORDS_CHARACTERS],
        note=form.get("note", "").strip()[:LONGEST_WORDS_CHARACTERS],
        codes=tuple(ticked_codes(form)),
        outcome=form.get("decision", ""),
    )
