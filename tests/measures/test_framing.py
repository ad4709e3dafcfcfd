"""Framing tells a whole document from one that the frame cuts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.errors import CannotAssess
from docqa.measures.framing import Framing, measure
from docqa.page import Origin, Pixels, page_from_pixels
from fixtures.synthesize.documents import id_front, passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import Bed, scan


def _text(height: int = 1754, width: int = 1240) -> Pixels:
    page = np.full((height, width), 246, np.uint8)
    for y in range(140, height - 140, 40):
        for x in range(130, width - 150, 26):
            cv2.rectangle(page, (x, y), (x + 14, y + 16), 35, 3)
    return page


def _measured(pixels: Pixels) -> Framing:
    return measure(page_from_pixels(pixels))


def _on_table(left: int, right: int) -> Framing:
    """A sheet between two columns of a dark table."""
    frame = np.full((1600, 1200), 50, np.uint8)
    frame[150:1400, max(left, 0) : right] = 238
    return _measured(frame)


def test_a_full_scan_with_margins_is_whole() -> None:
    found = _measured(_text())
    assert found.cut_off_sides_count == 0
    assert found.text_at_edge_fraction == 0.0
    assert found.document_area_fraction == 1.0
    assert found.margin_fraction == pytest.approx(130 / 1240, abs=0.02)


def test_text_that_runs_into_the_frame_is_told() -> None:
    found = _measured(_text()[:, 135:])
    assert found.text_at_edge_fraction > 0.02
    assert found.margin_fraction < 0.01


def test_a_shadow_line_along_the_edge_is_not_cut_off() -> None:
    page = _text()
    page[:, -4:] = 20
    page[-3:] = 30
    found = _measured(page)
    assert found.cut_off_sides_count == 0
    assert found.text_at_edge_fraction == 0.0


def test_a_sheet_within_the_frame_is_whole() -> None:
    found = _on_table(200, 1000)
    assert found.cut_off_sides_count == 0
    assert found.document_area_fraction == pytest.approx(800 * 1250 / (1600 * 1200), rel=0.02)
    assert found.regions == ()


def test_a_sheet_that_runs_out_of_the_frame_is_cut_off() -> None:
    found = _on_table(-10, 700)
    assert found.cut_off_sides_count == 1
    (region,) = found.regions
    assert region.kind == "cut_off"
    assert max(x for x, _ in region.polygon) < 100


def test_a_blank_page_is_whole() -> None:
    found = _measured(np.full((900, 700), 255, np.uint8))
    assert (found.cut_off_sides_count, found.text_at_edge_fraction) == (0, 0.0)
    assert found.margin_fraction == 0.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (10, 10), (9000, 300), (300, 9000)])
def test_pages_without_room_for_edges_are_not_assessed(shape: tuple[int, int]) -> None:
    with pytest.raises(CannotAssess):
        measure(page_from_pixels(np.full(shape, 128, np.uint8)))


def test_noise_never_crashes() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (700, 500, 3), dtype=np.uint8)
    assert 0.0 <= _measured(noise).text_at_edge_fraction <= 1.0


@pytest.mark.parametrize("gap_px", [60, 300, 900])
def test_a_front_and_a_back_on_one_bed_are_two_documents(gap_px: int) -> None:
    bed = np.full((3508, 2480, 3), 252, np.uint8)
    for top, tint in ((400, (206, 226, 214)), (400 + 638 + gap_px, (228, 214, 206))):
        card = bed[top : top + 638, 500 : 500 + 1011]
        card[:] = tint
        for y in range(90, 560, 70):
            cv2.rectangle(card, (120, y), (820, y + 22), (40, 40, 44), -1)
    found = _measured(bed)
    assert found.documents_count == 2
    assert [region.kind for region in found.regions] == ["sheet", "sheet"]
    assert found.covered_edge_fraction == 0.0


def test_one_sheet_is_one_document() -> None:
    assert _on_table(200, 1000).documents_count == 1


def test_a_page_without_edges_is_one_document() -> None:
    assert _measured(_text()).documents_count == 1


def test_a_thumb_over_the_edge_is_told_and_shown() -> None:
    frame = np.full((1600, 1200), 40, np.uint8)
    frame[150:1400, 200:1000] = 238
    frame[700:800, :270] = 150
    found = _measured(frame)
    assert found.covered_edge_fraction == pytest.approx(100 / (2 * (800 + 1250)), rel=0.3)
    assert [region.kind for region in found.regions] == ["covered"]


def _scanned(pixels: Pixels, ppi_tag: float | None = 300.0) -> Framing:
    return measure(page_from_pixels(pixels, origin=Origin("png", "image/png", ppi_tag=ppi_tag)))


def _card(width_mm: float = 88.0, height_mm: float = 56.0, ppi: float = 300.0) -> Pixels:
    """A card's picture without an edge that shows: some lines of print on white."""
    width, height = round(width_mm / 25.4 * ppi), round(height_mm / 25.4 * ppi)
    picture = np.full((height, width), 250, np.uint8)
    for y in range(height // 4, height - height // 4, height // 8):
        for x in range(width // 4, width - width // 4, width // 30):
            cv2.rectangle(picture, (x, y), (x + width // 60, y + height // 24), 35, 3)
    return picture


@pytest.mark.parametrize("share", [0.12, 0.2, 0.3, 0.45])
def test_a_picture_too_small_for_the_card_is_told_by_its_density(share: float) -> None:
    card = _card()
    height, width = card.shape
    for rest in (card[:, round(share * width) :], card[: round((1 - share) * height)]):
        for turned in (rest, np.rot90(rest).copy()):
            assert max(share - 0.11, 0.07) < _scanned(turned).short_of_id1_fraction < share
        for tag in (None, 72.0, 96.0):
            assert _scanned(rest, tag).short_of_id1_fraction == 0.0


def test_a_whole_card_is_not_short() -> None:
    """Cropped a little too far, made smaller with its density left as it was, or two on a page."""
    card = _card()
    height, width = card.shape
    assert _scanned(card).short_of_id1_fraction == 0.0
    close = card[:, round(0.06 * width) :]
    assert 0.0 < _scanned(close).short_of_id1_fraction < 0.07
    assert _scanned(np.concatenate([card, card])).short_of_id1_fraction == 0.0
    for share in (0.5, 0.67, 0.75):
        smaller = _card(ppi=300.0 * share)
        assert _scanned(smaller).short_of_id1_fraction == 0.0


def test_a_passport_page_is_held_against_its_own_size() -> None:
    assert _scanned(_card(127.0, 90.0)).short_of_td3_fraction == 0.0
    assert _scanned(_card(89.0, 90.0)).short_of_td3_fraction == pytest.approx(0.28, abs=0.01)
    assert _scanned(_card(89.0, 90.0)).short_of_id1_fraction == 0.0


@pytest.mark.parametrize("bed", ["page", "white", "black", "a4"])
@pytest.mark.parametrize("ppi", [200, 300])
def test_scans_of_whole_cards_are_not_cut(bed: Bed, ppi: int) -> None:
    front, passport = id_front(person(5), seed=5), passport_page(person(5), seed=5)
    found = _scanned(scan(front, seed=ppi, ppi=ppi, bed=bed).pixels, ppi)
    assert (found.short_of_id1_fraction, found.cut_lines_fraction) == (0.0, 0.0)
    found = _scanned(scan(passport, seed=ppi, ppi=ppi, bed=bed).pixels, ppi)
    assert (found.short_of_td3_fraction, found.cut_lines_fraction) == (0.0, 0.0)


@pytest.mark.parametrize("bed", ["page", "black"])
def test_a_scan_of_a_part_of_a_card_is_short(bed: Bed) -> None:
    made = scan(id_front(person(6), seed=6), seed=6, bed=bed)
    left, top = np.min(made.truth.corners, axis=0)
    right, bottom = np.max(made.truth.corners, axis=0)
    for pixels in (
        made.pixels[:, round(left + 0.3 * (right - left)) :],
        made.pixels[: round(bottom - 0.3 * (bottom - top))],
    ):
        assert 0.2 < _scanned(pixels.copy()).short_of_id1_fraction < 0.35


def _prose(height: int = 1754, width: int = 1240, margin: int = 110) -> Pixels:
    """Lines of words of several letters' widths, some of them higher than others."""
    rng = np.random.default_rng(4)
    page = np.full((height, width), 246, np.uint8)
    for y in range(margin, height - margin, 40):
        x = margin
        while x < width - margin - 90:
            for _ in range(int(rng.integers(2, 8))):
                across, above = int(rng.integers(7, 17)), int(rng.choice([0, 0, 6]))
                cv2.rectangle(page, (x, y - above), (x + across, y + 16), 35, 3)
                x += across + 5
            x += 12
    return page


@pytest.mark.parametrize("share", [0.2, 0.31, 0.33, 0.45])
def test_lines_that_a_side_cuts_are_told_and_shown(share: float) -> None:
    page = _prose()
    height, width = page.shape
    for rest in (page[:, round(share * width) :], page[:, : round((1 - share) * width)]):
        found = _measured(rest.copy())
        assert found.cut_lines_fraction > 0.3
        assert [region.kind for region in found.regions] == ["cut_off"]
    assert _measured(page).cut_lines_fraction == 0.0


def test_a_line_that_is_cut_along_its_length_is_told() -> None:
    page = _prose()
    line = 110 + 40 * 10
    for rest in (page[line + 8 :], page[: line + 8]):
        assert _measured(rest.copy()).cut_lines_fraction > 0.3
    for rest in (page[line - 16 :], page[: line - 16]):
        assert _measured(rest.copy()).cut_lines_fraction == 0.0


def test_narrow_margins_are_no_cut() -> None:
    assert _measured(_prose(margin=12)).cut_lines_fraction == 0.0


def test_a_stray_mark_and_a_note_at_the_edge_are_no_cut_lines() -> None:
    page = _prose()
    page[600:620, :12] = 30
    cv2.putText(page, "see 12", (1180, 900), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 30, 2)
    cv2.putText(page, "7", (600, 1753), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 30, 2)
    assert _measured(page).cut_lines_fraction == 0.0


@pytest.mark.parametrize("margin", [60, 110])
def test_the_holes_of_a_binding_are_no_cut_lines(margin: int) -> None:
    beside, above = _prose(margin=margin), _prose(margin=margin)
    for at in range(40, 1200, 50):
        cv2.circle(beside, (9, at), 13, 40, -1)
        cv2.circle(above, (at, 9), 13, 40, -1)
    assert _measured(beside).cut_lines_fraction == 0.0
    assert _measured(above).cut_lines_fraction == 0.0


def test_the_ragged_border_of_a_copy_is_no_cut_line() -> None:
    page = _prose()
    rng = np.random.default_rng(8)
    for _ in range(1200):
        side, along = int(rng.integers(4, 14)), int(rng.integers(1754))
        away = int(abs(rng.normal(0, 9)))
        page[along : along + side, away : away + side] = 20
        page[1754 - away - side : 1754 - away, along : along + side] = 20
    assert _measured(page).cut_lines_fraction < 0.15


def test_rules_and_the_lid_s_shadow_at_the_edge_are_no_cut_lines() -> None:
    page = _prose()
    page[::60] = 30
    page[:, -5:] = 25
    assert _measured(page).cut_lines_fraction == 0.0
