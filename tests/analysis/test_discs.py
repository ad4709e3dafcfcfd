"""Discs must do to a mask exactly what OpenCV's elliptical elements do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.discs import closed, disc, grown, opened
from docqa.page import Pixels


def _mask(seed: int) -> Pixels:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(40, 240, 2)
    field = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), rng.uniform(2, 20))
    return np.asarray(field > 0, np.uint8) * np.uint8(255 if seed % 2 else 1)


@pytest.mark.parametrize("radius", [2, 6, 7.4, 16, 22])
def test_large_discs_open_close_and_grow_as_opencv_does(radius: float) -> None:
    element = disc(radius)
    for seed in range(24):
        mask = _mask(seed)
        assert np.array_equal(opened(mask, radius), cv2.morphologyEx(mask, cv2.MORPH_OPEN, element))
        assert np.array_equal(
            closed(mask, radius), cv2.morphologyEx(mask, cv2.MORPH_CLOSE, element)
        )
        ones = np.asarray(mask > 0, np.uint8)
        assert np.array_equal(grown(ones, radius), cv2.dilate(ones, element))


def test_an_empty_mask_stays_empty() -> None:
    empty = np.zeros((90, 70), np.uint8)
    assert not opened(empty, 12).any()
    assert not closed(empty, 12).any()
