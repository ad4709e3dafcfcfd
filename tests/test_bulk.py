"""From facts alone the same is decided as from the whole report."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa import wiring
from docqa.bulk import BulkJudge, extract, origin_from_json, signature, spare
from docqa.documents import Source, mistake
from docqa.fields import Field, Match
from docqa.measures import Assessed, Assessment, NotAssessed, PageAssessment, resolve
from docqa.report import (
    Digests,
    Report,
    measurements_from_json,
    recognised_from_json,
    to_json,
)
from docqa.settings import Settings
from docqa.verdict import Decision, decide

ENGINE = wiring.load_engine(Settings())
TYPES = ("sy-id-front", "sy-id-back", "a4-generic", "passport")
LIMITS = sorted({limit for rule in ENGINE.policy.rules for limit in (rule.accept, rule.reject)})
ORDERED = ("scanner_probability", "angle_deg", "document_fraction")
NUMBERS = st.one_of(
    st.sampled_from(LIMITS), st.floats(-400, 400, allow_nan=False), st.just(0.0), st.none()
)


@st.composite
def assessments(draw: st.DrawFn, name: str) -> Assessment:
    if draw(st.integers(0, 9)) == 0:
        return NotAssessed("too dark")
    values: dict[str, Any] = {}
    for output in resolve(name).outputs.values():
        if output.is_list:
            values[output.name] = ()
        elif output.is_number:
            values[output.name] = draw(NUMBERS)
        else:
            values[output.name] = draw(st.sampled_from(output.choices)) if output.choices else ""
    return Assessed(values)


@st.composite
def reports(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(TYPES))
    pages = tuple(
        PageAssessment(
            at, 10, 10, {name: draw(assessments(name)) for name in ENGINE.policy.measures}
        )
        for at in range(1, draw(st.integers(0, 2)) + 1)
    )
    matches: st.SearchStrategy[Match] = st.sampled_from(
        ("equal", "equal", "variant", "near", "different")
    )
    sources: st.SearchStrategy[Source] = st.sampled_from(("barcode", "mrz", "ocr", "digits"))
    fields = tuple(
        Field(name, draw(matches), draw(sources), 0.99, None, 1, None, others=tuple(
            Field(name, draw(matches), draw(sources), 0.99, None, 1, None)
            for _ in range(draw(st.integers(0, 1)))
        ))
        for name in draw(st.sampled_from(((), ("given_name",), ("given_name", "birth_date"))))
    )  # fmt: skip
    faults = draw(st.sampled_from(((), (), ("system.ocr_failed",), ("system.attempts_exhausted",))))
    recognised = draw(st.sampled_from((None, kind, "sy-id-back")))
    verdict = decide(ENGINE.policy, kind, pages, fields, faults)
    verdict = replace(verdict, decision=draw(st.sampled_from(list(Decision))))
    return to_json(
        Report("0", kind, pages, fields, faults, verdict, "p", "sha256:p", "1", "sha256:e", {},
               recognised, Digests({"skew": "1"}, "2")),
        ENGINE.catalogue,
    )  # fmt: skip


@given(report=reports())
@settings(max_examples=60, deadline=None)
def test_facts_decide_as_the_whole_report_does(report: dict[str, Any]) -> None:
    made = extract(json.loads(json.dumps(report)))
    origin = origin_from_json(made.origin.key, made.origin.json())
    told = BulkJudge(ENGINE.policy, ENGINE.document_types).judge(
        report["document_type"], origin, json.loads(made.facts)
    )
    pages, fields, faults = measurements_from_json(report)
    asked = ENGINE.document_types[report["document_type"]]
    mistaken = mistake(asked, recognised_from_json(report))
    verdict = decide(ENGINE.policy, asked.id, pages, fields, faults, mistaken)
    verdict = spare(report["verdict"]["decision"], False, verdict)
    assert told == (verdict.decision.value, signature(verdict.reasons))


def test_reasons_stand_in_the_same_order_where_only_values_are_compared() -> None:
    rules = {rule.measure: rule for rule in ENGINE.policy.rules if rule.output in ORDERED}
    policy = replace(ENGINE.policy, rules=tuple(rules.values()), overrides={})
    outputs: dict[str, dict[str, Any]] = {
        "skew": {"angle_deg": 5.5},
        "capture": {"scanner_probability": 0.7, "suspect": "unclear"},
        "content": {"document_fraction": 0.2, "kind": "blank"},
    }
    page = PageAssessment(1, 10, 10, {name: Assessed(values) for name, values in outputs.items()})
    verdict = decide(policy, "a4-generic", (page,))
    report = Report("0", "a4-generic", (page,), (), (), verdict, "p", "sha256:p", "1", "e", {})
    made = extract(to_json(report, ENGINE.catalogue))
    told = BulkJudge(policy, ENGINE.document_types).judge(
        "a4-generic", made.origin, json.loads(made.facts)
    )
    assert told == ("review", signature(verdict.reasons))
    assert [row[0] for row in told[1]] == ["page.blank", "capture.unclear", "geometry.skew"]


@pytest.mark.parametrize(
    ("before", "was_spared", "after"),
    [("accept", False, "review"), ("review", True, "review"), ("review", False, "reject"),
     ("reject", False, "reject")],
)  # fmt: skip
def test_what_was_once_accepted_is_never_rejected_by_a_later_policy_either(
    before: str, was_spared: bool, after: str
) -> None:
    pages = (PageAssessment(1, 10, 10, {"skew": Assessed({"angle_deg": 80.0})}),)
    rejected = decide(ENGINE.policy, "a4-generic", pages)
    assert rejected.decision == "reject"
    assert spare(before, was_spared, rejected).decision == after


def test_facts_hold_nothing_that_was_read_and_are_a_fraction_of_the_report() -> None:
    field = Field("given_name", "equal", "ocr", 1.0, ((0, 0), (1, 0), (1, 1)), 1, "SECRET")
    page = PageAssessment(1, 10, 10, {"skew": Assessed({"angle_deg": 0.5, "confidence": 1.0})})
    verdict = decide(ENGINE.policy, "a4-generic", (page,), (field,))
    identity = ("p", "sha256:p", "1", "sha256:e")
    report = Report("0", "a4-generic", (page,), (field,), (), verdict, *identity, {})
    made = extract(to_json(report, ENGINE.catalogue))
    assert "SECRET" not in made.facts
    assert len(made.facts) * 3 < len(json.dumps(to_json(report, ENGINE.catalogue)))
