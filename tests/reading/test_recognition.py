from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from docqa.adapters.tesseract import TesseractEngine
from docqa.page import Page, Polygon, page_from_pixels
from docqa.reading import read_document
from docqa.reading.cells import Cell, heading_on
from docqa.reading.ctc import Glyph
from docqa.reading.print_fields import Readers
from docqa.reading.recognition import Recogniser, Signs, Trace, trace_of
from docqa.reading.regions import Sheet
from docqa.reading.strips import STRIP_HEIGHT_PX, Strip, StripReader, parse_strip_reader
from docqa.wiring import load_document_types
from fixtures.synthesize.captures import Capture
from fixtures.synthesize.card_sheets import two_cards
from fixtures.synthesize.documents import civil_extract, id_back, id_front, passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

MODELS = Path(__file__).parents[2] / "models"
TYPES = load_document_types(MODELS)
FRONT, BACK, PASSPORT, EXTRACT = "sy-id-front", "sy-id-back", "passport", "civil-extract"
LABELS = ("الاسم", "النسبة", "اسم الأب", "اسم ونسبة الأم", "محل وتاريخ الولادة", "الرقم الوطني")
MM = 300 / 25.4
READER = StripReader(cv2.dnn.Net(), ("a",), "right_to_left", 2)
needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="Tesseract is not installed"
)


def sheet(page: int = 1, *, has_scale: bool = True) -> Sheet:
    return Sheet(np.full((638, 1011), 255, np.uint8), np.eye(3), page, has_scale)


def cell(text: str, y_mm: float) -> Cell:
    top = round(y_mm * MM)
    glyphs = tuple(Glyph(c, 1.0, at, at) for at, c in enumerate(text))
    strip = Strip(np.full((STRIP_HEIGHT_PX, 64), 255, np.uint8), 0.0, 1.0)
    return Cell(
        (100, top, 400, top + 40), 30.0, 0, strip, np.zeros((1, 1)), glyphs, sheet(), READER
    )


def seen_on(
    texts: Collection[str], *, pitch_mm: float = 6.0, has_scale: bool = True
) -> Trace | None:
    cells = [cell(text, 4 + pitch_mm * at) for at, text in enumerate(texts)]
    return trace_of(cells, sheet(has_scale=has_scale), TYPES.values())


@pytest.mark.parametrize(
    ("texts", "pitch_mm", "has_scale", "labelled"),
    [
        (LABELS, 6.0, True, {FRONT}),
        (LABELS, 6.0, False, {FRONT}),
        (LABELS[:-1], 6.0, True, {FRONT}),
        (LABELS[:3], 6.0, True, set()),
        (LABELS, 14.0, True, {EXTRACT}),
        (LABELS, 14.0, False, set()),
    ],
)
def test_labels_are_of_the_type_that_has_room_for_them(
    texts: Collection[str], pitch_mm: float, has_scale: bool, labelled: set[str]
) -> None:
    trace = seen_on(texts, pitch_mm=pitch_mm, has_scale=has_scale)
    assert trace is not None
    assert trace.labelled == labelled
    assert trace.hinted == {FRONT, EXTRACT}
    assert trace.heading_of is None
    assert len(trace.places) == len(texts)


def test_a_half_read_heading_counts_only_where_the_labels_say_the_same() -> None:
    half = "بيان قيل مل ث"
    assert seen_on([half]) is None
    assert seen_on([half, *LABELS], pitch_mm=14.0).heading_of == EXTRACT  # type: ignore[union-attr]
    assert seen_on([half, *LABELS]).heading_of is None  # type: ignore[union-attr]


def test_the_words_of_a_heading_in_a_line_of_prose_are_none() -> None:
    heading = "بطاقة شخصية"
    prose = f"أرجو قبول طلبي للحصول على {heading} جديدة بدل الضائعة مع الشكر"
    assert heading_on([cell(prose, 4)], TYPES.values()) is None
    found = heading_on([cell(prose, 4), cell(f"وزارة الداخلية - {heading}", 12)], TYPES.values())
    assert found is not None
    assert found[0] == FRONT


def around(x: float, y: float) -> Polygon:
    return ((x - 9, y - 9), (x + 9, y - 9), (x + 9, y + 9), (x - 9, y + 9))


HERE = around(300, 300)


def front_trace(page: int = 1, *, heading: bool = False, full: bool = True) -> Trace:
    labelled = frozenset({FRONT} if full else ())
    return Trace(
        sheet(page), FRONT if heading else None, labelled, frozenset({FRONT, EXTRACT}), (HERE,)
    )


EXTRACT_TRACE = Trace(sheet(), EXTRACT, frozenset({EXTRACT}), frozenset({FRONT, EXTRACT}), (HERE,))
BARCODE: dict[int, Polygon | None] = {1: HERE}
NO_BARCODE: dict[int, Polygon | None] = {1: None}
ZONE: dict[int, Polygon] = {1: HERE}
BLANK = page_from_pixels(np.full((638, 1011), 255, np.uint8))


def told(asked: str, pages: int = 1, **signs: Any) -> str | None:
    upload = [page_from_pixels(BLANK.luma(), index=at) for at in range(1, pages + 1)]
    return Recogniser(upload, TYPES[asked], TYPES, None, lambda question: None).recognised(
        Signs(**signs)
    )


@pytest.mark.parametrize(
    ("asked", "signs", "recognised"),
    [
        # The type asked for is there, whatever lies beside it.
        (FRONT, {"traces": [front_trace(heading=True)]}, FRONT),
        (FRONT, {"traces": [front_trace(heading=True)], "barcodes": BARCODE}, FRONT),
        (BACK, {"traces": [front_trace(heading=True)], "barcodes": BARCODE}, BACK),
        (PASSPORT, {"zones": ZONE}, PASSPORT),
        (EXTRACT, {"traces": [EXTRACT_TRACE]}, EXTRACT),
        # Its labels are enough where nothing else is there.
        (FRONT, {"traces": [front_trace()]}, FRONT),
        (FRONT, {"traces": [front_trace(full=False)]}, None),
        (FRONT, {"traces": [front_trace()], "zones": ZONE}, PASSPORT),
        (FRONT, {"traces": [EXTRACT_TRACE]}, EXTRACT),
        # Another type must be proven.
        (FRONT, {"barcodes": BARCODE}, BACK),
        (PASSPORT, {"barcodes": BARCODE}, BACK),
        (BACK, {"traces": [front_trace(heading=True)]}, FRONT),
        (BACK, {"traces": [front_trace()]}, FRONT),
        (PASSPORT, {"traces": [front_trace()]}, None),
        (EXTRACT, {"traces": [front_trace()]}, None),
        (EXTRACT, {"traces": [front_trace(heading=True)]}, FRONT),
        # Signs that contradict each other, or leave room for the type asked for.
        (FRONT, {"traces": [front_trace(full=False)], "barcodes": BARCODE}, None),
        (PASSPORT, {"traces": [front_trace(heading=True), EXTRACT_TRACE]}, None),
        (PASSPORT, {"traces": [front_trace(heading=True)], "barcodes": BARCODE}, BACK),
        (FRONT, {"barcodes": BARCODE, "pages": 2}, None),
        (FRONT, {}, None),
        ("a4-generic", {"traces": [front_trace(heading=True)]}, None),
    ],
)
def test_only_what_is_proven_and_contradicts_nothing_is_recognised(
    asked: str, signs: dict[str, Any], recognised: str | None
) -> None:
    assert told(asked, **({"barcodes": dict(NO_BARCODE)} | signs)) == recognised


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


def page_of(capture: Capture) -> Page:
    return page_from_pixels(capture.pixels)


CAPTURES: dict[str, Callable[[], Capture]] = {
    "light heading": lambda: scan(
        id_front(person(3), seed=3, design="columns"), seed=3, ppi=300, skew_deg=2.0
    ),
    "front": lambda: scan(id_front(person(3), seed=3), seed=3, ppi=300, bed="black"),
    "back": lambda: scan(id_back(person(3), seed=3), seed=3, ppi=200, skew_deg=-3.0),
    "passport": lambda: scan(passport_page(person(3), seed=3), seed=3, ppi=300),
    "extract": lambda: scan(civil_extract(person(3), seed=3), seed=3, ppi=200),
    "two fronts": lambda: scan(
        two_cards(
            id_front(person(3), seed=3), id_front(person(4), seed=4), seed=3, arrangement="beside"
        ),
        seed=3,
        ppi=200,
    ),
    "both": lambda: scan(
        two_cards(id_front(person(3), seed=3), id_back(person(3), seed=3), seed=3), seed=3, ppi=200
    ),
}


@needs_tesseract
@pytest.mark.parametrize(
    ("shown", "asked", "recognised"),
    [
        ("light heading", FRONT, {FRONT}),
        ("light heading", BACK, {FRONT, None}),
        ("light heading", EXTRACT, {FRONT, None}),
        ("front", BACK, {FRONT}),
        ("back", FRONT, {BACK}),
        ("back", PASSPORT, {BACK}),
        ("passport", PASSPORT, {PASSPORT}),
        ("passport", FRONT, {PASSPORT, None}),
        ("extract", FRONT, {EXTRACT, None}),
        ("two fronts", FRONT, {FRONT, None}),
        ("two fronts", BACK, {FRONT, None}),
        ("both", FRONT, {FRONT, None}),
        ("both", BACK, {BACK}),
    ],
)
def test_a_document_is_told_for_what_it_is_whatever_it_was_handed_in_as(
    shown: str, asked: str, recognised: set[str | None]
) -> None:
    claims = person(3).claims()
    reading = read_document(
        [page_of(CAPTURES[shown]())], TYPES[asked], claims, TesseractEngine(), readers=readers(),
        types=TYPES.values(),
    )  # fmt: skip
    assert reading.recognised in recognised
