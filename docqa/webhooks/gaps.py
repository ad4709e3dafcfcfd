"""How far a list of events can be read by whoever goes on from its last number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from docqa.webhooks.records import EventRecord

LONGEST_COMMIT = timedelta(minutes=1)
"""What was begun so long ago is in the database, or never will be."""


def before_gap(listed: Sequence[EventRecord], *, after: int, now: datetime) -> list[EventRecord]:
    """Those before the first number that is missing and may still come.

    Numbers are given before the commit, so a lower one may be seen later. One that is still missing
    when the event behind it is :data:`LONGEST_COMMIT` old was given back, or taken back.

    Args:
        listed: in the order of their numbers.
        after: the number before the first.
        now: aware.
    """
    for place, event in enumerate(listed):
        if event.number > after + 1 and event.occurred_at > now - LONGEST_COMMIT:
            return list(listed[:place])
        after = event.number
    return list(listed)
