"""Builds the page of one document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Response

from api.review import queue, views
from api.review.claims import claim_rows
from api.review.deciding import LONGEST_WORDS_CHARACTERS, choices
from api.review.notices import done_notice
from api.review.texts import day, hour
from api.review.veil import is_revealed, veil_of
from api.review.viewer import PageView, page_view
from api.review.visits import Visit
from api.services import Services
from docqa.overlay import Veil
from docqa.ports import StoredDocument
from docqa.reviewing import Claim, TrailEntry

_LOOKED_AT = ("page", "at", "beside", "beside_page", "previous", "done", "undone")
"""Of a query: everything but the language."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a reviewer typed, kept when it could not be recorded."""

    words: str = ""
    note: str = ""
    codes: tuple[str, ...] | None = None
    """None before anything was ticked or unticked."""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A document with the page of it that is shown."""

    id: str
    title: str
    decision: str
    received: str
    indexes: tuple[int, ...]
    index: int
    page: PageView | None
    """None where nothing was measured."""
    veil: Veil | None
    """What of the picture is hidden at the moment."""


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another document of the same booking."""

    id: str
    title: str
    relation: str
    """Name of a text."""
    decision: str
    received: str


@dataclass(frozen=True, slots=True)
class Told:
    """Something that was done, for people."""

    reviewer: str
    action: str
    """Name of a text."""
    detail: str
    at: str


def address_of(visit: Visit, document_id: str, step: str = "", **changes: object) -> str:
    """The page of a document as the visitor looks at it, or what its forms are sent to.

    Args:
        visit: whose query says what is looked at.
        document_id: of the document.
        step: what follows the id in the address of a form.
        changes: what is to be looked at instead; None takes it out.
    """
    kept = {name: visit.request.query_params.get(name) for name in _LOOKED_AT} | changes
    query = urlencode({name: value for name, value in kept.items() if value is not None})
    return f"/review/{quote(document_id)}{step}" + (f"?{query}" if query else "")


def document_page(
    services: Services,
    visit: Visit,
    document_id: str,
    status: int = 200,
    failure: str | None = None,
    typed: Typed | None = None,
) -> Response:
    """The page of one document, with what went wrong and what had been typed."""
    document = services.store.get(document_id)
    if document is None:
        return visit.render("missing.html", 404)
    now, language = services.clock(), visit.language
    is_blind = services.desk.is_second_look(document_id, visit.reviewer)
    is_withdrawn = services.desk.is_withdrawn(document_id)
    trail = services.desk.trail(document_id)
    beside = _beside(services, visit, document)
    keeps_note = _was_undone(visit) and not is_blind
    typed = typed or Typed(note=services.desk.last_note(document_id) if keeps_note else "")
    revealed = is_revealed(services, trail, visit.reviewer)
    return visit.render(
        "document.html",
        status,
        address=f"/review/{document_id}",
        here=partial(address_of, visit, document_id),
        sent_to=partial(address_of, visit, document_id, at=None, done=None, undone=None),
        document=document,
        shown=_shown(services, visit, document, revealed),
        beside=beside and _beside_shown(services, visit, beside),
        siblings=_siblings(services, visit, document),
        file_name=views.shown_name(document.file_name, revealed=revealed),
        deadline=day(document.deadline_at, language, services.settings.time_zone),
        left=views.time_left(document.deadline_at, now, language),
        findings=views.findings(document.report, language),
        evidence=views.capture_evidence(document.report, language),
        claims=claim_rows(document, services, language, revealed=revealed),
        is_revealed=revealed,
        rulings=[] if is_blind else _rulings(services, visit, document),
        trail=[
            _told(services, visit, entry)
            for entry in trail
            if entry.reviewer == visit.reviewer or not is_blind
        ],
        is_open=is_blind or (document.decision == "review" and not is_withdrawn),
        is_withdrawn=is_withdrawn,
        is_blind=is_blind,
        is_escalated=services.desk.escalated_by(document_id) is not None,
        claim=_claim(services, visit, services.desk.holder(document_id, now=now)),
        choices=choices(services, document.report, language, typed.codes),
        typed=typed,
        longest=LONGEST_WORDS_CHARACTERS,
        failure=failure,
        undone=_was_undone(visit),
        done=done_notice(services, visit, document_id),
        cursor=queue.cursor((document.deadline_at, document.received_at, document.id)),
        previous=visit.request.query_params.get("previous", ""),
    )


def _shown(
    services: Services,
    visit: Visit,
    document: StoredDocument,
    revealed: bool,
    *,
    is_main: bool = True,
) -> Shown:
    report, query = document.report, visit.request.query_params
    indexes = tuple(page["index"] for page in report["pages"])
    index = _number(query, "page" if is_main else "beside_page")
    index = index if index in indexes else 1
    page = None
    if indexes:
        at = _number(query, "at") if is_main and "at" in query else None
        page = page_view(services, report, index, visit.language, at)
    return Shown(
        id=document.id,
        title=views.type_title(services.document_types, document.document_type, visit.language),
        decision=_decision(services, visit, document.id, document.decision),
        received=hour(document.received_at, visit.language, services.settings.time_zone),
        indexes=indexes,
        index=index,
        page=page,
        veil=None if revealed else veil_of(services, document, index),
    )


def _beside_shown(services: Services, visit: Visit, document: StoredDocument) -> Shown:
    revealed = is_revealed(services, services.desk.trail(document.id), visit.reviewer)
    return _shown(services, visit, document, revealed, is_main=False)


def _siblings(services: Services, visit: Visit, document: StoredDocument) -> list[Sibling]:
    """The other documents of the booking, the same slot first."""
    if document.booking_ref is None:
        return []
    known = services.document_types.get(document.document_type)
    other_side = None if known is None else known.other_side
    relations = {document.document_type: "attempts_earlier", other_side: "attempts_other_side"}
    found = [
        Sibling(
            id=attempt.id,
            title=views.type_title(services.document_types, attempt.document_type, visit.language),
            relation=relations.get(attempt.document_type, "attempts_other"),
            decision=_decision(services, visit, attempt.id, attempt.decision),
            received=hour(attempt.received_at, visit.language, services.settings.time_zone),
        )
        for attempt in services.desk.attempts(document.client_id, document.booking_ref)
        if attempt.id != document.id
    ]
    return sorted(found, key=lambda sibling: sibling.relation == "attempts_other")


def _decision(services: Services, visit: Visit, document_id: str, decision: str) -> str:
    """What was decided on a document, which who is to look at it anew is not told."""
    is_blind = services.desk.is_second_look(document_id, visit.reviewer)
    return "review" if is_blind else decision


def _beside(services: Services, visit: Visit, document: StoredDocument) -> StoredDocument | None:
    """The document of the same booking that is asked to be shown beside this one."""
    other = services.store.get(visit.asked_id("beside"))
    if other is None or document.booking_ref is None:
        return None
    bookings = {(one.client_id, one.booking_ref) for one in (document, other)}
    return other if len(bookings) == 1 else None


def _claim(services: Services, visit: Visit, held: Claim | None) -> Mapping[str, Any]:
    if held is None:
        return {"state": "free", "version": "", "sentence": "claim_free", "name": "", "hour": ""}
    is_mine = held.reviewer == visit.reviewer
    return {
        "state": "mine" if is_mine else "other",
        "version": held.version if is_mine else "",
        "sentence": "claim_mine" if is_mine else "claim_other",
        "name": held.reviewer,
        "hour": hour(held.until, visit.language, services.settings.time_zone).split(" ")[-1],
    }


def _rulings(
    services: Services, visit: Visit, document: StoredDocument
) -> list[tuple[str, str, str, str]]:
    """Decision, reviewer, what the citizen was told and when; the newest first."""
    return [
        (
            ruling.decision,
            ruling.reviewer,
            ruling.reason,
            hour(ruling.ruled_at, visit.language, services.settings.time_zone),
        )
        for ruling in reversed(services.rulings.rulings(document.id))
    ]


def _told(services: Services, visit: Visit, entry: TrailEntry) -> Told:
    at = hour(entry.recorded_at, visit.language, services.settings.time_zone)
    return Told(entry.reviewer, f"action_{entry.action}", views.visible(entry.detail), at)


def _was_undone(visit: Visit) -> bool:
    return "undone" in visit.request.query_params


def _number(query: Mapping[str, str], name: str) -> int:
    asked = query.get(name, "")
    return int(asked) if asked.isdecimal() and len(asked) < 5 else 1
