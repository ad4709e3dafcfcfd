from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from docqa.documents import FieldSpec, parse_document_type
from docqa.fields import agrees
from docqa.page import Polygon, page_from_pixels
from docqa.reading.mrz import Mrz
from docqa.reading.mrz_fields import MOST_PASSPORTS, Zone, read_zone
from docqa.reading.print_fields import Claimed
from fixtures.synthesize.people import Person, person

TYPE = Path(__file__).parents[2] / "models" / "documents" / "passport.toml"
TD3_MM = (125.0, 88.0)
PAGE = page_from_pixels(np.full((600, 800), 255, np.uint8))
"""Of one sheet, which is asked for a zone as it lies and upside down."""


def place(top: float) -> Polygon:
    return ((20.0, top), (780.0, top), (780.0, top + 60), (20.0, top + 60))


ABOVE, BELOW = place(200.0), place(500.0)


def zone_of(owner: Person, polygon: Polygon, digits: int) -> Mrz:
    values = {
        "passport_number": (owner.passport_number,),
        "birth_date": (owner.birth_date.isoformat(),),
        "given_names": (owner.given_name_latin,),
        "surname": (owner.family_name_latin,),
    }
    return Mrz(values, digits, polygon, frozenset(values))


def asked() -> tuple[FieldSpec, ...]:
    return parse_document_type(TYPE.read_text(encoding="utf-8")).fields


class Answers:
    """Gives what is scripted, then nothing."""

    def __init__(self, *zones: Mrz | None) -> None:
        self.left = list(zones)

    def __call__(self, question: Callable[..., Any], /) -> Any:
        return self.left.pop(0) if self.left else None


def read(claims: dict[str, str], answers: Answers) -> Zone | None:
    return read_zone(PAGE, TD3_MM, asked(), Claimed(claims), answers)


MINE, THEIRS = person(1), person(2)


def test_a_zone_that_answers_every_claim_is_the_last_that_is_asked_for() -> None:
    answers = Answers(zone_of(MINE, BELOW, 4), zone_of(MINE, ABOVE, 5))
    zone = read(MINE.claims(), answers)
    assert zone is not None
    assert zone.polygon == BELOW
    assert len(answers.left) == 1


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_what_few_check_digits_prove_gives_way_to_what_more_prove(digits: int) -> None:
    """An upside-down zone may pass by chance before the right one is read."""
    for claims, is_owner in ((MINE.claims(), True), (THEIRS.claims(), False)):
        astray = zone_of(person(3), BELOW, digits)
        zone = read(claims, Answers(astray, zone_of(MINE, BELOW, 5)))
        assert zone is not None
        assert {agrees(field.match) for field in zone.fields} == {is_owner}
        assert max(field.confidence for field in zone.fields) == 1.0


def test_no_weaker_reading_of_a_zone_confirms_what_the_surest_does_not() -> None:
    zone = read(THEIRS.claims(), Answers(zone_of(MINE, BELOW, 4), zone_of(THEIRS, BELOW, 3)))
    assert zone is not None
    assert not any(agrees(field.match) for field in zone.fields)


@pytest.mark.parametrize("owner", [MINE, THEIRS])
@pytest.mark.parametrize("digits", [3, 5])
def test_of_two_zones_the_one_that_says_most_of_what_was_typed_counts(
    owner: Person, digits: int
) -> None:
    """Whatever the other's check digits."""
    zones = [zone_of(each, where, digits if each is owner else 5)
             for each, where in ((MINE, ABOVE), (THEIRS, BELOW))]  # fmt: skip
    zone = read(owner.claims(), Answers(*zones))
    assert zone is not None
    assert {field.match for field in zone.fields} == {"equal"}


def test_two_zones_never_confirm_half_of_the_claims_each() -> None:
    claims = {**MINE.claims(), "given_name_latin": THEIRS.given_name_latin}
    zone = read(claims, Answers(zone_of(MINE, ABOVE, 5), zone_of(THEIRS, BELOW, 5)))
    assert zone is not None
    assert zone.polygon == ABOVE
    assert [field.name for field in zone.fields if not agrees(field.match)] == ["given_name_latin"]


def test_no_more_passports_of_a_page_are_read_than_a_few() -> None:
    strangers = [zone_of(person(seed), place(60.0 * seed), 5) for seed in range(2, 12)]
    answers = Answers(*strangers)
    assert read(MINE.claims(), answers) is not None
    assert len(answers.left) == len(strangers) - MOST_PASSPORTS
