from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import pytest

from docqa.analysis.outline import Outline
from docqa.page import Origin, Page, Pixels, page_from_pixels
from docqa.reading.regions import Sheet, rectified, sheets, text_skew_deg
from fixtures.synthesize.captures import Truth
from fixtures.synthesize.documents import civil_extract, id_front, passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

ID1_MM = (85.6, 53.98)
UNKNOWN_MM = (0.0, 0.0)


def scanned(
    ppi: int, skew_deg: float, bed: Literal["page", "white", "black", "a4"]
) -> tuple[Page, Truth]:
    drawing = id_front(person(2), seed=2, ppi=300)
    capture = scan(drawing, seed=2, ppi=ppi, skew_deg=skew_deg, bed=bed)
    pixels = cv2.imdecode(np.frombuffer(capture.data, np.uint8), cv2.IMREAD_COLOR_RGB)
    origin = Origin("jpeg", "image/jpeg", ppi_tag=float(ppi))
    return page_from_pixels(np.asarray(pixels, np.uint8), origin=origin), capture.truth


def on_sheet(sheet: Sheet, corners: object) -> np.ndarray:
    points = np.array([corners], np.float64)
    return np.asarray(cv2.perspectiveTransform(points, np.linalg.inv(sheet.to_page))[0])


@pytest.mark.parametrize("ppi", [150, 300, 600])
def test_a_cropped_scan_becomes_a_card_at_300_ppi(ppi: int) -> None:
    page, truth = scanned(ppi, 0.0, "page")
    sheet = next(iter(sheets(page, ID1_MM)))
    assert sheet.pixels.shape[1] == pytest.approx(85.6 / 25.4 * 300, abs=60)
    box = on_sheet(sheet, truth.fields["mother_name"])
    assert np.ptp(box[:, 0]) == pytest.approx(
        np.ptp(np.array(truth.fields["mother_name"])[:, 0]) * 300 / ppi, rel=0.08
    )


@pytest.mark.parametrize("skew_deg", [-5.0, -1.5, 0.0, 2.0, 7.0])
def test_lines_lie_level_on_the_sheet(skew_deg: float) -> None:
    page, truth = scanned(300, skew_deg, "white")
    sheet = next(iter(sheets(page, ID1_MM)))
    corners = on_sheet(sheet, truth.fields["mother_name"])
    left_to_right = corners[1] - corners[0]
    assert abs(np.degrees(np.arctan2(left_to_right[1], left_to_right[0]))) < 0.7


def test_a_rectangle_of_the_sheet_is_told_in_pixels_of_the_page() -> None:
    page, truth = scanned(300, 3.0, "white")
    sheet = next(iter(sheets(page, ID1_MM)))
    field = truth.fields["father_name"]
    (left, top), (right, bottom) = (on_sheet(sheet, field)[at] for at in (0, 2))
    np.testing.assert_allclose(sheet.polygon(left, top, right, bottom), field, atol=4)


def test_a_page_without_an_outline_is_taken_whole() -> None:
    page = page_from_pixels(id_front(person(2), seed=2, ppi=300).pixels)
    sheet = rectified(page, None)
    assert sheet.pixels.shape == page.luma().shape
    assert np.abs(sheet.pixels.astype(int) - page.luma()).mean() < 1


def test_no_outline_is_sought_on_a_page_that_is_the_document_by_its_scanners_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sought: list[Page] = []

    def seek(page: Page) -> tuple[Outline, ...]:
        sought.append(page)
        return ()

    monkeypatch.setattr("docqa.reading.regions.outlines", seek)
    alone, on_a_bed = (scanned(150, 0.0, bed)[0] for bed in ("page", "a4"))
    unstated = page_from_pixels(alone.raster().luma)
    for page, expected in ((alone, 0), (on_a_bed, 1), (unstated, 1)):
        sought.clear()
        assert next(iter(sheets(page, ID1_MM))).pixels.size
        assert len(sought) == expected
    sought.clear()
    assert len(list(sheets(alone, ID1_MM))) == 2
    assert sought == [alone]


def test_turning_by_half_turns_the_content() -> None:
    page = page_from_pixels(passport_page(person(2), seed=2, ppi=150).pixels)
    upright, upside_down = (rectified(page, None, quarter_turns=turns) for turns in (0, 2))
    difference = upright.pixels.astype(int) - upside_down.pixels[::-1, ::-1]
    assert np.abs(difference).mean() < 2


@pytest.mark.parametrize("turns", [1, 3])
def test_quarter_turns_swap_the_sides(turns: int) -> None:
    pixels = np.full((300, 500), 200, np.uint8)
    cv2.circle(pixels, (20, 20), 12, 0, -1)
    sheet = rectified(page_from_pixels(pixels), None, quarter_turns=turns)
    assert sheet.pixels.shape == (500, 300)
    y, x = np.unravel_index(int(sheet.pixels.argmin()), sheet.pixels.shape)
    np.testing.assert_allclose(on_sheet(sheet, [(20, 20)])[0], (x, y), atol=14)


def test_a_card_scanned_on_its_side_is_turned_to_its_type() -> None:
    upright = id_front(person(2), seed=2, ppi=300).pixels
    for turned in (np.rot90(upright), np.rot90(upright, 3)):
        first, second = sheets(page_from_pixels(np.ascontiguousarray(turned)), ID1_MM)
        assert first.pixels.shape[1] > first.pixels.shape[0]
        expected = page_from_pixels(upright).luma().astype(int)
        matching = [
            np.abs(cv2.resize(sheet.pixels, expected.shape[::-1]).astype(int) - expected).mean() < 6
            for sheet in (first, second)
        ]
        assert sum(matching) == 1


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_sheet_of_no_known_size_is_turned_to_its_lines(turns: int) -> None:
    drawn = civil_extract(person(2), seed=2, ppi=100).pixels
    turned = page_from_pixels(np.ascontiguousarray(np.rot90(drawn, turns)))
    read = list(sheets(turned, UNKNOWN_MM))
    expected = page_from_pixels(drawn).luma().astype(int)
    matching = [
        sheet.pixels.shape == expected.shape and np.abs(sheet.pixels - expected).mean() < 6
        for sheet in read
    ]
    assert sum(matching) == 1
    assert any(matching[:2])
    # Upright pages cost no more than they did.
    assert len(read) == (4 if turns % 2 else 2)


@pytest.mark.parametrize("angle_deg", [-6.0, -2.0, 0.0, 1.0, 5.0])
def test_the_skew_of_print_is_found(angle_deg: float) -> None:
    lines = np.full((900, 1200), 250, np.uint8)
    for top in range(150, 760, 60):
        for left in range(200, 1000, 40):
            cv2.rectangle(lines, (left, top), (left + 24, top + 18), 30, 3)
    turn = cv2.getRotationMatrix2D((600, 450), -angle_deg, 1.0)
    turned: Pixels = np.asarray(
        cv2.warpAffine(lines, turn, (1200, 900), borderValue=(250.0,)), np.uint8
    )
    assert text_skew_deg(turned) == pytest.approx(angle_deg, abs=0.3)


@pytest.mark.parametrize("at_right", [True, False])
def test_print_at_the_edge_of_the_sheet_does_not_tilt_it(at_right: bool) -> None:
    """Turned off the sheet, a card's heading would be one full row."""
    lines = np.full((640, 1010), 250, np.uint8)
    for top in (20, 60, 200, 290, 380, 470):
        for left in range(700, 960, 40):
            cv2.rectangle(lines, (left, top), (left + 24, top + 18), 30, 3)
    cv2.rectangle(lines, (620, 16), (960, 26), 30, -1)
    assert abs(text_skew_deg(lines if at_right else np.fliplr(lines).copy())) < 0.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (40, 40)])
@pytest.mark.parametrize("size_mm", [ID1_MM, UNKNOWN_MM])
def test_no_size_of_page_is_too_odd(shape: tuple[int, int], size_mm: tuple[float, float]) -> None:
    for sheet in sheets(page_from_pixels(np.full(shape, 255, np.uint8)), size_mm):
        assert min(sheet.pixels.shape) >= 32


def test_a_false_resolution_cannot_make_a_sheet_huge() -> None:
    origin = Origin("jpeg", "image/jpeg", ppi_tag=73.0)
    page = page_from_pixels(np.full((3000, 3000), 255, np.uint8), origin=origin)
    assert max(rectified(page, None).pixels.shape) <= 4200


def test_a_sheet_that_was_seen_upright_is_not_turned_upside_down() -> None:
    page, _ = scanned(300, 1.0, "white")
    every = list(sheets(page, ID1_MM))
    first = every[0]
    fewer = list(sheets(page, ID1_MM, lambda sheet: np.array_equal(sheet.pixels, first.pixels)))
    assert len(fewer) == len(every) - 1
    assert [sheet.pixels.shape for sheet in fewer[:1]] == [first.pixels.shape]


@pytest.mark.parametrize(
    ("ppi_tag", "has_scale"), [(None, False), (72.0, False), (300.0, True), (600.0, True)]
)
def test_a_sheet_has_a_scale_where_the_file_states_a_scanners(
    ppi_tag: float | None, has_scale: bool
) -> None:
    pixels = np.full((638, 1011, 3), 255, np.uint8)
    page = page_from_pixels(pixels, origin=Origin("jpeg", "image/jpeg", ppi_tag=ppi_tag))
    assert rectified(page, None).has_scale is has_scale
