"""Discs must do to a mask exactly what OpenCV's elliptical elements do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.discs import closed, disc, grown, may_fit, opened
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


@pytest.mark.parametrize("radius", [1, 2, 3, 5, 8, 17.3])
def test_a_disc_that_fits_is_never_missed_by_the_look_at_half_the_size(radius: float) -> None:
    reach = disc(radius).shape[0] // 2
    places = np.random.default_rng(1).integers(reach, 120 - reach, (40, 2)).tolist()
    for x, y in places:
        mask = np.zeros((120, 120), np.uint8)
        mask[y - reach : y + reach + 1, x - reach : x + reach + 1] |= disc(radius)
        halved = mask.reshape(60, 2, 60, 2).min(axis=(1, 3))
        assert may_fit(halved, radius)


def test_strokes_are_no_place_for_a_disc() -> None:
    mask = np.zeros((120, 120), np.uint8)
    mask[::8], mask[1::8], mask[2::8], mask[3::8] = 1, 1, 1, 1
    assert not may_fit(mask[::2, ::2], 8)
