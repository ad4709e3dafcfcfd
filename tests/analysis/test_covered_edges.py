"""A finger over the sheet's edge is told, whatever its colour; print, shadow and gaps are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.covered_edges import CoveredEdges, covered_edges
from docqa.page import Pixels, page_from_pixels

LEFT, TOP, RIGHT, BOTTOM = 200, 240, 1300, 1760
PERIMETER_PX = 2 * (RIGHT - LEFT + BOTTOM - TOP)
SKINS = [(240, 205, 185), (198, 140, 110), (120, 80, 60), (75, 48, 38)]


def _scene(ground: tuple[int, int, int] = (30, 34, 38)) -> Pixels:
    """A printed sheet on an even ground, with a little noise."""
    frame = np.full((2000, 1500, 3), ground, np.uint8)
    frame[TOP:BOTTOM, LEFT:RIGHT] = (238, 238, 232)
    for y in range(TOP + 120, BOTTOM - 120, 44):
        for x in range(LEFT + 100, RIGHT - 120, 30):
            cv2.rectangle(frame, (x, y), (x + 16, y + 18), (35, 35, 38), 3)
    return frame


def _noisy(frame: Pixels) -> Pixels:
    noise = np.random.default_rng(2).normal(0, 2, frame.shape)
    return np.asarray(np.clip(frame + noise, 0, 255), np.uint8)


def _thumb(frame: Pixels, skin: tuple[int, int, int], width_px: int = 130) -> Pixels:
    """A thumb that reaches over the left edge from outside."""
    shown = frame.copy()
    y = (TOP + BOTTOM) // 2
    cv2.ellipse(shown, (LEFT + 60, y), (width_px, width_px // 2), 0, -90, 90, skin, -1)
    cv2.rectangle(shown, (0, y - width_px // 2), (LEFT + 60, y + width_px // 2), skin, -1)
    return shown


def _measured(frame: Pixels) -> CoveredEdges:
    return page_from_pixels(_noisy(frame)).derive(covered_edges)


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize("ground", [(30, 34, 38), (150, 110, 72), (8, 9, 9)])
def test_a_thumb_of_any_skin_covers_its_width_of_the_edge(
    skin: tuple[int, int, int], ground: tuple[int, int, int]
) -> None:
    found = _measured(_thumb(_scene(ground), skin))
    assert found.fraction == pytest.approx(130 / PERIMETER_PX, rel=0.3)
    (place,) = found.places
    middle = np.array(place).mean(axis=0)
    assert np.abs(middle - (LEFT, (TOP + BOTTOM) / 2)).max() < 20


@pytest.mark.parametrize("skin", SKINS)
def test_a_thumb_is_told_in_a_gray_picture(skin: tuple[int, int, int]) -> None:
    gray = cv2.cvtColor(_thumb(_scene((8, 9, 9)), skin), cv2.COLOR_RGB2GRAY)
    assert _measured(np.asarray(gray, np.uint8)).fraction > 0.01


def test_more_fingers_cover_more() -> None:
    one = _thumb(_scene(), SKINS[1])
    two = one.copy()
    cv2.rectangle(two, (500, 0), (620, TOP + 90), SKINS[1], -1)
    assert _measured(two).fraction > 1.5 * _measured(one).fraction


def test_a_sheet_that_lies_free_is_not_covered() -> None:
    assert _measured(_scene()) == CoveredEdges(0.0, ())


def test_print_that_runs_up_to_the_edge_covers_nothing() -> None:
    frame = _scene()
    frame[900:1100, LEFT : LEFT + 300] = (120, 60, 50)
    assert _measured(frame).fraction == 0.0


def test_a_shadow_across_the_edge_covers_nothing() -> None:
    frame = _scene((170, 150, 120)).astype(np.float32)
    frame[800:1250, :700] *= 0.6
    assert _measured(np.asarray(frame, np.uint8)).fraction == 0.0


def test_a_missing_corner_covers_nothing() -> None:
    frame = _scene()
    corner = np.array([(LEFT, TOP), (LEFT + 130, TOP), (LEFT, TOP + 130)])
    cv2.fillConvexPoly(frame, corner, (30, 34, 38))
    assert _measured(frame).fraction == 0.0


def test_a_page_without_an_outline_is_not_covered() -> None:
    assert _measured(np.full((900, 700, 3), 245, np.uint8)) == CoveredEdges(0.0, ())
