from __future__ import annotations

import datetime
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.adapters.memory import ScriptedOcr
from docqa.adapters.tesseract import TesseractEngine
from docqa.page import page_from_pixels
from docqa.reading.mrz import Mrz, check_digit, find_bands, parse_zone, read_mrz
from docqa.reading.regions import Sheet
from fixtures.synthesize.documents import machine_readable_zone, passport_page
from fixtures.synthesize.people import person

TD3_MM = (125.0, 88.0)
# The specimen of ICAO Doc 9303-4, appendix B.
FIRST = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
SECOND = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"


def passport_sheet() -> Sheet:
    page = page_from_pixels(passport_page(person(3), seed=3, ppi=300).pixels)
    return Sheet(page.luma(), np.eye(3), 1)


SHEET = passport_sheet()
OUTLINE = ((0.0, 0.0), (9.0, 0.0), (9.0, 2.0), (0.0, 2.0))


def read(first: str, second: str, *more: str) -> Mrz | None:
    second_pass = [(more[0], more[1])] if more else []
    return parse_zone([(first, second), *second_pass], OUTLINE)


@pytest.mark.parametrize(
    ("characters", "digit"),
    [
        ("L898902C3", "6"),
        ("740812", "2"),
        ("120415", "9"),
        ("ZE184226B<<<<<", "1"),
        ("L898902C367408122120415" + "9ZE184226B<<<<<1", "0"),
        ("<<<<<<", "0"),
    ],
)
def test_check_digits_are_those_of_the_standard(characters: str, digit: str) -> None:
    assert check_digit(characters) == digit


def test_the_specimen_of_the_standard_is_read() -> None:
    zone = read(FIRST, SECOND)
    assert zone is not None
    assert zone.valid_check_digits == 5
    assert zone.values == {
        "passport_number": ("L898902C3",),
        "birth_date": ("1974-08-12",),
        "surname": ("ERIKSSON",),
        "given_names": ("ANNA MARIA",),
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FIRST[:26] + "cceceec§ceccéec", SECOND),
        (FIRST, SECOND[:20] + " " + SECOND[20:]),
        (FIRST, SECOND.replace("7408122", "74O8I22")),
        (FIRST, SECOND.replace("<<<<<10", "<@<<<10")),
        (FIRST.replace("MARIA", "MAR1A"), SECOND),
    ],
)
def test_what_can_only_be_one_character_is_read_as_that(first: str, second: str) -> None:
    zone = read(first, second)
    assert zone is not None
    assert zone.valid_check_digits == 5
    assert zone.values["given_names"] == ("ANNA MARIA",)


@given(st.integers(0, 9), st.sampled_from("0123456789"))
def test_a_number_whose_check_digit_fails_is_never_certain(at: int, digit: str) -> None:
    wrong = SECOND[:at] + digit + SECOND[at + 1 :]
    zone = read(FIRST, wrong)
    assert zone is not None
    if wrong[9] != check_digit(wrong[:9]):
        assert "passport_number" not in zone.agreed
    assert zone.values["birth_date"] == ("1974-08-12",)


@pytest.mark.parametrize("fillers", ["<", "<<<", "<<<<", "<<<<<<", "<<<<<<<<"])
def test_a_line_that_lost_or_gained_fillers_is_set_right_by_its_check_digits(fillers: str) -> None:
    zone = read(FIRST, SECOND.replace("<<<<<", fillers))
    assert zone is not None
    assert zone.values["passport_number"] == ("L898902C3",)
    assert zone.values["birth_date"] == ("1974-08-12",)
    assert zone.valid_check_digits == 5


@pytest.mark.parametrize(
    "second",
    [
        SECOND.replace("L898902C3", "L8989O2C3"),
        SECOND.replace("L898902C3", "LB989O2C3"),
        SECOND.replace("L898902C3", "L8989O02C3"),
        SECOND.replace("ZE184226B", "ZEI84226B"),
    ],
)
def test_look_alikes_are_exchanged_where_the_check_digit_proves_it(second: str) -> None:
    zone = read(FIRST, second)
    assert zone is not None
    assert zone.values["passport_number"] == ("L898902C3",)
    assert zone.valid_check_digits == 5
    assert ("passport_number" in zone.agreed) == second.startswith("L898902C3")


def test_a_number_that_two_exchanges_would_prove_is_not_told() -> None:
    misread, one, other = "A12O45O78", "A12O45078", "A12045O78"
    assert check_digit(one) == check_digit(other) != check_digit(misread)
    zone = read(FIRST, misread + check_digit(one) + SECOND[10:])
    assert zone is not None
    assert zone.values["passport_number"] == ()


WITHOUT_OPTIONAL = SECOND[:28] + "<" * 15
ILLEGIBLE_NUMBER = "L8X8902C3" + SECOND[9:43]


@pytest.mark.parametrize(
    ("second", "valid"),
    [
        pytest.param(
            WITHOUT_OPTIONAL
            + check_digit(
                WITHOUT_OPTIONAL[:10] + WITHOUT_OPTIONAL[13:20] + WITHOUT_OPTIONAL[21:43]
            ),
            5,
            id="no optional data, and a filler for its check digit",
        ),
        pytest.param("<" * 9 + "0" + SECOND[10:], 3, id="no number, though 0 is its check digit"),
        pytest.param(
            ILLEGIBLE_NUMBER + check_digit(SECOND[13:20] + SECOND[21:43]),
            3,
            id="a whole without its number",
        ),
    ],
)
def test_a_check_digit_counts_where_it_proves_something(second: str, valid: int) -> None:
    zone = read(FIRST, second)
    assert zone is not None
    assert zone.valid_check_digits == valid


def test_readings_that_differ_are_both_told() -> None:
    zone = read(FIRST, SECOND, FIRST.replace("ANNA", "ANMA"), SECOND)
    assert zone is not None
    assert zone.values["given_names"] == ("ANNA MARIA", "ANMA MARIA")


def test_only_what_all_readings_give_alike_is_agreed() -> None:
    zone = read(FIRST, SECOND, FIRST.replace("ANNA", "ANMA"), SECOND)
    assert zone is not None
    assert zone.agreed == {"passport_number", "birth_date", "surname"}


def test_a_number_that_one_reading_gives_by_exchange_alone_is_not_agreed() -> None:
    zone = read(FIRST, SECOND, FIRST, SECOND.replace("L898902C3", "L8989O2C3"))
    assert zone is not None
    assert zone.values["passport_number"] == ("L898902C3",)
    assert "passport_number" not in zone.agreed


def test_a_reading_that_fewer_check_digits_prove_has_no_say_in_numbers() -> None:
    zone = read(FIRST, SECOND, FIRST, "A12345678" + check_digit("A12345678") + SECOND[10:])
    assert zone is not None
    assert zone.values["passport_number"] == ("L898902C3",)
    assert "passport_number" in zone.agreed


FILLERS = np.array([[character == "<" for character in line] for line in (FIRST, SECOND)])

STROKE_TOO_MANY = "NQ80990740SYR/7902099F280720371258747214<<<Q8"
"""45 characters, of the number N08099074. Without one of its nines they are a zone of the number
NQ8090740 with the check digit S, for 5, and all five digits hold."""
PROVEN = {"passport_number", "birth_date"}


def test_what_holds_only_without_a_character_that_was_read_is_not_agreed() -> None:
    zone = read(FIRST, STROKE_TOO_MANY)
    assert zone is None or not PROVEN & zone.agreed


@pytest.mark.parametrize(
    "second",
    [
        pytest.param("1" + SECOND, id="a character before it"),
        pytest.param(SECOND[:3] + SECOND[2:], id="a character twice"),
        pytest.param(SECOND[:24] + SECOND[23:], id="a character of a date twice"),
    ],
)
@pytest.mark.parametrize("are_fillers_known", [True, False])
def test_a_line_is_agreed_only_as_it_was_read(second: str, are_fillers_known: bool) -> None:
    fillers = FILLERS if are_fillers_known else None
    shown = [(FIRST, SECOND), (FIRST, second)]
    if are_fillers_known:
        shown = [(first.replace("<", ""), line.replace("<", "")) for first, line in shown]
    as_read, shifted = (parse_zone([each], OUTLINE, fillers) for each in shown)
    assert as_read is not None
    assert shifted is not None
    assert as_read.agreed >= PROVEN
    assert shifted.values["birth_date"] == as_read.values["birth_date"]
    assert not PROVEN & shifted.agreed


def test_one_reading_that_stands_as_it_was_read_is_enough() -> None:
    zone = read(FIRST, SECOND[:3] + SECOND[2:], FIRST, SECOND)
    assert zone is not None
    assert zone.agreed >= PROVEN


def test_a_filler_that_is_set_into_the_number_leaves_it_open() -> None:
    second = "N01234<<<" + check_digit("N01234<<<") + SECOND[10:43]
    second += check_digit(second[:10] + second[13:20] + second[21:43])
    whole, cut = read(FIRST, second), read(FIRST, second.replace("4<<<", "4<<"))
    assert whole is not None
    assert cut is not None
    assert whole.agreed >= PROVEN
    assert cut.values["passport_number"] == ("N01234",)
    assert not PROVEN & cut.agreed


def test_a_check_digit_that_is_read_as_a_letter_leaves_its_number_open() -> None:
    number = "L898902C5"
    assert check_digit(number) == "8"
    second = number + "B" + SECOND[10:43]
    zone = read(FIRST, second + check_digit(number + "8" + second[13:20] + second[21:43]))
    assert zone is not None
    assert zone.is_proven
    assert zone.values["passport_number"] == (number,)
    assert "passport_number" not in zone.agreed


@pytest.mark.parametrize("at", [27, 42, 43])
def test_numbers_and_dates_are_certain_only_where_every_check_digit_holds(at: int) -> None:
    """One wrong number in ten holds its own."""
    wrong = SECOND[:at] + "5" + SECOND[at + 1 :]
    zone = read(FIRST, wrong)
    assert zone is not None
    assert zone.values["passport_number"] == ("L898902C3",)
    assert zone.valid_check_digits < 5
    assert not PROVEN & zone.agreed
    assert zone.agreed >= {"surname", "given_names"}


@pytest.mark.parametrize(
    "second",
    [
        pytest.param("L898902C36UTO/408122F1204159ZE184226B 10", id="a seven read as a stroke"),
        pytest.param("L898902C36UTO7408122F1204159ZE184226B / 10", id="a stain read as a stroke"),
    ],
)
def test_strokes_that_are_no_characters_of_their_own_do_no_harm(second: str) -> None:
    zone = parse_zone([("PUTOERIKSSON ANNA MARIA", second)], OUTLINE, FILLERS)
    assert zone is not None
    assert zone.valid_check_digits == 5
    assert zone.values["passport_number"] == ("L898902C3",)
    assert zone.values["birth_date"] == ("1974-08-12",)


def test_the_edge_of_the_crop_before_a_line_is_no_character() -> None:
    second = machine_readable_zone(person(5), datetime.date(2030, 1, 1))[1]
    assert second[0] not in "1IL"
    fillers = np.array([[character == "<" for character in line] for line in (FIRST, second)])
    readings = [("PUTOERIKSSON ANNA MARIA", "1" + second.replace("<", ""))]
    zone = parse_zone(readings, OUTLINE, fillers)
    assert zone is not None
    assert zone.valid_check_digits == 5
    assert zone.values["passport_number"] == (second[:9],)


def test_known_fillers_set_a_reading_into_its_cells() -> None:
    readings = [("PUT OERIKSSON ANNA MARIA", "L898902C36UTO7408122F1204159 ZE184226B 10")]
    zone = parse_zone(readings, OUTLINE, FILLERS)
    assert zone is not None
    assert zone.valid_check_digits == 5
    assert zone.values["given_names"] == ("ANNA MARIA",)
    short = parse_zone([("PUTOERIKSON ANNA MARIA", readings[0][1])], OUTLINE, FILLERS)
    assert short is not None
    assert short.values["surname"] == ()


def test_names_cut_off_at_the_end_of_the_line_are_not_told() -> None:
    zone = read("P<UTO" + "ERIKSSON<<" + "A" * 29, SECOND)
    assert zone is not None
    assert zone.values["surname"] == ("ERIKSSON",)
    assert zone.values["given_names"] == ()


@pytest.mark.parametrize(
    ("born", "expires", "dates"),
    [("740812", "120415", ("1974-08-12",)), ("250101", "290101", ("2025-01-01", "1925-01-01")),
     ("100101", "290101", ("2010-01-01",)), ("300101", "290101", ("1930-01-01",)),
     ("990231", "290101", ())],
)  # fmt: skip
def test_a_century_is_told_where_it_is_possible(
    born: str, expires: str, dates: tuple[str, ...]
) -> None:
    second = f"L898902C36UTO{born}{check_digit(born)}F{expires}{check_digit(expires)}"
    zone = read(FIRST, second + SECOND[28:])
    assert zone is not None
    assert zone.values["birth_date"] == dates


@pytest.mark.parametrize("code", ["V<", "VR", "VP"])
@pytest.mark.parametrize("are_fillers_known", [True, False])
def test_a_visa_is_no_passport(code: str, are_fillers_known: bool) -> None:
    first, second = code + FIRST[2:], SECOND[:28] + "<" * 16
    fillers = np.array([[character == "<" for character in line] for line in (first, second)])
    readings = [(first, second)]
    if are_fillers_known:
        readings = [(first.replace("<", ""), second.replace("<", ""))]
    assert parse_zone(readings, OUTLINE, fillers if are_fillers_known else None) is None


@pytest.mark.parametrize("edge", ["", "1", "| ", "I"])
def test_a_passport_is_taken_for_a_visa_only_where_no_reading_begins_as_its_own(edge: str) -> None:
    passport, visa, astray = FIRST, "V" + FIRST[1:], "F" + FIRST[1:]
    for first, second in ((passport, visa), (astray, astray), (passport, astray)):
        assert read(edge + first, SECOND, second, SECOND) is not None
    for first, second in ((visa, visa), (visa, astray)):
        assert read(edge + first, SECOND, second, SECOND) is None


@pytest.mark.parametrize("text", ["", "<", "JUST SOME PRINT", "9" * 44, "<" * 44, "é" * 500])
def test_print_that_is_no_zone_gives_nothing(text: str) -> None:
    assert read(text, text) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_reading_raises(first: str, second: str) -> None:
    read(first, second)


@pytest.mark.parametrize("level", [0, 255])
def test_an_empty_sheet_has_no_zone_and_costs_no_call(level: int) -> None:
    sheet = Sheet(np.full((400, 600), level, np.uint8), np.eye(3), 1)
    engine = ScriptedOcr([])
    assert find_bands(sheet.pixels) is None
    assert read_mrz(sheet, engine) is None
    assert engine.calls == []


def test_where_the_cells_prove_nothing_the_lines_count_as_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    astray = np.zeros((2, 44), np.bool_)
    astray[0, 1] = True
    monkeypatch.setattr("docqa.reading.mrz.fillers_of", lambda depth, lines: astray)
    lines = machine_readable_zone(person(3), datetime.date(2030, 1, 1))
    engine = ScriptedOcr([[line.replace("<", "") for line in lines] * 2, [*lines] * 2])
    zone = read_mrz(SHEET, engine)
    assert zone is not None
    assert zone.valid_check_digits == 5
    assert zone.values["passport_number"] == (person(3).passport_number,)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_tesseract_reads_a_drawn_zone() -> None:
    zone = read_mrz(SHEET, TesseractEngine())
    someone = person(3)
    assert machine_readable_zone(someone, datetime.date(2030, 1, 1))[1][:9] == (
        someone.passport_number
    )
    assert zone is not None
    assert someone.passport_number in zone.values["passport_number"]
    assert someone.birth_date.isoformat() in zone.values["birth_date"]
    assert someone.family_name_latin in zone.values["surname"]
