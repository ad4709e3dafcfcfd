"""What reviewers' decisions come to, when limits are held against them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from docqa.adapters.reviewing import SqlDesk
from docqa.adapters.store import SqlStore
from docqa.adapters.truths import SqlTruths
from docqa.ports import Ruling, StoredDocument
from docqa.reviewing import Decided
from tests.contracts.stores import SQL_STORES, opened_sql

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(params=SQL_STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from opened_sql(request.param, tmp_path)


def add(store: SqlStore, name: str, angle_deg: float) -> str:
    measured = {"skew": {"outputs": {"angle_deg": angle_deg}}}
    report: dict[str, Any] = {
        "verdict": {"decision": "review", "score": 55, "reasons": []},
        "pages": [{"index": 1, "measures": measured}],
        "fields": [],
        "faults": [],
        "policy": {"digest": "sha256:p"},
        "engine": {"digest": "sha256:e", "measures": {"skew": "1"}, "reading": "1"},
    }
    made = StoredDocument(
        id=f"doc_{name}", blob_key=name, file_name="x.pdf", document_type="a4-generic", claims={},
        report=report, decision="review", received_at=NOON,
    )  # fmt: skip
    store.add(made)
    return made.id


def decide(store: SqlStore, document_id: str, outcome: Any, *codes: str, second: bool = False,
           reviewer: str = "huda", at: datetime = NOON) -> None:  # fmt: skip
    decided = Decided(document_id, 1, reviewer, outcome, "", "", codes, at)
    assert SqlDesk(store).decide(decided, claim_version=None, second_look=second) == "recorded"


def truths(store: SqlStore, **options: Any) -> list[tuple[bool, tuple[str, ...], float]]:
    return [
        (one.is_accepted, one.codes, one.pages[0][1])
        for one in SqlTruths(store.engine).decided(**options)
    ]


def test_decisions_in_force_are_told_with_the_reasons_and_what_was_measured(
    store: SqlStore,
) -> None:
    decide(store, add(store, "a", 1.0), "accept")
    decide(store, add(store, "b", 2.0), "rescan", "geometry.skew", "quality.blur")
    decide(store, add(store, "c", 3.0), "escalate")
    add(store, "d", 4.0)
    store.rule(Ruling(add(store, "e", 5.0), "reject", "cut off", "rana", NOON))
    assert truths(store) == [
        (True, (), 1.0),
        (False, ("geometry.skew", "quality.blur"), 2.0),
        (False, (), 5.0),
    ]


def test_what_was_taken_back_is_no_decision_and_a_later_one_counts(store: SqlStore) -> None:
    name = add(store, "a", 1.0)
    decide(store, name, "reject", "geometry.skew")
    assert SqlDesk(store).undo(name, "huda", now=NOON, within=timedelta(minutes=1))
    assert truths(store) == []
    decide(store, name, "accept", at=NOON + timedelta(minutes=5))
    assert truths(store) == [(True, (), 1.0)]


@pytest.mark.parametrize(("outcome", "agreed"), [("accept", 1), ("reject", 0), ("rescan", 0)])
def test_where_two_reviewers_disagree_there_is_no_truth(
    store: SqlStore, outcome: str, agreed: int
) -> None:
    name = add(store, "a", 1.0)
    decide(store, name, "accept", second=True)
    assert len(truths(store)) == 1
    desk = SqlDesk(store)
    claim = desk.claim_next("rana", now=NOON, lease=timedelta(minutes=10))
    assert claim is not None and claim.document_id == name
    decide(store, name, outcome, reviewer="rana")
    assert len(truths(store)) == agreed


def test_only_decisions_since_a_time_are_told(store: SqlStore) -> None:
    decide(store, add(store, "a", 1.0), "accept")
    decide(store, add(store, "b", 2.0), "accept", at=NOON + timedelta(days=2))
    assert [angle for _, _, angle in truths(store, since=NOON + timedelta(days=1))] == [2.0]
