from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.text import canonical, graphemes, loose, western_digits

ARABIC = st.text(
    alphabet=st.one_of(
        st.characters(min_codepoint=0x0600, max_codepoint=0x06FF),
        st.characters(min_codepoint=0xFB50, max_codepoint=0xFEFF),
        st.sampled_from(" \u200f\u202b\u2067\u200d-'eé\u0301"),
    )
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("  أحمد   الخطيب ", "أحمد الخطيب"),
        ("\u202bأحمد\u202c\u200f", "أحمد"),
        ("\ufeffأحمد\u061c", "أحمد"),
        ("مُحَمَّد", "محمد"),
        ("محـــمد", "محمد"),
        ("ﺃﺣﻤﺪ", "أحمد"),
        ("ﻻرا", "لارا"),
        ("ﷲ", "الله"),
        ("علی", "علي"),
        ("کمال", "كمال"),
        ("٠١٢٣٤٥٦٧٨٩", "0123456789"),
        ("۰۱۲۳۴۵۶۷۸۹", "0123456789"),
        ("\uff11\uff12", "12"),
        ("Ahmad", "Ahmad"),
        ("ا\u0654حمد", "أحمد"),
        ("\n\t", ""),
        ("", ""),
    ],
)
def test_canonical_undoes_what_only_machines_tell_apart(written: str, expected: str) -> None:
    assert canonical(written) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("أحمد", "احمد"), ("فاطمة", "فاطمه"), ("يحيى", "يحيي"), ("احمد", "احمر"), ("ؤ", "و")],
)
def test_canonical_keeps_every_letter_that_a_reader_sees(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("أحمد", "احمد"),
        ("إبراهيم", "ابراهيم"),
        ("آمنة", "امنه"),
        ("ٱلحسن", "الحسن"),
        ("فاطمة", "فاطمه"),
        ("مصطفى", "مصطفي"),
        ("مؤمن", "مومن"),
        ("رائد", "رايد"),
        ("عبد الله", "عبدالله"),
        ("Al-Khatib", "AL KHATIB"),
        ("D'Angelo", "DANGELO"),
    ],
)
def test_loose_joins_the_spellings_of_one_name(one: str, other: str) -> None:
    assert loose(one) == loose(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("سامر", "سامي"), ("نور", "نوره"), ("بسام", "تسام"), ("حسن", "حسين"), ("ماجد", "ماجدء")],
)
def test_loose_keeps_different_letters_apart(one: str, other: str) -> None:
    assert loose(one) != loose(other)


@given(st.one_of(st.text(), ARABIC))
def test_canonical_is_idempotent(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


@given(st.one_of(st.text(), ARABIC))
def test_loose_is_idempotent_and_never_splits_what_canonical_joins(text: str) -> None:
    assert loose(loose(text)) == loose(text)
    assert loose(canonical(text)) == loose(text)


@given(st.text(alphabet="0123456789٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"))
def test_digits_of_any_set_keep_their_value(digits: str) -> None:
    assert western_digits(digits) == "".join(str(int(digit)) for digit in digits)


@pytest.mark.parametrize(
    ("text", "count"),
    [("محمد", 4), ("مُحَمَّد", 4), ("e\u0301", 1), ("", 0), ("\u0301", 1), ("ab", 2)],
)
def test_graphemes_count_as_a_reader_does(text: str, count: int) -> None:
    assert len(graphemes(text)) == count


@given(st.one_of(st.text(), ARABIC))
def test_graphemes_lose_nothing(text: str) -> None:
    assert "".join(graphemes(text)) == text
