"""Angles of drawn lines are found to hundredths of a degree in the lines' sides."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.line_sides import SharpAngle, ink_strips, sharpen
from docqa.page import Pixels

SIZE = (1000, 800)


def _lines(angle_deg: float, factor: int = 1) -> Pixels:
    """Dark broken lines on paper that rise to the right by that angle."""
    rng = np.random.default_rng(3)
    level = np.full((4 * SIZE[0], 4 * SIZE[1]), 240, np.uint8)
    for y in range(480, 3520, 104):
        x = 360
        while x < 2800:
            width = int(rng.integers(16, 56))
            cv2.rectangle(level, (x, y - int(rng.integers(0, 20))), (x + width, y + 32), 30, -1)
            x += width + int(rng.integers(12, 48))
    middle = (2 * SIZE[1] - 0.5, 2 * SIZE[0] - 0.5)
    turn = cv2.getRotationMatrix2D(middle, angle_deg, 1.0)
    turned = cv2.warpAffine(level, turn, level.shape[::-1], borderValue=(240,))
    size = (SIZE[1] * factor, SIZE[0] * factor)
    return np.asarray(cv2.resize(turned, size, interpolation=cv2.INTER_AREA), np.uint8)


def _sharp(
    angle_deg: float, start_deg: float, factor: int = 1, *, banded: bool = False
) -> SharpAngle:
    coarse = _lines(angle_deg)
    mask = np.asarray((coarse < 200) * 255, np.uint8)
    return sharpen(ink_strips(_lines(angle_deg, factor), coarse, mask), start_deg, banded=banded)


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize("angle_deg", [-13.9, -3.33, 0.0, 0.05, 1.5, 7.77, 14.2])
def test_the_angle_is_found_from_either_side(angle_deg: float, factor: int) -> None:
    for beside in (-0.4, 0.3):
        found = _sharp(angle_deg, angle_deg + beside, factor)
        assert found.angle_deg == pytest.approx(angle_deg, abs=0.01)
        assert 0.3 < found.sharpness <= 1.0


def test_the_true_angle_scores_highest() -> None:
    assert _sharp(2.0, 2.1).score > 2.0 * _sharp(2.0, 4.0).score


def test_bands_are_less_exact_but_agree_on_one_column() -> None:
    assert _sharp(-1.5, -1.3, banded=True).angle_deg == pytest.approx(-1.5, abs=0.05)


@pytest.mark.parametrize("shape", [(200, 200), (32, 32), (32, 900), (47, 33)])
def test_nothing_is_not_sharp(shape: tuple[int, int]) -> None:
    paper = np.full(shape, 250, np.uint8)
    found = sharpen(ink_strips(paper, paper, np.zeros(shape, np.uint8)), 0.0)
    assert found.sharpness == 0.0
    assert found.score == 0.0
