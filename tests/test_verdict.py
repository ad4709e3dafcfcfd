"""The truth table of decisions: the worst wins, and what is not known is never accepted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docqa.documents import Mistake
from docqa.fields import Field, Match, Source, settled
from docqa.measures import Assessed, Assessment, NotAssessed, PageAssessment, assess
from docqa.page import Region
from docqa.policy import Finding, Policy, Rule
from docqa.verdict import ATTEMPTS_EXHAUSTED, Decision, decide

CONTENT = Rule("content", "document_fraction", "", "page.{kind}", 0.3, -0.1, 0.3, "s")
RULES = (
    Rule("skew", "angle_deg", "deg", "geometry.skew", 1.0, 5.0, 0.0, "s"),
    Rule("capture", "scanner_probability", "", "capture.{suspect}", 0.8, 0.1, 1.0, "s"),
)
MATCHES = {
    "barcode": {"variant": "accept", "near": "reject", "different": "reject", "unread": "review"},
    "ocr": {"variant": "accept", "near": "review", "different": "review", "unread": "review"},
    "mrz": {"variant": "accept", "near": "reject", "different": "reject", "unread": "review"},
    "mrz.given_name": {"variant": "accept", "near": "review", "different": "review"},
    "none": {"variant": "review", "near": "review", "different": "review", "unread": "review"},
}
FINDINGS = {
    "wrong_side": Finding("page.wrong_side", "review", "s"),
    "wrong_document": Finding("page.wrong_document", "reject", "s"),
    "sides_disagree": Finding("field.sides_disagree", "review", "s", 0.9),
}
POLICY = Policy("p", "sha256:0", RULES, {}, MATCHES, FINDINGS)
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
        (5.0, 1.0, "reject", ["geometry.skew"]),
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
    (reason,) = decide(POLICY, "a4-generic", [page(None, 1.0)]).reasons
    assert (reason.measure, reason.value, reason.limit, reason.page) == ("skew", None, 1.0, 1)


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


@pytest.mark.parametrize(
    ("angle", "match", "codes"),
    [
        (0.0, "unread", ["field.unread"]),
        (6.0, "unread", ["geometry.skew", "field.unread"]),
        (7.0, "unread", ["geometry.skew"]),
        (7.0, "near", ["geometry.skew", "field.near"]),
    ],
)
def test_what_is_too_poor_to_be_read_is_not_blamed_for_that(
    angle: float, match: Match, codes: list[str]
) -> None:
    """The score is 33 at 6 degrees, 25 at 7. What was read all the same counts."""
    policy = replace(POLICY, least_score_read=30)
    field = Field("given_name", match, None if match == "unread" else "ocr", 0.0, None, None, None)
    verdict = decide(policy, "a4-generic", [page(angle, 1.0)], [field])
    assert [reason.code for reason in verdict.reasons] == codes


@given(least=st.integers(0, 40))
def test_what_scores_least_of_what_is_read_is_read(least: int) -> None:
    policy = replace(POLICY, least_score_read=least)
    assert policy.is_worth_reading(least) and not policy.is_worth_reading(least - 1)


@given(least=st.integers(0, 40), score=st.integers(0, 100))
def test_nothing_that_could_be_accepted_is_left_unread(least: int, score: int) -> None:
    assert replace(POLICY, least_score_read=least).is_worth_reading(score) or score < 40


@pytest.mark.parametrize("angle", [0.1, 90.0])
def test_beyond_the_attempts_neither_a_good_nor_a_bad_page_is_decided_by_a_machine(
    angle: float,
) -> None:
    verdict = decide(POLICY, "any", [page(angle, 0.99)], faults=[ATTEMPTS_EXHAUSTED])
    assert verdict.decision is Decision.REVIEW
    assert ATTEMPTS_EXHAUSTED in [reason.code for reason in verdict.reasons]
    assert {reason.decision for reason in verdict.reasons} == {Decision.REVIEW}


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
        ("ocr", "variant", "accept"),
        ("ocr", "near", "review"),
        ("ocr", "different", "review"),
        ("ocr", "unread", "review"),
        ("mrz", "near", "review"),
        ("mrz", "different", "review"),
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


@pytest.mark.parametrize("match", ["near", "different"])
def test_the_zone_rejects_what_its_check_digits_prove(match: Match) -> None:
    field = Field("passport_number", match, "mrz", 1.0, None, 1, None)
    (reason,) = decide(POLICY, "passport", [page(0.0, 1.0)], [field]).reasons
    assert (reason.code, reason.decision) == (f"field.{match}", Decision.REJECT)


def seen(source: Source, match: Match, confidence: float = 1.0, index: int = 1) -> Field:
    polygon = ((float(index), 0.0),) * 4
    return Field("given_name", match, source, confidence, polygon, index, None)


@pytest.mark.parametrize(
    ("barcode", "printed", "confidence", "codes"),
    [
        ("equal", "equal", 1.0, []),
        ("variant", "equal", 1.0, []),
        ("equal", "near", 1.0, []),
        ("equal", "unread", 1.0, []),
        ("equal", "different", 0.5, []),
        ("equal", "different", 0.9, ["field.sides_disagree"]),
        ("near", "equal", 0.1, ["field.sides_disagree"]),
        ("different", "variant", 0.1, ["field.sides_disagree"]),
        ("different", "near", 1.0, ["field.different"]),
        ("different", "different", 1.0, ["field.different"]),
        ("near", "unread", 1.0, ["field.near"]),
    ],
)
@pytest.mark.parametrize("source", ["ocr", "digits"])
def test_sides_disagree_where_both_say_so_for_certain(
    source: Source, barcode: Match, printed: Match, confidence: float, codes: list[str]
) -> None:
    field = settled([seen(source, printed, confidence), seen("barcode", barcode, index=2)])
    verdict = decide(POLICY, "sy-id-front", [page(0.0, 1.0)], [field])
    assert [reason.code for reason in verdict.reasons] == codes
    if codes == ["field.sides_disagree"]:
        (reason,) = verdict.reasons
        assert (reason.decision, reason.field) == (Decision.REVIEW, "given_name")
        assert (reason.page, reason.regions[0].polygon[0]) == (1, (1.0, 0.0))


def test_once_the_sides_disagree_neither_proves_anything_against_the_claims() -> None:
    name = settled([seen("ocr", "equal"), seen("barcode", "different", index=2)])
    number = Field("national_number", "different", "barcode", 1.0, None, 2, None)
    reasons = decide(POLICY, "sy-id-front", [page(0.0, 1.0)], [name, number]).reasons
    assert [(reason.code, reason.decision) for reason in reasons] == [
        ("field.sides_disagree", Decision.REVIEW),
        ("field.different", Decision.REVIEW),
    ]
    (reason,) = decide(POLICY, "sy-id-front", [page(0.0, 1.0)], [number]).reasons
    assert reason.decision is Decision.REJECT


def test_what_the_policy_accepts_is_accepted_though_the_sides_disagree() -> None:
    name = settled([seen("ocr", "equal"), seen("barcode", "different", index=2)])
    other = Field("father_name", "variant", "barcode", 1.0, None, 2, None)
    (reason,) = decide(POLICY, "sy-id-front", [page(0.0, 1.0)], [name, other]).reasons
    assert (reason.code, reason.field) == ("field.sides_disagree", "given_name")


@pytest.mark.parametrize("others", [("digits", "ocr"), ("barcode", "mrz")])
def test_two_readings_of_one_kind_are_no_two_sides(others: tuple[Source, Source]) -> None:
    field = settled([seen(others[0], "equal"), seen(others[1], "different")])
    assert decide(POLICY, "sy-id-front", [page(0.0, 1.0)], [field]).reasons == ()


@pytest.mark.parametrize(
    ("mistake", "code", "decision"),
    [
        ("wrong_side", "page.wrong_side", Decision.REVIEW),
        ("wrong_document", "page.wrong_document", Decision.REJECT),
    ],
)
def test_another_document_is_a_reason_and_its_unread_fields_are_none(
    mistake: Mistake, code: str, decision: Decision
) -> None:
    fields = [
        Field("given_name", "unread", None, 0.0, None, None, None),
        Field("father_name", "near", "ocr", 1.0, None, 1, None),
    ]
    verdict = decide(POLICY, "sy-id-front", [page(0.0, 1.0)], fields, mistake=mistake)
    assert verdict.decision is decision
    assert [reason.code for reason in verdict.reasons] == [code, "field.near"]
    verdict = decide(POLICY, "sy-id-front", [page(0.0, 1.0)], mistake=mistake)
    assert (verdict.decision, len(verdict.reasons)) == (decision, 1)


@given(st.one_of(st.none(), st.floats(-45, 45)), st.one_of(st.none(), st.floats(0, 1)))
def test_accept_needs_every_rule_assessed_and_within_its_limit(
    angle: float | None, probability: float | None
) -> None:
    verdict = decide(POLICY, "a4-generic", [page(angle, probability)])
    good = angle is not None and abs(angle) <= 1 and probability is not None and probability >= 0.8
    assert (verdict.decision is Decision.ACCEPT) == good
    assert bool(verdict.reasons) != good


MOST = replace(POLICY, rules=(*RULES, CONTENT), least_score_read=0)
PLACES = [ATTEMPTS_EXHAUSTED, "page.blank", "page.wrong_side", "system.ocr_failed",
          "capture.camera", "field.different", "geometry.skew", "system.not_assessed"]  # fmt: skip
"""Codes as they stand where all weigh the same."""


def leaf(
    angle: float | None, probability: float | None, kind: str | None, index: int = 1
) -> PageAssessment:
    """A page whose content is told as well: blank, not_document, document; "" is in order."""
    content: Assessment = NotAssessed("too small")
    if kind is not None:
        content = Assessed({"document_fraction": 0.0 if kind else 1.0, "kind": kind or "document"})
    made = page(angle, probability, index)
    return replace(made, measures={**made.measures, "content": content})


def test_what_makes_the_rest_moot_is_said_first_and_what_could_not_be_checked_last() -> None:
    pages = [leaf(-9.0, 0.05, "", 1), leaf(0.0, 1.0, "blank", 2), leaf(None, 1.0, "", 3)]
    fields = [Field("given_name", "different", "barcode", 1.0, None, 1, None)]
    faults = ["system.ocr_failed", ATTEMPTS_EXHAUSTED]
    reasons = decide(MOST, "any", pages, fields, faults, "wrong_side").reasons
    assert [reason.code for reason in reasons if reason.code != "page.wrong_side"] == [
        code for code in PLACES if code != "page.wrong_side"
    ]
    assert {reasons[1].code, reasons[2].code} == {"page.blank", "page.wrong_side"}


def test_of_reasons_of_one_kind_the_worst_stands_first() -> None:
    bend = replace(RULES[0], measure="bend", reason="geometry.bend")
    slight, strong = (Assessed({"angle_deg": angle}) for angle in (2.0, 4.0))
    for skewed, bent, first in (
        (slight, strong, "geometry.bend"),
        (strong, slight, "geometry.skew"),
    ):
        leaf = PageAssessment(1, 9, 9, {"skew": skewed, "bend": bent})
        reasons = decide(replace(POLICY, rules=(RULES[0], bend)), "any", [leaf]).reasons
        assert reasons[0].code == first


def test_what_rejects_stands_before_what_makes_it_moot_but_does_not_reject() -> None:
    reasons = decide(MOST, "any", [leaf(9.0, 1.0, "blank")]).reasons
    assert [reason.code for reason in reasons] == ["geometry.skew", "page.blank"]


@pytest.mark.parametrize("kind", ["blank", "not_document"])
def test_of_a_page_without_a_document_nobody_is_told_what_could_not_be_checked(kind: str) -> None:
    pages = [leaf(None, None, kind), leaf(None, 1.0, "document", 2)]
    verdict = decide(MOST, "any", pages)
    assert verdict.decision is Decision.REVIEW
    assert [(reason.code, reason.page) for reason in verdict.reasons] == [
        (f"page.{kind}", 1), ("page.document", 2), ("system.not_assessed", 2)
    ]  # fmt: skip


MEASURED = st.builds(
    leaf,
    st.sampled_from((None, 0.0, 2.0, 9.0)),
    st.sampled_from((None, 1.0, 0.5, 0.05)),
    st.sampled_from((None, "", "blank", "not_document", "document")),
)


@given(
    st.lists(MEASURED, min_size=1, max_size=3),
    st.lists(st.sampled_from(("near", "different", "unread")), max_size=2),
    st.lists(st.sampled_from(("system.ocr_failed", "system.failed")), max_size=1),
)
@settings(deadline=None)
def test_the_order_and_what_is_left_out_change_no_decision(
    found: list[PageAssessment], matches: list[Match], faults: list[str]
) -> None:
    """The whole is decided as the worst of its parts, each judged by one rule alone."""
    pages = [replace(one, index=at) for at, one in enumerate(found, 1)]
    fields = [
        Field(name, match, None if match == "unread" else "barcode", 1.0, None, 1, None)
        for name, match in zip(("given_name", "father_name"), matches, strict=False)
    ]
    parts = [
        decide(replace(MOST, rules=(rule,)), "any", [one]) for rule in MOST.rules for one in pages
    ]
    parts.append(decide(replace(MOST, rules=()), "any", pages, fields, faults))
    verdict = decide(MOST, "any", pages, fields, faults)
    assert verdict.decision == max((part.decision for part in parts), key=lambda one: one.rank)
    told = {(reason.code, reason.page) for reason in verdict.reasons}
    every = {(reason.code, reason.page) for part in parts for reason in part.reasons}
    moot = {at for code, at in every if code in ("page.blank", "page.not_document")}
    assert every - told <= {("system.not_assessed", at) for at in moot}
    assert told <= every
    ranks = [reason.decision.rank for reason in verdict.reasons]
    assert ranks == sorted(ranks, reverse=True)
