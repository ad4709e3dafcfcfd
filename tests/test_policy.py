"""A policy is data, and nothing in it may be unknown, missing or contradictory."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa import fields, policy
from docqa.errors import InvalidModel
from docqa.measures import Measure, Output
from docqa.policy import Finding, Policy, Rule, parse_policy
from docqa.verdict import Decision

SKEW = Measure(
    "skew",
    "",
    {
        "angle_deg": Output("angle_deg", "deg", (), True),
        "state": Output("state", "", ("left", "right"), False),
    },
    None,
    lambda model: lambda page: None,
)
CODES = {"geometry.skew", "geometry.left", "geometry.right", "page.wrong_side"}
SIDE = """
[finding.wrong_side]
reason = "page.wrong_side"
decision = "review"
source = "provisional"
"""
DISAGREE = SIDE.replace("wrong_side]", "sides_disagree]") + "least_confidence = 0.9\n"
DOCUMENT = SIDE.replace("wrong_side]", "wrong_document]")
FIELDS = "".join(
    f'[field.{source}]\nvariant = "accept"\nnear = "review"\ndifferent = "review"\n'
    f'unread = "review"\nsource = "provisional"\n'
    for source in ("barcode", "mrz", "digits", "ocr", "none")
)
FIELDS += SIDE + DISAGREE + DOCUMENT
RULE = """
[skew.angle_deg]
reason = "geometry.skew"
accept = 1.0
reject = 5.0
source = "provisional"
"""


ONE_CLAIM = """
[field.mrz.given_name_latin]
different = "reject"
source = "for a test"
"""


def resolve(name: str) -> Measure:
    if name != "skew":
        raise InvalidModel(f"there is no measure {name!r}")
    return SKEW


def parse(text: str) -> Policy:
    return parse_policy(text, resolve=resolve, codes=CODES, document_types={"sy-id-front"})


def test_a_policy_reads_back_what_it_says() -> None:
    policy = parse(f'id = "p"\n{RULE}{FIELDS}')
    (rule,) = policy.rules
    assert (rule.measure, rule.output, rule.unit) == ("skew", "angle_deg", "deg")
    assert (rule.accept, rule.reject, rule.ideal, rule.direction) == (1.0, 5.0, 0.0, "lower")
    assert policy.measures == ("skew",)
    assert policy.digest.startswith("sha256:")
    assert policy.matches["ocr"]["different"] == "review"


def test_every_document_is_read_unless_the_policy_says_otherwise() -> None:
    table = '[reading]\nleast_score = 25\nsource = "for a test"\n'
    assert parse(f'id = "p"\n{RULE}{FIELDS}').least_score_read == 0
    assert parse(f'id = "p"\n{RULE}{FIELDS}{table}').least_score_read == 25


@pytest.mark.parametrize("least", ["-1", "41", "nan", '"x"', "true"])
def test_only_what_is_rejected_may_be_left_unread(least: str) -> None:
    table = f'[reading]\nleast_score = {least}\nsource = "for a test"\n'
    with pytest.raises(InvalidModel, match="least_score"):
        parse(f'id = "p"\n{RULE}{FIELDS}{table}')


def test_the_digest_changes_with_every_byte() -> None:
    one, two = (parse(f'id = "p"\n{RULE}{FIELDS}{tail}') for tail in ("", "\n"))
    assert one.digest != two.digest


def test_a_type_overrides_one_limit_and_inherits_the_rest() -> None:
    override = "[type.sy-id-front.skew.angle_deg]\naccept = 2.0\n"
    policy = parse(f'id = "p"\n{RULE}ideal = 0.5\n{override}{FIELDS}')
    (general,) = policy.rules_for("a4-generic")
    (special,) = policy.rules_for("sy-id-front")
    assert (general.accept, special.accept) == (1.0, 2.0)
    assert (special.reject, special.reason) == (general.reject, general.reason)
    assert special.ideal == general.ideal == 0.5


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("", "starts with its id"),
        (f'id = ""\n{RULE}{FIELDS}', "starts with its id"),
        ("id = [", "not TOML"),
        (f'id = "p"\n{FIELDS}', "has no rule"),
        (f'id = "p"\n{RULE}', "needs exactly the tables"),
        (f'id = "p"\n{RULE.replace("skew.angle_deg", "blurr.x")}{FIELDS}', "no measure 'blurr'"),
        (f'id = "p"\n{RULE.replace("angle_deg", "angle")}{FIELDS}', "has the outputs angle_deg"),
        (f'id = "p"\n{RULE.replace("angle_deg", "state")}{FIELDS}', "has the outputs angle_deg"),
        (f'id = "p"\n{RULE.replace("geometry.skew", "geometry.x")}{FIELDS}', "has no text"),
        (f'id = "p"\n{RULE}weight = 3\n{FIELDS}', "unknown key 'weight'"),
        (f'id = "p"\n{RULE.replace("reject = 5.0", "")}{FIELDS}', "lacks reject"),
        (f'id = "p"\n{RULE.replace("5.0", "nan")}{FIELDS}', "finite"),
        (f'id = "p"\n{RULE.replace("5.0", "inf")}{FIELDS}', "finite"),
        (f'id = "p"\n{RULE.replace("5.0", "9" * 400)}{FIELDS}', "finite"),
        (f'id = "p"\n{RULE.replace("5.0", "true")}{FIELDS}', "finite"),
        (f'id = "p"\n{RULE.replace("5.0", "1.0")}{FIELDS}', "must differ"),
        (f'id = "p"\n{RULE.replace("5.0", "0.5")}{FIELDS}', "needs ideal"),
        (f'id = "p"\n{RULE}ideal = 3.0\n{FIELDS}', "accepted side"),
        (f'id = "p"\n{RULE.replace("5.0", "0.5")}ideal = 0.8\n{FIELDS}', "accepted side"),
        (f'id = "p"\n{RULE.replace("provisional", "")}{FIELDS}', "needs the source"),
        (f'id = "p"\n{RULE.replace(chr(34) + "provisional" + chr(34), "3")}{FIELDS}', "the source"),
        (f'id = "p"\n{RULE}{FIELDS}[reading]\nleast_score = 9', "needs exactly least_score"),
        (
            f'id = "p"\n{RULE}{FIELDS}[reading]\nleast_score = 9\nsource = "s"\nx = 1',
            "needs exactly least_score",
        ),
        (f'id = "p"\n{RULE}[type.x.skew.angle_deg]\naccept = 2\n{FIELDS}', "document type 'x'"),
        (f'id = "p"\n{RULE}{FIELDS.replace("different", "diff", 1)}', "needs exactly"),
        (
            f'id = "p"\n{RULE}{FIELDS.replace(chr(34) + "review", chr(34) + "later", 1)}',
            "must be one of",
        ),
        (f'id = "p"\n{RULE}{FIELDS}{ONE_CLAIM.replace("given_name_latin", "name")}', "exactly"),
        (f'id = "p"\n{RULE}{FIELDS}{ONE_CLAIM.replace("different", "diff")}', "one or more of"),
        (f'id = "p"\n{RULE}{FIELDS}{ONE_CLAIM.replace("reject", "later")}', "must be one of"),
        (f'id = "p"\n{RULE}{FIELDS}{ONE_CLAIM.split("source")[0]}', "needs source"),
        (f'id = "p"\n{RULE}{FIELDS}{ONE_CLAIM.split("different")[0]}source = "s"', "one or more"),
        (f'id = "p"\n{RULE}{FIELDS.replace(SIDE, "")}', "needs exactly the tables wrong_side"),
        (f'id = "p"\n{RULE}{FIELDS}{SIDE.replace("side]", "back]")}', "needs exactly the tables"),
        (f'id = "p"\n{RULE}{FIELDS.replace("page.", "page.x", 1)}', "has no text"),
        (f'id = "p"\n{RULE}{FIELDS.replace(SIDE, SIDE.replace("review", "accept"))}', "be one of"),
        (f'id = "p"\n{RULE}{FIELDS}least_confidence = 0.5', "needs exactly decision"),
        (f'id = "p"\n{RULE}{FIELDS.replace("0.9", "1.5")}', "0 to 1"),
        (f'id = "p"\n{RULE}{FIELDS.replace("least_confidence = 0.9", "")}', "needs exactly dec"),
    ],
)
def test_whatever_is_wrong_stops_the_start_and_says_so(broken: str, said: str) -> None:
    with pytest.raises(InvalidModel, match=said):
        parse(broken)


def test_what_could_not_be_read_is_never_accepted() -> None:
    with pytest.raises(InvalidModel, match="never accepted"):
        parse(f'id = "p"\n{RULE}' + FIELDS.replace('unread = "review"', 'unread = "accept"', 1))


def test_what_a_match_means_may_differ_for_one_claim() -> None:
    policy = parse(f'id = "p"\n{RULE}{FIELDS}{ONE_CLAIM}')
    assert policy.on_match("mrz", "given_name_latin", "different") == "reject"
    assert policy.on_match("mrz", "given_name_latin", "near") == "review"
    assert policy.on_match("mrz", "passport_number", "different") == "review"
    assert policy.on_match("ocr", "given_name_latin", "different") == "review"
    assert policy.on_match(None, "given_name_latin", "unread") == "review"
    with pytest.raises(InvalidModel, match="never accepted"):
        parse(f'id = "p"\n{RULE}{FIELDS}{ONE_CLAIM}unread = "accept"\n')


def test_a_finding_reads_back_what_it_says() -> None:
    policy = parse(f'id = "p"\n{RULE}{FIELDS}')
    assert policy.findings == {
        "wrong_side": Finding("page.wrong_side", "review", "provisional"),
        "wrong_document": Finding("page.wrong_side", "review", "provisional"),
        "sides_disagree": Finding("page.wrong_side", "review", "provisional", 0.9),
    }


def test_a_reason_may_follow_a_text_output_when_every_choice_has_a_text() -> None:
    assert parse(f'id = "p"\n{RULE.replace("geometry.skew", "geometry.{state}")}{FIELDS}')
    with pytest.raises(InvalidModel, match="page.left"):
        parse(f'id = "p"\n{RULE.replace("geometry.skew", "page.{state}")}{FIELDS}')


LOWER = Rule("m", "o", "", "r", 1.0, 5.0, 0.0, "s")
TENTHS = Rule("m", "o", "", "r", 2.0, 6.0, 0.0, "s")
"""Its 19 for 8.8 is a little less in binary."""
HIGHER = Rule("m", "o", "", "r", 280.0, 180.0, 400.0, "s")


@pytest.mark.parametrize(
    ("rule", "value", "score"),
    [
        (LOWER, 0.0, 100),
        (LOWER, 1.0, 70),
        (LOWER, -1.0, 70),
        (LOWER, 5.0, 40),
        (TENTHS, 8.8, 19),
        (LOWER, 1e9, 0),
        (HIGHER, 400.0, 100),
        (HIGHER, 1000.0, 100),
        (HIGHER, 280.0, 70),
        (HIGHER, 180.0, 40),
        (HIGHER, 0.0, 0),
    ],
)
def test_scores_are_pinned_at_the_limits(rule: Rule, value: float, score: int) -> None:
    assert rule.score(value) == score


def test_a_policy_knows_every_match_and_decision_there_is() -> None:
    """Its layer imports neither."""
    assert {"equal", *policy.MATCHES} == set(fields.MATCHES)
    assert tuple(Decision) == policy.DECISIONS


def test_a_measure_that_only_one_document_type_asks_for_is_taken() -> None:
    other = replace(LOWER, measure="n")
    assert Policy("p", "d", (LOWER,), {"t": (other,)}, {}).measures == ("m", "n")


finite = st.floats(-1e6, 1e6)


@given(finite, finite)
def test_a_worse_value_never_scores_higher(one: float, two: float) -> None:
    better, worse = sorted((one, two), key=abs)
    assert LOWER.score(better) >= LOWER.score(worse)
    low, high = sorted((one, two))
    assert HIGHER.score(high) >= HIGHER.score(low)


@given(finite)
def test_the_score_says_exactly_what_the_limits_say(value: float) -> None:
    assert (LOWER.score(value) >= 70) == (abs(value) <= 1.0)
    assert (LOWER.score(value) <= 40) == (abs(value) >= 5.0)
    assert (HIGHER.score(value) >= 70) == (value >= 280.0)
    assert (HIGHER.score(value) <= 40) == (value <= 180.0)
