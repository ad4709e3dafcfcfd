"""The truth table of decisions: the worst wins, and what is not known is never accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.fields import Field, Match
from docqa.measures import Assessed, Assessment, NotAssessed, PageAssessment, assess
from docqa.page import Region
from docqa.policy import Policy, Rule
from docqa.verdict import Decision, decide

RULES = (
    Rule("skew", "angle_deg", "deg", "geometry.skew", 1.0, 5.0, 0.0, "s"),
    Rule("capture", "scanner_probability", "", "capture.{suspect}", 0.8, 0.1, 1.0, "s"),
)
MATCHES = {
    "barcode": {"variant": "accept", "near": "reject", "different": "reject", "unread": "review"},
    "ocr": {"variant": "accept", "near": "review", "different": "review", "unread": "review"},
    "none": {"variant": "review", "near": "review", "different": "review", "unread": "review"},
}
POLICY = Policy("p", "sha256:0", RULES, {}, MATCHES)
REGION = Region("page", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)))


def page(angle: float | None, probability: float | None, index: int = 1) -> PageAssessment:
    skew: Assessment = NotAssessed("no text")
    if angle is not None:
        skew = Assessed({"angle_deg": angle}, (REGION,))
    capture: Assessment = NotAssessed("too small")
    if probability is not None:
        capture = Assessed({"scanner_probability": probability, "suspect": "camera"})
    return PageAssessment(index, 100, 100, {"skew": skew, "capture": capture})


@pytest.mark.parametrize(
    ("angle", "probability", "decision", "codes"),
    [
        (0.0, 1.0, "accept", []),
        (1.0, 0.8, "accept", []),
        (2.0, 1.0, "review", ["geometry.skew"]),
        (-7.0, 1.0, "reject", ["geometry.skew"]),
        (0.0, 0.05, "reject", ["capture.camera"]),
        (2.0, 0.05, "reject", ["capture.camera", "geometry.skew"]),
        (None, 1.0, "review", ["system.not_assessed"]),
        (None, 0.05, "reject", ["capture.camera", "system.not_assessed"]),
        (None, None, "review", ["system.not_assessed", "system.not_assessed"]),
    ],
)
def test_the_worst_wins_and_every_reason_is_given(
    angle: float | None, probability: float | None, decision: str, codes: list[str]
) -> None:
    verdict = decide(POLICY, "a4-generic", [page(angle, probability)])
    assert verdict.decision == decision
    assert [reason.code for reason in verdict.reasons] == codes


def test_a_reason_says_what_was_measured_what_it_takes_and_where() -> None:
    (reason,) = decide(POLICY, "a4-generic", [page(2.0, 1.0)]).reasons
    assert (reason.measure, reason.value, reason.limit, reason.unit) == ("skew", 2.0, 1.0, "deg")
    assert (reason.page, reason.regions) == (1, (REGION,))


def test_the_score_is_the_worst_of_all_pages_never_an_average() -> None:
    verdict = decide(POLICY, "a4-generic", [page(0.0, 1.0), page(5.0, 1.0, index=2)])
    assert verdict.score == 40
    assert [scores["skew"] for scores in verdict.scores] == [100, 40]


def test_no_page_at_all_is_review() -> None:
    verdict = decide(POLICY, "a4-generic", [])
    assert (verdict.decision, verdict.score) == (Decision.REVIEW, None)


def test_a_failed_engine_is_review_even_on_a_perfect_page() -> None:
    verdict = decide(POLICY, "a4-generic", [page(0.0, 1.0)], faults=["system.ocr_failed"])
    assert verdict.decision is Decision.REVIEW
    assert verdict.reasons[0].code == "system.ocr_failed"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_not_a_number_counts_as_not_assessed(value: float) -> None:
    from docqa.measures.skew import Skew

    assessed = assess(lambda _: Skew(angle_deg=value, confidence=1.0), page=None)  # type: ignore[arg-type]  # no pixel is needed
    assert isinstance(assessed, NotAssessed)


@pytest.mark.parametrize(
    ("source", "match", "decision"),
    [
        ("barcode", "equal", "accept"),
        ("barcode", "variant", "accept"),
        ("barcode", "different", "reject"),
        ("ocr", "different", "review"),
        ("ocr", "unread", "review"),
        (None, "unread", "review"),
    ],
)
def test_a_mismatch_weighs_by_where_it_was_read(
    source: str | None, match: Match, decision: str
) -> None:
    field = Field("given_name", match, source, 1.0, None, 1, None)  # type: ignore[arg-type]  # a table of sources
    verdict = decide(POLICY, "a4-generic", [page(0.0, 1.0)], [field])
    assert verdict.decision == decision
    assert [reason.field for reason in verdict.reasons] == (
        [] if decision == "accept" else ["given_name"]
    )


@given(st.one_of(st.none(), st.floats(-45, 45)), st.one_of(st.none(), st.floats(0, 1)))
def test_accept_needs_every_rule_assessed_and_within_its_limit(
    angle: float | None, probability: float | None
) -> None:
    verdict = decide(POLICY, "a4-generic", [page(angle, probability)])
    good = angle is not None and abs(angle) <= 1 and probability is not None and probability >= 0.8
    assert (verdict.decision is Decision.ACCEPT) == good
    assert bool(verdict.reasons) != good
