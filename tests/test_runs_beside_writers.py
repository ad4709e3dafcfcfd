"""Runs beside others who write of the same documents on PostgreSQL: none makes another give up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
import sqlalchemy as sa

from docqa.adapters.blobs import FolderBlobs
from docqa.adapters.document_rows import add_report
from docqa.adapters.retention import SqlRetention
from docqa.adapters.revalidation_tables import report_facts
from docqa.adapters.revalidations import SqlRevalidations
from docqa.adapters.schema import documents, reports
from docqa.adapters.store import SqlStore
from docqa.report import to_json
from tests.batch.dask_cluster import until
from tests.judging_again import (
    Meanwhile,
    begin,
    decisions,
    driver,
    engine,
    filled,
    measured,
    never,
    rows,
)

Hook = Callable[[sa.Connection, str | None, str | None], None]
Writer = Callable[[SqlStore, Path, Hook], bool]
_WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock'"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    yield from filled("postgresql", tmp_path)


def until_waiting_or(store: SqlStore, holds: Callable[[], bool]) -> None:
    """Until somebody waits for a lock, or ``holds``."""
    with store.engine.connect() as looking:
        looking = looking.execution_options(isolation_level="AUTOCOMMIT")
        until(lambda: holds() or looking.execute(_WAITING).scalar_one() > 0)


def erases(store: SqlStore, folder: Path, before_it_ends: Hook) -> bool:
    retention = SqlRetention(store.engine, FolderBlobs(folder / "blobs"), before_it_ends)
    return retention.erase("doc_a", "requested").document_id == "doc_a"


def corrects(store: SqlStore, folder: Path, before_it_ends: Hook) -> bool:
    found, lax = store.get("doc_a"), engine(1.0, 5.0)
    assert found is not None
    store.watch(lambda connection, client, ref, _: before_it_ends(connection, client, ref))
    report = to_json(measured(lax, 4.0), lax.catalogue)
    return store.correct(found, claims={}, readings={}, report=report)


@pytest.mark.parametrize(
    ("writes", "after"),
    [(erases, ["accept", "review"]), (corrects, ["review", "accept", "review"])],
)
def test_whoever_writes_of_a_document_that_its_batch_leaves_as_it_is_finishes_and_so_does_the_run(
    store: SqlStore, tmp_path: Path, writes: Writer, after: list[str]
) -> None:
    with store.engine.begin() as connection:  # so that who corrects calls the hook, too
        connection.execute(sa.update(documents).values(booking_ref="B-1"))
    judge, writing, run_ended = engine(3.0, 9.0), Event(), Event()
    run = begin(store, judge, "apply")
    written: list[Future[bool]] = []

    def hook(*_: object) -> None:
        writing.set()
        until_waiting_or(store, run_ended.is_set)

    def happens() -> None:
        written.append(other.submit(writes, store, tmp_path, hook))
        assert writing.wait(60)

    with ThreadPoolExecutor(1) as other:
        try:
            done = driver(Meanwhile(store, happens), judge, never).drive(run)
        finally:
            run_ended.set()
        assert written[0].result()
    assert (done.state, decisions(store)) == ("done", after)


def test_two_batches_that_change_what_the_other_leaves_as_it_is_are_both_committed(
    store: SqlStore,
) -> None:
    arrived: list[str] = []

    def commit(changed: str) -> int:
        def hook(*_: object) -> None:
            arrived.append(changed)
            until_waiting_or(store, lambda: len(arrived) == 2)

        revalidations = SqlRevalidations(store.engine, hook)
        run = begin(store, engine(1.0, 5.0), "apply")
        run = replace(run, policy_digest=changed)
        decided = [
            replace(one, before="review", after="accept") if one.document_id == changed else one
            for one in revalidations.batch(run, "", 9)
        ]
        return revalidations.commit(run, decided, Counter(), lambda one, stored: stored).decided

    with ThreadPoolExecutor(2) as both:
        assert list(both.map(commit, ["doc_a", "doc_c"])) == [3, 3]
    assert rows(store, reports) == 5


def erased(connection: sa.Connection) -> None:
    connection.execute(sa.delete(documents).where(documents.c.id == "doc_b"))


def superseded(connection: sa.Connection) -> None:
    lax = engine(1.0, 5.0)
    its = sa.update(documents).where(documents.c.id == "doc_b")
    connection.execute(its.values(report_number=2))
    add_report(connection, "doc_b", 2, to_json(measured(lax, 0.1), lax.catalogue))


@pytest.mark.parametrize(
    ("write", "numbers"),
    [
        (erased, {"doc_a": 1, "doc_c": 1}),
        (superseded, {"doc_a": 1, "doc_b": 2, "doc_c": 1}),
    ],
)
def test_lacking_facts_are_made_beside_whoever_writes_of_one_of_the_documents(
    store: SqlStore, write: Callable[[sa.Connection], None], numbers: dict[str, int]
) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.delete(report_facts))
    with ThreadPoolExecutor(1) as other, store.engine.connect() as writing:
        write(writing)
        filling = other.submit(SqlRevalidations(store.engine).prepare)
        until_waiting_or(store, filling.done)
        writing.commit()
        assert filling.result() == 2
    with store.engine.connect() as connection:
        kept = connection.execute(
            sa.select(report_facts.c.document_id, report_facts.c.report_number)
        )
        assert {row.document_id: row.report_number for row in kept} == numbers
