"""Looking out for documents whose booking is about to lapse."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from docqa.deadlines import DeadlineWatch
from docqa.reviewing import ESCALATE_WITHIN, ReviewDesk

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class Desk:
    """Escalates as many as it is told, batch by batch."""

    def __init__(self, *batches: int | Exception) -> None:
        self.batches = list(batches)
        self.asked: list[tuple[datetime, timedelta]] = []
        self.looked = threading.Semaphore(0)

    def escalate_due(self, *, now: datetime, within: timedelta) -> int:
        self.asked.append((now, within))
        self.looked.release()
        found = self.batches.pop(0) if self.batches else 0
        if isinstance(found, Exception):
            raise found
        return found


def watch(desk: Desk) -> DeadlineWatch:
    return DeadlineWatch(cast("ReviewDesk", cast("Any", desk)), clock=lambda: NOON)


def test_a_look_escalates_batch_by_batch_until_nothing_is_due() -> None:
    desk = Desk(100, 100, 7)
    assert watch(desk).look() == 207
    assert desk.asked == [(NOON, ESCALATE_WITHIN)] * 4


def test_it_looks_at_once_and_again_where_the_desk_fails_and_ends_when_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("docqa.deadlines._LOOK_EVERY_S", 0)
    desk = Desk(OSError("away"))
    watching = watch(desk)
    watching.start()
    for _ in range(2):
        assert desk.looked.acquire(timeout=20)
    watching.close()
    assert "deadlines" not in [thread.name for thread in threading.enumerate()]


def test_one_that_never_started_can_be_closed() -> None:
    watch(Desk()).close()
