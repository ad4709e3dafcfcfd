"""Runs: only what is stale is made anew, nothing twice, nothing left out, whatever dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from docqa.adapters import schema
from docqa.adapters.revalidation_tables import report_facts
from docqa.adapters.revalidations import SqlRevalidations
from docqa.adapters.reviewing import SqlDesk
from docqa.adapters.store import SqlStore
from docqa.bulk import Origin, judge_key
from docqa.corrections import judged_again
from docqa.pipeline import Engine, faulty_report
from docqa.plan import Group, Plan, Selection, Stale, Work, make_plan, stale
from docqa.ports import Ruling
from docqa.reading import OCR_FAILED
from docqa.recompute import merged
from docqa.report import Report, to_json
from docqa.reviewing import Decided, QueueFilter
from docqa.verdict import OF_THE_BOOKING
from tests.contracts.stores import SQL_STORES
from tests.judging_again import (
    LONG_AGO,
    begin,
    decisions,
    drive,
    engine,
    filled,
    measured,
    never,
    rows,
)


@pytest.fixture(params=SQL_STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from filled(request.param, tmp_path)


def judge_again(
    store: SqlStore, judge: Engine, mode: str, recompute: Callable[[Work], Report] = never
) -> dict[tuple[str, str], int]:
    said = judge_key(judge.policy.digest, judge.digest)
    is_concerned = sa.true() if mode == "report" else report_facts.c.judged_by != said
    concerned = sa.select(sa.func.count()).select_from(report_facts).where(is_concerned)
    with store.engine.connect() as connection:
        number = connection.execute(concerned).scalar_one()
    run = drive(store, judge, begin(store, judge, mode), recompute)
    assert (run.state, run.decided) == ("done", number)
    counts = SqlRevalidations(store.engine).counts(run.id)
    assert sum(row["documents"] for row in counts) == number
    return {(row["before"], row["after"]): row["documents"] for row in counts}


def plan(store: SqlStore, judge: Engine) -> Plan:
    everything = Selection(datetime.now(UTC))
    return make_plan(judge, SqlRevalidations(store.engine).tally(everything))


def test_of_a_report_by_the_very_same_engine_nothing_is_stale() -> None:
    """Whatever it says of its parts: reports from before these had digests say nothing."""
    judge = engine(1.0, 5.0)
    for digest, needs in ((judge.digest, Stale()), ("sha256:old", Stale(("skew",), True))):
        group = Group(Origin("k", digest, {}, "", ()), True, True, "", 3)
        assert stale(judge, group) == needs


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


@pytest.mark.parametrize("fault", sorted(OF_THE_BOOKING))
def test_what_the_booking_made_of_a_document_stays_when_it_is_read_anew(fault: str) -> None:
    before, judge = engine(1.0, 5.0), engine(1.0, 5.0, skew="2", reading="2")
    stored = judged_again(
        to_json(measured(before, 0.5), before.catalogue), before, faults=[fault, OCR_FAILED]
    )
    work = Work("doc_a", "0" * 32, "a4-generic", Stale(("skew",), True), 1)
    again = merged(stored, work, measured(judge, 0.1), judge)
    assert (again["faults"], again["verdict"]["decision"]) == ([fault], "review")


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


def test_what_failed_once_is_no_fault_any_more_once_it_is_inspected_anew(store: SqlStore) -> None:
    def fails(work: Work) -> Report:
        if work.document_id == "doc_a":
            raise ValueError("whatever a decoder may do")
        return measured(engine(1.0, 5.0, skew="2"), 0.1)

    judge_again(store, engine(1.0, 5.0, skew="2"), "apply", fails)
    assert decisions(store) == ["review", "accept", "accept"]
    later = engine(1.0, 5.0, skew="3")
    judge_again(store, later, "apply", lambda work: measured(later, 0.1))
    assert decisions(store) == ["accept", "accept", "accept"]


def test_facts_lost_or_never_made_are_made_from_the_reports(store: SqlStore) -> None:
    with store.engine.begin() as connection:
        before = connection.execute(sa.select(report_facts)).all()
        connection.execute(sa.delete(report_facts))
    assert SqlRevalidations(store.engine).prepare() == 3
    with store.engine.connect() as connection:
        assert connection.execute(sa.select(report_facts)).all() == before
    assert SqlRevalidations(store.engine).prepare() == 0
