"""Curves count what each limit would have done to the documents that people decided."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from docqa import wiring
from docqa.batch.tune_page import tune_page
from docqa.bulk import Origin
from docqa.policy import ACCEPT_SCORE, REJECT_SCORE, Policy, Rule
from docqa.settings import Settings
from docqa.tuning import Curve, Truth, curves

ORIGIN = Origin("o", "e", {}, "", (("skew", ("angle_deg",)), ("blur", ("sharpness",))))
SKEW = Rule("skew", "angle_deg", "deg", "geometry.skew", 1.0, 5.0, 0.0, "provisional")
BLUR = Rule("blur", "sharpness", "", "quality.blur", 0.6, 0.2, 1.0, "provisional")
LATER = replace(SKEW, accept=2.0, reject=8.0)
POLICY = Policy("p", "d", (SKEW,), {"sy-id-back": (LATER,)}, {})

values = st.one_of(st.none(), st.floats(-10, 10), st.sampled_from([1.0, -1.0, 5.0, 2.0]))
truths = st.lists(
    st.builds(
        lambda kind, accepted, codes, pages: Truth(
            kind, accepted, codes, ORIGIN, [[at, *page] for at, page in enumerate(pages, 1)]
        ),
        st.sampled_from(["a4-generic", "sy-id-back"]),
        st.booleans(),
        st.sampled_from([(), ("geometry.skew",), ("field.different",)]),
        st.lists(st.tuples(values, values), min_size=1, max_size=3),
    ),
    max_size=30,
)


def worst_score(rule: Rule, truth: Truth, place: int) -> int | None:
    scores = [rule.score(page[place]) for page in truth.pages if page[place] is not None]
    return min(scores) if scores else None


def about(truth: Truth, code: str) -> bool:
    return truth.is_accepted or not truth.codes or code in truth.codes


@given(truths)
def test_the_present_limits_stop_what_the_policy_itself_stops(decided: list[Truth]) -> None:
    for curve, kind in zip(curves(POLICY, decided), ("a4-generic", "sy-id-back"), strict=True):
        mine = [one for one in decided if one.document_type == kind and about(one, "geometry.skew")]
        scored = [(one.is_accepted, worst_score(curve.rule, one, 1)) for one in mine]
        known = [(good, score) for good, score in scored if score is not None]
        assert curve.accepted == sum(good for good, _ in known)
        assert curve.rejected == len(known) - curve.accepted
        assert curve.unmeasured == len(scored) - len(known)
        assert (curve.at_accept.false_accepts, curve.at_accept.false_rejects) == (
            sum(not good and score >= ACCEPT_SCORE for good, score in known),
            sum(good and score < ACCEPT_SCORE for good, score in known),
        )
        assert (curve.at_reject.false_accepts, curve.at_reject.false_rejects) == (
            sum(not good and score > REJECT_SCORE for good, score in known),
            sum(good and score <= REJECT_SCORE for good, score in known),
        )


@given(truths, st.randoms())
def test_a_laxer_limit_lets_pass_more_of_both_in_whatever_order_they_come(
    decided: list[Truth], chance: Any
) -> None:
    policy = replace(POLICY, rules=(SKEW, BLUR))
    found = curves(policy, decided)
    for curve in found:
        passed = [point.false_accepts for point in curve.points]
        stopped = [point.false_rejects for point in curve.points]
        assert passed == sorted(passed) and stopped == sorted(stopped, reverse=True)
        if curve.points:
            last = curve.points[-1]
            assert (last.false_accepts, last.false_rejects) == (curve.rejected, 0)
        limits = [point.limit for point in curve.points]
        assert limits == sorted(limits, reverse=curve.rule.direction == "higher")
    chance.shuffle(decided)
    assert curves(policy, decided) == found


@given(st.lists(st.floats(0, 3), min_size=1), st.lists(st.floats(3.5, 9), min_size=1))
def test_where_people_agree_with_a_measure_the_least_error_is_none(
    straight: list[float], turned: list[float]
) -> None:
    decided = [truth(angle, accepted=True) for angle in straight]
    decided += [truth(angle, accepted=False) for angle in turned]
    least = curves(POLICY, decided)[0].least
    assert least is not None
    assert (least.false_accepts, least.false_rejects) == (0, 0)
    assert max(straight) <= least.limit < min(turned)


def truth(angle: float, *, accepted: bool) -> Truth:
    return Truth("a4-generic", accepted, (), ORIGIN, [[1, angle, None]])


def test_the_page_names_every_rule_of_the_shipped_policy_and_loads_nothing() -> None:
    policy = wiring.load_engine(Settings()).policy
    decided = [truth(0.1, accepted=True), truth(9.0, accepted=False)]
    page = tune_page(policy, curves(policy, decided))
    missing = [curve.name for curve in curves(policy, []) if curve.name not in page]
    assert missing == []
    assert page.count("<polyline") == 1
    assert not re.search(r"(?:src|href)=|url\(|@import", page)


def test_a_side_without_documents_has_no_least_error() -> None:
    found: list[Curve] = curves(POLICY, [truth(0.1, accepted=True)])
    assert [curve.least for curve in found] == [None, None]
