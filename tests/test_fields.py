from __future__ import annotations

import datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from docqa.errors import InvalidRequest
from docqa.fields import CLAIM_NAMES, Kind, Match, compare, parse_claims, parse_date
from docqa.text import loose

AGREEMENT = ("equal", "variant")
LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
DATES = st.dates(min_value=datetime.date(1900, 1, 1), max_value=datetime.date(2099, 12, 31))


@pytest.mark.parametrize(
    ("kind", "claimed", "read", "expected"),
    [
        ("name", "أحمد", "أحمد", "equal"),
        ("name", "أحمد", "أَحْمَد", "equal"),
        ("name", "Ahmad", "AHMAD", "equal"),
        ("name", "أحمد", "احمد", "variant"),
        ("name", "عبد الله", "عبدالله", "variant"),
        ("name", "AL-KHATIB", "AL KHATIB", "variant"),
        ("name", "أحمد", "أحمر", "near"),
        ("name", "محمود", "محمد", "near"),
        ("name", "عمر", "علي", "different"),
        ("name", "أحمد", "سليمان", "different"),
        ("name", "حسن", "الحسن", "near"),
        ("name", "أحمد", "", "unread"),
        ("name", "أحمد", " - ", "unread"),
        ("family_name", "خطيب", "الخطيب", "variant"),
        ("family_name", "الخطيب", "خطيب", "variant"),
        ("family_name", "الحداد", "حدادي", "near"),
        ("family_name", "الي", "ي", "different"),
        ("mother_name", "فاطمة", "فاطمة الخطيب", "variant"),
        ("mother_name", "فاطمة الخطيب", "فاطمة", "variant"),
        ("mother_name", "فاطمة الخطيب", "فاطمة الخطيب", "equal"),
        ("mother_name", "فاطمة", "فاطمه الخطيب", "variant"),
        ("mother_name", "أمة الله الخطيب", "أمةالله", "variant"),
        ("mother_name", "فاطمة الخطيب", "الخطيب", "different"),
        ("mother_name", "فاطمة", "فاطم", "near"),
        ("place", "دمشق", "دمشق", "equal"),
        ("place", "ريف دمشق", "دمشق", "different"),
        ("date", "1990-04-12", "12-4-1990", "equal"),
        ("date", "12/04/1990", "١٢-٤-١٩٩٠", "equal"),
        ("date", "1990.4.12", "۱۹۹۰/۴/۱۲", "equal"),
        ("date", "12-4-1990", "13-4-1990", "near"),
        ("date", "12-4-1990", "2-12-1985", "different"),
        ("date", "12-4-1990", "12-4", "unread"),
        ("date", "12-4-1990", "32-4-1990", "unread"),
        ("number", "01020304055", "٠١٠٢٠٣٠٤٠٥٥", "equal"),
        ("number", "010 203-04055", "01020304055", "equal"),
        ("number", "1020304055", "01020304055", "variant"),
        ("number", "01020304055", "1020304055", "variant"),
        ("number", "n1234567", "N1234567", "equal"),
        ("number", "01020304055", "01020304056", "near"),
        ("number", "01020304055", "98765432101", "different"),
        ("number", "01020304055", "", "unread"),
    ],
)
def test_match(kind: Kind, claimed: str, read: str, expected: Match) -> None:
    assert compare(kind, claimed, read) == expected


@given(
    st.sampled_from(["name", "family_name", "mother_name", "place"]),
    st.text(alphabet=LETTERS, min_size=3, max_size=12),
    st.data(),
)
def test_one_wrong_letter_is_never_agreement(kind: Kind, name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from(LETTERS))
    edit = data.draw(st.sampled_from(["replace", "insert", "delete"]))
    wrong = name[:at] + ("" if edit == "delete" else letter) + name[at + (edit != "insert") :]
    assume(loose(wrong) != loose(name))
    assert compare(kind, name, wrong) not in AGREEMENT
    assert compare(kind, wrong, name) not in AGREEMENT


@given(st.from_regex(r"[0-9]{11}", fullmatch=True), st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_near(number: str, at: int, step: int) -> None:
    wrong = number[:at] + str((int(number[at]) + step) % 10) + number[at + 1 :]
    assert compare("number", number, wrong) == "near"


@given(DATES, DATES)
def test_only_the_same_date_is_equal(one: datetime.date, other: datetime.date) -> None:
    written = f"{one.day}-{one.month}-{one.year}"
    assert compare("date", written, one.isoformat()) == "equal"
    assert (compare("date", written, other.isoformat()) in AGREEMENT) == (one == other)


@given(
    st.sampled_from(["name", "family_name", "mother_name", "place", "number", "date"]),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_agreement_does_not_depend_on_who_says_it(kind: Kind, one: str, other: str) -> None:
    assert compare(kind, one, other) == compare(kind, other, one)


@pytest.mark.parametrize(
    "text", ["", "12-4", "12-4/1990", "1990-13-01", "30-2-1990", "12-4-90", "1-1-0000", "يوم"]
)
def test_what_is_no_date_is_not_guessed(text: str) -> None:
    assert parse_date(text) is None


def test_claims_come_back_as_typed() -> None:
    claims = {
        "given_name": " أحمد ",
        "birth_date": "١٢-٤-١٩٩٠",
        "national_number": "٠١٠٢٠٣٠٤٠٥٥",
        "passport_number": "N0123456",
    }
    assert parse_claims(claims) == {**claims, "given_name": "أحمد"}
    assert parse_claims({}) == {}


@pytest.mark.parametrize("claims", [None, [], "given_name", 3, [("given_name", "a")]])
def test_claims_that_are_no_object_are_refused(claims: object) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_claims(claims)
    assert refusal.value.code == "request.claims.invalid"
    assert refusal.value.facts == {"field": "claims"}


@pytest.mark.parametrize("name", ["colour", "", 7, None, "x" * 5000])
def test_an_unknown_claim_is_named_briefly(name: object) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_claims({name: "value"})
    assert refusal.value.code == "request.claims.unknown_field"
    assert refusal.value.facts["field"] == str(name)[:40]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("given_name", ""),
        ("given_name", " \u200f "),
        ("given_name", 5),
        ("given_name", None),
        ("given_name", "ا" * 201),
        ("national_number", "123456789"),
        ("national_number", "012345678901"),
        ("national_number", "0102030405x"),
        ("national_number", "²1020304055x"),
        ("birth_date", "yesterday"),
        ("birth_date", "31-2-1990"),
    ],
)
def test_a_claim_that_cannot_be_is_refused_by_name_alone(name: str, value: object) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_claims({name: value})
    assert refusal.value.code == "request.claims.invalid"
    assert refusal.value.facts == {"field": name}


@given(st.dictionaries(st.sampled_from(CLAIM_NAMES), st.text()))
def test_claims_either_pass_or_are_refused(claims: dict[str, str]) -> None:
    try:
        assert set(parse_claims(claims)) == set(claims)
    except InvalidRequest as refusal:
        assert refusal.facts["field"] in claims
