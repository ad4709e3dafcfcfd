"""How many pixels have each level."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Counts = npt.NDArray[np.float32]

LEAST_APART_PIXELS, MOST_APART_PIXELS = 8192, 1 << 17
"""Of so many pixels neighbours are counted apart: of fewer it costs more to say so, of more it is
looked first whether it pays."""
SAMPLED_PIXELS = 8192
"""About so many are looked at for that: of (H, W) a few whole rows, evenly apart."""
COMMON_FRACTION = 0.35
"""A level that so many pixels have is waited for at nearly every pixel, unless neighbours are
counted apart, which costs a third more where levels are mixed."""

_FOUR_NUMBERS = 0x03020100
_NUMBERS = np.full(MOST_APART_PIXELS // 4, _FOUR_NUMBERS, np.uint32).view(np.uint8)


def histogram(pixels: Pixels) -> Counts:
    """(256,) how many pixels of (H, W) or (N,) have each level."""
    if pixels.size >= LEAST_APART_PIXELS and (
        pixels.size <= MOST_APART_PIXELS or _has_common_level(pixels)
    ):
        return _counted_apart(pixels)
    return cast("Counts", cv2.calcHist([pixels], [0], None, [256], [0, 256]).ravel())


def _has_common_level(pixels: Pixels) -> bool:
    few = pixels[:: pixels.size // SAMPLED_PIXELS]
    counts = cv2.calcHist([few], [0], None, [256], [0, 256])
    return bool(counts.max() > COMMON_FRACTION * few.size)


def histograms(windows: Pixels, masks: Pixels | None = None) -> Counts:
    """(n, 256) how many pixels of each of up to 256 windows, (n, H, W), have each level: all, or
    those where the masks, (n, H, W), are not 0.
    """
    count, _, width = windows.shape
    owners = _owners(windows.shape).reshape(-1, width)
    mask = None if masks is None else masks.reshape(-1, width)
    both = [owners, windows.reshape(-1, width)]
    found = cv2.calcHist(both, [0, 1], mask, [count, 256], [0, count, 0, 256])
    return cast("Counts", found)


@lru_cache(maxsize=16)
def _owners(shape: tuple[int, ...]) -> Pixels:
    """Which of the windows each pixel is of."""
    return np.broadcast_to(np.arange(shape[0], dtype=np.uint8)[:, None, None], shape).copy()


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
    numbers = _NUMBERS
    if pixels.size > len(numbers):
        numbers = np.full(pixels.size // 4 + 1, _FOUR_NUMBERS, np.uint32).view(np.uint8)
    apart = numbers[: pixels.size].reshape(pixels.shape)
    counts = cv2.calcHist([apart, pixels], [0, 1], None, [4, 256], [0, 4, 0, 256])
    return cast("Counts", counts.sum(axis=0))
