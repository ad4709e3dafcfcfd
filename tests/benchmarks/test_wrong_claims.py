"""A wrong claim is never another spelling, and another spelling is never a wrong claim."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from rapidfuzz.distance import OSA

from benchmarks.accuracy.wrong_claims import DOT_GROUPS, benign, is_same, wrong, wrong_kinds
from docqa.fields import parse_claims
from fixtures.synthesize.people import varied_person

SEEDS = range(40)
TODAY = datetime.date(2026, 11, 30)
FIELDS = tuple(varied_person(0).claims())


@pytest.mark.parametrize("field", FIELDS)
def test_wrong_claims_are_one_stroke_off_and_typed_by_somebody(field: str) -> None:
    rng = np.random.default_rng(1)
    made = 0
    for seed in SEEDS:
        value = varied_person(seed).claims()[field]
        for kind in wrong_kinds(field):
            claim = wrong(field, value, kind, rng)
            if claim is None:
                continue
            made += 1
            assert claim.kind == kind
            assert not is_same(field, value, claim.value)
            assert parse_claims({field: claim.value}, TODAY)
            if field != "birth_date":  # a day before the first of a month changes more digits
                assert OSA.distance(value, claim.value) == 1
    assert made > 3 * len(SEEDS)


def test_a_look_alike_letter_differs_in_its_dots() -> None:
    rng = np.random.default_rng(2)
    for seed in SEEDS:
        value = varied_person(seed).family_name
        claim = wrong("family_name", value, "look-alike letter", rng)
        if claim is None:
            continue
        ((old, new),) = [
            pair for pair in zip(value, claim.value, strict=True) if pair[0] != pair[1]
        ]
        assert any(old in group and new in group for group in DOT_GROUPS)


@pytest.mark.parametrize("field", FIELDS)
def test_other_spellings_are_the_same_claim_to_a_reader(field: str) -> None:
    rng = np.random.default_rng(3)
    for seed in SEEDS:
        value = varied_person(seed).claims()[field]
        claims = list(benign(field, value, rng))
        assert claims
        for claim in claims:
            assert claim.value != value
            assert parse_claims({field: claim.value}, TODAY)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("given_name", "أحمد", "احمد"),
        ("given_name", "فاطمة", "فاطمه"),
        ("given_name", "مصطفى", "مصطفي"),
        ("given_name", "عبد الله", "عبدالله"),
        ("family_name", "الحلبي", "حلبي"),
        ("national_number", "00123456789", "0123456789"),
    ],
)
def test_the_folded_spellings_are_those_of_the_two_tier_rule(
    field: str, one: str, other: str
) -> None:
    assert is_same(field, one, other)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("given_name", "سمير", "سمبر"),
        ("given_name", "المازن", "مازن"),
        ("given_name", "علاء", "علا"),
        ("national_number", "00123456789", "00123456788"),
    ],
)
def test_a_mistake_is_no_spelling(field: str, one: str, other: str) -> None:
    assert not is_same(field, one, other)


def test_a_town_may_be_called_by_either_of_its_names_and_a_person_may_not() -> None:
    assert is_same("birth_place", "البوكمال", "ابوكمال")
    assert not is_same("birth_place", "البوكمال", "البوكما")
    assert is_same("birth_place", "السويداء", "السويدا")
    assert not is_same("family_name", "السويداء", "السويدا")
    assert not is_same("given_name", "البوكمال", "ابوكمال")
