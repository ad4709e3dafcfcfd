"""What every ReviewDesk does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from docqa.adapters.audit_trail import SqlAuditTrail
from docqa.adapters.record_tables import audit_entries
from docqa.adapters.reviewing import SqlDesk
from docqa.adapters.schema import events
from docqa.adapters.store import SqlStore
from docqa.deadlines import DeadlineWatch
from docqa.ports import StoredDocument
from docqa.reviewing import EVERYTHING, Decided, QueueFilter, TrailEntry
from tests.contracts.stores import SQL_STORES, opened_sql

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LEASE = timedelta(minutes=10)
UNDO = timedelta(seconds=10)


@pytest.fixture(params=SQL_STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from opened_sql(request.param, tmp_path)


@pytest.fixture
def desk(store: SqlStore) -> SqlDesk:
    return SqlDesk(store)


def add(store: SqlStore, number: int, codes: tuple[str, ...] = (), **changes: Any) -> str:
    capture = {"capture": {"outputs": {"source": "camera"}}}
    facts: dict[str, Any] = {
        "id": f"doc_{number:03}",
        "blob_key": f"{number:032x}",
        "file_name": "scan.pdf",
        "document_type": "sy-id-front",
        "claims": {},
        "report": {
            "verdict": {"decision": "review", "score": 55, "reasons": [{"code": c} for c in codes]},
            "pages": [{"measures": capture}],
        },
        "decision": "review",
        "received_at": NOON - timedelta(hours=number),
        "deadline_at": NOON + timedelta(days=number),
    }
    made = StoredDocument(**(facts | changes))
    store.add(made)
    return made.id


def decision(document_id: str, reviewer: str = "huda", **changes: Any) -> Decided:
    facts: dict[str, Any] = {
        "document_id": document_id,
        "report_number": 1,
        "reviewer": reviewer,
        "outcome": "accept",
        "message": "",
        "note": "",
        "given_codes": (),
        "decided_at": NOON,
    }
    return Decided(**(facts | changes))


def ids(desk: SqlDesk, which: QueueFilter = EVERYTHING, **changes: Any) -> list[str]:
    asked: dict[str, Any] = {"after": None, "limit": 50, "now": NOON}
    return [waiting.id for waiting in desk.queue(which, **(asked | changes))]


def next_for(desk: SqlDesk, reviewer: str, **changes: Any) -> str | None:
    asked: dict[str, Any] = {"now": NOON, "lease": LEASE}
    claim = desk.claim_next(reviewer, **(asked | changes))
    return None if claim is None else claim.document_id


# The queue


def test_the_nearest_deadline_comes_first_and_those_without_one_last(
    store: SqlStore, desk: SqlDesk
) -> None:
    never = add(store, 9, deadline_at=None)
    late, soon = add(store, 5), add(store, 1)
    add(store, 2, decision="accept")
    assert ids(desk) == [soon, late, never]


@pytest.mark.parametrize("page_length", [1, 2, 3])
def test_pages_by_cursor_neither_repeat_nor_skip(
    store: SqlStore, desk: SqlDesk, page_length: int
) -> None:
    same = NOON + timedelta(days=1)
    for number in range(1, 8):
        add(store, number, deadline_at=(same, None, NOON + timedelta(days=number))[number % 3])
    whole, found, after = ids(desk), [], None
    while page := desk.queue(EVERYTHING, after=after, limit=page_length, now=NOON):
        found += [waiting.id for waiting in page]
        after = page[-1].position
    assert found == whole
    assert len(found) == 7


def test_the_queue_filters(store: SqlStore, desk: SqlDesk) -> None:
    blurred = add(store, 1, ("quality.blur", "quality.glare"))
    skewed = add(store, 3, ("geometry.skew",), document_type="passport")
    desk.claim(skewed, "huda", now=NOON, lease=LEASE)
    desk.decide(decision(blurred, outcome="escalate"), claim_version=None, second_look=False)
    assert ids(desk, QueueFilter(reason="quality.glare")) == [blurred]
    assert ids(desk, QueueFilter(document_type="passport")) == [skewed]
    assert ids(desk, QueueFilter(holder="huda")) == [skewed]
    assert ids(desk, QueueFilter(holder="huda"), now=NOON + LEASE) == []
    assert ids(desk, QueueFilter(escalated=True)) == [blurred]
    assert ids(desk, QueueFilter(due_before=NOON + timedelta(hours=48))) == [blurred]
    assert ids(desk, QueueFilter(received_before=NOON - timedelta(hours=2))) == [skewed]
    counters = desk.counters("huda", now=NOON, soon=timedelta(hours=48))
    assert (counters.waiting, counters.due_soon, counters.mine, counters.escalated) == (2, 1, 1, 1)


def test_a_new_report_changes_what_the_queue_shows(store: SqlStore, desk: SqlDesk) -> None:
    made = add(store, 1, ("quality.blur",))
    fresh = {"decision": "review", "score": 12, "reasons": [{"code": "page.blank"}]}
    store.supersede(made, {"verdict": fresh, "pages": []})
    [waiting] = desk.queue(EVERYTHING, after=None, limit=5, now=NOON)
    assert (waiting.codes, waiting.score) == (("page.blank",), 12)
    assert ids(desk, QueueFilter(reason="quality.blur")) == []


# Claims


def test_a_document_is_held_by_one_reviewer_until_the_lease_is_over(
    store: SqlStore, desk: SqlDesk
) -> None:
    made = add(store, 1)
    first = desk.claim(made, "huda", now=NOON, lease=LEASE)
    assert first is not None
    assert desk.claim(made, "samer", now=NOON, lease=LEASE) is None
    again = desk.claim(made, "huda", now=NOON + LEASE / 2, lease=LEASE)
    assert again is not None and again.version == first.version
    assert desk.claim(made, "samer", now=NOON + LEASE, lease=LEASE) is None
    later = desk.claim(made, "samer", now=NOON + LEASE * 2, lease=LEASE)
    assert later is not None and later.version == first.version + 1
    assert desk.holder(made, now=NOON + LEASE * 3) is None


def test_a_senior_takes_over_and_a_release_frees(store: SqlStore, desk: SqlDesk) -> None:
    made = add(store, 1)
    desk.claim(made, "huda", now=NOON, lease=LEASE)
    taken = desk.claim(made, "samer", now=NOON, lease=LEASE, take_over=True)
    assert taken is not None and taken.reviewer == "samer"
    desk.release(made, "huda")
    assert desk.holder(made, now=NOON) == taken
    desk.release(made, "samer")
    assert desk.holder(made, now=NOON) is None


def test_of_reviewers_asking_for_the_next_each_gets_another(store: SqlStore, desk: SqlDesk) -> None:
    for number in range(1, 7):
        add(store, number)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda name: next_for(desk, str(name)), range(6)))
    assert sorted(map(str, found)) == [f"doc_{number:03}" for number in range(1, 7)]
    assert next_for(desk, "seventh") is None


def test_who_is_given_the_next_document_is_told_since_when_they_hold_it(
    store: SqlStore, desk: SqlDesk
) -> None:
    first, second = add(store, 1), add(store, 2)
    desk.decide(decision(first), claim_version=None, second_look=True)
    for name, made in (("samer", first), ("huda", second)):
        for at, new in ((0, True), (1 / 2, False), (2, True)):
            now = NOON + LEASE * at
            claim = desk.claim_next(name, now=now, lease=LEASE)
            assert claim is not None
            assert (claim.document_id, claim.reviewer, claim.until) == (made, name, now + LEASE)
            assert (claim.claimed_at == now) == new


def test_who_filters_the_queue_is_given_what_passes_the_filter(
    store: SqlStore, desk: SqlDesk
) -> None:
    looked, front = add(store, 1), add(store, 2, ("quality.blur",))
    back = add(store, 3, ("quality.glare",), document_type="sy-id-back")
    desk.decide(decision(looked, "samer"), claim_version=None, second_look=True)
    for which, found in (
        (QueueFilter(document_type="passport"), None),
        (QueueFilter(document_type="sy-id-back"), back),
        (QueueFilter(holder="huda"), back),
        (QueueFilter(reason="quality.glare"), back),
        (QueueFilter(reason="quality.blur"), front),
        (QueueFilter(document_type="sy-id-front"), looked),
        (EVERYTHING, looked),
    ):
        assert next_for(desk, "huda", which=which) == found
    desk.release(looked, "huda")
    assert next_for(desk, "rana", which=QueueFilter(reason="quality.blur")) is None
    assert next_for(desk, "rana", which=QueueFilter(document_type="sy-id-front")) == looked


def test_what_was_escalated_is_next_only_for_who_takes_escalated_documents(
    store: SqlStore, desk: SqlDesk
) -> None:
    passed, other = add(store, 1), add(store, 2)
    desk.decide(decision(passed, outcome="escalate"), claim_version=None, second_look=False)
    assert (desk.escalated_by(passed), desk.escalated_by(other)) == ("huda", None)
    for name, found in (("huda", other), ("rana", None)):
        assert (
            next_for(desk, name, takes_escalated=False),
            desk.holder(passed, now=NOON),
        ) == (found, None)
    assert next_for(desk, "samer") == passed
    again = decision(passed, "samer", outcome="escalate")
    desk.decide(again, claim_version=None, second_look=False)
    assert next_for(desk, "samer") is None
    assert next_for(desk, "nour") == passed
    desk.decide(decision(passed, "nour"), claim_version=None, second_look=False)
    assert desk.escalated_by(passed) is None


def test_what_does_not_wait_cannot_be_held(store: SqlStore, desk: SqlDesk) -> None:
    assert desk.claim(add(store, 1, decision="accept"), "huda", now=NOON, lease=LEASE) is None
    assert desk.claim("doc_unknown", "huda", now=NOON, lease=LEASE) is None


# Decisions


def test_a_decision_is_in_force_told_and_on_the_trail(store: SqlStore, desk: SqlDesk) -> None:
    made = add(store, 1, ("quality.blur",))
    said = decision(made, outcome="rescan", message="scan again", given_codes=("quality.blur",))
    assert desk.decide(said, claim_version=None, second_look=False) == "recorded"
    [ruling] = store.rulings(made)
    assert (ruling.decision, ruling.reason) == ("reject", "scan again")
    assert [entry.action for entry in desk.trail(made)] == ["rescan"]
    with store.engine.connect() as connection:
        kinds = connection.execute(sa.select(events.c.kind).order_by(events.c.number)).scalars()
        assert list(kinds) == ["document.judged", "document.ruled"]
    assert desk.decide(said, claim_version=None, second_look=False) == "closed"


@pytest.mark.parametrize("change", ["held by another", "changed hands", "given back"])
def test_a_decision_on_a_lost_claim_is_not_recorded(
    store: SqlStore, desk: SqlDesk, change: str
) -> None:
    made = add(store, 1)
    mine = desk.claim(made, "huda", now=NOON - LEASE * 2, lease=LEASE)
    assert mine is not None
    desk.claim(made, "samer", now=NOON, lease=LEASE)
    if change != "held by another":
        desk.release(made, "samer")
    if change == "given back":
        desk.claim(made, "huda", now=NOON, lease=LEASE)
    result = desk.decide(decision(made), claim_version=mine.version, second_look=False)
    assert result == "lost"
    assert store.rulings(made) == []


@pytest.mark.parametrize("outcome", ["accept", "reject", "rescan", "escalate"])
@pytest.mark.parametrize("change", ["other claims", "judged again"])
def test_a_decision_on_what_the_reviewer_did_not_see_is_not_recorded(
    store: SqlStore, desk: SqlDesk, change: str, outcome: str
) -> None:
    made = add(store, 1, claims={"given_name": "X"})
    mine = desk.claim(made, "huda", now=NOON, lease=LEASE)
    seen = store.get(made)
    assert mine is not None and seen is not None
    if change == "other claims":
        assert store.correct(seen, claims={"given_name": "Y"}, readings={}, report=seen.report)
    else:
        store.supersede(made, seen.report)
    said = decision(made, outcome=outcome, report_number=seen.report_number)
    assert desk.decide(said, claim_version=mine.version, second_look=True) == "changed"
    assert (store.rulings(made), desk.trail(made), ids(desk)) == ([], [], [made])
    assert desk.holder(made, now=NOON) == mine
    again = decision(made, outcome=outcome, report_number=seen.report_number + 1)
    assert desk.decide(again, claim_version=mine.version, second_look=False) == "recorded"


def test_what_does_not_wait_any_more_is_closed_whatever_changed(
    store: SqlStore, desk: SqlDesk
) -> None:
    made = add(store, 1)
    store.supersede(made, {"verdict": {"decision": "accept", "reasons": []}, "pages": []})
    assert desk.decide(decision(made), claim_version=None, second_look=False) == "closed"


def test_a_lease_that_ran_out_unnoticed_is_still_good(store: SqlStore, desk: SqlDesk) -> None:
    made = add(store, 1)
    mine = desk.claim(made, "huda", now=NOON - LEASE * 2, lease=LEASE)
    assert mine is not None
    assert desk.decide(decision(made), claim_version=mine.version, second_look=False) == "recorded"


def test_of_decisions_at_the_same_moment_one_is_recorded(store: SqlStore, desk: SqlDesk) -> None:
    made = add(store, 1)

    def decide(name: int) -> str:
        return desk.decide(decision(made, str(name)), claim_version=None, second_look=False)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(decide, range(6))) == ["closed"] * 5 + ["recorded"]


@pytest.mark.parametrize("outcome", ["accept", "reject", "rescan", "escalate"])
def test_a_decision_is_taken_back_within_its_time_by_who_made_it(
    store: SqlStore, desk: SqlDesk, outcome: str
) -> None:
    made = add(store, 1)
    desk.decide(decision(made, outcome=outcome, note="why"), claim_version=None, second_look=True)
    assert not desk.undo(made, "samer", now=NOON, within=UNDO)
    assert not desk.undo(made, "huda", now=NOON + UNDO * 1.1, within=UNDO)
    assert desk.undo(made, "huda", now=NOON + UNDO, within=UNDO)
    assert not desk.undo(made, "huda", now=NOON + UNDO, within=UNDO)
    found = store.get(made)
    assert found is not None and found.decision == "review"
    assert store.rulings(made) == []
    assert ids(desk, QueueFilter(escalated=True)) == []
    assert desk.last_note(made) == "why"
    assert next_for(desk, "rana") == made
    assert [entry.action for entry in desk.trail(made)] == ["undone", outcome]


def test_taking_an_escalation_back_leaves_an_earlier_one_in_force(
    store: SqlStore, desk: SqlDesk
) -> None:
    made = add(store, 1)
    said = decision(made, outcome="escalate")
    desk.decide(said, claim_version=None, second_look=False)
    for name in ("samer", "rana"):
        later = replace(said, reviewer=name, decided_at=NOON + UNDO)
        desk.decide(later, claim_version=None, second_look=False)
        assert desk.undo(made, name, now=NOON + UNDO, within=UNDO)
        [waiting] = desk.queue(QueueFilter(escalated=True), after=None, limit=9, now=NOON)
        assert (waiting.id, waiting.escalated_by) == (made, "huda")


# Second looks and figures


def test_a_second_look_is_given_by_somebody_else_and_changes_nothing(
    store: SqlStore, desk: SqlDesk
) -> None:
    made = add(store, 1)
    desk.decide(decision(made), claim_version=None, second_look=True)
    assert next_for(desk, "huda") is None
    assert next_for(desk, "samer") == made
    assert next_for(desk, "rana") is None
    assert desk.is_second_look(made, "samer")
    assert not desk.is_second_look(made, "huda")
    against = decision(made, "samer", outcome="reject")
    assert desk.decide(against, claim_version=None, second_look=True) == "recorded"
    found = store.get(made)
    assert found is not None and found.decision == "accept"
    assert len(store.rulings(made)) == 1
    assert desk.figures(first_day="2026-05-04", last_day="2026-05-04").second_looks == (1, 1, 0)
    *_, last = audited(store)
    assert (last.kind, last.actor) == ("document.looked_at_again", "samer")
    assert (last.subject, last.facts) == (made, {"outcome": "reject"})


def audited(store: SqlStore) -> Sequence[sa.Row[Any]]:
    assert SqlAuditTrail(store.engine).verify().broken is None
    with store.engine.connect() as connection:
        return connection.execute(sa.select(audit_entries).order_by(audit_entries.c.number)).all()


def test_a_second_look_that_was_put_back_comes_again_after_everything_else(
    store: SqlStore, desk: SqlDesk
) -> None:
    made, waiting = add(store, 1), add(store, 2)
    desk.decide(decision(made), claim_version=None, second_look=True)
    assert next_for(desk, "samer") == made
    desk.release(made, "rana")
    assert next_for(desk, "samer") == made
    desk.release(made, "samer")
    assert next_for(desk, "samer") == waiting
    desk.decide(decision(waiting, "samer"), claim_version=None, second_look=False)
    start = (None, NOON, "")
    assert next_for(desk, "samer", after=start) is None
    assert next_for(desk, "samer") == made
    desk.release(made, "samer")
    assert next_for(desk, "rana", after=start) == made
    assert next_for(desk, "samer") is None


def test_a_second_look_is_held_like_any_document(store: SqlStore, desk: SqlDesk) -> None:
    made = add(store, 1)
    desk.decide(decision(made), claim_version=None, second_look=True)
    next_for(desk, "samer")
    held = desk.holder(made, now=NOON)
    assert held is not None and (held.reviewer, held.until) == ("samer", NOON + LEASE)
    assert desk.claim(made, "rana", now=NOON, lease=LEASE, take_over=True) is None
    longer = desk.claim(made, "samer", now=NOON + LEASE / 2, lease=LEASE)
    assert longer is not None and longer.until == NOON + LEASE * 1.5
    late = NOON + LEASE * 2
    assert desk.holder(made, now=late) is None
    assert desk.is_second_look(made, "samer")
    said = decision(made, "samer", decided_at=late)
    assert desk.decide(said, claim_version=1, second_look=False) == "recorded"
    assert (desk.is_second_look(made, "samer"), desk.holder(made, now=NOON)) == (False, None)
    assert desk.claim(made, "samer", now=late, lease=LEASE) is None


def test_a_second_look_is_among_what_the_reviewer_holds(store: SqlStore, desk: SqlDesk) -> None:
    made, other, waiting = add(store, 1), add(store, 2), add(store, 3)
    for one in (made, other):
        desk.decide(decision(one), claim_version=None, second_look=True)
    desk.claim(waiting, "samer", now=NOON, lease=LEASE)
    assert next_for(desk, "rana") == made
    assert next_for(desk, "samer") == other

    def mine(now: datetime, **changes: Any) -> tuple[list[tuple[str, str | None]], int]:
        which = QueueFilter(holder="samer", **changes)
        rows = desk.queue(which, after=None, limit=9, now=now)
        counted = desk.counters("samer", now=now, soon=timedelta(hours=48)).mine
        return [(row.id, row.holder) for row in rows], counted

    assert mine(NOON) == ([(other, "samer"), (waiting, "samer")], 2)
    assert mine(NOON, document_type="passport") == ([], 2)
    assert ids(desk) == [waiting]
    assert mine(NOON + LEASE) == ([], 0)
    desk.decide(decision(other, "samer"), claim_version=None, second_look=False)
    assert mine(NOON) == ([(waiting, "samer")], 1)


def test_a_second_look_at_what_the_reviewer_did_not_see_is_not_recorded(
    store: SqlStore, desk: SqlDesk
) -> None:
    made = add(store, 1)
    desk.decide(decision(made), claim_version=None, second_look=True)
    assert next_for(desk, "samer") == made
    store.supersede(made, {"verdict": {"decision": "reject", "reasons": []}, "pages": []})
    stale = decision(made, "samer")
    assert desk.decide(stale, claim_version=None, second_look=False) == "changed"
    day = "2026-05-04"
    assert desk.figures(first_day=day, last_day=day).second_looks == (1, 0, 0)
    assert [entry.action for entry in desk.trail(made)] == ["accept"]
    assert desk.is_second_look(made, "samer")
    again = replace(stale, report_number=2)
    assert desk.decide(again, claim_version=None, second_look=False) == "recorded"
    assert desk.figures(first_day=day, last_day=day).second_looks == (1, 1, 1)


def test_figures_count_what_stands(store: SqlStore, desk: SqlDesk) -> None:
    for number, (reviewer, outcome) in enumerate(
        [("huda", "accept"), ("huda", "reject"), ("samer", "accept"), ("samer", "escalate")], 1
    ):
        made = add(store, number, ("quality.blur",))
        desk.claim(made, reviewer, now=NOON - timedelta(seconds=30), lease=LEASE)
        desk.decide(decision(made, reviewer, outcome=outcome), claim_version=1, second_look=False)
    undone = add(store, 5, ("quality.blur",))
    desk.decide(decision(undone), claim_version=None, second_look=False)
    desk.undo(undone, "huda", now=NOON, within=UNDO)
    figures = desk.figures(first_day="2026-05-03", last_day="2026-05-04")
    assert figures.days == ("2026-05-03", "2026-05-04")
    assert figures.per_day == (0, 4)
    assert figures.per_reviewer == (("huda", 2, 30.0), ("samer", 2, 30.0))
    assert figures.reasons == (("quality.blur", (0, 4)),)
    assert figures.overturned_reasons == (("quality.blur", 3, 2),)
    assert figures.overturned_captures == (("camera", 3, 2),)
    rows = list(desk.decisions(first_day="2026-05-04", last_day="2026-05-04"))
    assert [row["outcome"] for row in rows] == ["accept", "reject", "accept", "escalate"]
    assert desk.figures(first_day="2026-05-05", last_day="2026-05-06").per_day == (0, 0)


def test_the_trail_keeps_what_was_done_the_newest_first(desk: SqlDesk) -> None:
    for action in ("claimed", "revealed"):
        desk.record(TrailEntry("doc_1", "huda", action, "because", NOON))
    assert [entry.action for entry in desk.trail("doc_1")] == ["revealed", "claimed"]


def test_attempts_of_a_booking_are_found_and_none_of_another_client_with_the_same_reference(
    store: SqlStore, desk: SqlDesk
) -> None:
    early, late = (add(store, number, booking_ref="B", client_id="portal") for number in (3, 1))
    add(store, 2, booking_ref="C", client_id="portal")
    other = add(store, 4, booking_ref="B", client_id="another")
    assert [attempt.id for attempt in desk.attempts("portal", "B")] == [late, early]
    assert [attempt.id for attempt in desk.attempts("another", "B")] == [other]


# Deadlines

SOON = timedelta(hours=48)


def escalations(store: SqlStore) -> list[str]:
    """Ids of the documents whose escalation was told, in the order of the events."""
    query = sa.select(events.c.document_id).where(events.c.kind == "document.escalated")
    with store.engine.connect() as connection:
        return list(connection.execute(query.order_by(events.c.number)).scalars())


def test_a_document_is_escalated_once_when_little_time_is_left(
    store: SqlStore, desk: SqlDesk
) -> None:
    made = add(store, 3)
    add(store, 1, decision="accept")
    add(store, 2, deadline_at=None)
    assert desk.escalate_due(now=NOON + timedelta(hours=23), within=SOON) == 0
    at = NOON + timedelta(hours=24)
    assert desk.escalate_due(now=at, within=SOON) == 1
    assert desk.escalate_due(now=at + timedelta(hours=1), within=SOON) == 0
    assert escalations(store) == [made]
    [entry] = desk.trail(made)
    assert (entry.action, entry.reviewer, entry.recorded_at) == ("deadline_near", "docqa", at)
    [waiting] = desk.queue(QueueFilter(due_before=at + SOON), after=None, limit=9, now=at)
    assert (waiting.deadline_near_at, waiting.escalated_by) == (at, None)
    audit = SqlAuditTrail(store.engine)
    assert audit.verify().broken is None
    with store.engine.connect() as connection:
        kinds = sa.select(audit_entries.c.kind).where(audit_entries.c.subject == made)
        assert list(connection.execute(kinds).scalars()).count("document.escalated") == 1


def test_taking_a_decision_back_does_not_escalate_a_second_time(
    store: SqlStore, desk: SqlDesk
) -> None:
    made = add(store, 1)
    assert desk.escalate_due(now=NOON, within=SOON) == 1
    for outcome in ("escalate", "accept"):
        desk.decide(decision(made, outcome=outcome), claim_version=None, second_look=False)
        assert desk.undo(made, "huda", now=NOON, within=UNDO)
        assert desk.escalate_due(now=NOON, within=SOON) == 0
    assert escalations(store) == [made]


def test_several_that_look_out_at_once_escalate_everything_exactly_once(
    store: SqlStore, desk: SqlDesk
) -> None:
    made = [add(store, number, deadline_at=NOON) for number in range(1, 131)]

    def look(_: int) -> int:
        return DeadlineWatch(desk, clock=lambda: NOON).look()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(look, range(3))) == len(made)
    assert sorted(escalations(store)) == sorted(made)


@pytest.mark.parametrize(
    "which",
    [
        EVERYTHING,
        QueueFilter(document_type="passport"),
        QueueFilter(due_before=NOON),
        QueueFilter(received_before=NOON),
    ],
)
def test_the_queue_is_listed_and_counted_from_its_index_alone(
    tmp_path: Path, which: QueueFilter
) -> None:
    plans: list[str] = []
    with ExitStack() as stack:
        store = SQL_STORES["sqlite"](tmp_path, stack)

        def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if statement.startswith("SELECT"):
                query = "EXPLAIN QUERY PLAN " + statement
                rows = connection.connection.cursor().execute(query, parameters).fetchall()
                plans.extend(row[3] for row in rows if "documents" in row[3] or "B-TREE" in row[3])

        sa.event.listen(store.engine, "before_cursor_execute", explain)
        SqlDesk(store).queue(which, after=None, limit=50, now=NOON)
        listing = plans[0]
        plans.clear()
        SqlDesk(store).counters("huda", now=NOON, soon=SOON)
    assert listing.startswith("SEARCH documents USING COVERING INDEX ix_documents_waiting")
    assert not [plan for plan in plans if "SCAN" in plan or "B-TREE" in plan]
    assert sum("COVERING INDEX ix_documents_waiting" in plan for plan in plans) == 2
