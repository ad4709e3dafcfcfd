"""Means over the blocks of a grid that need not divide the picture evenly.

The sum over any rectangle is four readings of the integral image, and between pixels that integral
is linear: so blocks that share pixels cost no more than others. OpenCV's averaging of such blocks
takes three times as long.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


def block_means(pixels: Pixels, shape: tuple[int, int]) -> Floats:
    """(rows, columns) float32 mean levels of the blocks of a grid of that shape over (H, W)."""
    height, width = pixels.shape
    rows, columns = shape
    sums = cv2.integral(pixels, sdepth=cv2.CV_32S)
    low, high, share = _between(height, rows)
    lines = sums[low] * (1 - share[:, None]) + sums[high] * share[:, None]
    low, high, share = _between(width, columns)
    corners = lines[:, low] * (1 - share) + lines[:, high] * share
    down = corners[1:] - corners[:-1]
    area = height * width / (rows * columns)
    return cast("Floats", ((down[:, 1:] - down[:, :-1]) / area).astype(np.float32))


def _between(length: int, count: int) -> tuple[Places, Places, npt.NDArray[np.float64]]:
    """Where the lines of the grid lie: between which rows (or columns), and how far."""
    place = np.arange(count + 1) * (length / count)
    low: Places = np.minimum(place.astype(np.intp), length)
    high: Places = np.minimum(low + 1, length)
    share: npt.NDArray[np.float64] = np.asarray(place - low, np.float64)
    return low, high, share
