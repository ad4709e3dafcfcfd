"""The direction of print is found by columns that do not match, and whichever way the page lies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.print_direction import print_direction
from docqa.page import Pixels, page_from_pixels


def _columns(shift_px: int) -> Pixels:
    """Two columns of lines, the right one lower by ``shift_px``."""
    page = np.full((1754, 1240), 240, np.uint8)
    rng = np.random.default_rng(4)
    for left, top in ((110, 150), (650, 150 + shift_px)):
        for y in range(top, 1600, 34):
            x = left
            while x < left + 470:
                width = int(rng.integers(3, 9))
                cv2.rectangle(page, (x, y - int(rng.integers(0, 8))), (x + width, y + 12), 35, -1)
                x += width + int(rng.integers(3, 14))
    return page


@pytest.mark.parametrize("shift_px", [0, 5, 9, 17])
def test_columns_at_different_heights_do_not_tilt_the_answer(shift_px: int) -> None:
    found = print_direction(page_from_pixels(_columns(shift_px)))
    assert found is not None
    assert abs(found.swept.angle_deg) < 0.1
    assert found.across_prominence > found.down_prominence


def test_a_page_on_its_side_has_its_lines_down() -> None:
    lying = np.ascontiguousarray(np.rot90(_columns(0)))
    found = print_direction(page_from_pixels(lying))
    assert found is not None
    assert found.down_prominence > found.across_prominence
    assert abs(found.swept.angle_deg) < 0.1


def _ruled(lean_deg: float) -> Pixels:
    """Level lines of text between strong rules that stand off the vertical: a sheared ledger."""
    page = _columns(0)
    lean = int(1454 * np.tan(np.radians(lean_deg)))
    for x in range(90, 1200, 60):
        cv2.line(page, (x, 150), (x + lean, 1604), 30, 4, cv2.LINE_AA)
    return page


@pytest.mark.parametrize("lean_deg", [-1.0, 0.6])
def test_rows_of_text_decide_where_rules_lean_another_way(lean_deg: float) -> None:
    found = print_direction(page_from_pixels(_ruled(lean_deg)))
    assert found is not None
    assert abs(found.swept.angle_deg) < 0.05


def test_long_lines_are_sharper_than_few_marks() -> None:
    marks = np.full((1754, 1240), 240, np.uint8)
    for y in range(800, 1000, 34):
        cv2.rectangle(marks, (560, y), (660, y + 12), 35, -1)
    full, few = (print_direction(page_from_pixels(page)) for page in (_columns(0), marks))
    assert full is not None
    assert few is not None
    assert full.sharpness > few.sharpness
    assert few.sharpness >= 0.0
    assert full.sharpness <= 1.0


@pytest.mark.parametrize("shape", [(900, 700), (1, 400), (1, 1)])
def test_without_ink_there_is_none(shape: tuple[int, int]) -> None:
    assert print_direction(page_from_pixels(np.full(shape, 250, np.uint8))) is None
