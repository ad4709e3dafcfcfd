"""How far a list of events can be read by whoever goes on from its last number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

LONGEST_COMMIT = timedelta(minutes=1)
"""What got its number so long ago is in the database, or is taken never to be."""


def before_gap(
    numbered: Sequence[tuple[int, datetime | None]], *, after: int, now: datetime
) -> int:
    """How many come before the first number that is missing and may still come.

    Numbers are given before the commit, so a lower one may be seen later. One that is still missing
    when the number behind it was given :data:`LONGEST_COMMIT` ago was given back, or taken back, or
    its transaction takes longer than any should.

    Args:
        numbered: of each event, in the order of their numbers, its number and when that was given;
            None for long ago.
        after: the number before the first.
        now: by the same clock, and not after the events were read.
    """
    for place, (number, numbered_at) in enumerate(numbered):
        is_new = numbered_at is not None and numbered_at > now - LONGEST_COMMIT
        if number > after + 1 and is_new:
            return place
        after = number
    return len(numbered)
