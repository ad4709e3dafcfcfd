"""Perspective is how far the outline is from a rectangle."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.errors import CannotAssess
from docqa.measures.perspective import Perspective, measure
from docqa.page import page_from_pixels


def _sheet(inset_px: float, turn_deg: float = 0.0) -> Perspective:
    """A white sheet on a dark table whose top side is shorter by ``inset_px`` at both ends."""
    corners = [(200 + inset_px, 200.0), (1000 - inset_px, 200.0), (1000.0, 1350.0), (200.0, 1350.0)]
    return _outlined(corners, turn_deg)


def _outlined(corners: list[tuple[float, float]], turn_deg: float = 0.0) -> Perspective:
    frame = np.full((1600, 1200, 3), (50, 46, 44), np.uint8)
    matrix = cv2.getRotationMatrix2D((600, 800), turn_deg, 1.0)
    turned = np.array(corners) @ matrix[:, :2].T + matrix[:, 2]
    cv2.fillConvexPoly(
        frame, np.rint(turned * 16).astype(np.int32), (238, 238, 234), cv2.LINE_AA, 4
    )
    return measure(page_from_pixels(frame))


def test_keystone_is_the_angle_between_opposite_sides() -> None:
    for inset in (20.0, 60.0, 110.0):
        expected = 2 * np.degrees(np.arctan(inset / 1150))
        assert _sheet(inset).keystone_deg == pytest.approx(expected, abs=0.2)


def test_the_worst_corner_is_told() -> None:
    assert _sheet(110.0).worst_corner_deg == pytest.approx(5.46, abs=0.2)
    on_the_left = _outlined([(310, 200), (1000, 200), (1000, 1350), (200, 1350)])
    assert on_the_left.worst_corner_deg == pytest.approx(5.46, abs=0.2)


def test_a_side_that_the_frame_cuts_says_nothing() -> None:
    cut = _outlined([(200, 200), (1000, 200), (1000, 1900), (200, 1900)], turn_deg=5.0)
    assert cut.keystone_deg < 0.2
    assert cut.worst_corner_deg < 0.2


def test_a_turned_rectangle_is_still_one() -> None:
    found = _sheet(0.0, turn_deg=7.0)
    assert found.keystone_deg < 0.2
    assert found.worst_corner_deg < 0.2
    assert [region.kind for region in found.regions] == ["page"]


def test_a_page_that_fills_the_frame_has_none() -> None:
    assert measure(page_from_pixels(np.full((1600, 1200), 245, np.uint8))) == Perspective(0.0, 0.0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (10, 10), (9000, 300), (300, 9000)])
def test_pages_without_room_for_edges_are_not_assessed(shape: tuple[int, int]) -> None:
    with pytest.raises(CannotAssess):
        measure(page_from_pixels(np.full(shape, 128, np.uint8)))
