"""Bookings on PostgreSQL while two work on their documents, in the order in which they could wait
for each other for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from docqa.adapters.bookings import SqlBookings
from docqa.adapters.store import SqlStore
from docqa.bookings import Booking, assess, filed
from docqa.ports import Ruling
from tests.contracts.stores import postgresql_store, url_of
from tests.contracts.test_booking_store import (
    BOOKING,
    NOON,
    RULES,
    TYPES,
    days,
    deadline_of,
    decide,
    document,
    told,
)

FRONT, BACK, ANOTHER = (document(n, TYPES[n % 2], "review", deadline_at=days(10)) for n in range(3))
SECOND: dict[str, Callable[[SqlStore], None]] = {
    "a decision": lambda store: decide(store, BACK.id, 2),
    "a ruling": lambda store: store.rule(Ruling(BACK.id, "accept", "", "huda", NOON)),
    "a new report": lambda store: store.supersede(BACK.id, BACK.report),
    "an upload": lambda store: store.add(ANOTHER),
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


def bookings_of(store: SqlStore, days_less: int = 0) -> SqlBookings:
    def deadline(booking: Booking) -> datetime:
        return RULES.deadline(booking) - timedelta(days=days_less)

    return SqlBookings(
        store, lambda booking, found: assess(RULES, booking, map(filed, found)), deadline
    )


@pytest.mark.parametrize("second", SECOND)
def test_two_who_change_documents_of_one_booking_never_wait_for_each_other(
    second: str, stack: ExitStack, tmp_path: Path
) -> None:
    before = postgresql_store(tmp_path, stack)
    bookings_of(before).put(BOOKING, now=NOON)
    for one in (FRONT, BACK):
        before.add(one)
    url = sa.make_url(url_of(before)).update_query_dict({"options": "-c lock_timeout=2s"})
    first, other = (SqlStore(url.render_as_string(hide_password=False)) for _ in range(2))
    stack.callback(first.close)
    stack.callback(other.close)
    # Holds its document, and does not have the booking yet, when the other begins and ends.
    first.watch(lambda *_: SECOND[second](other))
    for store in (first, other):
        bookings_of(store, days_less=3)

    decide(first, FRONT.id, 1)

    changed = [
        one.id for one in before.find(lambda query: query) if deadline_of(before, one.id) == 7
    ]
    assert sorted(changed) == sorted([FRONT.id, ANOTHER.id if second == "an upload" else BACK.id])
    is_accepted = second in {"a decision", "a ruling"}
    assert told(before)[-1]["outcome"] == ("accept" if is_accepted else "review")
