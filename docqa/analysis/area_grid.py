"""Means over the blocks of a grid that need not divide the picture evenly.

The sum over any rectangle is four readings of the integral image, and between pixels that integral
is linear: so blocks that share pixels cost no more than others. OpenCV's averaging of such blocks
takes three times as long.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Floats = npt.NDArray[np.float32]
Sums = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

MOST_FEW_ROWS = 20
PLACES_KEPT_COUNT = 64
"""Grids come back from page to page."""


def block_means(pixels: Pixels, shape: tuple[int, int]) -> Floats:
    """Mean levels of the blocks of a grid over a picture.

    Args:
        pixels: (H, W), or (H, W, channels).
        shape: rows and columns of the grid.

    Returns:
        (rows, columns) or (rows, columns, channels).
    """
    is_coarse = shape[0] <= min(MOST_FEW_ROWS, len(pixels))
    rows = _few_rows(pixels, shape[0]) if is_coarse else _rows(pixels, shape[0])
    beyond = (1,) * (pixels.ndim - 2)
    low, high, share = _between(pixels.shape[1], shape[1])
    before = rows.take(low, axis=1)
    corners = before + (rows.take(high, axis=1) - before) * share.reshape(-1, *beyond)
    means = corners[:, 1:] - corners[:, :-1]
    means *= shape[0] * shape[1] / (pixels.shape[0] * pixels.shape[1])
    return cast("Floats", means.astype(np.float32))


def _rows(pixels: Pixels, count: int) -> Sums:
    """(count, W + 1) sums of the rows of each row of blocks, from the left up to each column."""
    sums = cv2.integral(pixels, sdepth=cv2.CV_32S)
    low, high, share = _between(pixels.shape[0], count)
    above = sums.take(low, axis=0)
    lines = above + (sums.take(high, axis=0) - above) * share.reshape(-1, *(1,) * (pixels.ndim - 1))
    return np.asarray(lines[1:] - lines[:-1], np.float64)


def _few_rows(pixels: Pixels, count: int) -> Sums:
    """The same without an integral image, which takes four bytes of memory for each pixel."""
    low, _, share = _between(pixels.shape[0], count)
    flat = pixels.reshape(len(pixels), -1)
    # What each line of the grid cuts off the row of pixels that it runs through.
    cut = flat[np.minimum(low, len(flat) - 1)] * share[:, None]
    lines = cut[1:] - cut[:-1]
    for line, (first, last) in zip(lines, pairwise(low.tolist()), strict=True):
        line += cv2.reduce(flat[first:last], 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
    rows = np.zeros((count, pixels.shape[1] + 1, *pixels.shape[2:]))
    np.cumsum(lines.reshape(count, *pixels.shape[1:]), axis=1, out=rows[:, 1:])
    return rows


@lru_cache(maxsize=PLACES_KEPT_COUNT)
def _between(length: int, count: int) -> tuple[Places, Places, npt.NDArray[np.float64]]:
    """Where the lines of the grid lie: between which rows (or columns), and how far."""
    place = np.arange(count + 1) * (length / count)
    low: Places = np.minimum(place.astype(np.intp), length)
    high: Places = np.minimum(low + 1, length)
    share: npt.NDArray[np.float64] = np.asarray(place - low, np.float64)
    return low, high, share
