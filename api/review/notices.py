"""What a page says of the decision that was just made, and who may go on to what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from api.review.visits import Visit
from api.services import Services
from docqa.reviewing import TrailEntry

UNDO_WITHIN = timedelta(seconds=10)
UNDO_GRACE = timedelta(seconds=2)
"""What a click may take on its way."""
_UNDOABLE = ("accept", "reject", "rescan", "escalate")


@dataclass(frozen=True, slots=True)
class DoneNotice:
    """The decision that was made on the page before."""

    document_id: str
    action: str
    undo_s: int
    """Seconds that are left to take it back; 0 when it cannot be."""


def done_notice(services: Services, visit: Visit, shown_id: str = "") -> DoneNotice | None:
    """What ``?done=`` is about, if the visitor did it; None otherwise.

    Without it, what the visitor decided on the document ``shown_id``, while it can be undone.
    """
    told = _decision_on(services, visit, visit.asked_id("done"))
    own = told or _decision_on(services, visit, shown_id)
    return own if own is not None and (told or own.undo_s) else None


def is_repeated(services: Services, visit: Visit, document_id: str, outcome: str) -> bool:
    """Whether the visitor decided just so a moment ago: a form can be sent twice by two presses."""
    return any(
        entry.action == outcome and services.clock() <= entry.recorded_at + UNDO_WITHIN + UNDO_GRACE
        for entry in _own(services, visit, document_id)[:1]
    )


def _decision_on(services: Services, visit: Visit, document_id: str) -> DoneNotice | None:
    """What the visitor decided on a document, if that was the last that they did with it."""
    for entry in _own(services, visit, document_id)[:1]:
        if entry.action in (*_UNDOABLE, "second_look"):
            left = entry.recorded_at + UNDO_WITHIN - services.clock()
            undo_s = max(0, int(left.total_seconds())) if entry.action in _UNDOABLE else 0
            return DoneNotice(document_id, entry.action, undo_s)
    return None


def _own(services: Services, visit: Visit, document_id: str) -> list[TrailEntry]:
    """What the visitor did with a document, whatever others did with it since."""
    trail = services.desk.trail(document_id) if document_id else []
    return [entry for entry in trail if entry.reviewer == visit.reviewer]
