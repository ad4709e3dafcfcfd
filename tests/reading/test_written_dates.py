from __future__ import annotations

import datetime

import numpy as np
import pytest

from docqa.dates import SLOTS, parse_date
from docqa.reading.ctc import LogProbabilities
from docqa.reading.slots import Word, likeliest_sentence
from docqa.reading.written_dates import written_date
from fixtures.synthesize.date_words import date_in_words

LETTERS = tuple("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي0123456789 -")


def answer(text: str, slips: dict[int, tuple[str, float]] | None = None) -> LogProbabilities:
    """A frame a character with a blank between them; ``slips``: what a character is taken for."""
    frames = np.full((2 * len(text), 1 + len(LETTERS)), 1e-6)
    for at, character in enumerate(text):
        frames[2 * at, 1 + LETTERS.index(character)] = 1.0
        frames[2 * at + 1, 0] = 1.0
        if slips and at in slips:
            other, probability = slips[at]
            frames[2 * at, 1 + LETTERS.index(other)] = probability
            frames[2 * at, 1 + LETTERS.index(character)] = 1 - probability
    return np.asarray(np.log(frames / frames.sum(axis=1, keepdims=True)), np.float64)


def texts(words: list[Word]) -> list[str]:
    return [word.text for word in words]


def test_the_likeliest_word_of_every_slot_is_found() -> None:
    slots = (("", "في"), ("شباط", "نيسان"), ("", "م"))
    assert texts(likeliest_sentence(answer("نيسان"), slots, LETTERS)) == ["", "نيسان", ""]
    assert texts(likeliest_sentence(answer("فيشباطم"), slots, LETTERS)) == ["في", "شباط", "م"]
    assert likeliest_sentence(answer("م")[:0], slots, LETTERS) == []
    assert likeliest_sentence(answer("م"), (("Ω",),), LETTERS) == []


def test_a_word_is_in_doubt_by_what_the_network_likes_better() -> None:
    slots = (("شباط", "نيسان"),)
    (sure,) = likeliest_sentence(answer("شباط"), slots, LETTERS)
    (unsure,) = likeliest_sentence(answer("شباط", {1: ("ن", 0.9)}), slots, LETTERS)
    (led,) = likeliest_sentence(answer("ظشباط"), slots, LETTERS)
    assert sure.doubt_nats == pytest.approx(0.0, abs=1e-3)
    assert unsure.doubt_nats == pytest.approx(np.log(9), abs=1e-3)
    assert led.text == "شباط"
    assert led.doubt_nats > 10


@pytest.mark.parametrize("year", [1931, 1958, 1987, 2000, 2011])
@pytest.mark.parametrize("day", range(1, 32))
def test_every_day_of_a_month_is_read_in_words(day: int, year: int) -> None:
    date = datetime.date(year, (1, 3, 5, 7, 8, 10, 12)[(day + year) % 7], day)
    found = written_date(answer(date_in_words(date)), LETTERS)
    assert found is not None
    assert found.date == date
    assert found.share > 0.99


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("السابع والعشرون من شهر تموز سنة ألف وتسعمائة وخمس وثمانين للميلاد", "1985-07-27"),
        ("في العشرين من أيار عام ألف وتسعمئة وثمانية وثمانين", "1988-05-20"),
        ("بتاريخ الثالث عشر من تشرين الأول ألفين وأحد عشر", "2011-10-13"),
        ("يوم الحادي والثلاثون من كانون الأول لعام ألفان واثني عشر ميلادية", "2012-12-31"),
        ("الخامس من شباط سنة ألف وتسعماية", "1900-02-05"),
        ("عشرة نيسان ألفين وعشرة", "2010-04-10"),
        ("الأول من كانون ثاني عام ألف وتسع مئة وأربع وسبعون م", "1974-01-01"),
        ("22 تشرين الثاني 1961", "1961-11-22"),
    ],
)
def test_registers_word_their_dates_in_many_ways(text: str, date: str) -> None:
    found = written_date(answer(text), LETTERS)
    assert found is not None
    assert found.date.isoformat() == date


def test_letters_that_spell_alike_and_lost_spaces_make_no_difference() -> None:
    for text in ("اول من اذار عام الفين", "أول منآذار عامألفين", "1 آذار 2000"):
        found = written_date(answer(text), LETTERS)
        assert found is not None
        assert found.date == datetime.date(2000, 3, 1)


def test_a_slip_that_makes_no_word_is_none_and_one_that_makes_a_word_is_doubt() -> None:
    date = datetime.date(1987, 3, 2)
    text = date_in_words(date)
    at = text.index("ثاني")
    slipped = written_date(answer(text, {at: ("ن", 0.95)}), LETTERS)
    assert slipped is not None
    assert slipped.date == date
    assert slipped.share > 0.9

    text = "اليوم الأول من شهر آب لعام ألف وتسعمائة وسبعين"
    at = text.index("سبعين")
    half = {at: ("ت", 0.5), at + 1: ("س", 0.5)}
    doubtful = written_date(answer(text, half), LETTERS)
    assert doubtful is not None
    assert doubtful.share < 0.8


@pytest.mark.parametrize(
    "text",
    ["اليوم الأول من شهر مارس لعام ألفين", "دمشق الأول من شهر آذار لعام ألفين", "خالد العبد الله",
     "اليوم الثلاثين من شهر شباط لعام ألفين"],
)  # fmt: skip
def test_what_is_no_date_of_the_calendar_is_not_read(text: str) -> None:
    assert written_date(answer(text), LETTERS) is None


def test_a_choice_of_one_word_a_slot_can_be_a_date_in_every_slot() -> None:
    plain = ["", "اول", "", "", "", "اذار", "", "", "الف", "", "تسع", "مايه", "", "وسبعين", ""]
    assert parse_date("".join(plain)) == datetime.date(1970, 3, 1)
    for at, slot in enumerate(SLOTS):
        texts = ["".join([*plain[:at], word, *plain[at + 1 :]]) for word in slot]
        assert any(parse_date(text) is not None for text in texts if text != "".join(plain))
