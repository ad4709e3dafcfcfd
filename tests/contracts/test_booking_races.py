"""Bookings on PostgreSQL while two work on their documents, in the order in which they could wait
for each other for ever, or miss each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from docqa.adapters.bookings import SqlBookings
from docqa.adapters.store import SqlStore
from docqa.bookings import Booking, assess, filed
from docqa.ports import Ruling
from tests.api.running import until
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
    waiting,
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


FIRSTS: dict[str, Callable[[SqlStore, SqlBookings], object]] = {
    "an upload": lambda store, _: store.add(FRONT),
    "a booking": lambda _, bookings: bookings.put(replace(BOOKING, state="cancelled"), now=NOON),
}


@pytest.mark.parametrize("first", FIRSTS)
def test_a_new_booking_and_its_first_document_at_the_same_moment_do_not_miss_each_other(
    first: str, stack: ExitStack, tmp_path: Path
) -> None:
    before = postgresql_store(tmp_path, stack)
    stores = [SqlStore(url_of(before)) for _ in range(2)]
    bookings = [bookings_of(store) for store in stores]
    for store in stores:
        stack.callback(store.close)
    (second,) = FIRSTS.keys() - {first}
    pool = stack.enter_context(ThreadPoolExecutor(1))
    begun: list[Future[object]] = []

    def while_it_commits(connection: sa.Connection) -> None:
        """What the other does is done, or waits for this one."""
        begun.append(pool.submit(FIRSTS[second], stores[1], bookings[1]))
        until(lambda: begun[0].done() or _is_waiting(before))

    sa.event.listen(stores[0].engine, "commit", while_it_commits, once=True)
    FIRSTS[first](stores[0], bookings[0])
    begun[0].result(timeout=20)
    assert waiting(before) == []


def _is_waiting(store: SqlStore) -> bool:
    with store.engine.connect() as connection:
        waits = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(connection.execute(waits).scalar_one())
