"""Judging again touches no pixel, writes nothing unasked, and spares what was accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from docqa.adapters.memory import MemoryStore
from docqa.documents import DocumentType, FieldSpec
from docqa.measures import Assessed, PageAssessment
from docqa.pipeline import Engine
from docqa.policy import Finding, Policy, Rule
from docqa.ports import StoredDocument
from docqa.report import Report, to_json
from docqa.revalidate import apply, rejudge
from docqa.verdict import Decision, decide
from tests.faults.measures import build


def engine(accept: float, reject: float) -> Engine:
    plain = build("straight")
    rule = Rule("skew", "angle_deg", "deg", "geometry.skew", accept, reject, 0.0, "provisional")
    policy = Policy(f"under-{accept}", f"sha256:{accept}", (rule,), {}, {})
    return Engine(
        policy, plain.document_types, plain.catalogue, {}, plain.limits, None, None, "0", "sha256:1"
    )


@pytest.fixture
def store() -> MemoryStore:
    """Three documents, turned by 0, 2 and 7 degrees: accepted, reviewed, rejected."""
    filled = MemoryStore()
    lax = engine(1.0, 5.0)
    for name, angle in (("a", 0.5), ("b", 2.0), ("c", 7.0)):
        pages = (PageAssessment(1, 10, 10, {"skew": Assessed({"angle_deg": angle})}),)
        verdict = decide(lax.policy, "a4-generic", pages)
        identity = (lax.policy.id, lax.policy.digest, lax.version, lax.digest)
        report = Report("00", "a4-generic", pages, (), (), verdict, *identity, {})
        filled.add(
            StoredDocument(
                id=f"doc_{name}",
                blob_key="0" * 32,
                file_name="x.jpg",
                document_type="a4-generic",
                claims={},
                report=to_json(report, lax.catalogue),
                decision=report.verdict.decision.value,
                received_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
    return filled


def moves(store: MemoryStore, accept: float, reject: float) -> dict[str, tuple[str, str]]:
    return {t.document_id: (t.before, t.after) for t in rejudge(store, engine(accept, reject))}


def test_a_wrong_side_is_found_again_from_what_was_recognised(store: MemoryStore) -> None:
    lax = engine(9.0, 10.0)
    spec = FieldSpec("given_name", "name", ("ocr",), ("الاسم",))
    front = DocumentType("a4-generic", "", "", 0, 0, (spec,), other_side="back")
    finding = Finding("page.wrong_side", "review", "provisional")
    policy = replace(lax.policy, findings={"wrong_side": finding})
    judge = replace(lax, policy=policy, document_types={"a4-generic": front})
    document = store.get("doc_a")
    assert document is not None
    store.supersede("doc_a", {**document.report, "recognised": "back"})
    after = {t.document_id: t for t in rejudge(store, judge)}
    assert (after["doc_a"].after, after["doc_b"].after) == ("review", "accept")
    (reason,) = after["doc_a"].report["verdict"]["reasons"]
    assert reason["code"] == "page.wrong_side"


def test_the_same_limits_change_nothing(store: MemoryStore) -> None:
    assert moves(store, 1.0, 5.0) == {
        "doc_a": ("accept", "accept"),
        "doc_b": ("review", "review"),
        "doc_c": ("reject", "reject"),
    }


def test_laxer_limits_accept_more(store: MemoryStore) -> None:
    assert moves(store, 3.0, 9.0)["doc_b"] == ("review", "accept")
    assert moves(store, 3.0, 9.0)["doc_c"] == ("reject", "review")


def test_what_was_accepted_goes_to_a_person_never_straight_to_reject(store: MemoryStore) -> None:
    assert moves(store, 0.1, 0.4)["doc_a"] == ("accept", "review")
    first = next(t for t in rejudge(store, engine(0.1, 0.4)) if t.document_id == "doc_a")
    assert [r["code"] for r in first.report["verdict"]["reasons"]][0] == "system.revalidated"
    assert {r["decision"] for r in first.report["verdict"]["reasons"]} == {"review"}


def test_nothing_is_written_until_applied(store: MemoryStore) -> None:
    before = {d.id: d.report for d in store.scan()}
    list(rejudge(store, engine(3.0, 9.0)))
    assert {d.id: d.report for d in store.scan()} == before


def test_applying_puts_the_new_reports_in_force(store: MemoryStore) -> None:
    ticks: list[int] = []
    stricter = engine(3.0, 9.0)
    counts = apply(store, rejudge(store, stricter), lambda: ticks.append(1))
    assert counts[Decision.REVIEW, Decision.ACCEPT] == 1
    assert len(ticks) == counts.total() == 3
    document = store.get("doc_b")
    assert document is not None
    assert document.decision == "accept"
    assert document.report["policy"]["digest"] == stricter.policy.digest
    assert document.report["pages"][0]["measures"]["skew"]["outputs"] == {"angle_deg": 2.0}
