"""The outline lies on the sheet's edges, and a page that fills the frame has none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.outline import Outline, outline
from docqa.page import Origin, Page, PartDecoder, Pixels, Raster, page_from_pixels

LID = (247, 249, 250)


def _printed(height: int, width: int, paper: tuple[int, int, int] = (240, 240, 236)) -> Pixels:
    """Lines of dark words on paper, within margins."""
    page = np.full((height, width, 3), paper, np.uint8)
    rng = np.random.default_rng(3)
    for y in range(height // 10, height - height // 10, max(height // 40, 8)):
        x = width // 8
        while x < width - width // 5:
            word = int(rng.integers(width // 40, width // 12))
            page[y : y + max(height // 120, 3), x : x + word] = 40
            x += word + width // 60
    return page


def _laid(sheet: Pixels, ground: Pixels, corners: list[tuple[float, float]]) -> Pixels:
    """The sheet on the ground with its corners at the given places, and a little noise."""
    height, width = sheet.shape[:2]
    # Pixel edges, not centres, are mapped, so that the outline is where the colour changes.
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source, np.array(corners, np.float32))
    size = (ground.shape[1], ground.shape[0])
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size)
    seen = cv2.warpPerspective(sheet, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    share = (mask / 255.0)[..., None]
    noise = np.random.default_rng(4).normal(0, 2, ground.shape)
    mixed = np.clip(ground * (1 - share) + seen * share + noise, 0, 255)
    return np.asarray(mixed, np.uint8)


def _ground(height: int, width: int, colour: tuple[int, int, int], grain: float = 0.0) -> Pixels:
    rng = np.random.default_rng(5)
    field = rng.normal(0, 1, (height // 16 + 1, width // 16 + 1)).astype(np.float32)
    texture = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC) * grain
    return np.asarray(np.clip(np.array(colour) + texture[..., None], 0, 255), np.uint8)


def _found(pixels: Pixels) -> Outline:
    result = page_from_pixels(pixels).derive(outline)
    assert result is not None
    return result


def _miss_px(found: Outline, corners: list[tuple[float, float]]) -> float:
    return float(np.abs(np.array(found.corners) - np.array(corners)).max())


@pytest.mark.parametrize("grain", [0.0, 12.0])
def test_corners_of_a_photographed_sheet_are_found_to_a_pixel_or_two(grain: float) -> None:
    corners = [(310.0, 290.0), (1180.0, 340.0), (1250.0, 1630.0), (230.0, 1560.0)]
    pixels = _laid(_printed(1400, 1000), _ground(2000, 1500, (110, 84, 60), grain), corners)
    found = _found(pixels)
    assert _miss_px(found, corners) < 3.0
    assert found.kind == "page"
    assert not found.fills_frame
    assert found.touching == (False, False, False, False)


@pytest.mark.parametrize("lean", [0.03, 0.05])
def test_a_sheet_that_narrows_and_goes_on_below_the_picture_does_not_fill_it(lean: float) -> None:
    """What lies beyond the frame is no part of it, though the whole sheet is as large."""
    height, width = 2200, 1560
    aside, down = lean * width, 0.01 * height
    corners = [
        (aside, down),
        (width - aside, down),
        (width + aside, height - down / 2),
        (-aside, height - down / 2),
    ]
    found = _found(_laid(_printed(2200, 1560), _ground(height, width, (60, 60, 60)), corners))
    assert not found.fills_frame
    assert found.area_fraction == pytest.approx(0.985 - lean / 2, abs=0.01)
    _, right, _, left = found.side_turns_deg()
    across = 2 * np.degrees(np.arctan2(2 * aside, height - 1.5 * down))
    assert left - right == pytest.approx(across, abs=0.3)


def test_a_sheet_that_is_turned_in_a_frame_of_its_size_fills_it() -> None:
    """It loses corners only; print tells how far it is turned."""
    height, width = 2200, 1560
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 3.0, 1.0)
    frame = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)])
    corners = [(float(x), float(y)) for x, y in frame @ turn.T]
    found = _found(_laid(_printed(2200, 1560), _ground(height, width, (60, 60, 60)), corners))
    assert found.fills_frame
    assert found.area_fraction == pytest.approx(0.974, abs=0.01)


def test_a_page_on_a_black_lid_is_found() -> None:
    corners = [(120.0, 90.0), (1540.0, 130.0), (1485.0, 2100.0), (65.0, 2060.0)]
    found = _found(_laid(_printed(1970, 1420), _ground(2200, 1620, (18, 18, 20)), corners))
    assert _miss_px(found, corners) < 3.0
    assert found.background == "dark"


def test_a_card_that_is_hardly_darker_than_the_lid_is_found() -> None:
    corners = [(700.0, 500.0), (1710.0, 550.0), (1678.0, 1187.0), (668.0, 1137.0)]
    card = _printed(638, 1011, (238, 240, 236))
    found = _found(_laid(card, _ground(3508, 2480, LID), corners))
    assert _miss_px(found, corners) < 12.0
    assert found.kind == "card"
    assert found.background == "light"


def test_a_full_page_of_text_has_no_outline() -> None:
    assert page_from_pixels(_printed(2200, 1600, LID)).derive(outline) is None


def _without_colour(scale: int, luma: Pixels) -> Pixels:
    raise AssertionError("colour was decoded")


def test_of_a_large_scan_without_a_sheet_no_colour_is_decoded() -> None:
    luma = cv2.cvtColor(_printed(3508, 2480, LID), cv2.COLOR_RGB2GRAY)
    parts = PartDecoder(lambda: np.asarray(luma, np.uint8), _without_colour)
    page = Page(1, Origin("jpeg", "image/jpeg"), lambda: Raster(parts.luma(), None), parts)
    assert page.derive(outline) is None


@pytest.mark.parametrize("paper", [(255, 249, 215), (240, 250, 240), (250, 250, 235)])
def test_a_card_as_bright_as_the_lid_is_found_by_its_colour(paper: tuple[int, int, int]) -> None:
    corners = [(700.0, 500.0), (1710.0, 500.0), (1710.0, 1137.0), (700.0, 1137.0)]
    pale = _printed(638, 1011, paper)
    found = _found(_laid(pale, _ground(3508, 2480, LID), corners))
    assert _miss_px(found, corners) < 12.0
    assert found.kind == "card"


def test_a_ruled_table_is_no_outline() -> None:
    page = np.full((2200, 1600), 250, np.uint8)
    for y in range(300, 1901, 100):
        cv2.line(page, (200, y), (1400, y), 30, 4)
    for x in range(200, 1401, 200):
        cv2.line(page, (x, 300), (x, 1900), 30, 4)
    assert page_from_pixels(page).derive(outline) is None


def test_a_picture_within_a_page_of_text_is_no_outline() -> None:
    page = _printed(2200, 1600, LID)
    page[700:1400, 400:1200] = (150, 120, 90)
    assert page_from_pixels(page).derive(outline) is None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_uniform_page_has_no_outline(level: int) -> None:
    assert page_from_pixels(np.full((900, 700), level, np.uint8)).derive(outline) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (7, 9), (30, 30), (25, 4000)])
def test_tiny_pages_never_crash(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(6).integers(0, 256, shape, dtype=np.uint8)
    page: Page = page_from_pixels(noise)
    assert page.derive(outline) is None


def test_random_noise_has_no_outline() -> None:
    noise = np.random.default_rng(7).integers(0, 256, (1200, 900, 3), dtype=np.uint8)
    assert page_from_pixels(noise).derive(outline) is None


def test_a_side_that_the_frame_cuts_is_reported_as_touching() -> None:
    corners = [(-150.0, 300.0), (1000.0, 320.0), (1000.0, 1700.0), (-150.0, 1690.0)]
    found = _found(_laid(_printed(1390, 1150), _ground(2000, 1500, (60, 50, 45)), corners))
    assert found.touching == (False, False, False, True)
