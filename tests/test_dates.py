"""A date is read however it is written, and nothing is guessed."""

from __future__ import annotations

import datetime
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.dates import parse_date, split_date

DATES = st.dates(min_value=datetime.date(1900, 1, 1), max_value=datetime.date(2099, 12, 31))
DIGIT_SETS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")
MONTHS = (
    "كانون الثاني", "شباط", "آذار", "نيسان", "أيار", "حزيران",
    "تموز", "آب", "أيلول", "تشرين الأول", "تشرين الثاني", "كانون الأول",
)  # fmt: skip
ORDINALS = (
    "الأول", "الثاني", "الثالث", "الرابع", "الخامس", "السادس", "السابع", "الثامن", "التاسع",
    "العاشر", "الحادي عشر", "الثاني عشر", "الثالث عشر", "الرابع عشر", "الخامس عشر", "السادس عشر",
    "السابع عشر", "الثامن عشر", "التاسع عشر", "العشرون", "الحادي والعشرون", "الثاني والعشرون",
    "الثالث والعشرون", "الرابع والعشرون", "الخامس والعشرون", "السادس والعشرون", "السابع والعشرون",
    "الثامن والعشرون", "التاسع والعشرون", "الثلاثون", "الحادي والثلاثون",
)  # fmt: skip
CARDINALS = (
    "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة", "عشرة",
    "أحد عشر", "اثنا عشر", "ثلاثة عشر", "أربعة عشر", "خمسة عشر", "ستة عشر", "سبعة عشر",
    "ثمانية عشر", "تسعة عشر",
)  # fmt: skip
TENS = ("عشرون", "ثلاثون", "أربعون", "خمسون", "ستون", "سبعون", "ثمانون", "تسعون")


def cardinal(number: int) -> str:
    if number < 20:
        return CARDINALS[number - 1]
    tens = TENS[number // 10 - 2]
    return f"{CARDINALS[number % 10 - 1]} و{tens}" if number % 10 else tens


def year_in_words(year: int, nine_hundred: str = "تسعمائة", two_thousand: str = "ألفين") -> str:
    start = two_thousand if year >= 2000 else f"ألف و{nine_hundred}"
    return f"{start} و{cardinal(year % 100)}" if year % 100 else start


@pytest.mark.parametrize("day", range(1, 32))
def test_every_day_of_every_month_is_read_in_words(day: int) -> None:
    for month, name in enumerate(MONTHS, start=1):
        try:
            expected = datetime.date(1984, month, day)
        except ValueError:
            expected = None
        year = year_in_words(1984)
        for number in (ORDINALS[day - 1], cardinal(day), ORDINALS[day - 1].replace("ون", "ين")):
            assert parse_date(f"{number} من شهر {name} لعام {year} ميلادي") == expected
            assert parse_date(f"{number} {name} {year}") == expected


@pytest.mark.parametrize("year", range(1901, 2061))
def test_every_year_is_read_in_every_spelling(year: int) -> None:
    expected = datetime.date(year, 1, 1)
    hundreds = ("تسعمائة", "تسعمئة", "تسع مئة", "تسع مائة", "تسعماية", "تسعمائه")
    thousands = ("ألفين", "ألفان")
    for hundred, thousand in itertools.product(hundreds, thousands):
        words = year_in_words(year, hundred, thousand)
        spellings = (words, words.replace("ون", "ين"), words.replace(" و", " و "), words + " م")
        for written in spellings:
            assert parse_date(f"الأول من كانون الثاني لعام {written}") == expected
            assert parse_date(f"الأول من كانون الثاني سنة {written}") == expected


@given(DATES, st.sampled_from(DIGIT_SETS), st.sampled_from("-/."), st.booleans())
def test_digits_of_every_set_in_both_orders(
    date: datetime.date, digits: str, separator: str, padded: bool
) -> None:
    day, month = (f"{part:02}" if padded else f"{part}" for part in (date.day, date.month))
    for parts in ([day, month, str(date.year)], [str(date.year), month, day]):
        written = separator.join(parts).translate(str.maketrans(DIGIT_SETS[0], digits))
        assert parse_date(written) == date
        assert parse_date(f"بتاريخ {written} م") == date


@given(DATES, st.sampled_from(DIGIT_SETS))
def test_digits_around_a_month_in_both_directions(date: datetime.date, digits: str) -> None:
    name = MONTHS[date.month - 1]
    for written in (
        f"{date.day} {name} {date.year}",
        f"{date.year} {name} {date.day}",
        f"{date.day}-{name}-{date.year}",
        f"{date.day} من شهر {name} عام {date.year} ميلادي",
    ):
        assert parse_date(written.translate(str.maketrans(DIGIT_SETS[0], digits))) == date


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("الأول من كانون الثاني لعام ألف وتسعمائة وخمسة وثمانين", "1985-01-01"),
        ("اليوم الحَادي والثَّلاثون من شهر كانون الأول لعام ألفين وعشرة ميلادية", "2010-12-31"),
        ("الاول من اذار لعام الف وتسعمايه", "1900-03-01"),
        ("أول كانون ثاني 1985", "1985-01-01"),
        ("15 ك2 1985", "1985-01-15"),
        ("1 ت1 1985", "1985-10-01"),
        ("خمســـة عشر آب ١٩٩٩", "1999-08-15"),
        ("إحدى وعشرين حزيران 1999", "1999-06-21"),
        ("1985–3–15", "1985-03-15"),
        ("1985\u22123\u221215", "1985-03-15"),
        (" 15 / 3 / 1985 ", "1985-03-15"),
        ("\u200f١٥-٣-١٩٨٥\u200f", "1985-03-15"),
    ],
)
def test_as_documents_print_it(text: str, iso: str) -> None:
    assert parse_date(text) == datetime.date.fromisoformat(iso)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "12-4", "12-4/1990", "1990-13-01", "30-2-1990", "12-4-90", "1-1-0000", "يوم",
        "1-13-1990", "15 آذار", "آذار 1985", "15 آذار 85", "1-5 آذار 1985", "15/3/1405 هـ",
        "الثاني والثلاثون من آذار لعام ألف وتسعمائة", "الثلاثون من شباط لعام ألفين",
        "كانون الثاني", "الأول من كانون لعام ألفين", "الأول من آذار لعام تسعمائة",
        "الأول من آذار لعام ألفين دمشق", "1531985", "15 3 1985", "²5-3-1985-",
    ],
)  # fmt: skip
def test_what_is_no_date_is_not_guessed(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("line", "before", "date"),
    [
        ("دير الزور ١٢-٤-١٩٩٠", "دير الزور", "12-4-1990"),
        ("دمشق الأول من آذار لعام ألفين", "دمشق", "الأول من آذار لعام ألفين"),
        ("دمشق في 15 آذار 1985 م", "دمشق", "في 15 آذار 1985 م"),
        ("12-4-1990", "", "12-4-1990"),
        ("دمشق", "دمشق", ""),
        ("12-4-1990 دمشق", "12-4-1990 دمشق", ""),
        ("", "", ""),
    ],
)
def test_a_line_of_place_and_date_is_split(line: str, before: str, date: str) -> None:
    assert split_date(line) == (before, date)


@given(DATES)
def test_day_and_month_are_never_exchanged(date: datetime.date) -> None:
    written = f"{date.month}/{date.day}/{date.year}"
    if date.day > 12:
        assert parse_date(written) is None
    elif date.day != date.month:
        assert parse_date(written) != date


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    assert parse_date(text) is None or parse_date(text) == parse_date(f" {text} ")


@pytest.mark.parametrize("word", ["من", "في", "و", "الأول", "ألف", "1", "1-", "كانون "])
def test_a_long_text_takes_no_time_to_refuse(word: str) -> None:
    assert parse_date(word * 20_000) is None
