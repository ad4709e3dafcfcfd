"""Framing tells a whole document from one that the frame cuts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.errors import CannotAssess
from docqa.measures.framing import Framing, measure
from docqa.page import Pixels, page_from_pixels


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
