"""Corrected typing gives what a fresh inspection gives, or says that it takes the picture."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from docqa import wiring
from docqa.corrections import judged_again, rematched, unread
from docqa.fields import EXACT_SOURCES
from docqa.pipeline import Engine, inspect
from docqa.report import fields_json, readings_json, recognised_from_json, to_json
from docqa.settings import Settings
from docqa.verdict import ATTEMPTS_EXHAUSTED
from fixtures.synthesize.documents import id_back, id_front
from fixtures.synthesize.people import Person, person
from fixtures.synthesize.scanner import scan

ON_CARD = (
    "given_name", "family_name", "father_name", "mother_name", "birth_place", "birth_date",
    "national_number",
)  # fmt: skip
CITIZENS = (31,)


@cache
def engine() -> Engine:
    return wiring.load_engine(Settings())


def typed(citizen: Person) -> dict[str, str]:
    return {name: citizen.claims()[name] for name in ON_CARD}


@cache
def back(seed: int) -> bytes:
    return scan(id_back(person(seed), seed=seed), seed=seed).data


def inspected(
    data: bytes, document_type: str, claims: dict[str, str]
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    report = inspect(data, engine=engine(), document_type=document_type, claims=claims)
    return to_json(report, engine().catalogue), readings_json(report)


def one_digit_wrong(claims: dict[str, str]) -> dict[str, str]:
    number = claims["national_number"]
    return {**claims, "national_number": number[:-1] + str((int(number[-1]) + 1) % 10)}


def mistypings(seed: int) -> list[dict[str, str]]:
    right, others = typed(person(seed)), typed(person(seed + 100))
    return [
        one_digit_wrong(right),
        {**right, "given_name": others["given_name"]},
        {**right, "birth_date": others["birth_date"], "birth_place": others["birth_place"]},
        {**right, "mother_name": right["mother_name"][:-1]},
        others,
    ]


@pytest.mark.parametrize("seed", CITIZENS)
def test_a_barcode_is_rematched_as_a_fresh_inspection_would(seed: int) -> None:
    right = typed(person(seed))
    fresh, readings = inspected(back(seed), "sy-id-back", right)
    assert fresh["verdict"]["decision"] == "accept"
    for wrong in mistypings(seed):
        mistyped, wrong_readings = inspected(back(seed), "sy-id-back", wrong)
        for report, known, before, claims, expected in (
            (mistyped, wrong_readings, wrong, right, fresh),
            (fresh, readings, right, wrong, mistyped),
        ):
            fields = rematched(report, known, before, claims, engine())
            assert fields is not None
            assert fields_json(fields, engine().catalogue) == expected["fields"]
            again = judged_again(
                report, engine(), fields=fields, recognised=recognised_from_json(report)
            )
            assert {**again, "timings_ms": {}} == {**expected, "timings_ms": {}}


def test_a_claim_that_was_not_typed_before_takes_the_picture() -> None:
    right = typed(person(CITIZENS[0]))
    fewer = {name: right[name] for name in ("given_name", "national_number")}
    report, readings = inspected(back(CITIZENS[0]), "sy-id-back", fewer)
    assert rematched(report, readings, fewer, right, engine()) is None
    assert rematched(report, readings, {}, fewer, engine()) is None


def test_print_is_never_confirmed_without_the_picture() -> None:
    citizen = person(CITIZENS[0])
    right = typed(citizen)
    wrong = {**one_digit_wrong(right), "given_name": typed(person(77))["given_name"]}
    front = scan(id_front(citizen, seed=31), seed=31).data
    report, readings = inspected(front, "sy-id-front", wrong)
    assert rematched(report, readings, wrong, right, engine()) is None
    printed = {s for sources in readings.values() for s in sources} - set(EXACT_SOURCES)
    assert printed, "nothing printed was read: the test tells nothing"
    kept = rematched(report, readings, wrong, wrong, engine())
    assert kept is not None
    assert fields_json(kept, engine().catalogue) == report["fields"]


def test_a_zone_decides_alone_only_where_it_agrees() -> None:
    field = {
        "name": "passport_number", "match": "near", "source": "mrz", "confidence": 1.0,
        "page": 1, "polygon": None, "others": [],
    }  # fmt: skip
    report = {"document_type": "passport", "fields": [field]}
    readings = {"passport_number": {"mrz": "N0123456"}}

    def match(claim: str) -> str | None:
        before = {"passport_number": "N0123457"}
        found = rematched(report, readings, before, {"passport_number": claim}, engine())
        return None if found is None else found[0].match

    assert match("n 0123456") == "equal"
    assert match("N0123458") is None


def test_what_cannot_be_read_again_is_review_and_never_accept() -> None:
    right = typed(person(CITIZENS[0]))
    report, _ = inspected(back(CITIZENS[0]), "sy-id-back", right)
    fields = unread(right, "sy-id-back", engine())
    assert {field.name for field in fields} == set(ON_CARD)
    again = judged_again(report, engine(), fields=fields, recognised="sy-id-back")
    assert again["verdict"]["decision"] == "review"
    assert {reason["code"] for reason in again["verdict"]["reasons"]} == {"field.unread"}


@pytest.mark.parametrize("is_right", [True, False])
def test_after_too_many_attempts_no_report_accepts_or_rejects(is_right: bool) -> None:
    claims = typed(person(CITIZENS[0]))
    claims = claims if is_right else one_digit_wrong(claims)
    report, _ = inspected(back(CITIZENS[0]), "sy-id-back", claims)
    again = judged_again(report, engine(), faults=[ATTEMPTS_EXHAUSTED])
    assert again["verdict"]["decision"] == "review"
    assert judged_again(again, engine()) == again
