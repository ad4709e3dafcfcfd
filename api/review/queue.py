"""The queue's page: filters, counters, rows and the cursor. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from api.review.texts import day
from api.review.views import (
    Left,
    known_reasons,
    reason_label,
    shown_name,
    time_left,
    type_title,
)
from api.services import Services
from api.submission import in_utc
from docqa.reviewing import ESCALATE_WITHIN, Position, QueueFilter, Waiting

PAGE_LENGTH = 50
__all__ = ["AGES_DAYS", "PAGE_LENGTH", "Position", "asked", "cursor", "position_of", "queue_row"]
AGES_DAYS = (1, 3, 7)
_REASONS_SHOWN = 3
_FILTERS = ("reason", "type", "age", "only")
_ONLY = ("soon", "mine", "escalated")


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One waiting document."""

    id: str
    title: str
    file_name: str
    booking_ref: str | None
    score: int | None
    received: str
    deadline: str
    left: Left
    reasons: tuple[str, ...]
    more_reasons: int
    holder: str | None
    is_escalated: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of the queue."""

    chosen: Mapping[str, str]
    """Of ``_FILTERS``, those that are set."""
    which: QueueFilter
    after: Position | None

    def link(self, **changes: str) -> str:
        """The queue with other filters; "" takes one out."""
        values = {name: value for name, value in {**self.chosen, **changes}.items() if value}
        return "/review" + (f"?{urlencode(values)}" if values else "")


def asked(query: Mapping[str, str], services: Services, reviewer: str, now: datetime) -> Asked:
    """What a query string asks for; what makes no sense is left out."""
    known = {
        "reason": known_reasons(),
        "type": list(services.document_types),
        "age": [str(days) for days in AGES_DAYS],
        "only": _ONLY,
    }
    chosen = {name: query[name] for name in _FILTERS if query.get(name) in known[name]}
    only = chosen.get("only")
    age = chosen.get("age")
    return Asked(
        chosen=chosen,
        which=QueueFilter(
            reason=chosen.get("reason"),
            document_type=chosen.get("type"),
            received_before=now - timedelta(days=int(age)) if age else None,
            holder=reviewer if only == "mine" else None,
            due_before=now + ESCALATE_WITHIN if only == "soon" else None,
            escalated=only == "escalated",
        ),
        after=position_of(query.get("after")),
    )


def queue_row(waiting: Waiting, services: Services, language: str, now: datetime) -> QueueRow:
    """What the queue shows of a document."""
    zone = services.settings.time_zone
    labels = [reason_label(code, language) for code in waiting.codes]
    return QueueRow(
        id=waiting.id,
        title=type_title(services.document_types, waiting.document_type, language),
        file_name=shown_name(waiting.file_name),
        booking_ref=waiting.booking_ref,
        score=waiting.score,
        received=day(waiting.received_at, language, zone),
        deadline=day(waiting.deadline_at, language, zone),
        left=time_left(waiting.deadline_at, now, language),
        reasons=tuple(labels[:_REASONS_SHOWN]),
        more_reasons=max(0, len(labels) - _REASONS_SHOWN),
        holder=waiting.holder,
        is_escalated=waiting.escalated_by is not None,
    )


def cursor(position: Position) -> str:
    """A place in the order, not a count: nothing is skipped or repeated while others decide."""
    deadline, received, document_id = position
    text = json.dumps(
        [None if deadline is None else deadline.isoformat(), received.isoformat(), document_id]
    )
    return base64.urlsafe_b64encode(text.encode()).decode()


def position_of(text: str | None) -> Position | None:
    """The place a cursor stands for; one that cannot be read is the start (None)."""
    try:
        deadline, received, document_id = json.loads(base64.urlsafe_b64decode(text or ""))
        due = None if deadline is None else _moment(deadline)
        start = due, _moment(received), str(document_id)
    except (ValueError, TypeError, RecursionError):
        return None
    return start if start[2].isprintable() else None


def _moment(text: str) -> datetime:
    """A moment with its time zone, in UTC. Raises ValueError when it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return in_utc(moment)
