"""When a delivery that failed is tried again, and when it is given up."""

from __future__ import annotations

from datetime import datetime, timedelta

DELAYS = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Before attempt 1, 2 … 10: the schedule that Standard Webhooks recommends. There is no 11th."""
JITTER_FRACTION = 0.1
"""A delay grows by at most this part of itself, so that not all come back at the same moment."""
LEAST_WINDOW = timedelta(hours=1)
"""Tried for at least so long, whatever the deadline: what happened after it matters as well."""


def last_moment(occurred_at: datetime, deadline: datetime | None) -> datetime:
    """After this a delivery is given up: the deadline, or when the schedule is over without one.

    Args:
        occurred_at: when the event happened, aware.
        deadline: of the booking; what it learns afterwards is of little use to it.
    """
    whole = occurred_at + sum(DELAYS, timedelta()) * (1 + JITTER_FRACTION) + LEAST_WINDOW
    if deadline is None:
        return whole
    return min(whole, max(deadline, occurred_at + LEAST_WINDOW))


def next_attempt(
    attempts: int, *, now: datetime, until: datetime, chance: float
) -> datetime | None:
    """When to try again after ``attempts`` that failed; None when it is given up.

    Args:
        attempts: made so far, 1 or more.
        now: when the last of them failed, aware.
        until: see :func:`last_moment`; a delay that would go beyond ends exactly there.
        chance: evenly distributed in [0, 1), for the jitter.
    """
    if attempts >= len(DELAYS) or now >= until:
        return None
    return min(now + DELAYS[attempts] * (1 + JITTER_FRACTION * chance), until)
