"""Angles of drawn lines are found to hundredths of a degree, whatever they lie at."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.text_angle import sharpen, spectrum, sweep
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
    mask = _lines(angle_deg)
    whole, banded = sweep(mask)
    across, _ = spectrum(mask)
    assert whole.angle_deg == pytest.approx(angle_deg, abs=0.2)
    assert banded.angle_deg == pytest.approx(angle_deg, abs=0.3)
    assert across.angle_deg == pytest.approx(angle_deg, abs=0.3)
    assert sharpen(mask, angle_deg + 0.3).angle_deg == pytest.approx(angle_deg, abs=0.01)


def test_a_coarser_pitch_of_columns_finds_the_same_angle() -> None:
    mask = _lines(4.4)
    every_third = np.ascontiguousarray(mask[:, ::3])
    assert sharpen(every_third, 4.1, 3).angle_deg == pytest.approx(4.4, abs=0.02)


def test_the_true_angle_scores_highest() -> None:
    mask = _lines(2.0)
    assert sharpen(mask, 2.1).score > 2.0 * sharpen(mask, 4.0).score


def test_bands_are_less_exact_but_agree_on_one_column() -> None:
    mask = _lines(-1.5)
    assert sharpen(mask, -1.3, banded=True).angle_deg == pytest.approx(-1.5, abs=0.05)


def test_lines_down_the_page_are_the_second_answer() -> None:
    mask = np.ascontiguousarray(np.rot90(_lines(3.0)))
    across, down = spectrum(mask)
    assert down.angle_deg == pytest.approx(3.0, abs=0.3)
    assert down.prominence > across.prominence


def test_nothing_is_not_sharp() -> None:
    found = sharpen(np.zeros((200, 200), np.uint8), 0.0)
    assert found.sharpness == 0.0
    assert found.score == 0.0
