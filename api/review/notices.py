"""What a page says of the decision that was just made, and who may go on to what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from api.review.visits import Visit
from api.services import Services

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


def done_notice(services: Services, visit: Visit) -> DoneNotice | None:
    """What ``?done=`` is about, if the visitor did it; None otherwise."""
    document_id = visit.request.query_params.get("done", "")
    trail = services.desk.trail(document_id) if document_id else []
    own = [entry for entry in trail if entry.reviewer == visit.reviewer]
    for entry in own[:1]:  # somebody else may have taken the document since
        if entry.action in (*_UNDOABLE, "second_look"):
            left = entry.recorded_at + UNDO_WITHIN - services.clock()
            undo_s = max(0, int(left.total_seconds())) if entry.action in _UNDOABLE else 0
            return DoneNotice(document_id, entry.action, undo_s)
    return None
