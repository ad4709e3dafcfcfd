"""How many pixels have each level."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Counts = npt.NDArray[np.float32]


def histogram(pixels: Pixels) -> Counts:
    """(256,) how many pixels of (H, W) have each level."""
    return cast("Counts", cv2.calcHist([pixels], [0], None, [256], [0, 256]).ravel())


def masked_histogram(pixels: Pixels, mask: Pixels) -> Counts:
    """(256,) how many pixels of (H, W) have each level where the mask is not 0."""
    return cast("Counts", cv2.calcHist([pixels], [0], mask, [256], [0, 256]).ravel())
