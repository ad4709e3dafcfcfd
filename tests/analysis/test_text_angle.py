"""Angles of drawn lines are found to a few tenths of a degree, whatever they lie at."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.text_angle import banded_angle, fans, magnitude_angle, step_angle
from docqa.page import Pixels


def _lines(angle_deg: float, seed: int = 3) -> Pixels:
    """Ink (255) of broken lines that rise to the right by that angle."""
    rng = np.random.default_rng(seed)
    level = np.zeros((1000, 800), np.uint8)
    for y in range(120, 880, 26):
        x = 90
        while x < 700:
            width = int(rng.integers(4, 14))
            cv2.rectangle(level, (x, y - int(rng.integers(0, 5))), (x + width, y + 8), 255, -1)
            x += width + int(rng.integers(3, 12))
    turn = cv2.getRotationMatrix2D((399.5, 499.5), angle_deg, 1.0)
    return np.asarray(cv2.warpAffine(level, turn, (800, 1000)), np.uint8)


@pytest.mark.parametrize("angle_deg", [-13.9, -14.01, -3.33, 0.0, 0.05, 7.77, 14.2])
def test_each_estimate_finds_the_angle(angle_deg: float) -> None:
    across, _ = fans(_lines(angle_deg))
    assert step_angle(across).angle_deg == pytest.approx(angle_deg, abs=0.2)
    assert banded_angle(across).angle_deg == pytest.approx(angle_deg, abs=0.3)
    assert magnitude_angle(across).angle_deg == pytest.approx(angle_deg, abs=0.3)


def test_lines_down_the_page_are_the_second_answer() -> None:
    across, down = fans(np.ascontiguousarray(np.rot90(_lines(3.0))))
    assert magnitude_angle(down).angle_deg == pytest.approx(3.0, abs=0.3)
    assert step_angle(down).angle_deg == pytest.approx(3.0, abs=0.3)
    assert magnitude_angle(down).prominence > magnitude_angle(across).prominence


def test_a_larger_picture_has_the_same_angle() -> None:
    lines = _lines(-5.2)
    large = np.asarray(cv2.resize(lines, None, fx=2.6, fy=2.6), np.uint8)
    small, same = (magnitude_angle(fans(mask)[0]) for mask in (lines, large))
    assert same.angle_deg == pytest.approx(small.angle_deg, abs=0.2)
    assert same.prominence == pytest.approx(small.prominence, abs=0.1)


@pytest.mark.parametrize("shape", [(32, 32), (32, 5000), (5000, 32), (641, 640), (33, 47)])
def test_any_shape_has_estimates_within_the_range(shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(1).choice(np.array([0, 255], np.uint8), shape)
    for fan in fans(mask):
        for estimate in (magnitude_angle(fan), step_angle(fan), banded_angle(fan)):
            assert abs(estimate.angle_deg) <= 16.0
            assert 0.0 <= estimate.prominence <= 1.0


def test_nothing_has_no_prominence() -> None:
    for fan in fans(np.zeros((200, 200), np.uint8)):
        assert magnitude_angle(fan).prominence == 0.0
        assert step_angle(fan).prominence == 0.0
