"""Runs: they stop when they are told to, and whatever stops them, they go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from docqa import revalidate
from docqa.adapters import schema
from docqa.adapters.revalidation_tables import judgements
from docqa.adapters.revalidations import SqlRevalidations
from docqa.adapters.store import SqlStore
from docqa.pipeline import Engine, faulty_report
from docqa.plan import Judgement, Run, RunMoved, Work
from docqa.report import Report
from docqa.revalidate import LEFT, ClusterLost, Driver, Unread
from tests.batch.dask_cluster import until
from tests.contracts.stores import SQL_STORES
from tests.judging_again import (
    Dying,
    Meanwhile,
    add,
    begin,
    decisions,
    drive,
    driver,
    engine,
    erase,
    filled,
    measured,
    never,
    rows,
)


@pytest.fixture(params=SQL_STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from filled(request.param, tmp_path)


def test_when_the_cluster_dies_the_same_run_goes_on_where_it_was(store: SqlStore) -> None:
    judge = engine(1.0, 5.0, skew="2")
    revalidations = SqlRevalidations(store.engine)
    run = begin(store, judge, "apply")
    dying: Any = Dying(1)
    with pytest.raises(ClusterLost):
        Driver(
            revalidations, judge, dying, lambda work: measured(judge, 0.1), 2, lambda run: None
        ).drive(run)
    assert revalidations.unfinished(replace(run, id="")) is not None
    done = drive(store, judge, run, lambda work: measured(judge, 0.1))
    assert (done.state, done.decided) == ("done", 3)
    assert rows(store, schema.reports) == 6 and rows(store, judgements) == 3


@pytest.mark.parametrize("mode", ["report", "apply"])
def test_a_document_erased_while_its_batch_is_decided_is_passed_over(
    store: SqlStore, mode: str
) -> None:
    judge = engine(3.0, 9.0)
    run = begin(store, judge, mode)
    done = driver(Meanwhile(store, lambda: erase(store, "doc_b")), judge, never).drive(run)
    assert (done.state, done.decided) == ("done", 3)
    assert decisions(store) == (["accept", "review"] if mode == "apply" else ["accept", "reject"])
    with store.engine.connect() as connection:
        assert connection.scalars(sa.select(judgements.c.document_id)).all() == ["doc_c"]


@pytest.mark.parametrize("fault", [None, "system.crashed"])
def test_a_document_erased_while_it_is_recomputed_is_passed_over(
    store: SqlStore, fault: str | None
) -> None:
    judge = engine(1.0, 5.0, skew="2")

    def recompute(work: Work) -> Report:
        if work.document_id == "doc_b":
            erase(store, "doc_b")
            if fault is not None:
                return faulty_report(judge, "00", "a4-generic", fault)
        return measured(judge, 0.1)

    done = drive(store, judge, begin(store, judge, "apply"), recompute)
    assert (done.state, done.decided) == ("done", 2)
    assert decisions(store) == ["accept", "accept"]


@pytest.mark.parametrize("mode", ["report", "apply"])
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_batch_waits_for_whoever_is_erasing_one_of_its_documents(
    store: SqlStore, mode: str
) -> None:
    judge = engine(3.0, 9.0)
    run = begin(store, judge, mode)
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(1) as other, store.engine.connect() as erasing:
        erasing.execute(sa.delete(schema.documents).where(schema.documents.c.id == "doc_b"))
        driven = other.submit(drive, store, judge, run)
        with store.engine.connect() as looking:
            looking = looking.execution_options(isolation_level="AUTOCOMMIT")
            until(lambda: driven.done() or looking.execute(waiting).scalar_one() > 0)
        erasing.commit()
        assert driven.result().state == "done"
    assert rows(store, judgements) == 1


def test_a_run_that_is_done_is_not_driven_again(store: SqlStore) -> None:
    judge = engine(3.0, 9.0)
    run = begin(store, judge, "apply")
    for _ in range(2):
        drive(store, judge, run)
    assert rows(store, schema.reports) == 5


@pytest.mark.parametrize("mode", ["report", "apply"])
def test_of_two_drivers_one_stops_and_nothing_is_decided_twice(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(revalidate, "DECIDED_AT_ONCE", 1)
    judge, revalidations = engine(3.0, 9.0), SqlRevalidations(store.engine)
    run, other = begin(store, judge, mode), driver(revalidations, judge, never)
    with pytest.raises(RunMoved, match=run.id):
        driver(Meanwhile(store, lambda: other.drive(run)), judge, never).drive(run)
    assert sum(row["documents"] for row in revalidations.counts(run.id)) == 3
    assert rows(store, schema.reports) == (5 if mode == "apply" else 3)
    found = revalidations.get(run.id)
    assert found is not None and (found.state, found.decided) == ("done", 3)


# Pausing and cancelling


def test_a_run_that_was_cancelled_before_it_began_does_nothing(store: SqlStore) -> None:
    judge = engine(3.0, 9.0)
    revalidations = SqlRevalidations(store.engine)
    run = begin(store, judge, "apply")
    assert revalidations.move(run.id, "cancelled", allowed=("waiting",))
    assert drive(store, judge, run).state == "cancelled"
    assert decisions(store) == ["accept", "review", "reject"]
    assert not revalidations.move(run.id, "waiting", allowed=("paused",))


@pytest.mark.parametrize("state", ["paused", "cancelled"])
def test_a_run_stops_after_the_batch_in_which_it_was_stopped(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(revalidate, "DECIDED_AT_ONCE", 1)
    judge = engine(0.1, 0.4)
    revalidations, run = SqlRevalidations(store.engine), begin(store, judge, "apply")
    stopping = Meanwhile(store, lambda: revalidations.move(run.id, state, allowed=("running",)))
    stopped = driver(stopping, judge, never).drive(run)
    assert (stopped.state, stopped.decided) == (state, 1)
    assert decisions(store) == ["review", "review", "reject"]
    assert rows(store, schema.reports) == 4
    assert revalidations.move(run.id, "waiting", allowed=("paused",)) == (state == "paused")
    done = drive(store, judge, run)
    assert (done.state, done.decided) == (("done", 3) if state == "paused" else (state, 1))
    assert decisions(store)[1] == ("reject" if state == "paused" else "review")


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_run_that_applies_rewrites_few_documents_in_a_commit_and_may_stop_after_each(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(revalidate, "REWRITTEN_AT_ONCE", 1)
    for name in "defg":
        add(store, name, 0.5)
    judge, commits = engine(3.0, 9.0), list[list[str]]()  # b and c change
    run = begin(store, judge, "apply")

    class Noting(SqlRevalidations):
        def commit(self, run: Run, decided: Sequence[Judgement], *rest: Any) -> Run:
            commits.append([one.document_id[-1] for one in decided])
            self.move(run.id, state, allowed=("running",))
            return super().commit(run, decided, *rest)

    stopped = driver(Noting(store.engine), judge, never).drive(run)
    if state == "paused":
        assert (stopped.state, stopped.decided, commits) == (state, 2, [["a", "b"]])
    else:
        assert commits == [["a", "b"], ["c", "d", "e", "f", "g"]]
    SqlRevalidations(store.engine).move(run.id, "waiting", allowed=("paused",))
    done = drive(store, judge, run)
    assert (done.state, done.decided) == ("done", 7)
    assert sum(row["documents"] for row in SqlRevalidations(store.engine).counts(run.id)) == 7
    assert rows(store, schema.reports) == 9


@pytest.mark.parametrize("state", ["paused", "cancelled"])
def test_a_run_stops_while_it_recomputes_and_keeps_what_is_done(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(revalidate, "_KEPT_AT_ONCE", 1)
    for name in "defg":
        add(store, name, 0.5)
    judge, asked = engine(1.0, 5.0, skew="2"), list[str]()
    revalidations, run = SqlRevalidations(store.engine), begin(store, judge, "apply")

    def recompute(work: Work) -> Report:
        asked.append(work.document_id)
        if len(asked) == 1:
            revalidations.move(run.id, state, allowed=("running",))
        return measured(judge, 0.1)

    stopped = driver(revalidations, judge, recompute).drive(run)
    assert (stopped.state, stopped.decided, stopped.recomputed) == (state, 0, len(asked))
    assert 0 < len(asked) < 7 and rows(store, judgements) == len(asked)
    assert rows(store, schema.reports) == 7
    revalidations.move(run.id, "waiting", allowed=("paused",))
    done = drive(store, judge, run, recompute)
    assert done.state == ("done" if state == "paused" else state)
    assert len(set(asked)) == len(asked) == (7 if state == "paused" else done.recomputed)


# Workers that are not set up


def test_documents_that_fail_one_after_the_other_stop_the_run_and_nothing_is_kept_of_them(
    store: SqlStore,
) -> None:
    for number in range(22):
        add(store, f"d{number:02}", 0.5)
    judge = engine(1.0, 5.0, skew="2")
    revalidations, run = SqlRevalidations(store.engine), begin(store, judge, "apply")
    with pytest.raises(ClusterLost, match="one document after the other"):
        driver(revalidations, judge, failing(25, judge)).drive(run)
    assert (rows(store, judgements), rows(store, schema.reports)) == (0, 25)
    done = driver(revalidations, judge, failing(0, judge)).drive(run)
    assert (done.state, done.recomputed, done.failed) == ("done", 25, 0)


@pytest.mark.parametrize("extra", [0, 1])
def test_fewer_that_fail_are_kept_as_failed_and_the_run_goes_on(
    store: SqlStore, extra: int
) -> None:
    for number in range(21 + extra):
        add(store, f"d{number:02}", 0.5)
    judge = engine(1.0, 5.0, skew="2")
    revalidations, run = SqlRevalidations(store.engine), begin(store, judge, "apply")
    done = driver(revalidations, judge, failing(24, judge)).drive(run)
    assert (done.state, done.recomputed, done.failed) == ("done", 24 + extra, 24)
    faults = [fault for found in store.scan() for fault in found.report["faults"]]
    assert faults == ["system.failed"] * 24


def failing(number: int, judge: Engine) -> Callable[[Work], Report]:
    """A worker that fails over the first documents."""
    left = number

    def recompute(work: Work) -> Report:
        nonlocal left
        left -= 1
        if left >= 0:
            raise ValueError(work.blob_key)
        return measured(judge, 0.1)

    return recompute


# Files that cannot be read


def unread(judge: Engine, *names: str, error: Exception) -> Callable[[Work], Report]:
    """A worker that cannot read the files of some documents; all others are turned by 0.1."""

    def recompute(work: Work) -> Report:
        if work.document_id in names:
            raise error
        return measured(judge, 0.1)

    return recompute


@pytest.mark.parametrize("mode", ["report", "apply"])
@pytest.mark.parametrize("error", [Unread("no file"), OSError("the share is away")], ids=str)
def test_a_document_whose_file_cannot_be_read_keeps_its_report_and_stays_to_be_done(
    store: SqlStore, error: Exception, mode: str
) -> None:
    judge, revalidations = engine(1.0, 5.0, skew="2"), SqlRevalidations(store.engine)
    recompute = unread(judge, "doc_a", "doc_b", error=error)
    before = store.get("doc_a")
    done = drive(store, judge, begin(store, judge, mode), recompute)
    assert (done.state, done.decided, done.recomputed, done.failed) == ("done", 3, 1, 2)
    assert store.get("doc_a") == before
    assert {(r["before"], r["after"], r["reason"]) for r in revalidations.counts(done.id)} == {
        ("accept", "accept", LEFT),
        ("review", "review", LEFT),
        ("reject", "accept", "geometry.skew"),
    }
    again = drive(store, judge, begin(store, judge, "apply"), unread(judge, error=error))
    assert (again.state, again.recomputed, again.failed) == ("done", 2, 0)
    assert decisions(store) == ["accept", "accept", "accept"]
    assert rows(store, schema.reports) == 6


def test_a_run_that_goes_on_counts_a_file_that_cannot_be_read_once(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revalidate, "DECIDED_AT_ONCE", 1)
    judge, revalidations = engine(1.0, 5.0, skew="2"), SqlRevalidations(store.engine)
    run = begin(store, judge, "apply")
    pausing = Meanwhile(store, lambda: revalidations.move(run.id, "paused", allowed=("running",)))
    recompute = unread(judge, "doc_a", error=Unread("no file"))
    assert driver(pausing, judge, recompute).drive(run).failed == 1
    revalidations.move(run.id, "waiting", allowed=("paused",))
    done = driver(revalidations, judge, recompute).drive(run)
    assert (done.state, done.decided, done.failed) == ("done", 3, 1)


def many(store: SqlStore) -> list[str]:
    """The ids of so many documents that no more may fail in a row, besides doc_a, b and c."""
    for number in range(25):
        add(store, f"d{number:02}", 0.5)
    return [f"doc_d{number:02}" for number in range(25)]


def test_however_many_files_are_lost_the_other_documents_are_judged(store: SqlStore) -> None:
    lost, judge = many(store), engine(1.0, 5.0, skew="2")
    revalidations = SqlRevalidations(store.engine)
    recompute = unread(judge, *lost, error=Unread("no file"))
    done = driver(revalidations, judge, recompute).drive(begin(store, judge, "apply"))
    assert (done.state, done.decided, done.recomputed, done.failed) == ("done", 28, 3, 25)
    stricter = engine(0.05, 5.0, skew="2")  # of what was recomputed no pixel is needed
    again = driver(revalidations, stricter, recompute).drive(begin(store, stricter, "apply"))
    assert (again.state, again.decided, again.recomputed, again.failed) == ("done", 28, 0, 25)
    assert decisions(store) == ["review", "review", "review"]
    assert rows(store, schema.reports) == 28 + 3 + 3


def test_a_store_of_files_that_does_not_answer_stops_the_run(store: SqlStore) -> None:
    away, judge = many(store), engine(1.0, 5.0, skew="2")
    recompute = unread(judge, *away, error=OSError("the share is away"))
    run = begin(store, judge, "apply")
    with pytest.raises(ClusterLost, match="one document after the other"):
        driver(SqlRevalidations(store.engine), judge, recompute).drive(run)
    assert rows(store, schema.reports) == 28


def test_lost_files_between_them_do_not_hide_that_the_workers_fail(store: SqlStore) -> None:
    names, judge = many(store), engine(1.0, 5.0, skew="2")
    for number in range(25):
        add(store, f"d{number:02}x", 0.5)

    def recompute(work: Work) -> Report:
        raise ValueError(work.blob_key) if work.document_id in names else Unread("no file")

    run = begin(store, judge, "apply")
    with pytest.raises(ClusterLost, match="one document after the other"):
        driver(SqlRevalidations(store.engine), judge, recompute).drive(run)
    assert (rows(store, judgements), rows(store, schema.reports)) == (0, 53)
