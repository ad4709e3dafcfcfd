"""Means over the blocks of a grid that need not divide the picture evenly.

The sum over any rectangle is four readings of the integral image, and between pixels that integral
is linear: so blocks that share pixels cost no more than others. OpenCV's averaging of such blocks
takes three times as long.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

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
    sums = cv2.integral(pixels, sdepth=cv2.CV_32S)
    beyond = (1,) * (pixels.ndim - 1)
    low, high, share = _between(pixels.shape[0], shape[0])
    above = sums.take(low, axis=0)
    lines = above + (sums.take(high, axis=0) - above) * share.reshape(-1, *beyond)
    rows = lines[1:] - lines[:-1]
    low, high, share = _between(pixels.shape[1], shape[1])
    before = rows.take(low, axis=1)
    corners = before + (rows.take(high, axis=1) - before) * share.reshape(-1, *beyond[1:])
    means = corners[:, 1:] - corners[:, :-1]
    means *= shape[0] * shape[1] / (pixels.shape[0] * pixels.shape[1])
    return cast("Floats", means.astype(np.float32))


@lru_cache(maxsize=PLACES_KEPT_COUNT)
def _between(length: int, count: int) -> tuple[Places, Places, npt.NDArray[np.float64]]:
    """Where the lines of the grid lie: between which rows (or columns), and how far."""
    place = np.arange(count + 1) * (length / count)
    low: Places = np.minimum(place.astype(np.intp), length)
    high: Places = np.minimum(low + 1, length)
    share: npt.NDArray[np.float64] = np.asarray(place - low, np.float64)
    return low, high, share
