from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from docqa.adapters.memory import ScriptedOcr
from docqa.dates import parse_date
from docqa.documents import Kind
from docqa.fields import Match, spellings
from docqa.page import page_from_pixels
from docqa.reading import read_document
from docqa.reading.cells import Value, heading_on, read_cells, values_on
from docqa.reading.ctc import glyphs
from docqa.reading.excerpts import row_of_name
from docqa.reading.folding import respelled
from docqa.reading.lines import Row, find_rows
from docqa.reading.print_fields import LEAST_CONFIDENCE, Claimed, Print, Readers, read_print
from docqa.reading.printed import is_cut, name_in, read_date_in_words, read_name
from docqa.reading.printed_digits import read_date, read_number
from docqa.reading.regions import Sheet, sheets
from docqa.reading.strips import parse_strip_reader, strip_of
from docqa.text import loose
from docqa.wiring import load_document_types
from fixtures.synthesize.card_designs import DESIGNS, Design
from fixtures.synthesize.cards import id_front
from fixtures.synthesize.documents import civil_extract, letter
from fixtures.synthesize.drawing import Sheet as Paper
from fixtures.synthesize.people import person, varied_person
from fixtures.synthesize.scanner import scan
from fixtures.synthesize.typesetting import arabic_indic

MODELS = Path(__file__).parents[2] / "models"
TYPES = load_document_types(MODELS)
FRONT = TYPES["sy-id-front"]
CARD_MM = (FRONT.width_mm, FRONT.height_mm)
NAMES = {"given_name", "family_name", "father_name", "mother_name", "birth_place"}
MORE_THAN_CERTAIN = 1.1


@cache
def readers() -> Readers:
    return Readers(
        *(
            parse_strip_reader(
                (MODELS / name / "model.onnx").read_bytes(),
                (MODELS / name / "model.json").read_bytes(),
            )
            for name in ("arabic", "digits")
        )
    )


@cache
def printed(design: Design, seed: int = 4, raggedness_um: float = 15.0) -> tuple[Sheet, ...]:
    drawing = id_front(person(seed), seed=seed, design=design, font="DejaVuSans")
    page = page_from_pixels(scan(drawing, seed=seed, raggedness_um=raggedness_um).pixels)
    return tuple(sheets(page, CARD_MM))


def read_strip(sheet: Sheet, row: Row) -> str:
    """What the letters' network reads in each box of the row."""
    reader = readers().arabic
    strips = [strip_of(sheet.pixels, box, row.em_px) for box in row.words]
    read = [glyphs(reader.log_probabilities(strip), reader.classes) for strip in strips]
    return " ".join("".join(glyph.text for glyph in each).strip(" :") for each in read)


def print_on(design: Design, claims: dict[str, str]) -> Print:
    specs = [spec for spec in FRONT.fields if spec.labels]
    seen = read_print(printed(design), FRONT.fields, specs, Claimed(claims), readers())
    assert seen is not None
    return seen


def answers(design: Design, claims: dict[str, str]) -> dict[str, Match]:
    seen = print_on(design, claims)
    found = {field.name: field.match for field in seen.fields}
    return found | {spec.name: "equal" for spec in seen.open}


@pytest.mark.parametrize("design", DESIGNS)
def test_labels_tell_where_the_values_stand_whatever_the_design(design: Design) -> None:
    sheet = printed(design)[0]
    found = values_on(read_cells(sheet, readers().arabic), FRONT.fields)
    assert set(found) == {spec.name for spec in FRONT.fields}


def labels_shown(sheet: Sheet) -> Iterator[str]:
    """What is seen beside each name, which must be seen itself."""
    found = values_on(read_cells(sheet, readers().arabic), FRONT.fields)
    for field in ("given_name", "family_name", "father_name", "mother_name", "birth_place"):
        name = name_in(found[field])
        assert name is not None
        row = row_of_name(found[field], *name)
        shown = read_strip(sheet, row)
        printed_name = name[0].text[name[1] : name[2]]
        assert shown.endswith(printed_name)
        yield shown.removesuffix(printed_name)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_second_reader_is_shown_a_name_and_one_word_of_its_label(design: Design) -> None:
    for label in labels_shown(printed(design, raggedness_um=0.0)[0]):
        assert len(label.split()) <= 1


@pytest.mark.parametrize("design", DESIGNS)
def test_on_ragged_print_it_may_see_the_end_of_a_further_word(design: Design) -> None:
    for label in labels_shown(printed(design)[0]):
        assert sum(len(word) > 1 for word in label.split()) <= 1


@pytest.mark.parametrize("design", DESIGNS)
def test_no_text_is_weighed_that_a_space_beside_the_value_would_favour(
    design: Design, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docqa.reading.printed.SURE_NAME_PROBABILITY", MORE_THAN_CERTAIN)
    found = values_on(read_cells(printed(design)[0], readers().arabic), FRONT.fields)
    for field in ("given_name", "family_name", "mother_name"):
        text = read_name(found[field], ("كنان",), readers().arabic)
        assert text is not None
        assert text.log_likelihoods
        assert not [weighed for weighed in text.log_likelihoods if " " in weighed]


@pytest.mark.parametrize(
    ("kind", "name", "typed"),
    [
        ("name", "أسامة", ("اسامه", "أسامه", "إسامة")),
        ("family_name", "الإبراهيم", ("ابراهيم", "إبراهيم", "الابراهيم")),
        ("name", "عبد الهادي", ("عبدالهادى", "عبد الهادى")),
    ],
)
def test_however_a_name_is_spelled_the_same_is_read(
    kind: Kind, name: str, typed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docqa.reading.printed.SURE_NAME_PROBABILITY", MORE_THAN_CERTAIN)
    monkeypatch.setattr("docqa.reading.printed.SURE_PROBABILITY", MORE_THAN_CERTAIN)
    owner = dataclasses.replace(person(4), given_name=name)
    page = page_from_pixels(id_front(owner, seed=4, design="columns", font="DejaVuSans").pixels)
    cells = read_cells(next(iter(sheets(page, CARD_MM))), readers().arabic)
    value = values_on(cells, FRONT.fields)["given_name"]
    as_printed, *others = (
        read_name(value, spellings(kind, spelling), readers().arabic) for spelling in (name, *typed)
    )
    assert as_printed is not None
    assert as_printed.text == name
    assert as_printed.spelled(loose(name)) == name
    for other in others:
        assert other is not None
        assert other.text == name
        assert other.confidence == pytest.approx(as_printed.confidence)


def test_a_form_is_spelled_as_the_picture_has_it() -> None:
    classes = tuple("أاسمةهءع ")
    frames = np.log(np.full((12, len(classes) + 1), 1e-4))
    for at, seen in enumerate("أ سمة ع "):
        frames[at, classes.index(seen) + 1] = 0.0
    frames[8:, 0] = 0.0
    assert respelled("اسمهع", frames, classes) == "أ سمة ع"


@pytest.mark.parametrize(("limit", "is_asked"), [(MORE_THAN_CERTAIN, True), (1e-9, False)])
def test_a_second_reader_is_asked_about_names_that_are_not_surely_read(
    limit: float, is_asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docqa.reading.printed.SURE_NAME_PROBABILITY", limit)
    claims = person(4).claims()
    seen = print_on("lines", claims)
    read = {field.name: field.match for field in seen.fields}
    assert {spec.name for spec in seen.open} == (NAMES if is_asked else set())
    assert all(read.get(name) == "equal" for name in NAMES) is not is_asked
    # What is surely another name is nobody's to look at again.
    other = print_on("lines", claims | {"given_name": "ضرغام"})
    assert "given_name" not in {spec.name for spec in other.open}


def test_a_family_name_is_weighed_with_and_without_its_article(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("docqa.reading.printed.SURE_NAME_PROBABILITY", MORE_THAN_CERTAIN)
    claims = person(4).claims()
    name = claims["family_name"]
    weighed = [
        candidate.printed.log_likelihoods
        for typed in (name, f"ال{name}")
        for spec, candidate in print_on("lines", claims | {"family_name": typed}).open.items()
        if spec.name == "family_name"
    ]
    plain, with_article = weighed
    assert len(plain) > 1
    assert with_article.keys() >= plain.keys()


@cache
def number_of_zeros() -> tuple[Value, str]:
    """A number in coarse print, of which the two zeros are two dots that run together."""
    owner = dataclasses.replace(varied_person(371), national_number="00302937949")
    drawing = id_front(owner, seed=371, design="mirrored")
    page = page_from_pixels(scan(drawing, seed=371, ppi=150, skew_deg=2.0).pixels)
    cells = read_cells(next(iter(sheets(page, CARD_MM))), readers().arabic)
    return values_on(cells, FRONT.fields)["national_number"], owner.national_number


def test_a_number_whose_zeros_run_together_is_read_at_another_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value, number = number_of_zeros()
    found = read_number(value, number, readers().digits)
    assert found is not None
    assert found.text == number
    assert found.confidence >= LEAST_CONFIDENCE
    monkeypatch.setattr("docqa.reading.printed_digits.DIGIT_LOOKS", ())
    assert read_number(value, number, readers().digits) is None


class Silent:
    """A network that sees paper everywhere; takes the place of a ``cv2.dnn.Net``."""

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.columns = 0

    def setInput(self, strip: npt.NDArray[np.float32]) -> None:  # noqa: N802
        self.columns = strip.shape[-1] // 4

    def forward(self) -> npt.NDArray[np.float32]:
        answer = np.zeros((1, self.classes, 1, self.columns), np.float32)
        answer[:, 0] = 20.0
        return answer


def test_what_the_digits_network_cannot_make_out_the_letters_network_reads() -> None:
    reader = readers().digits
    network = cast("cv2.dnn.Net", Silent(len(reader.classes) + 1))
    silent = dataclasses.replace(reader, network=network)
    owner = person(4)
    found = values_on(read_cells(printed("columns")[0], readers().arabic), FRONT.fields)
    number = read_number(found["national_number"], owner.national_number, silent)
    assert number is not None
    assert (number.text, number.is_digits) == (owner.national_number, True)
    assert len(number.log_likelihoods) > 1
    date = read_date(found["birth_date"], owner.birth_date.isoformat(), silent)
    assert date is not None
    assert parse_date(date.text) == owner.birth_date
    assert all(re.fullmatch(r"\d+-\d+-\d+|\d+/\d+/\d+", text) for text in date.log_likelihoods)
    at = 5
    wrong = owner.national_number[:at] + str((int(owner.national_number[at]) + 1) % 10)
    wrong += owner.national_number[at + 1 :]
    other = read_number(found["national_number"], wrong, silent)
    assert other is not None
    assert other.text == owner.national_number


def test_nothing_but_eleven_digits_is_weighed_as_a_number() -> None:
    value, number = number_of_zeros()
    for claim in (number, number[1:], f"0{number}", number[:5]):
        found = read_number(value, claim, readers().digits)
        assert found is not None
        assert found.text == number
        assert {len(text) for text in found.log_likelihoods} == {11}


def test_however_a_number_is_typed_it_is_weighed_against_the_same_others() -> None:
    value, number = number_of_zeros()
    plain = read_number(value, number, readers().digits)
    assert plain is not None
    assert len(plain.log_likelihoods) > 1
    dashed = f"{number[:3]}-{number[3:6]}-{number[6:]}"
    for typed in (dashed, dashed.replace("-", " "), arabic_indic(number), number[1:]):
        found = read_number(value, typed, readers().digits)
        assert found is not None
        assert found.log_likelihoods == plain.log_likelihoods, typed


@pytest.mark.parametrize("design", DESIGNS)
def test_number_and_date_are_read_and_one_wrong_digit_is_seen(design: Design) -> None:
    claims = person(4).claims()
    found = answers(design, claims)
    assert found["national_number"] == "equal"
    assert found["birth_date"] == "equal"
    number = claims["national_number"]
    for at in (0, 5, 10):
        digit = str((int(number[at]) + 3) % 10)
        wrong = claims | {"national_number": number[:at] + digit + number[at + 1 :]}
        assert answers(design, wrong).get("national_number") != "equal"


def test_names_that_are_printed_are_likely_and_other_names_are_not() -> None:
    claims = person(4).claims()
    names = ("given_name", "family_name", "father_name")
    found = answers("lines", claims)
    assert sum(found.get(name) == "equal" for name in names) >= 2
    other = claims | {"given_name": "بثينة", "family_name": "شيخو", "father_name": "ضرغام"}
    found = answers("lines", other)
    assert not [name for name in names if found.get(name) == "equal"]


def test_of_labels_as_alike_the_one_declared_first_counts() -> None:
    paper = Paper(86, 54, 300)
    for text, baseline_mm in (("اسم الأت", 20.0), ("عمر", 26.5)):
        paper.text(text, 80.0, baseline_mm, 9.0, family="DejaVuSans")
    drawn = paper.finish("sy-id-front", person(1))
    cells = read_cells(tuple(sheets(page_from_pixels(drawn.pixels), CARD_MM))[0], readers().arabic)
    specs = {spec.name: spec for spec in FRONT.fields}
    father, mother = specs["father_name"], specs["mother_name"]
    assert set(values_on(cells, [father, mother])) == {"father_name"}
    assert set(values_on(cells, [mother, father])) == {"mother_name"}


def pieces_under(line: str, under: str) -> list[str]:
    """What may be the birth date where ``under`` is printed below ``line``."""
    paper = Paper(86, 54, 300)
    for text, baseline_mm in ((line, 20.0), (under, 25.5)):
        paper.text(text, 80.0, baseline_mm, 9.0, family="DejaVuSans")
    drawn = paper.finish("sy-id-front", person(1))
    shown = tuple(sheets(page_from_pixels(drawn.pixels), CARD_MM))[0]
    found = values_on(read_cells(shown, readers().arabic), FRONT.fields)
    return [piece.text for piece in found["birth_date"].pieces]


def test_a_date_may_stand_under_the_line_of_its_place_and_other_print_may_not() -> None:
    place = "محل وتاريخ الولادة: دمشق"
    assert len(pieces_under(place, arabic_indic("22-10-1961"))) == 2
    assert len(pieces_under(place, "تاريخ المنح " + arabic_indic("22-10-1961"))) == 1


@pytest.mark.parametrize(("label", "name"), [("الاسم", "إلياس"), ("الاشم", "الجاسم")])
def test_a_name_that_looks_like_a_label_is_a_value(label: str, name: str) -> None:
    paper = Paper(86, 54, 300)
    rows = ((label, "رؤوف"), ("اسم الأب", name), ("محل الولادة", "دمشق"))
    for at, (before, value) in enumerate(rows):
        paper.text(before, 80.0, 16.0 + 7 * at, 9.0, family="DejaVuSans")
        paper.text(value, 50.0, 16.0 + 7 * at, 9.0, family="DejaVuSans")
    drawn = paper.finish("sy-id-front", person(1))
    shown = tuple(sheets(page_from_pixels(drawn.pixels), CARD_MM))[0]
    found = values_on(read_cells(shown, readers().arabic), FRONT.fields)
    assert [piece.text for piece in found["father_name"].pieces] == [name]
    assert [piece.text for piece in found["given_name"].pieces] == ["رؤوف"]


def name_beside_its_label(*placed: tuple[str, float]) -> Value:
    """Where the given name is found, with these texts in its line, each from its right edge on."""
    paper = Paper(86, 54, 300)
    for text, right_mm in (("الاسم:", 80.0), *placed):
        paper.text(text, right_mm, 20.0, 9.0, family="DejaVuSans")
    drawn = paper.finish("sy-id-front", person(1))
    shown = tuple(sheets(page_from_pixels(drawn.pixels), CARD_MM))[0]
    return values_on(read_cells(shown, readers().arabic), FRONT.fields)["given_name"]


@pytest.mark.parametrize(
    ("placed", "expected"),
    [
        ((("محمد", 70.0),), False),
        ((("محمد علي", 70.0),), False),
        ((("محمد (علي)", 70.0),), True),
        ((("محمد (", 70.0),), False),
        ((("محمد " + arabic_indic("1985"), 70.0),), False),
        ((("محمد", 70.0), ("علي", 56.0)), True),
        ((("محمد", 70.0), ("ذكر", 30.0)), False),
        ((("محمد", 70.0), ("الجنس: ذكر", 56.0)), False),
        ((("محمد", 70.0), ("الكنية", 56.0), ("حداد", 46.0)), False),
        ((("(", 70.0),), False),
    ],
)
def test_a_name_is_cut_where_letters_follow_close_by_that_are_no_label(
    placed: tuple[tuple[str, float], ...], expected: bool
) -> None:
    assert is_cut(name_beside_its_label(*placed)) == expected


@pytest.mark.parametrize("name", ["محمد (علي)", "محمد (علي)  نور"])
@pytest.mark.parametrize("design", DESIGNS)
def test_part_of_a_name_is_never_confirmed(design: Design, name: str) -> None:
    owner = dataclasses.replace(person(4), given_name=name, birth_place="حمص (تدمر)")
    page = page_from_pixels(id_front(owner, seed=4, design=design, font="DejaVuSans").pixels)
    specs = [spec for spec in FRONT.fields if spec.name in ("given_name", "birth_place")]
    for typed in ("محمد", name, "علي"):
        claimed = Claimed({"given_name": typed, "birth_place": "حمص"})
        seen = read_print(sheets(page, CARD_MM), FRONT.fields, specs, claimed, readers())
        assert seen is not None
        read = {field.name for field in seen.fields} | {spec.name for spec in seen.open}
        assert read == {"birth_place"}


def test_a_heading_names_the_type() -> None:
    cells = read_cells(printed("lines")[0], readers().arabic)
    found = heading_on(cells, TYPES.values())
    assert found is not None
    assert found[0] == "sy-id-front"
    assert heading_on([], TYPES.values()) is None


def test_a_label_that_stands_alone_has_no_date_in_words() -> None:
    (label, *_) = read_cells(printed("lines")[0], readers().arabic)
    assert read_date_in_words(Value(label, (), 100.0), readers().arabic) is None


@pytest.mark.parametrize("seed", [2, 5, 6])
def test_a_date_in_words_is_read_from_the_table_of_an_extract(seed: int) -> None:
    kind = TYPES["civil-extract"]
    owner = person(seed)
    page = page_from_pixels(civil_extract(owner, seed=seed, dates_in_words=True).pixels)
    (shown, *_) = sheets(page, (kind.width_mm, kind.height_mm))
    value = values_on(read_cells(shown, readers().arabic), kind.fields)["birth_date"]
    found = read_date_in_words(value, readers().arabic)
    assert found is not None
    assert parse_date(found.text) == owner.birth_date
    assert found.confidence > LEAST_CONFIDENCE


def test_the_engine_looks_for_labels_on_one_sheet_where_the_networks_find_none() -> None:
    kind = TYPES["civil-extract"]
    page = page_from_pixels(letter(script="latin", seed=1).pixels)
    rows = len(find_rows(next(sheets(page, (kind.width_mm, kind.height_mm))).pixels))
    for networks, looks in ((readers(), 1), (None, 2)):
        engine = ScriptedOcr([])
        read_document([page], kind, person(1).claims(), engine, readers=networks)
        asked = [lines for _, layout, lines in engine.calls if layout == "line"]
        assert len(asked) == looks
        assert asked[0] == rows
