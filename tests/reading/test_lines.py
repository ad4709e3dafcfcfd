from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from docqa.adapters.memory import ScriptedOcr
from docqa.documents import FieldSpec, parse_document_type
from docqa.page import Pixels, page_from_pixels
from docqa.reading.lines import PASSES, Row, find_rows, labelled, picture_of, read_labelled
from docqa.reading.regions import Sheet
from fixtures.synthesize.documents import civil_extract, id_front
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.people import person

MODELS = Path(__file__).parents[2] / "models" / "documents"


def specs(type_id: str) -> tuple[FieldSpec, ...]:
    text = (MODELS / f"{type_id}.toml").read_text(encoding="utf-8")
    return tuple(spec for spec in parse_document_type(text).fields if "ocr" in spec.sources)


def luma(drawing: Drawing) -> Pixels:
    return page_from_pixels(drawing.pixels).luma()


FRONT = specs("sy-id-front")
EXTRACT = specs("civil-extract")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("الاسم: طارق", {"given_name": "طارق"}),
        ("الاسم : طارق |", {"given_name": "طارق"}),
        ("الاسم طارق", {"given_name": "طارق"}),
        ("النسية: العلي", {"family_name": "العلي"}),
        ("الكنية: العلي", {"family_name": "العلي"}),
        ("اسم الأب: سامر", {"father_name": "سامر"}),
        ("اسم الأم: رنا", {"mother_name": "رنا"}),
        ("اسم و نسبة الأم: لمياء قباني _", {"mother_name": "لمياء قباني"}),
        (
            "محل وتاريخ الولادة: دير الزور ٢٢-١٠-١٩٨٣",
            {"birth_place": "دير الزور", "birth_date": "22-10-1983"},
        ),
        (
            "محل وتاریخ الولادة: إدلب 1۹۸۳-۱۰-۲۲",
            {"birth_place": "إدلب", "birth_date": "1983-10-22"},
        ),
        ("الجنس: ذكر", {}),
        ("الجمهورية العربية السورية", {}),
        ("الاسم:", {}),
        ("الاسم: -", {}),
        ("", {}),
    ],
)
def test_a_label_tells_the_field_and_the_rest_is_its_value(
    text: str, expected: dict[str, str]
) -> None:
    found = {spec.name: value for spec, value, _ in labelled(text, FRONT) if value}
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("تاريخ الولادة 22-10-1983", {"birth_date": "22-10-1983"}),
        ("محل الولادة إدلب", {"birth_place": "إدلب"}),
        ("الرقم الوطني 50297641418", {"national_number": "50297641418"}),
        ("تاريخ التسجيل 22-10-1984", {}),
        ("محل ورقم القيد إدلب 968", {}),
        ("اسم الجد سامر", {}),
    ],
)
def test_labels_of_other_lines_are_not_mistaken(text: str, expected: dict[str, str]) -> None:
    found = {spec.name: value for spec, value, _ in labelled(text, EXTRACT) if value}
    assert found == expected


@pytest.mark.parametrize("seed", [1, 4, 7])
def test_every_printed_field_lies_in_one_row(seed: int) -> None:
    drawing = id_front(person(seed), seed=seed, ppi=300)
    rows = [row.box() for row in find_rows(luma(drawing))]
    for polygon in drawing.fields.values():
        centre_x, centre_y = np.mean(polygon, axis=0)
        holding = [
            (left, right)
            for left, top, right, bottom in rows
            if left <= centre_x <= right and top <= centre_y <= bottom
        ]
        assert len(holding) == 1


def test_rulings_of_a_table_are_no_rows() -> None:
    drawing = civil_extract(person(1), seed=1, ppi=300)
    for row in find_rows(luma(drawing)):
        left, _, right, _ = row.words[0]
        assert right - left < 0.7 * drawing.pixels.shape[1]


def test_the_word_beside_a_ruling_belongs_to_its_row() -> None:
    pixels = np.full((400, 1200), 255, np.uint8)
    for y in (100, 225):
        cv2.line(pixels, (200, y), (1000, y), 0, 3)
    cv2.line(pixels, (200, 60), (200, 300), 0, 3)
    cv2.rectangle(pixels, (212, 150), (300, 180), 0, 3)
    (row,) = find_rows(pixels)
    left, top, right, bottom = row.box()
    assert left == pytest.approx(212, abs=4)
    assert right == pytest.approx(300, abs=4)
    assert (top, bottom) == pytest.approx((150, 180), abs=4)


@pytest.mark.parametrize("how", PASSES, ids=str)
def test_a_picture_is_dark_on_white_and_of_the_size_its_pass_wants(how: object) -> None:
    pixels = luma(id_front(person(1), seed=1, ppi=300))
    (chosen,) = (one for one in PASSES if one == how)
    for row in find_rows(pixels):
        picture = picture_of(pixels, row, chosen)
        assert chosen.em_px < picture.shape[0] < 4 * chosen.em_px
        assert (picture[0] == 255).all()
        assert 0.5 < (picture > 127).mean() < 1


def test_the_gap_between_the_columns_of_a_table_is_closed() -> None:
    pixels = np.full((200, 1600), 255, np.uint8)
    pixels[90:120, 100:180:8] = 0
    pixels[90:120, 1400:1480:8] = 0
    (row,) = find_rows(pixels)
    picture = picture_of(pixels, row, PASSES[0])
    assert picture.shape[1] < 12 * PASSES[0].em_px


def word(pixels: Pixels, left: int, top: int, right: int, bottom: int) -> None:
    """Strokes close enough to be one word."""
    for x in range(left, right, 12):
        cv2.rectangle(pixels, (x, top), (x + 5, bottom - 1), 0, -1)


def test_a_low_word_reaches_to_the_dots_below_and_above_it() -> None:
    pixels = np.full((300, 600), 255, np.uint8)
    word(pixels, 100, 100, 200, 120)
    word(pixels, 300, 100, 400, 120)
    cv2.rectangle(pixels, (150, 124), (154, 128), 0, -1)
    cv2.rectangle(pixels, (350, 92), (354, 96), 0, -1)
    (row,) = find_rows(pixels)
    right, left = row.words
    assert (left[1], left[3]) == pytest.approx((100, 129), abs=1)
    assert (right[1], right[3]) == pytest.approx((92, 120), abs=1)


def test_a_dot_far_from_every_word_is_a_speck() -> None:
    pixels = np.full((300, 600), 255, np.uint8)
    word(pixels, 100, 100, 200, 120)
    for left, top in ((150, 135), (230, 105)):
        cv2.rectangle(pixels, (left, top), (left + 4, top + 4), 0, -1)
    (row,) = find_rows(pixels)
    assert (row.box()[1], row.box()[3]) == pytest.approx((100, 120), abs=1)


def test_the_screen_of_a_background_is_no_dots() -> None:
    pixels = np.full((700, 1200), 255, np.uint8)
    word(pixels, 100, 100, 200, 120)
    pixels[123:127, 150:154] = 0
    for y in range(140, 700, 8):
        for x in range(0, 1200, 32):
            pixels[y : y + 4, x : x + 4] = 0
    (row,) = find_rows(pixels)
    assert row.box()[3] == pytest.approx(120, abs=1)


@pytest.mark.parametrize(("height", "em_px"), [(18, 18), (22, 30), (30, 30), (36, 36), (54, 54)])
def test_the_em_is_that_of_the_line_or_of_the_page_where_the_line_is_a_little_lower(
    height: int, em_px: float
) -> None:
    pixels = np.full((600, 600), 255, np.uint8)
    for at in range(4):
        word(pixels, 100, 40 + 100 * at, 200, 70 + 100 * at)
    word(pixels, 100, 440, 200, 440 + height)
    assert find_rows(pixels)[-1].em_px == pytest.approx(em_px, abs=1)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_sheet_has_no_rows(level: int) -> None:
    assert find_rows(np.full((200, 300), level, np.uint8)) == []


def test_noise_costs_a_bounded_number_of_rows() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (3000, 2000), dtype=np.uint8)
    assert len(find_rows(noise)) <= 48


def sheet() -> Sheet:
    return Sheet(luma(id_front(person(1), seed=1, ppi=300)), np.eye(3), 1)


def test_a_settled_field_is_not_read_again() -> None:
    lines = ["الاسم: طارق", "النسبة: العلي"]
    engine = ScriptedOcr([lines, ["النسبة: العلى"]])
    found = read_labelled(
        sheet(), FRONT[:2], engine, lambda spec, values: spec.name == "given_name" and bool(values)
    )
    assert {spec.name: [text.value for text in texts] for spec, texts in found} == {
        "given_name": ["طارق"],
        "family_name": ["العلي", "العلى"],
    }
    assert [count for _, _, count in engine.calls][1:] == [1] * (len(PASSES) - 1)


def test_a_sheet_without_labels_is_left_after_a_first_look() -> None:
    engine = ScriptedOcr([["print", "and more print"]])
    assert read_labelled(sheet(), FRONT, engine, lambda spec, values: False) == []
    assert len(engine.calls) == 1


def test_a_tall_edge_beside_two_lines_does_not_tie_them_together() -> None:
    pixels = np.full((400, 600), 230, np.uint8)
    for top in (100, 150):
        cv2.rectangle(pixels, (400, top), (500, top + 26), 0, 3)
    cv2.rectangle(pixels, (100, 90), (112, 190), 0, -1)
    rows = [row.box() for row in find_rows(pixels)]
    assert len([1 for left, top, right, bottom in rows if bottom - top < 40]) == 2


@pytest.mark.parametrize("width_px", [20, 90])
def test_a_tall_edge_beside_one_line_does_not_stretch_it(width_px: int) -> None:
    pixels = np.full((400, 700), 230, np.uint8)
    for top in (60, 150, 240):
        cv2.rectangle(pixels, (300, top), (400, top + 26), 0, 3)
        cv2.rectangle(pixels, (460, top), (560, top + 26), 0, 3)
    # The card's corner, half a space from the last line; what is as wide as high is print.
    cv2.rectangle(pixels, (600, 220), (600 + width_px, 290), 0, 3)
    last = find_rows(pixels)[-1]
    assert (len(last.words) == 2) is (width_px < 35)


def words_with(tail_px: int, *, below: bool) -> list[Row]:
    """The rows of six words, one with a tail, perhaps down to another word."""
    paper = np.full((400, 700), 255, np.uint8)
    for left, top in ((50, 40), (300, 40), (550, 40), (50, 300), (300, 300), (550, 300)):
        cv2.rectangle(paper, (left, top), (left + 80, top + 24), 0, 3)
    cv2.line(paper, (60, 64), (60, 64 + tail_px), 0, 3)
    if below:
        cv2.rectangle(paper, (50, 64 + tail_px), (130, 88 + tail_px), 0, 3)
    return find_rows(paper)


def test_high_words_that_touch_one_below_the_other_are_two_lines() -> None:
    paper = np.full((500, 900), 255, np.uint8)
    for left, top in ((50, 40), (300, 40), (550, 40), (50, 340), (300, 340), (550, 340)):
        cv2.rectangle(paper, (left, top), (left + 120, top + 50), 0, 3)
    cv2.line(paper, (60, 90), (60, 120), 0, 3)
    cv2.rectangle(paper, (50, 120), (170, 170), 0, 3)
    assert [len(row.words) for row in find_rows(paper)] == [3, 1, 3]


@pytest.mark.parametrize(("below", "lines"), [(True, 3), (False, 2)])
def test_words_that_touch_one_below_the_other_are_two_lines(below: bool, lines: int) -> None:
    rows = words_with(18, below=below)
    assert [len(row.words) for row in rows] == [3, *[1] * (lines - 2), 3]
    upper = rows[0].words[-1]
    assert (upper[3] < 75) is below


def test_a_mark_under_the_tail_of_a_word_is_no_line() -> None:
    assert [len(row.words) for row in words_with(26, below=False)] == [3, 3]
