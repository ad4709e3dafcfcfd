"""Long lines make the sheet's quadrilateral where the light defeats every cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.outline import outline
from docqa.analysis.side_lines import quads_from_lines
from docqa.page import Pixels, page_from_pixels

CORNERS = np.array([(70.0, 40.0), (250.0, 55.0), (270.0, 330.0), (50.0, 345.0)])


def _shaded(scale: int = 1) -> Pixels:
    """A sheet whose bright half is on the dark side of the light and the other way round."""
    height, width = 400 * scale, 320 * scale
    across = np.linspace(0, 1, width)[None, :]
    ground, sheet = 40 + 150 * across, 95 + 150 * across
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, np.rint(CORNERS * scale * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    share = mask / 255.0
    noise = np.random.default_rng(1).normal(0, 1.5, (height, width))
    return np.asarray(np.clip(ground * (1 - share) + sheet * share + noise, 0, 255), np.uint8)


def test_the_best_quadrilateral_is_the_sheet_under_a_strong_gradient() -> None:
    best = quads_from_lines(_shaded(), count=4)[0]
    assert np.abs(best - CORNERS).max() < 3.0


def test_the_outline_finds_a_sheet_that_no_brightness_tells_from_the_table() -> None:
    found = page_from_pixels(_shaded(4)).derive(outline)
    assert found is not None
    assert np.abs(np.array(found.corners) - CORNERS * 4).max() < 6.0


def test_seams_that_run_on_beyond_the_corners_lose_to_the_sheet() -> None:
    picture = _shaded()
    for x in (20, 300):
        cv2.line(picture, (x, 0), (x, 399), 20, 2)
    for y in (15, 385):
        cv2.line(picture, (0, y), (319, y), 20, 2)
    best = quads_from_lines(picture, count=4)[0]
    assert np.abs(best - CORNERS).max() < 4.0


def test_no_more_than_asked_for_are_given() -> None:
    assert len(quads_from_lines(_shaded(), count=1)) == 1


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_even_picture_has_none(level: int) -> None:
    assert quads_from_lines(np.full((300, 200), level, np.uint8), count=4) == []


@pytest.mark.parametrize("shape", [(12, 12), (12, 300), (300, 12), (181, 254)])
def test_noise_of_any_shape_never_crashes(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    assert all(np.isfinite(quad).all() for quad in quads_from_lines(noise, count=4))
