"""A delivery is tried again ever more slowly, never after the deadline, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.webhooks.backoff import (
    DELAYS,
    JITTER_FRACTION,
    LEAST_WINDOW,
    last_moment,
    next_attempt,
)

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
FAR = NOON + timedelta(days=99)


@pytest.mark.parametrize(
    ("attempts", "delay"),
    [
        (1, timedelta(seconds=5)),
        (2, timedelta(minutes=5)),
        (3, timedelta(minutes=30)),
        (4, timedelta(hours=2)),
        (5, timedelta(hours=5)),
        (6, timedelta(hours=10)),
        (7, timedelta(hours=14)),
        (8, timedelta(hours=20)),
        (9, timedelta(hours=24)),
        (10, None),
        (11, None),
    ],
)
def test_the_schedule_is_the_one_that_standard_webhooks_recommends(
    attempts: int, delay: timedelta | None
) -> None:
    due = next_attempt(attempts, now=NOON, until=FAR, chance=0.0)
    assert due == (None if delay is None else NOON + delay)


@given(attempts=st.integers(1, len(DELAYS) - 1), chance=st.floats(0, 1, exclude_max=True))
def test_jitter_only_lengthens_a_delay_and_only_a_little(attempts: int, chance: float) -> None:
    due = next_attempt(attempts, now=NOON, until=FAR, chance=chance)
    assert due is not None
    assert DELAYS[attempts] <= due - NOON <= DELAYS[attempts] * (1 + JITTER_FRACTION)


@pytest.mark.parametrize("attempts", [1, 5, 9])
def test_jitter_is_spread_evenly_over_what_a_delay_may_grow(attempts: int) -> None:
    due = next_attempt(attempts, now=NOON, until=FAR, chance=0.5)
    assert due == NOON + DELAYS[attempts] * (1 + JITTER_FRACTION / 2)


@given(
    attempts=st.integers(1, 20),
    left_s=st.integers(-1000, 1_000_000),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_nothing_is_due_after_the_deadline(attempts: int, left_s: int, chance: float) -> None:
    until = NOON + timedelta(seconds=left_s)
    due = next_attempt(attempts, now=NOON, until=until, chance=chance)
    assert due is None or NOON < due <= until
    assert (due is None) == (left_s <= 0 or attempts >= len(DELAYS))


@pytest.mark.parametrize(
    ("deadline", "last"),
    [
        (timedelta(days=2), timedelta(days=2)),
        (timedelta(minutes=5), LEAST_WINDOW),
        (timedelta(days=-3), LEAST_WINDOW),
    ],
)
def test_the_deadline_of_the_booking_is_the_last_moment_but_an_hour_is_always_left(
    deadline: timedelta, last: timedelta
) -> None:
    assert last_moment(NOON, NOON + deadline) - NOON == last


def test_without_a_near_deadline_the_whole_schedule_fits() -> None:
    for deadline in (None, FAR):
        now, until = NOON, last_moment(NOON, deadline)
        for attempts in range(1, len(DELAYS)):
            due = next_attempt(attempts, now=now, until=until, chance=0.999)
            assert due is not None and due < until
            now = due
        assert until - now >= LEAST_WINDOW, "for what the attempts themselves take"
        assert next_attempt(len(DELAYS), now=now, until=until, chance=0.0) is None
