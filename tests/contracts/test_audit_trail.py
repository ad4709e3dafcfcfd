"""What every AuditTrail does, and what the one in SQL tells of tampering with its tables."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from docqa.adapters.audit_trail import SqlAuditTrail, append_entry
from docqa.adapters.memory import MemoryAuditTrail
from docqa.adapters.record_tables import audit_entries, audit_head
from docqa.adapters.store import SqlStore
from docqa.audit import GENESIS
from docqa.ports import AuditTrail
from tests.contracts.stores import SQL_STORES, opened_sql, url_of


@pytest.fixture(params=SQL_STORES)
def sql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from opened_sql(request.param, tmp_path)


@pytest.fixture(params=["memory", *SQL_STORES])
def trail(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AuditTrail]:
    if request.param == "memory":
        yield MemoryAuditTrail()
    else:
        for store in opened_sql(request.param, tmp_path):
            yield SqlAuditTrail(store.engine)


def view(trail: AuditTrail, count: int, actor: str = "huda") -> list[str]:
    return [
        trail.append("document.viewed_unmasked", f"doc_{n}", actor, {"page": n}).head
        for n in range(count)
    ]


def test_what_is_appended_is_a_whole_chain(trail: AuditTrail) -> None:
    assert trail.verify().broken is None
    heads = view(trail, 5)
    found = trail.verify(heads[2])
    assert (found.broken, found.entries, found.head) == (None, 5, heads[-1])


def test_a_fact_that_may_be_personal_is_refused_and_leaves_the_chain_whole(
    trail: AuditTrail,
) -> None:
    with pytest.raises(ValueError, match="must be a code"):
        trail.append("document.viewed_unmasked", "doc_a", "huda", {"name": "آمنة"})
    view(trail, 1)
    assert trail.verify().entries == 1


def test_a_head_of_another_trail_is_told(trail: AuditTrail) -> None:
    view(trail, 3)
    other = MemoryAuditTrail()
    assert trail.verify(view(other, 3, actor="omar")[1]).broken == 2


def test_writers_at_the_same_moment_make_one_chain(sql: SqlStore) -> None:
    engines = [SqlStore(url_of(sql)) for _ in range(4)]  # as several replicas
    try:
        with ThreadPoolExecutor(8) as pool:
            trails = [SqlAuditTrail(store.engine) for store in engines]
            list(pool.map(lambda n: view(trails[n % 4], 5, actor=f"reviewer_{n}"), range(8)))
        found = SqlAuditTrail(sql.engine).verify()
        assert (found.broken, found.entries) == (None, 40)
    finally:
        for store in engines:
            store.close()


def test_a_transaction_that_is_undone_leaves_no_entry_and_no_gap(sql: SqlStore) -> None:
    trail = SqlAuditTrail(sql.engine)
    view(trail, 2)
    with pytest.raises(RuntimeError), sql.engine.begin() as connection:
        append_entry(connection, "document.added", subject="doc_x", actor="portal", facts={})
        raise RuntimeError
    view(trail, 1)
    found = trail.verify()
    assert (found.broken, found.entries) == (None, 3)


TAMPERING = {
    "edit": (3, ["UPDATE audit_entries SET actor = 'omar' WHERE number = 3"]),
    "facts": (4, ["UPDATE audit_entries SET facts = '{\"page\": 9}' WHERE number = 4"]),
    "facts that are none": (4, ["UPDATE audit_entries SET facts = '[1]' WHERE number = 4"]),
    "no facts": (4, ["UPDATE audit_entries SET facts = 'null' WHERE number = 4"]),
    "delete": (2, ["DELETE FROM audit_entries WHERE number = 2"]),
    "insert": (
        3,
        [
            "UPDATE audit_entries SET number = number + 100 WHERE number > 2",
            "INSERT INTO audit_entries SELECT 3, recorded_at, kind, subject, actor, facts, sha256"
            " FROM audit_entries WHERE number = 2",
            "UPDATE audit_entries SET number = number - 99 WHERE number > 100",
            "UPDATE audit_head SET number = 7",
        ],
    ),
    "reorder": (
        2,
        [
            "UPDATE audit_entries SET number = 99 WHERE number = 2",
            "UPDATE audit_entries SET number = 2 WHERE number = 3",
            "UPDATE audit_entries SET number = 3 WHERE number = 99",
        ],
    ),
    "append": (
        7,
        [
            "INSERT INTO audit_entries SELECT 7, recorded_at, kind, subject, actor, facts, sha256"
            " FROM audit_entries WHERE number = 6"
        ],
    ),
    "truncate": (6, ["DELETE FROM audit_entries WHERE number = 6"]),
    "truncate all": (1, ["DELETE FROM audit_entries", "DELETE FROM audit_head"]),
}


@pytest.mark.parametrize("is_kept", [False, True])
@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_with_the_tables_is_told_with_its_place(
    sql: SqlStore, how: str, is_kept: bool
) -> None:
    trail = SqlAuditTrail(sql.engine)
    heads = view(trail, 6)
    broken, statements = TAMPERING[how]
    with sql.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    assert trail.verify(heads[-1] if is_kept else None).broken == broken


@pytest.mark.parametrize(
    "change",
    [
        "facts = 'nope'",
        "facts = '{\"page\": NaN}'",
        "facts = x'ff'",
        "facts = '" + "[" * 100_000 + "'",
        "recorded_at = 'soon'",
        "recorded_at = 7",
        "subject = x'ff'",
        "sha256 = x'ff'",
    ],
    ids=lambda change: change[:20],
)
def test_an_entry_that_sqlite_holds_and_nobody_can_read_is_told_with_its_place(
    tmp_path: Path, change: str
) -> None:
    for store in opened_sql("sqlite", tmp_path):
        trail = SqlAuditTrail(store.engine)
        heads = view(trail, 6)
        with store.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE audit_entries SET {change} WHERE number = 3")
        found = trail.verify()
        assert (found.broken, found.entries, found.head) == (3, 3, heads[1])


def test_a_tail_cut_off_with_the_head_put_back_is_told_by_a_head_that_was_kept(
    sql: SqlStore,
) -> None:
    trail = SqlAuditTrail(sql.engine)
    heads = view(trail, 6)
    number, sha256 = heads[3].split(":")
    with sql.engine.begin() as connection:
        connection.execute(sa.delete(audit_entries).where(audit_entries.c.number > int(number)))
        connection.execute(sa.update(audit_head).values(number=int(number), sha256=sha256))
    assert trail.verify().broken is None  # the database alone cannot know
    assert trail.verify(heads[-1]).broken == 5


def test_a_trail_that_was_written_anew_is_told_by_a_head_that_was_kept(sql: SqlStore) -> None:
    trail = SqlAuditTrail(sql.engine)
    heads = view(trail, 6)
    with sql.engine.begin() as connection:
        connection.execute(sa.delete(audit_entries))
        connection.execute(sa.update(audit_head).values(number=0, sha256=GENESIS))
    view(trail, 6, actor="omar")
    assert trail.verify().broken is None  # the database alone cannot know
    assert trail.verify(heads[-1]).broken == 6
