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
from docqa.adapters.reviewing import SqlDesk
from docqa.adapters.schema import events
from docqa.adapters.sealing import Keyring
from docqa.adapters.store import SqlStore
from docqa.adapters.webhook_store import SqlWebhooks
from docqa.bookings import Booking, assess, filed
from docqa.ports import Ruling, StoredDocument
from docqa.reviewing import Decided
from docqa.settings import Settings
from tests.contracts.stores import SQL_STORES, opened_sql, url_of

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BOOKING = Booking("portal", "B-7", "sy-passport", NOON)
TYPES = ("sy-id-front", "sy-id-back")
RULES = wiring.load_booking_rules(Settings())


@pytest.fixture(params=SQL_STORES)
def sql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from opened_sql(request.param, tmp_path)


@pytest.fixture
def bookings(sql: SqlStore) -> SqlBookings:
    made = SqlBookings(
        sql, lambda booking, found: assess(RULES, booking, map(filed, found)), RULES.deadline
    )
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


def test_the_other_documents_of_a_booking_need_not_open_for_one_to_be_erased(
    sql: SqlStore, bookings: SqlBookings, tmp_path: Path
) -> None:
    sealed = SqlStore(url_of(sql), Keyring({"k1": bytes(32)}))
    every = [document(n, name, "reject") for n, name in enumerate(TYPES)]
    for one in every:
        sealed.add(one)
    sealed.close()
    retention = SqlRetention(sql.engine, FolderBlobs(tmp_path), sql.booking_changed)
    for one in every:
        retention.erase(one.id, "requested")
    assert [sql.get(one.id) for one in every] == [None, None]
    assert bookings.assessment(BOOKING).outcome == "incomplete"


def test_every_change_of_the_outcome_is_told_once(sql: SqlStore, bookings: SqlBookings) -> None:
    front, back = (document(n, name, "review") for n, name in enumerate(TYPES))
    sql.add(front)
    sql.add(back)
    sql.rule(Ruling(front.id, "accept", "", "huda", NOON))
    assert sql.rule_if_open(Ruling(back.id, "reject", "", "huda", NOON))
    bookings.put(BOOKING, now=NOON)
    assert [body["outcome"] for body in told(sql)] == ["incomplete", "review", "reject"]


def says(document: StoredDocument, source: str, name: str) -> StoredDocument:
    """The document with a given name read from it, which is what was typed."""
    field = {
        "name": "given_name", "match": "equal", "source": source, "confidence": 1.0, "page": 1,
        "polygon": None, "others": [],
    }  # fmt: skip
    readings = {"given_name": {source: name}}
    return replace(document, report={**document.report, "fields": [field]}, readings=readings)


@pytest.mark.parametrize("name", ["آمنة", "هدى"])
def test_a_document_is_held_against_those_of_the_other_types_whether_it_is_stored_or_not(
    sql: SqlStore, bookings: SqlBookings, name: str
) -> None:
    front = says(document(1, TYPES[0], "accept"), "ocr", "آمنة")
    back = says(document(2, TYPES[1], "accept"), "barcode", name)
    another = says(document(3, TYPES[0], "accept"), "ocr", "سلمى")
    assert not bookings.contradicts(BOOKING, front)
    sql.add(front)
    for _ in range(2):
        assert bookings.contradicts(BOOKING, back) == (name != "آمنة")
        assert not bookings.contradicts(replace(BOOKING, ref="B-8"), back)
        if sql.get(back.id) is None:
            sql.add(back)
    assert bookings.contradicts(BOOKING, another)


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


# Decisions that can be taken back

UNDO = timedelta(seconds=10)


def decide(sql: SqlStore, document_id: str, seconds: int, outcome: Any = "accept") -> None:
    at = NOON + timedelta(seconds=seconds)
    decided = Decided(document_id, 1, "huda", outcome, "", "", (), at, undo_until=at + UNDO)
    desk = SqlDesk(sql)
    assert desk.decide(decided, claim_version=None, second_look=False) == "recorded"


def undo(sql: SqlStore, document_id: str, seconds: int) -> None:
    at = NOON + timedelta(seconds=seconds)
    assert SqlDesk(sql).undo(document_id, "huda", now=at, within=UNDO)


def delivered(sql: SqlStore, seconds: int) -> list[tuple[str, Any]]:
    """Kind and outcome of everything that goes out at this moment."""
    webhooks, now = SqlWebhooks(sql.engine), NOON + timedelta(seconds=seconds)
    while webhooks.fan_out(now=now):
        pass
    with sql.engine.begin() as connection:
        rows = connection.execute(
            sa.select(events.c.kind, events.c.body)
            .where(events.c.told_at == now)
            .order_by(events.c.number)
        )
        return [(row.kind, row.body.get("outcome", row.body.get("decision"))) for row in rows]


def two_waiting(sql: SqlStore) -> list[str]:
    made = [document(n, name, "review") for n, name in enumerate(TYPES)]
    for one in made:
        sql.add(one)
    delivered(sql, 0)
    return [one.id for one in made]


def test_a_decision_goes_out_once_it_cannot_be_taken_back(
    sql: SqlStore, bookings: SqlBookings
) -> None:
    front, back = two_waiting(sql)
    decide(sql, front, 1)
    decide(sql, back, 5)
    assert delivered(sql, 10) == []
    assert delivered(sql, 11) == [("document.ruled", "accept")]
    assert delivered(sql, 15) == [("document.ruled", "accept"), ("booking.changed", "accept")]


def test_nobody_hears_of_a_decision_that_was_taken_back_in_time(
    sql: SqlStore, bookings: SqlBookings
) -> None:
    front, back = two_waiting(sql)
    decide(sql, front, 1)
    decide(sql, back, 2)
    undo(sql, back, 9)
    assert delivered(sql, 60) == [("document.ruled", "accept")]
    assert told(sql)[-1]["outcome"] == "review"
    decide(sql, back, 70, "reject")
    assert delivered(sql, 80) == [("document.ruled", "reject"), ("booking.changed", "reject")]


def test_a_decision_that_went_out_already_is_followed_by_what_takes_it_back(
    sql: SqlStore, bookings: SqlBookings
) -> None:
    front, back = two_waiting(sql)
    decide(sql, front, 1)
    decide(sql, back, 1)
    assert len(delivered(sql, 11)) == 3
    undo(sql, back, 11)
    assert delivered(sql, 12) == [("document.reopened", "review"), ("booking.changed", "review")]


def test_a_change_that_was_overtaken_before_it_was_told_is_never_told(
    sql: SqlStore, bookings: SqlBookings
) -> None:
    front, back = two_waiting(sql)
    decide(sql, front, 1)
    decide(sql, back, 2)
    undo(sql, front, 9)
    assert delivered(sql, 60) == [("document.ruled", "accept")]
    assert bookings.put(BOOKING, now=NOON) is False
    assert delivered(sql, 61) == []


# Cancelled bookings and the queue


def test_a_document_knows_whether_its_booking_is_cancelled_in_whatever_order_they_come(
    sql: SqlStore, bookings: SqlBookings
) -> None:
    cancelled = replace(BOOKING, state="cancelled")
    early, late = (document(n, name, "review") for n, name in enumerate(TYPES))
    sql.add(early)
    assert waiting(sql) == [early.id]
    bookings.put(cancelled, now=NOON)
    sql.add(late)
    assert waiting(sql) == []
    desk = SqlDesk(sql)
    assert desk.counters("huda", now=NOON, soon=timedelta(hours=48)).waiting == 0
    assert desk.claim_next("huda", now=NOON, lease=UNDO) is None
    assert desk.is_withdrawn(early.id) and desk.is_withdrawn(late.id)
    bookings.put(BOOKING, now=NOON)
    assert not desk.is_withdrawn(early.id)
    assert waiting(sql) == [early.id, late.id]
    assert desk.counters("huda", now=NOON, soon=timedelta(hours=48)).waiting == 2


def test_uploads_and_a_cancellation_at_the_same_moment_leave_nothing_waiting(
    sql: SqlStore, bookings: SqlBookings
) -> None:
    made = [document(n, TYPES[n % 2], "review") for n in range(6)]

    def act(number: int) -> None:
        if number == 3:
            bookings.put(replace(BOOKING, state="cancelled"), now=NOON)
        else:
            sql.add(made[number])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(act, range(6)))
    assert waiting(sql) == []


# Deadlines


def days(number: float) -> datetime:
    return NOON + timedelta(days=number)


def deadline_of(sql: SqlStore, document_id: str) -> float | None:
    found = sql.get(document_id)
    assert found is not None and found.deadline_at is not None
    return (found.deadline_at - NOON) / timedelta(days=1)


def with_deadline(number: int, own: float | None, **changes: Any) -> StoredDocument:
    """A document stored as if nobody knew its booking: with its own deadline, or ten days."""
    given = {"deadline_at": days(10 if own is None else own)}
    own_deadline_at = None if own is None else days(own)
    return document(
        number, TYPES[0], "review", **{**given, "own_deadline_at": own_deadline_at, **changes}
    )


@pytest.mark.parametrize(
    ("booked", "own", "then"),
    [  # Days: when it was booked, one after the other; the document's own deadline; afterwards.
        ((-8,), None, 2),
        ((-8,), 1, 1),
        ((-8,), 10, 2),
        ((0,), None, 10),
        ((0,), 12, 10),
        ((3,), None, 13),
        ((3,), 10, 10),
        ((3,), 15, 13),
        ((0, 0), 12, 10),
        ((0, -8), None, 2),
        ((0, -8), 2.5, 2),
        ((0, -8), 1, 1),
        ((0, 5), None, 15),
        ((0, 5), 3, 3),
        ((0, 5), 12, 12),
        ((0, 5), 20, 15),
        ((5, 0, 5), None, 15),
        ((5, 0, 5), 12, 12),
    ],
)
def test_documents_lapse_with_their_booking_or_by_an_own_deadline_that_is_earlier(
    sql: SqlStore, bookings: SqlBookings, booked: tuple[int, ...], own: float | None, then: float
) -> None:
    mine, others = [with_deadline(0, own, booking_ref="B-8")], [
        with_deadline(8, own, booking_ref="B-8", client_id="another"),
        with_deadline(9, own),
    ]  # fmt: skip
    for one in (*mine, *others):
        sql.add(one)
    for number, booked_at in enumerate(booked, 1):
        bookings.put(replace(BOOKING, ref="B-8", booked_at=days(booked_at)), now=NOON)
        mine.append(with_deadline(number, own, booking_ref="B-8"))
        sql.add(mine[-1])
    assert {deadline_of(sql, one.id) for one in mine} == {then}
    untouched = 10 if own is None else own
    assert [deadline_of(sql, one.id) for one in others] == [untouched, min(untouched, 10)]


def test_documents_follow_another_number_of_days_once_they_or_their_booking_change(
    sql: SqlStore, bookings: SqlBookings
) -> None:
    for one in (with_deadline(1, None), with_deadline(2, 12), with_deadline(3, None)):
        sql.add(one)
    of_today = SqlStore(url_of(sql))
    changed = SqlBookings(
        of_today,
        lambda booking, found: assess(RULES, booking, map(filed, found)),
        lambda booking: RULES.deadline(booking) + timedelta(days=4),
    )

    def deadlines() -> list[float | None]:
        return [deadline_of(sql, document(number, "", "review").id) for number in (1, 2, 3)]

    try:
        of_today.rule(Ruling(document(1, "", "review").id, "accept", "", "huda", NOON))
        assert deadlines() == [14, 10, 10]
        changed.put(BOOKING, now=NOON)
        assert deadlines() == [14, 12, 14]
    finally:
        of_today.close()


@pytest.mark.parametrize(("moved", "own", "again"), [(5, None, 1), (5, 10, 0), (-1, None, 0)])
def test_little_time_is_told_again_only_of_a_deadline_that_moved_away(
    sql: SqlStore, bookings: SqlBookings, moved: int, own: float | None, again: int
) -> None:
    sql.add(with_deadline(1, own))
    desk, soon = SqlDesk(sql), timedelta(hours=48)
    assert desk.escalate_due(now=days(9), within=soon) == 1
    bookings.put(replace(BOOKING, booked_at=days(moved)), now=days(9))
    assert desk.escalate_due(now=days(9), within=soon) == 0
    assert desk.escalate_due(now=days(14), within=soon) == again
