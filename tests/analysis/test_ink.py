"""Ink is dark marks on light paper, and its sizes are those that were drawn."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import pytest

from docqa.analysis.ink import ink
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.pages import letter


def _strokes(width_px: int, side: int = 1600, level: int = 30) -> Pixels:
    """Separate upright bars of known width and height on paper."""
    page = np.full((side, side), 235, np.uint8)
    for y in range(100, side - 140, 80):
        for x in range(100, side - 140, 60):
            page[y : y + 32, x : x + width_px] = level
            page[y + 32 - width_px : y + 32, x : x + 30] = level
    return page


def test_stroke_width_follows_what_was_drawn() -> None:
    widths = []
    for drawn in (4, 6, 9):
        measured = ink(page_from_pixels(_strokes(drawn))).stroke_width_px
        assert measured is not None
        assert measured == pytest.approx(drawn, rel=0.3)
        widths.append(measured)
    assert widths == sorted(widths)


def test_a_dark_picture_beside_the_writing_does_not_hide_its_strokes() -> None:
    page = _strokes(6)
    alone = ink(page_from_pixels(page)).stroke_width_px
    light = np.arange(768) % 48 < 8  # dots, as print renders a shadow
    picture = np.where(light[:, None] & light, np.uint8(255), np.uint8(0))
    page[768:1536, 768:1536] = picture
    beside = ink(page_from_pixels(page)).stroke_width_px
    assert alone is not None
    assert beside == pytest.approx(alone, rel=0.1)


def test_text_height_is_in_full_resolution_pixels_whatever_the_scale() -> None:
    for side in (600, 1000, 2000):
        found = ink(page_from_pixels(_strokes(5, side)))
        assert found.text_height_px == pytest.approx(32, abs=2 * found.scale)


def test_a_page_of_twice_the_pixels_has_the_same_ink_twice_as_large() -> None:
    pixels = letter(script="latin", seed=5).pixels
    page = page_from_pixels(pixels)
    larger = cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    fine = page_from_pixels(cast("Pixels", larger))
    assert (page.print_scale, fine.print_scale) == (1, 2)
    once, twice = ink(page), ink(fine)
    assert (once.scale, twice.scale) == (4, 8)
    assert twice.mask.shape == once.mask.shape
    assert cv2.countNonZero(twice.mask) == pytest.approx(cv2.countNonZero(once.mask), rel=0.02)
    assert once.text_height_px and once.stroke_width_px
    assert twice.text_height_px == pytest.approx(2 * once.text_height_px, rel=0.05)
    assert twice.stroke_width_px == pytest.approx(2 * once.stroke_width_px, rel=0.05)


def test_shading_is_no_ink() -> None:
    ramp = np.linspace(90, 240, 1500, dtype=np.float32)
    page = np.repeat(ramp[None, :], 1500, axis=0).astype(np.uint8)
    found = ink(page_from_pixels(page))
    assert cv2.countNonZero(found.mask) == 0
    assert found.text_height_px is None


def test_text_keeps_its_ink_under_shading() -> None:
    plain = _strokes(6)
    shade = np.linspace(0.45, 1.0, plain.shape[1])[None, :]
    shaded = (plain * shade).astype(np.uint8)
    even = cv2.countNonZero(ink(page_from_pixels(plain)).mask)
    uneven = cv2.countNonZero(ink(page_from_pixels(shaded)).mask)
    assert uneven == pytest.approx(even, rel=0.25)


def test_faint_text_is_found() -> None:
    assert ink(page_from_pixels(_strokes(6, level=190))).component_count > 100


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (5, 5), (64, 64)])
def test_uniform_and_tiny_pages_have_no_ink(shape: tuple[int, int]) -> None:
    found = ink(page_from_pixels(np.full(shape, 200, np.uint8)))
    assert cv2.countNonZero(found.mask) == 0
    assert found.component_count == 0
    assert found.boxes.shape == (0, 4)
    assert found.stroke_width_px is None


def test_noise_never_crashes() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (800, 600), dtype=np.uint8)
    found = ink(page_from_pixels(noise))
    assert found.mask.shape == page_from_pixels(noise).luma(found.scale).shape


@pytest.mark.parametrize("turned", [False, True])
def test_strokes_are_measured_wherever_the_writing_stands(turned: bool) -> None:
    """As on an ID-1 card cut out at 150 ppi, less than two tiles high."""

    def width_px(top: int) -> float | None:
        page = np.full((383, 640), 235, np.uint8)
        for line in range(4):
            for left in range(40, 600, 20):
                y = top + 32 * line
                page[y : y + 14, left : left + 3] = 30
                page[y + 5 : y + 8, left : left + 12] = 30
        return ink(
            page_from_pixels(np.ascontiguousarray(page.T) if turned else page)
        ).stroke_width_px

    above, below = width_px(40), width_px(240)
    assert above is not None
    assert below == pytest.approx(above, rel=0.02)


@pytest.mark.parametrize("line_px", [2, 4])
def test_a_dark_line_along_the_frame_hides_no_ink(line_px: int) -> None:
    """Scanners leave it at the edge of the glass or of the lid."""
    sheet = 255 - (255 - letter(script="latin", seed=4, ppi=150).pixels.astype(np.float32)) * 0.4
    framed = sheet.astype(np.uint8).copy()
    plain = page_from_pixels(framed.copy()).derive(ink)
    framed[:line_px] = framed[-line_px:] = framed[:, :line_px] = framed[:, -line_px:] = 0
    found = page_from_pixels(framed).derive(ink)
    assert plain.component_count > 500
    assert found.component_count > 0.95 * plain.component_count
