"""How many pixels have each level."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Counts = npt.NDArray[np.float32]

LEAST_APART_PIXELS = 8192
SAMPLE_STEP = 16
COMMON_FRACTION = 0.35
"""A level that so many pixels have is waited for at nearly every pixel, unless neighbours are
counted apart, which costs half more where levels are mixed."""

_FOUR_NUMBERS = 0x03020100


def histogram(pixels: Pixels) -> Counts:
    """(256,) how many pixels of (H, W) or (N,) have each level."""
    if pixels.size >= LEAST_APART_PIXELS:
        few = pixels[::SAMPLE_STEP]
        if cv2.calcHist([few], [0], None, [256], [0, 256]).max() > COMMON_FRACTION * few.size:
            return _counted_apart(pixels)
    return cast("Counts", cv2.calcHist([pixels], [0], None, [256], [0, 256]).ravel())


def masked_histogram(pixels: Pixels, mask: Pixels) -> Counts:
    """(256,) how many pixels of (H, W) have each level where the mask is not 0."""
    return cast("Counts", cv2.calcHist([pixels], [0], mask, [256], [0, 256]).ravel())


def level_below(counts: npt.NDArray[Any], share: float) -> int:
    """The level that ``share`` (0 to 1) of what was counted, by (256,) levels, does not exceed."""
    below = np.cumsum(counts)
    return int(np.searchsorted(below, share * below[-1]))


def median_level(counts: Counts) -> float:
    """The median of what was counted: between two levels where it is the mean of both."""
    below = np.cumsum(counts, dtype=np.float64)
    half = below[-1] / 2
    return float(below.searchsorted(half) + below.searchsorted(half, side="right")) / 2


def _counted_apart(pixels: Pixels) -> Counts:
    """The same, with neighbours in bins of their own: every pixel has one of four numbers."""
    numbers = np.full(pixels.size // 4 + 1, _FOUR_NUMBERS, np.uint32).view(np.uint8)
    apart = numbers[: pixels.size].reshape(pixels.shape)
    counts = cv2.calcHist([apart, pixels], [0, 1], None, [4, 256], [0, 4, 0, 256])
    return cast("Counts", counts.sum(axis=0))
