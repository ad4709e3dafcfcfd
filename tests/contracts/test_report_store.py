"""What every ReportStore does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from docqa.adapters import (
    booking_tables,  # noqa: F401  # its tables join the metadata
    record_tables,
    schema,
    webhook_tables,  # noqa: F401
)
from docqa.adapters.audit_trail import SqlAuditTrail
from docqa.adapters.schema import migrate
from docqa.adapters.sealing import Keyring
from docqa.adapters.store import SqlStore
from docqa.errors import DamagedData
from docqa.ports import Ruling, StoredDocument
from tests.contracts.stores import (
    SQL_STORES,
    STORES,
    Store,
    opened,
    opened_sql,
    sqlite_store,
    url_of,
)

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def report(decision: str, score: int = 50) -> dict[str, Any]:
    return {"schema": "docqa.report/1", "verdict": {"decision": decision, "score": score}}


def document(number: int, **changes: Any) -> StoredDocument:
    decision = changes.pop("decision", "review")
    facts: dict[str, Any] = {
        "id": f"doc_{number:032x}",
        "blob_key": f"{number:032x}",
        "file_name": "جواز سفر.pdf",
        "document_type": "sy-passport",
        "claims": {"given_name": "آمنة", "national_number": "٠١٢"},
        "report": report(decision),
        "decision": decision,
        "received_at": NOON + timedelta(seconds=number),
    }
    return StoredDocument(**(facts | changes))


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield from opened(request.param, tmp_path)


def test_a_document_comes_back_exactly_as_it_was_added(store: Store) -> None:
    added = document(
        1,
        booking_ref="B-7",
        deadline_at=NOON + timedelta(days=10),
        readings={"given_name": {"barcode": "أمينة", "ocr": ""}},
    )
    store.add(added)
    assert store.get(added.id) == added


def test_optional_facts_come_back_as_none(store: Store) -> None:
    store.add(document(1))
    found = store.get(document(1).id)
    assert found is not None
    assert (found.booking_ref, found.deadline_at) == (None, None)


def test_times_in_any_zone_come_back_as_the_same_instant_in_utc(store: Store) -> None:
    damascus = timezone(timedelta(hours=3))
    store.add(document(1, received_at=NOON.astimezone(damascus)))
    found = store.get(document(1).id)
    assert found is not None
    assert found.received_at == NOON
    assert found.received_at.utcoffset() is not None


def test_an_unknown_document_is_none(store: Store) -> None:
    assert store.get("doc_unknown") is None


def test_an_id_is_used_once(store: Store) -> None:
    store.add(document(1))
    with pytest.raises(ValueError, match="already"):
        store.add(document(1, file_name="another.pdf"))
    found = store.get(document(1).id)
    assert found is not None
    assert found.file_name == document(1).file_name


def test_what_the_caller_changes_afterwards_does_not_reach_the_store(store: Store) -> None:
    mine = document(1)
    store.add(mine)
    mine.report["verdict"]["decision"] = "accept"
    found = store.get(mine.id)
    assert found is not None
    assert found.report["verdict"]["decision"] == "review"


def test_scan_gives_the_nearest_deadline_first_and_those_without_one_last(store: Store) -> None:
    store.add(document(1))
    store.add(document(2, deadline_at=NOON + timedelta(days=9)))
    store.add(document(3, deadline_at=NOON + timedelta(days=1)))
    store.add(document(4, received_at=NOON - timedelta(days=1)))
    store.add(document(5, deadline_at=NOON + timedelta(days=9), received_at=NOON))
    numbers = [int(found.id[4:], 16) for found in store.scan()]
    assert numbers == [3, 5, 2, 4, 1]


def test_scan_by_decision_gives_those_and_no_others(store: Store) -> None:
    for number, decision in enumerate(("accept", "review", "reject", "review")):
        store.add(document(number, decision=decision))
    assert [found.id for found in store.scan(decision="review")] == [
        document(1).id,
        document(3).id,
    ]
    assert len(list(store.scan())) == 4


def test_documents_may_be_superseded_while_they_are_scanned(store: Store) -> None:
    for number in range(250):
        store.add(document(number))
    for found in store.scan(decision="review"):
        store.supersede(found.id, report("accept"))
    assert list(store.scan(decision="review")) == []
    assert len(list(store.scan(decision="accept"))) == 250


def test_superseding_puts_the_new_report_and_its_decision_in_force(store: Store) -> None:
    store.add(document(1))
    store.supersede(document(1).id, report("reject", 12))
    found = store.get(document(1).id)
    assert found is not None
    assert found.report == report("reject", 12)
    assert found.decision == "reject"


def test_a_ruling_stays_in_force_over_a_superseding_report(store: Store) -> None:
    store.add(document(1))
    store.rule(Ruling(document(1).id, "accept", "legible", "huda", NOON))
    store.supersede(document(1).id, report("reject", 12))
    found = store.get(document(1).id)
    assert found is not None
    assert (found.decision, found.report["verdict"]["decision"]) == ("accept", "reject")


def test_superseding_an_unknown_document_says_so(store: Store) -> None:
    with pytest.raises(KeyError):
        store.supersede("doc_unknown", report("accept"))


# What only the SQL store promises.


@pytest.fixture(params=SQL_STORES)
def sql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from opened_sql(request.param, tmp_path)


def test_migrations_make_the_schema_the_code_expects(sql: SqlStore) -> None:
    with sql.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
    assert differences == []
    assert record_tables.audit_head.metadata is schema.metadata


def test_migrating_twice_keeps_what_is_stored(sql: SqlStore) -> None:
    sql.add(document(1))
    migrate(url_of(sql))
    assert sql.get(document(1).id) == document(1)


def test_a_new_process_finds_what_another_committed(sql: SqlStore) -> None:
    sql.add(document(1))
    another = SqlStore(url_of(sql))
    try:
        assert another.get(document(1).id) == document(1)
    finally:
        another.close()


def test_superseded_reports_are_kept(sql: SqlStore) -> None:
    sql.add(document(1))
    for score in (10, 20):
        sql.supersede(document(1).id, report("reject", score))
    with sql.engine.connect() as connection:
        kept = connection.execute(sa.select(schema.reports).order_by(schema.reports.c.number))
        scores = [row.report["verdict"]["score"] for row in kept]
    assert scores == [50, 10, 20]


def test_a_naive_time_is_refused(sql: SqlStore) -> None:
    with pytest.raises(sa.exc.StatementError, match="time zone"):
        sql.add(document(1, received_at=NOON.replace(tzinfo=None)))


def test_sqlite_commits_are_durable_and_foreign_keys_hold(tmp_path: Path) -> None:
    with ExitStack() as stack, sqlite_store(tmp_path, stack).engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]


def test_no_value_reaches_an_error_message(sql: SqlStore) -> None:
    with sql.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE reports"))
    with pytest.raises(sa.exc.SQLAlchemyError) as raised:
        sql.add(document(1, file_name="secret-name.pdf", claims={"given_name": "secret-claim"}))
    assert "secret" not in str(raised.value)


def test_a_database_that_was_not_migrated_is_reported(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/empty.sqlite3")
    try:
        assert any("docqa migrate" in problem for problem in store.problems())
    finally:
        store.close()


def test_a_migrated_database_has_no_problem(sql: SqlStore) -> None:
    assert sql.problems() == []


def test_what_the_newest_schema_is_is_looked_up_once(
    sql: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sql.problems() == []
    monkeypatch.setattr("docqa.adapters.schema.ScriptDirectory", None)
    assert sql.problems() == []


def test_a_database_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/missing/docqa.sqlite3")
    try:
        assert any("does not answer" in problem for problem in store.problems())
    finally:
        store.close()


def test_every_change_of_a_decision_is_in_the_outbox(sql: SqlStore) -> None:
    added = document(1, client_id="portal", booking_ref="B-7")
    sql.add(added)
    sql.supersede(added.id, report("review"))
    sql.supersede(added.id, report("accept"))
    sql.rule(Ruling(added.id, "reject", "", "rana", NOON))
    with sql.engine.connect() as connection:
        rows = connection.execute(sa.select(schema.events).order_by(schema.events.c.number))
        told = [(row.kind, row.body["decision"]) for row in rows if row.booking_ref == "B-7"]
    assert told == [
        ("document.judged", "review"),
        ("document.rejudged", "accept"),
        ("document.ruled", "reject"),
    ]


def test_every_change_is_in_the_audit_trail_in_the_order_in_which_it_happened(
    sql: SqlStore,
) -> None:
    added = document(1, client_id="portal")
    sql.add(added)
    with pytest.raises(ValueError, match="already"):
        sql.add(added)
    sql.supersede(added.id, report("reject"))
    sql.rule(Ruling(added.id, "accept", "قرأتها", "rana", NOON))
    assert not sql.rule_if_open(Ruling(added.id, "reject", "", "omar", NOON))
    with sql.engine.connect() as connection:
        rows = connection.execute(
            sa.select(record_tables.audit_entries).order_by(record_tables.audit_entries.c.number)
        ).all()
    assert [(row.kind, row.subject, row.actor, row.facts["decision"]) for row in rows] == [
        ("document.added", added.id, "portal", "review"),
        ("document.superseded", added.id, "docqa", "reject"),
        ("document.ruled", added.id, "rana", "accept"),
    ]
    assert SqlAuditTrail(sql.engine).verify().broken is None


def test_a_scan_may_stop_early(sql: SqlStore) -> None:
    for number in range(3):
        sql.add(document(number))
    scan = sql.scan()
    assert next(scan).id == document(0).id
    del scan  # a cursor that stayed open would be a warning, so an error
    assert sql.count() == 3


# Sealed columns.

RING = Keyring({"k1": bytes(range(32))})


@pytest.mark.parametrize(
    ("ring", "missing"),
    [
        (RING, []),
        (Keyring({"k2": bytes(32), "k1": bytes(range(32))}), []),
        (Keyring({"k2": bytes(32)}), ["k1"]),
        (Keyring({}), ["k1"]),
    ],
)
def test_a_key_that_opens_what_is_stored_and_is_not_here_is_reported(
    sql: SqlStore, ring: Keyring, missing: list[str]
) -> None:
    for keyring, is_adding in ((RING, True), (ring, False)):
        store = SqlStore(url_of(sql), keyring)
        try:
            if is_adding:
                store.add(document(1, claims={"given_name": "x"}))
            problems = store.problems()
            assert store.schema_problems() == []
        finally:
            store.close()
    assert [key for key in ("k1", "k2") if any(f"key {key}" in one for one in problems)] == missing
    assert all("DOCQA_ENCRYPTION_KEYS" in one for one in problems)
    assert len(problems) == len(missing)


def test_a_key_that_a_single_document_needs_is_reported_wherever_that_document_stands(
    sql: SqlStore,
) -> None:
    old, new = {"k1": bytes(range(32))}, {"k2": bytes(32)}
    for numbers, ring in (([1, 2, 3], new), ([4], old), ([5, 6], new)):
        store = SqlStore(url_of(sql), Keyring(ring))
        for number in numbers:
            store.add(document(number, claims={"given_name": "x"}))
        store.close()
    for ring, keys in ((new, ["k1"]), (old, ["k2"]), (new | old, []), ({}, ["k1", "k2"])):
        store = SqlStore(url_of(sql), Keyring(ring))
        problems = store.problems()
        store.close()
        assert len(problems) == bool(keys)
        assert all(any(f"key {key}" in one for key in keys) for one in problems)


CLAIMS = {"given_name": "آمنة", "national_number": "٠١٠٢٠٣٠٤٠٥٠"}
READINGS = {"national_number": {"barcode": "01020304050"}}


@pytest.fixture
def sealed(sql: SqlStore) -> Iterator[SqlStore]:
    store = SqlStore(url_of(sql), RING)
    try:
        yield store
    finally:
        store.close()


def test_sealed_claims_and_readings_come_back_and_are_not_in_the_database(
    sealed: SqlStore,
) -> None:
    added = document(1, claims=CLAIMS, readings=READINGS)
    sealed.add(added)
    assert sealed.get(added.id) == added
    assert list(sealed.scan()) == [added]
    with sealed.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM documents")).all()
    for secret in ("آمنة", "01020304050", *CLAIMS.values(), "u0622", "given_name", added.file_name):
        assert secret not in repr(rows)


LIKE_SEALED = ["docqa-sealed-1:", "docqa-sealed-1:AAAA.jpg", "docqa-plain-1:docqa-sealed-1:x"]


@pytest.mark.parametrize("name", LIKE_SEALED)
def test_a_file_may_be_called_like_something_sealed(store: Store, name: str) -> None:
    store.add(document(1, file_name=name))
    found = store.get(document(1).id)
    assert found is not None and found.file_name == name


@pytest.mark.parametrize("name", LIKE_SEALED)
def test_so_it_may_where_names_are_sealed(sealed: SqlStore, name: str) -> None:
    sealed.add(document(1, file_name=name))
    assert [found.file_name for found in sealed.scan()] == [name]


@pytest.mark.parametrize("typed", ["01020304050", "1020304050", "010-2030 4050", "۰۱۰۲۰۳۰۴۰۵۰"])
def test_documents_are_found_by_a_number_however_it_is_typed(sealed: SqlStore, typed: str) -> None:
    sealed.add(document(2, claims={"national_number": typed}))
    sealed.add(document(1, claims=CLAIMS))
    sealed.add(document(3, claims={"national_number": "01020304051"}))
    sealed.add(document(4, claims={}))
    assert sealed.by_national_number("٠١٠٢٠٣٠٤٠٥٠") == [document(1).id, document(2).id]
    assert sealed.by_national_number("99999999999") == []


def test_a_document_whose_number_was_corrected_is_found_by_the_new_one_alone(
    sealed: SqlStore,
) -> None:
    sealed.add(document(1, claims=CLAIMS))
    before = sealed.get(document(1).id)
    assert before is not None
    corrected = {"national_number": "01020304051"}
    assert sealed.correct(before, claims=corrected, readings={}, report=report("review"))
    assert sealed.by_national_number("01020304051") == [before.id]
    assert sealed.by_national_number("01020304050") == []


def test_after_a_change_of_keys_older_documents_are_read_and_found(
    sql: SqlStore, sealed: SqlStore
) -> None:
    sealed.add(document(1, claims=CLAIMS))
    both = SqlStore(url_of(sql), Keyring({"k2": bytes(32), "k1": bytes(range(32))}))
    try:
        both.add(document(2, claims=CLAIMS))
        assert [found.claims for found in both.scan()] == [CLAIMS, CLAIMS]
        assert both.by_national_number("01020304050") == [document(1).id, document(2).id]
    finally:
        both.close()


def test_sealed_claims_without_their_key_are_an_error(sql: SqlStore, sealed: SqlStore) -> None:
    sealed.add(document(1, claims=CLAIMS))
    with pytest.raises(DamagedData, match="'k1'"):
        sql.get(document(1).id)


def test_claims_from_before_there_was_a_key_are_read(sql: SqlStore, sealed: SqlStore) -> None:
    sql.add(document(1, claims=CLAIMS))
    assert sealed.get(document(1).id) == document(1, claims=CLAIMS)


def test_without_a_key_nothing_is_found_by_number_and_the_error_says_why(sql: SqlStore) -> None:
    sql.add(document(1, claims=CLAIMS))
    with pytest.raises(ValueError, match="encryption keys"):
        sql.by_national_number("01020304050")
