from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from docqa.dates import parse_date
from docqa.page import Page, page_from_pixels
from docqa.reading.barcode import (
    MOST_CARDS,
    IdBarcode,
    parse_parts,
    read_barcode,
    read_barcodes,
)
from fixtures.synthesize.documents import id_back, id_front
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

KNOWN = ("أحمد", "الخطيب", "خالد", "فاطمة حداد", "دير الزور 3-11-1984", "01020304055")
PLAIN = "#".join(KNOWN).encode("cp1256")


@pytest.mark.parametrize(
    "payload",
    [
        PLAIN,
        PLAIN + b"#",
        PLAIN + b"#\x00\x23\xff#tail",
        PLAIN.replace(b"#", b" # "),
        "#".join(KNOWN).encode(),
        "#".join(KNOWN).encode() + b"#\x00\xff#tail",
    ],
)
def test_the_six_known_parts_are_read_whatever_follows(payload: bytes) -> None:
    assert parse_parts(payload) == KNOWN


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"#####",
        b"a#b#c#d#e",
        b"01020304055",
        PLAIN[:-1],
        PLAIN + b"1",
        PLAIN[:-11] + b"0102030405x",
        PLAIN[:-11] + "٠١٠٢٠٣٠٤٠٥٥".encode(),
    ],
)
def test_what_is_no_identity_card_is_not_taken_for_one(payload: bytes) -> None:
    assert parse_parts(payload) is None


@given(st.binary(max_size=300))
def test_no_payload_raises(payload: bytes) -> None:
    parts = parse_parts(payload)
    assert parts is None or len(parts) == 6


@pytest.mark.parametrize("symbology", ["QRCode", "PDF417"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1256", "as the symbol names it"])
@pytest.mark.parametrize("turn_deg", [0, 15, 90])
def test_the_same_parts_are_read_however_they_are_written(
    symbology: str, encoding: str, turn_deg: int
) -> None:
    text = "#".join(KNOWN) + "#tail"
    payload = text if encoding.startswith("as") else text.encode(encoding)
    symbol = zxingcpp.create_barcode(payload, getattr(zxingcpp.BarcodeFormat, symbology))
    image = np.array(zxingcpp.write_barcode_to_image(symbol, scale=3))
    paper = np.full((700, 900), 245, np.uint8)
    paper[200 : 200 + image.shape[0], 200 : 200 + image.shape[1]] = image
    turn = cv2.getRotationMatrix2D((450, 350), turn_deg, 1)
    turned = cv2.warpAffine(paper, turn, (900, 700), borderValue=(245,))
    found = read_barcode(page_from_pixels(np.dstack([turned.astype(np.uint8)] * 3)))
    assert found is not None
    assert found.parts == KNOWN


def test_a_qr_code_that_says_something_else_is_none() -> None:
    symbol = zxingcpp.create_barcode(
        "https://example.org/01020304055", zxingcpp.BarcodeFormat.QRCode
    )
    image = np.array(zxingcpp.write_barcode_to_image(symbol, scale=6))
    assert read_barcode(page_from_pixels(np.dstack([image.astype(np.uint8)] * 3))) is None


def test_place_and_date_share_a_part() -> None:
    barcode = IdBarcode(KNOWN, ())
    assert barcode.value(4, "place") == "دير الزور"
    assert barcode.value(4, "date") == "3-11-1984"
    assert barcode.value(0, "name") == "أحمد"


@pytest.mark.parametrize(
    ("part", "place", "date"),
    [
        ("دير الزور3-11-1984", "دير الزور", "3-11-1984"),
        ("دير الزور 3-11-1984 م", "دير الزور", "3-11-1984"),
        ("دير الزور 3-11-1984\u200f", "دير الزور", "3-11-1984"),
        ("دير الزور 1984", "", None),
        ("3-11-1984 دير الزور", "", None),
    ],
)
def test_a_place_beside_a_date_in_another_form_is_told_or_unread(
    part: str, place: str, date: str | None
) -> None:
    barcode = IdBarcode((*KNOWN[:4], part, KNOWN[5]), ())
    assert barcode.value(4, "place") == place
    found = parse_date(barcode.value(4, "date"))
    assert found == (None if date is None else parse_date(date))


def test_a_place_without_a_date_stays_whole() -> None:
    barcode = IdBarcode((*KNOWN[:4], "دمشق", KNOWN[5]), ())
    assert barcode.value(4, "place") == "دمشق"
    assert barcode.value(4, "date") == "دمشق"


def back_page(
    seed: int, *, ppi: int, skew_deg: float, bed: Literal["page", "a4"]
) -> tuple[Page, np.ndarray]:
    drawing = id_back(person(seed), seed=seed, ppi=300)
    capture = scan(drawing, seed=seed, ppi=ppi, skew_deg=skew_deg, bed=bed)
    pixels = cv2.imdecode(np.frombuffer(capture.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    corners = np.array(capture.truth.corners, np.float32)
    return page_from_pixels(np.asarray(pixels, np.uint8)), corners


@pytest.mark.parametrize("bed", ["page", "a4"])
@pytest.mark.parametrize("skew_deg", [0.0, 2.0, 10.0, 93.0, 180.0])
@pytest.mark.parametrize("ppi", [200, 300])
def test_a_scanned_card_is_read_at_any_turn(
    ppi: int, skew_deg: float, bed: Literal["page", "a4"]
) -> None:
    page, corners = back_page(5, ppi=ppi, skew_deg=skew_deg, bed=bed)
    barcode = read_barcode(page)
    someone = person(5)
    assert barcode is not None
    assert barcode.parts[:4] == (
        someone.given_name,
        someone.family_name,
        someone.father_name,
        someone.mother_name,
    )
    assert barcode.value(4, "place") == someone.birth_place
    assert barcode.parts[5] == someone.national_number
    for corner in barcode.polygon:
        assert cv2.pointPolygonTest(corners, corner, measureDist=True) > -2


def test_nothing_beyond_the_known_parts_is_kept() -> None:
    page, _ = back_page(6, ppi=300, skew_deg=0, bed="page")
    barcode = read_barcode(page)
    assert barcode is not None
    assert len(barcode.parts) == 6
    assert barcode.parts[5] == person(6).national_number


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_page_without_a_symbol_has_no_barcode(level: int) -> None:
    assert read_barcode(page_from_pixels(np.full((300, 500), level, np.uint8))) is None


def test_a_front_has_no_barcode() -> None:
    assert read_barcode(page_from_pixels(id_front(person(1), seed=1, ppi=200).pixels)) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (16, 16)])
def test_no_size_of_page_is_too_odd(shape: tuple[int, int]) -> None:
    assert read_barcode(page_from_pixels(np.zeros(shape, np.uint8))) is None


def test_of_a_page_full_of_cards_a_few_are_read_each_once() -> None:
    rows = []
    for national_number in range(10_000_000_000, 10_000_000_006):
        text = "#".join((*KNOWN[:5], str(national_number)))
        symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.PDF417)
        image = np.array(zxingcpp.write_barcode_to_image(symbol, scale=3))
        framed = np.full((150, 900), 255, np.uint8)
        framed[20 : 20 + image.shape[0], 20 : 20 + image.shape[1]] = image
        rows += [framed, framed]
    found = list(read_barcodes(page_from_pixels(np.vstack(rows))))
    assert len({barcode.parts for barcode in found}) == len(found) == MOST_CARDS
