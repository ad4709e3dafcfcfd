"""Runs: only what is stale is made anew, nothing twice, nothing left out, whatever dies."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from docqa.adapters import schema
from docqa.adapters.revalidation_tables import judgements, report_facts
from docqa.adapters.revalidations import SqlRevalidations
from docqa.adapters.reviewing import SqlDesk
from docqa.adapters.store import SqlStore
from docqa.measures import Assessed, PageAssessment
from docqa.pipeline import Engine, faulty_report
from docqa.plan import Judgement, Plan, Run, Selection, Work, make_plan
from docqa.policy import Policy, Rule
from docqa.ports import Ruling, StoredDocument
from docqa.report import Digests, Report, to_json
from docqa.revalidate import ClusterLost, Driver
from docqa.reviewing import Decided, QueueFilter
from docqa.verdict import decide
from tests.batch.dask_cluster import until
from tests.contracts.stores import SQL_STORES, opened_sql
from tests.faults.measures import build

ANGLES = {"a": 0.5, "b": 2.0, "c": 7.0}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def engine(accept: float, reject: float, *, skew: str = "1", reading: str = "1") -> Engine:
    plain = build("straight")
    rule = Rule("skew", "angle_deg", "deg", "geometry.skew", accept, reject, 0.0, "provisional")
    policy = Policy(f"under-{accept}", f"sha256:{accept}-{reject}", (rule,), {}, {})
    digests = Digests({"skew": skew}, reading)
    return replace(plain, policy=policy, digest=f"sha256:{skew}{reading}", digests=digests)


def measured(judge: Engine, angle: float) -> Report:
    pages = (PageAssessment(1, 10, 10, {"skew": Assessed({"angle_deg": angle})}),)
    verdict = decide(judge.policy, "a4-generic", pages)
    identity = (judge.policy.id, judge.policy.digest, judge.version, judge.digest)
    return Report("00", "a4-generic", pages, (), (), verdict, *identity, {}, digests=judge.digests)


@pytest.fixture(params=SQL_STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    """Three documents, turned by 0.5, 2 and 7 degrees: accepted, reviewed, rejected."""
    lax = engine(1.0, 5.0)
    for filled in opened_sql(request.param, tmp_path):
        for name, angle in ANGLES.items():
            report = measured(lax, angle)
            filled.add(
                StoredDocument(
                    id=f"doc_{name}",
                    blob_key=name * 32,
                    file_name="x.jpg",
                    document_type="a4-generic",
                    claims={},
                    report=to_json(report, lax.catalogue),
                    decision=report.verdict.decision.value,
                    received_at=LONG_AGO,
                    client_id="portal",
                )
            )
        yield filled


def never(work: Work) -> Report:
    raise AssertionError("nothing is stale")


def begin(store: SqlStore, judge: Engine, mode: Any) -> Run:
    policy = judge.policy
    return SqlRevalidations(store.engine).begin(
        Run("", mode, "waiting", policy.id, policy.digest, "", judge.digest,
            Selection(datetime.now(UTC)))
    )  # fmt: skip


def drive(
    store: SqlStore, judge: Engine, run: Run, recompute: Callable[[Work], Report] = never
) -> Run:
    with ThreadPoolExecutor(2) as threads:
        revalidations = SqlRevalidations(store.engine)
        return Driver(revalidations, judge, threads, recompute, 2, lambda run: None).drive(run)


def driver(
    revalidations: SqlRevalidations,
    judge: Engine,
    recompute: Callable[[Work], Report],
    tell: Callable[[Run], None] = lambda run: None,
) -> Driver:
    """One that recomputes in the caller's thread, a document at a time."""
    executor: Any = Dying(alive=sys.maxsize)
    return Driver(revalidations, judge, executor, recompute, 1, tell)


def judge_again(
    store: SqlStore, judge: Engine, mode: str, recompute: Callable[[Work], Report] = never
) -> dict[tuple[str, str], int]:
    run = drive(store, judge, begin(store, judge, mode), recompute)
    assert (run.state, run.decided) == ("done", run.total if mode == "report" else run.decided)
    counts = SqlRevalidations(store.engine).counts(run.id)
    return {(row["before"], row["after"]): row["documents"] for row in counts}


def plan(store: SqlStore, judge: Engine) -> Plan:
    everything = Selection(datetime.now(UTC))
    return make_plan(judge, SqlRevalidations(store.engine).tally(everything))


def decisions(store: SqlStore) -> list[str]:
    """Of the documents that are there, in the order of their ids."""
    return [found.decision for name in "abc" if (found := store.get(f"doc_{name}"))]


def rows(store: SqlStore, table: sa.Table) -> int:
    with store.engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_a_report_run_changes_nothing_and_tells_every_transition(store: SqlStore) -> None:
    before = [store.get(f"doc_{name}") for name in "abc"]
    events = rows(store, schema.events)
    found = judge_again(store, engine(3.0, 9.0), "report")
    assert found == {("accept", "accept"): 1, ("review", "accept"): 1, ("reject", "review"): 1}
    assert [store.get(f"doc_{name}") for name in "abc"] == before
    assert rows(store, schema.events) == events


def test_applying_writes_what_changes_and_tells_only_changed_decisions(store: SqlStore) -> None:
    judge_again(store, engine(3.0, 9.0), "apply")
    assert decisions(store) == ["accept", "accept", "review"]
    assert rows(store, schema.reports) == 5
    with store.engine.connect() as connection:
        told = connection.execute(
            sa.select(schema.events.c.document_id, schema.events.c.client_id, schema.events.c.body)
            .where(schema.events.c.kind == "document.rejudged")
            .order_by(schema.events.c.document_id)
        ).all()
    assert told == [
        ("doc_b", "portal", {"decision": "accept", "reason_codes": []}),
        ("doc_c", "portal", {"decision": "review", "reason_codes": ["geometry.skew"]}),
    ]


def test_reviewers_see_filter_and_decide_by_what_was_found_the_last_time(store: SqlStore) -> None:
    desk, now = SqlDesk(store), datetime.now(UTC)
    judge_again(store, engine(0.1, 0.4), "apply")
    found = store.get("doc_a")
    assert found is not None
    verdict = found.report["verdict"]
    codes = [reason["code"] for reason in verdict["reasons"]]
    assert "system.revalidated" in codes
    [waiting] = desk.queue(QueueFilter(reason=codes[0]), after=None, limit=9, now=now)
    assert (waiting.id, waiting.codes, waiting.score) == ("doc_a", tuple(codes), verdict["score"])
    said = Decided("doc_a", found.report_number, "rana", "escalate", "", "", (), now)
    assert desk.decide(said, claim_version=None, second_look=False) == "recorded"
    [row] = desk.decisions(first_day=now.date().isoformat(), last_day=now.date().isoformat())
    assert (row["score"], row["found_codes"]) == (verdict["score"], codes)
    judge_again(store, engine(0.1, 9.0), "apply")
    left = desk.queue(QueueFilter(reason="system.revalidated"), after=None, limit=9, now=now)
    assert left == []
    [escalated] = desk.queue(QueueFilter(escalated=True), after=None, limit=9, now=now)
    assert (escalated.id, escalated.codes) == ("doc_a", ("geometry.skew",))


def test_applying_twice_does_nothing_twice(store: SqlStore) -> None:
    judge = engine(3.0, 9.0)
    judge_again(store, judge, "apply")
    reports, events = rows(store, schema.reports), rows(store, schema.events)
    assert plan(store, judge).decide == 0
    assert judge_again(store, judge, "apply") == {}
    assert (rows(store, schema.reports), rows(store, schema.events)) == (reports, events)


def test_what_was_accepted_goes_to_a_person_under_every_later_policy(store: SqlStore) -> None:
    judge_again(store, engine(0.1, 0.4), "apply")
    judge_again(store, engine(0.05, 0.2), "apply")
    found = store.get("doc_a")
    assert found is not None
    assert found.decision == "review"
    assert found.report["verdict"]["reasons"][0]["code"] == "system.revalidated"
    assert decisions(store)[1:] == ["reject", "reject"]


def test_a_ruling_stays_in_force_and_nothing_is_told(store: SqlStore) -> None:
    store.rule(Ruling("doc_b", "reject", "cut off", "rana", LONG_AGO))
    events = rows(store, schema.events)
    judge_again(store, engine(3.0, 6.0), "apply")
    found = store.get("doc_b")
    assert found is not None
    assert (found.decision, found.report["verdict"]["decision"]) == ("reject", "accept")
    assert rows(store, schema.events) == events


def test_the_plan_tells_deciding_measuring_and_reading_apart(store: SqlStore) -> None:
    assert plan(store, engine(1.0, 5.0)) == Plan(3, 0, {}, 0, 0, 0)
    assert plan(store, engine(3.0, 9.0)) == Plan(3, 3, {}, 0, 0, 0)
    assert plan(store, engine(1.0, 5.0, skew="2")) == Plan(3, 0, {"skew": 3}, 0, 0, 3)
    # Nothing was claimed of these documents: a changed reader has nothing to read anew.
    assert plan(store, engine(1.0, 5.0, reading="2")) == Plan(3, 3, {}, 0, 0, 0)


def test_a_changed_measure_is_taken_again_once_and_put_in_force(store: SqlStore) -> None:
    judge = engine(1.0, 5.0, skew="2")
    asked: list[Work] = []

    def recompute(work: Work) -> Report:
        asked.append(work)
        return measured(judge, 0.1)

    judge_again(store, judge, "report", recompute)
    judge_again(store, judge, "apply", recompute)
    assert sorted(work.document_id for work in asked) == ["doc_a", "doc_b", "doc_c"]
    assert {work.stale.measures for work in asked} == {("skew",)}
    assert not any(work.stale.reading for work in asked)
    assert decisions(store) == ["accept", "accept", "accept"]
    found = store.get("doc_c")
    assert found is not None
    assert found.report["engine"]["measures"] == {"skew": "2"}
    assert plan(store, judge) == Plan(3, 0, {}, 0, 0, 0)


def test_a_document_that_crashes_twice_goes_to_review_and_the_others_go_on(
    store: SqlStore,
) -> None:
    judge = engine(1.0, 5.0, skew="2")
    tries: list[str] = []

    def recompute(work: Work) -> Report:
        tries.append(work.document_id)
        if work.document_id == "doc_a":
            return faulty_report(judge, "00", "a4-generic", "system.crashed")
        return measured(judge, 0.1)

    judge_again(store, judge, "apply", recompute)
    assert tries.count("doc_a") == 2 and tries[-1] == "doc_a"
    assert decisions(store) == ["review", "accept", "accept"]
    judge_again(store, judge, "apply", recompute)
    assert len(tries) == 4


class Dying:
    """An executor that loses its workers after some documents."""

    def __init__(self, alive: int) -> None:
        self.alive = alive

    def submit(self, function: Callable[[Work], Report], work: Work) -> Future[Report]:
        future: Future[Report] = Future()
        self.alive -= 1
        if self.alive < 0:
            future.set_exception(CancelledError())
        else:
            future.set_result(function(work))
        return future


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


class Erasing:
    """Revalidations of a store from which documents go between reading and writing a batch."""

    def __init__(self, store: SqlStore, *names: str) -> None:
        self.store, self.names = store, names
        self.inner = SqlRevalidations(store.engine)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def batch(self, run: Run, after: str, limit: int) -> list[Judgement]:
        found = self.inner.batch(run, after, limit)
        for name in self.names:
            erase(self.store, name)
        return found


def erase(store: SqlStore, name: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.delete(schema.documents).where(schema.documents.c.id == name))


@pytest.mark.parametrize("mode", ["report", "apply"])
def test_a_document_erased_while_its_batch_is_decided_is_passed_over(
    store: SqlStore, mode: str
) -> None:
    judge = engine(3.0, 9.0)
    run = begin(store, judge, mode)
    erasing: Any = Erasing(store, "doc_b")
    done = driver(erasing, judge, never).drive(run)
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


def test_two_drivers_of_one_run_write_nothing_twice(store: SqlStore) -> None:
    judge = engine(3.0, 9.0)
    run = begin(store, judge, "apply")
    for _ in range(2):
        drive(store, judge, run)
    assert rows(store, schema.reports) == 5


def test_a_paused_run_stops_and_goes_on_and_a_cancelled_one_does_not(store: SqlStore) -> None:
    judge = engine(3.0, 9.0)
    revalidations = SqlRevalidations(store.engine)
    run = begin(store, judge, "apply")
    assert revalidations.move(run.id, "cancelled", allowed=("waiting",))
    assert drive(store, judge, run).state == "cancelled"
    assert decisions(store) == ["accept", "review", "reject"]
    assert not revalidations.move(run.id, "waiting", allowed=("paused",))


def test_facts_lost_or_never_made_are_made_from_the_reports(store: SqlStore) -> None:
    with store.engine.begin() as connection:
        before = connection.execute(sa.select(report_facts)).all()
        connection.execute(sa.delete(report_facts))
    assert SqlRevalidations(store.engine).prepare() == 3
    with store.engine.connect() as connection:
        assert connection.execute(sa.select(report_facts)).all() == before
    assert SqlRevalidations(store.engine).prepare() == 0
