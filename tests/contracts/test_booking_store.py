"""Bookings in an SQL database: told of in the transaction that changes them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from docqa import wiring
from docqa.adapters.blobs import FolderBlobs
from docqa.adapters.bookings import SqlBookings
from docqa.adapters.records import SqlRecords
from docqa.adapters.retention import SqlRetention
from docqa.adapters.schema import events
from docqa.adapters.store import SqlStore
from docqa.bookings import Booking, assess, filed
from docqa.ports import Ruling, StoredDocument
from docqa.settings import Settings
from tests.contracts.stores import SQL_STORES, opened_sql

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BOOKING = Booking("portal", "B-7", "sy-passport", NOON)
TYPES = ("sy-id-front", "sy-id-back")
RULES = wiring.load_booking_rules(Settings())


@pytest.fixture(params=SQL_STORES)
def sql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from opened_sql(request.param, tmp_path)


@pytest.fixture
def bookings(sql: SqlStore) -> SqlBookings:
    made = SqlBookings(sql, lambda booking, found: assess(RULES, booking, map(filed, found)))
    made.put(BOOKING, now=NOON)
    return made


def document(number: int, document_type: str, decision: Any, **changes: Any) -> StoredDocument:
    facts: dict[str, Any] = {
        "id": f"doc_{number:032x}",
        "blob_key": f"{number:032x}",
        "file_name": "scan.pdf",
        "document_type": document_type,
        "claims": {},
        "report": {"verdict": {"decision": decision, "reasons": []}, "fields": []},
        "decision": decision,
        "received_at": NOON + timedelta(seconds=number),
        "booking_ref": BOOKING.ref,
        "client_id": BOOKING.client_id,
    }
    return StoredDocument(**(facts | changes))


def told(sql: SqlStore) -> list[dict[str, Any]]:
    """The bodies of all events about bookings, the oldest first."""
    query = sa.select(events.c.body).where(events.c.kind == "booking.changed")
    with sql.engine.connect() as connection:
        return list(connection.execute(query.order_by(events.c.number)).scalars())


def waiting(sql: SqlStore) -> list[str]:
    return [document.id for document in sql.scan(decision="review")]


def test_a_booking_comes_back_and_belongs_to_its_client(bookings: SqlBookings) -> None:
    assert bookings.get("portal", "B-7") == BOOKING
    assert bookings.get("another", "B-7") is None
    assert bookings.put(replace(BOOKING, client_id="another"), now=NOON) is True
    assert bookings.put(BOOKING, now=NOON) is False


def test_every_change_of_the_outcome_is_told_once(sql: SqlStore, bookings: SqlBookings) -> None:
    front, back = (document(n, name, "review") for n, name in enumerate(TYPES))
    sql.add(front)
    sql.add(back)
    sql.rule(Ruling(front.id, "accept", "", "huda", NOON))
    assert sql.rule_if_open(Ruling(back.id, "reject", "", "huda", NOON))
    bookings.put(BOOKING, now=NOON)
    assert [body["outcome"] for body in told(sql)] == ["incomplete", "review", "reject"]


def test_events_hold_codes_and_nothing_else(sql: SqlStore, bookings: SqlBookings) -> None:
    sql.add(document(1, TYPES[0], "accept", claims={"given_name": "آمنة"}))
    assert told(sql)[-1] == {
        "outcome": "incomplete",
        "state": "open",
        "reason_codes": ["booking.document_missing"],
    }


def test_a_new_report_and_a_deletion_change_the_booking(
    sql: SqlStore, bookings: SqlBookings, tmp_path: Path
) -> None:
    front, back = (document(n, name, "accept") for n, name in enumerate(TYPES))
    sql.add(front)
    sql.add(back)
    sql.supersede(front.id, {"verdict": {"decision": "review", "reasons": []}, "fields": []})
    blobs = FolderBlobs(tmp_path / "blobs")
    records = SqlRecords(sql, SqlRetention(sql.engine, blobs, sql.booking_changed))
    records.erase(back, "portal")
    records.erase(back, "portal")
    outcomes = ["incomplete", "accept", "review", "incomplete"]
    assert [body["outcome"] for body in told(sql)] == outcomes


def test_nothing_is_told_of_a_change_that_is_undone(sql: SqlStore, bookings: SqlBookings) -> None:
    before = told(sql)
    front = document(1, TYPES[0], "reject")
    sql.add(replace(front, booking_ref=None))
    with pytest.raises(ValueError, match="already"):
        sql.add(front)
    assert told(sql) == before


def test_documents_of_a_cancelled_booking_leave_the_queue_and_come_back(
    sql: SqlStore, bookings: SqlBookings
) -> None:
    front = document(1, TYPES[0], "review")
    other = document(2, TYPES[0], "review", client_id="another")
    sql.add(front)
    sql.add(other)
    bookings.put(replace(BOOKING, state="cancelled"), now=NOON)
    assert waiting(sql) == [other.id]
    assert not sql.rule_if_open(Ruling(front.id, "accept", "", "huda", NOON))
    assert told(sql)[-1]["state"] == "cancelled"
    bookings.put(BOOKING, now=NOON)
    assert waiting(sql) == [front.id, other.id]
    assert told(sql)[-1]["state"] == "open"


def test_documents_that_come_at_the_same_moment_are_judged_together(
    sql: SqlStore, bookings: SqlBookings
) -> None:
    made = [document(n, name, "accept") for n, name in enumerate(TYPES)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sql.add, made))
    assert told(sql)[-1]["outcome"] == "accept"
    assert len(told(sql)) == 2


def test_attempts_at_the_same_moment_are_all_counted(bookings: SqlBookings) -> None:
    def attempt(_: int) -> int:
        return bookings.next_attempt("portal", "B-7", TYPES[0])

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(attempt, range(12)))
    assert sorted(numbers) == list(range(1, 13))
    assert bookings.attempts("portal", "B-7") == {TYPES[0]: 12}
    assert bookings.attempts("another", "B-7") == {}


def test_services_that_were_booked_are_known(bookings: SqlBookings) -> None:
    assert bookings.services_in_use() == {"sy-passport"}
