"""What every RulingStore does; and sessions and idempotency keys, which only SQL keeps."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from docqa.adapters import schema
from docqa.adapters.sealing import Keyring
from docqa.adapters.sessions import SqlReservations, SqlSessions
from docqa.adapters.store import SqlStore
from docqa.ports import Ruling, StoredDocument
from tests.contracts.stores import SQL_STORES, STORES, Store, opened, opened_sql, url_of

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
IDLE = timedelta(minutes=30)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    for made in opened(request.param, tmp_path):
        made.add(document("doc_a"))
        yield made


@pytest.fixture(params=SQL_STORES)
def sql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from opened_sql(request.param, tmp_path)


def document(document_id: str) -> StoredDocument:
    return StoredDocument(
        id=document_id,
        blob_key="0" * 32,
        file_name="scan.pdf",
        document_type="a4-generic",
        claims={},
        report={"verdict": {"decision": "review"}},
        decision="review",
        received_at=NOON,
    )


def decision_of(store: Store, document_id: str = "doc_a") -> str:
    found = store.get(document_id)
    assert found is not None
    return found.decision


def test_a_ruling_is_in_force_and_remembered(store: Store) -> None:
    ruling = Ruling("doc_a", "reject", "صورة من شاشة", "huda", NOON)
    store.rule(ruling)
    assert decision_of(store) == "reject"
    assert store.rulings("doc_a") == [ruling]


def test_the_last_of_several_rulings_is_in_force_and_all_are_kept_in_order(store: Store) -> None:
    first = Ruling("doc_a", "reject", "blurred", "huda", NOON)
    second = Ruling("doc_a", "accept", "readable after all", "omar", NOON)
    store.rule(first)
    store.rule(second)
    assert decision_of(store) == "accept"
    assert store.rulings("doc_a") == [first, second]


def test_a_ruled_document_leaves_the_queue(store: Store) -> None:
    store.rule(Ruling("doc_a", "accept", "fine", "huda", NOON))
    assert list(store.scan(decision="review")) == []


def test_ruling_on_an_unknown_document_says_so_and_records_nothing(store: Store) -> None:
    with pytest.raises(KeyError):
        store.rule(Ruling("doc_b", "accept", "fine", "huda", NOON))
    assert store.rulings("doc_b") == []


def test_a_document_nobody_ruled_on_has_no_rulings(store: Store) -> None:
    assert store.rulings("doc_a") == []


def test_an_open_document_is_ruled_once(store: Store) -> None:
    assert store.rule_if_open(Ruling("doc_a", "accept", "fine", "huda", NOON))
    assert not store.rule_if_open(Ruling("doc_a", "reject", "no", "omar", NOON))
    assert decision_of(store) == "accept"
    assert [ruling.reviewer for ruling in store.rulings("doc_a")] == ["huda"]


def test_an_unknown_document_is_not_open(store: Store) -> None:
    assert not store.rule_if_open(Ruling("doc_b", "accept", "fine", "huda", NOON))


def test_of_reviewers_at_the_same_moment_exactly_one_rules(store: Store) -> None:
    names = [f"reviewer-{number}" for number in range(8)]
    with ThreadPoolExecutor(len(names)) as pool:
        won = list(
            pool.map(
                lambda name: store.rule_if_open(Ruling("doc_a", "accept", "fine", name, NOON)),
                names,
            )
        )
    assert won.count(True) == 1
    assert [ruling.reviewer for ruling in store.rulings("doc_a")] == [names[won.index(True)]]


def test_an_account_has_its_newest_password(store: Store) -> None:
    assert store.password_hash("huda") is None
    store.add_reviewer("huda", "first")
    store.add_reviewer("huda", "second")
    assert store.password_hash("huda") == "second"


# Sessions


@pytest.fixture
def sessions(sql: SqlStore) -> SqlSessions:
    sql.add_reviewer("huda", "hash")
    return SqlSessions(sql.engine, idle=IDLE, lifetime=timedelta(hours=2))


def test_a_token_names_its_reviewer_until_it_is_ended(sessions: SqlSessions) -> None:
    token = sessions.start("huda", now=NOON)
    assert sessions.reviewer(token, now=NOON) == "huda"
    sessions.end(token)
    assert sessions.reviewer(token, now=NOON) is None


def test_an_invented_token_names_nobody(sessions: SqlSessions) -> None:
    sessions.start("huda", now=NOON)
    assert sessions.reviewer("invented", now=NOON) is None


def test_an_idle_session_is_over_and_a_used_one_is_not(sessions: SqlSessions) -> None:
    used, idle = sessions.start("huda", now=NOON), sessions.start("huda", now=NOON)
    assert sessions.reviewer(used, now=NOON + IDLE * 0.9) == "huda"
    assert sessions.reviewer(used, now=NOON + IDLE * 1.8) == "huda"
    assert sessions.reviewer(idle, now=NOON + IDLE) is None


def test_a_look_that_renews_nothing_does_not_keep_a_session(sessions: SqlSessions) -> None:
    token = sessions.start("huda", now=NOON)
    assert sessions.reviewer(token, now=NOON + IDLE * 0.9, renews=False) == "huda"
    assert sessions.reviewer(token, now=NOON + IDLE) is None


def test_a_session_is_over_after_its_lifetime_however_busy(sessions: SqlSessions) -> None:
    token = sessions.start("huda", now=NOON)
    for quarter in range(1, 8):
        assert sessions.reviewer(token, now=NOON + quarter * timedelta(minutes=15)) == "huda"
    assert sessions.reviewer(token, now=NOON + timedelta(hours=2)) is None


def test_the_database_does_not_know_the_token(sessions: SqlSessions, sql: SqlStore) -> None:
    token = sessions.start("huda", now=NOON)
    with sql.engine.connect() as connection:
        rows = connection.execute(sa.select(schema.sessions)).all()
    assert len(rows) == 1
    assert token not in repr(rows)


def test_a_new_password_signs_the_reviewer_out(sessions: SqlSessions, sql: SqlStore) -> None:
    token = sessions.start("huda", now=NOON)
    sql.add_reviewer("huda", "changed")
    assert sessions.reviewer(token, now=NOON) is None


def test_sessions_that_are_over_are_forgotten(sessions: SqlSessions, sql: SqlStore) -> None:
    sessions.start("huda", now=NOON)
    sessions.start("huda", now=NOON + IDLE)
    with sql.engine.connect() as connection:
        assert len(connection.execute(sa.select(schema.sessions)).all()) == 1


# Idempotency keys


@pytest.fixture
def reservations(sql: SqlStore) -> SqlReservations:
    return SqlReservations(sql.engine)


def reserve(
    reservations: SqlReservations, document_id: str, digest: str = "d1", *, now: datetime = NOON
) -> tuple[str, bool]:
    made = reservations.reserve(
        "key", digest, document_id, now=now, stale_before=now - timedelta(minutes=5)
    )
    return made.document_id, made.mine


def test_the_first_caller_gets_the_key_and_the_second_learns_whose_it_is(
    reservations: SqlReservations,
) -> None:
    assert reserve(reservations, "doc_a") == ("doc_a", True)
    assert reserve(reservations, "doc_b") == ("doc_a", False)


def test_of_callers_at_the_same_moment_exactly_one_gets_the_key(
    reservations: SqlReservations,
) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: reserve(reservations, f"doc_{n}"), range(8)))
    assert [mine for _, mine in made].count(True) == 1
    assert len({document_id for document_id, _ in made}) == 1


def test_another_payload_learns_the_first_ones_digest(reservations: SqlReservations) -> None:
    reserve(reservations, "doc_a", "d1")
    late = NOON + timedelta(hours=1)
    found = reservations.reserve("key", "d2", "doc_b", now=late, stale_before=late)
    assert (found.payload_digest, found.mine) == ("d1", False)


def test_a_stale_reservation_is_taken_over_with_the_same_document_id(
    reservations: SqlReservations,
) -> None:
    reserve(reservations, "doc_a")
    assert reserve(reservations, "doc_b", now=NOON + timedelta(minutes=6)) == ("doc_a", True)
    assert reserve(reservations, "doc_c", now=NOON + timedelta(minutes=6)) == ("doc_a", False)


def test_a_released_key_can_be_reserved_anew(reservations: SqlReservations) -> None:
    reserve(reservations, "doc_a")
    reservations.release("key", "doc_a", reserved_at=NOON)
    assert reserve(reservations, "doc_b") == ("doc_b", True)


def answer_all(sql: SqlStore) -> None:
    with sql.engine.begin() as connection:
        connection.execute(sa.text("UPDATE reservations SET answered_at = reserved_at"))


def test_a_reservation_is_stale_from_the_first_moment_after_its_time(
    reservations: SqlReservations,
) -> None:
    reserve(reservations, "doc_a")
    at = NOON + timedelta(minutes=5)
    assert reserve(reservations, "doc_b", now=at) == ("doc_a", False)
    assert reserve(reservations, "doc_b", now=at + timedelta(seconds=1)) == ("doc_a", True)


def test_a_key_that_was_answered_is_neither_released_nor_taken_over(
    sql: SqlStore, reservations: SqlReservations
) -> None:
    reserve(reservations, "doc_a")
    answer_all(sql)
    reservations.release("key", "doc_a", reserved_at=NOON)
    assert reserve(reservations, "doc_b") == ("doc_a", False)
    assert reserve(reservations, "doc_b", now=NOON + timedelta(hours=1)) == ("doc_a", False)


def test_a_key_that_was_never_answered_is_forgotten_and_one_that_was_is_kept(
    sql: SqlStore, reservations: SqlReservations
) -> None:
    reserve(reservations, "doc_a")
    reservations.forget_unanswered(NOON)
    assert reserve(reservations, "doc_b") == ("doc_a", False)
    reservations.forget_unanswered(NOON + timedelta(seconds=1))
    assert reserve(reservations, "doc_b") == ("doc_b", True)
    answer_all(sql)
    reservations.forget_unanswered(NOON + timedelta(seconds=1))
    assert reserve(reservations, "doc_c") == ("doc_b", False)


def test_who_was_overtaken_releases_nothing(reservations: SqlReservations) -> None:
    late = NOON + timedelta(minutes=6)
    reserve(reservations, "doc_a")
    assert reserve(reservations, "doc_b", now=late) == ("doc_a", True)
    reservations.release("key", "doc_a", reserved_at=NOON)
    assert reserve(reservations, "doc_c", now=late) == ("doc_a", False)
    reservations.release("key", "doc_a", reserved_at=late)
    assert reserve(reservations, "doc_c", now=late) == ("doc_c", True)


# What is kept of a request: who has the rest of it could find the claims by trying.

DIGEST = "d" * 64


def stored_digests(store: SqlStore) -> list[str]:
    plain = sa.text("SELECT payload_digest FROM reservations")
    with store.engine.connect() as connection:
        return list(connection.execute(plain).scalars())


@pytest.fixture
def sealed(sql: SqlStore) -> Iterator[SqlStore]:
    store = SqlStore(url_of(sql), Keyring({"k1": bytes(range(32))}))
    try:
        yield store
    finally:
        store.close()


def test_the_digest_of_a_request_is_sealed_and_still_tells_the_same_from_another(
    sealed: SqlStore,
) -> None:
    kept = SqlReservations(sealed.engine)
    assert reserve(kept, "doc_a", DIGEST) == ("doc_a", True)
    assert DIGEST not in repr(stored_digests(sealed))
    late = NOON + timedelta(minutes=6)
    other = kept.reserve("key", "other", "doc_b", now=late, stale_before=late)
    assert (other.payload_digest, other.mine) == (DIGEST, False)
    assert reserve(kept, "doc_b", DIGEST, now=late) == ("doc_a", True)


def test_a_request_from_before_there_was_a_key_is_told_as_the_same(
    reservations: SqlReservations, sealed: SqlStore
) -> None:
    reserve(reservations, "doc_a", DIGEST)
    late = NOON + timedelta(minutes=6)
    assert reserve(SqlReservations(sealed.engine), "doc_b", DIGEST, now=late) == ("doc_a", True)
