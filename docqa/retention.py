"""How long documents are kept: classes and days, as data in ``models/retention/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

from docqa.errors import InvalidModel
from docqa.toml_text import tables_of

RetentionClass: TypeAlias = Literal["accepted", "rejected", "decided", "waiting", "cancelled"]
"""Accepted or rejected by docqa alone; decided by a reviewer; still waiting for one; of a booking
that was cancelled, whatever was decided."""

CLASSES: tuple[RetentionClass, ...] = get_args(RetentionClass)
_LONGEST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Kept:
    """What decides how long a document is kept."""

    document_id: str
    decision: str
    """In force: accept, review or reject."""
    received_at: datetime
    deadline_at: datetime | None
    ruled_at: datetime | None
    """Of the last reviewer's ruling; None when nobody ruled."""
    is_withdrawn: bool = False
    """Whether its booking was cancelled."""


def parse_retention(text: str) -> Mapping[RetentionClass, timedelta]:
    """How long each class is kept, from a TOML file with one table per class.

    Raises:
        InvalidModel: a class is missing or unknown, or its ``days`` are not 1 to 36500.
    """
    tables = tables_of(text, "retention")
    if set(tables) != set(CLASSES):
        raise InvalidModel(f"retention: needs exactly the tables {', '.join(CLASSES)}")
    found: dict[RetentionClass, timedelta] = {}
    for name in CLASSES:
        table = tables[name]
        if not isinstance(table, dict) or set(table) != {"days", "source"}:
            raise InvalidModel(f"retention: [{name}] needs exactly `days` and `source`")
        days = table["days"]
        if type(days) is not int or not 1 <= days <= _LONGEST_DAYS:
            raise InvalidModel(f"retention: [{name}] days must be 1 to {_LONGEST_DAYS}")
        found[name] = timedelta(days=days)
    return found


def class_of(kept: Kept) -> RetentionClass:
    """The class a document is in."""
    if kept.is_withdrawn:
        return "cancelled"
    if kept.ruled_at is not None:
        return "decided"
    if kept.decision == "accept":
        return "accepted"
    return "rejected" if kept.decision == "reject" else "waiting"


def is_over(kept: Kept, periods: Mapping[RetentionClass, timedelta], now: datetime) -> bool:
    """Whether a document has been kept long enough.

    The time counts from the last of its upload, its deadline and its ruling: as long as an
    appointment is ahead, nothing that it needs is erased. Of a cancelled booking no appointment is
    ahead: there its deadline does not count.
    """
    deadline_at = None if kept.is_withdrawn else kept.deadline_at
    moments = (kept.received_at, deadline_at, kept.ruled_at)
    newest = max(moment for moment in moments if moment is not None)
    return now - newest >= periods[class_of(kept)]
