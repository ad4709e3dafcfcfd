"""A first look at a quadrilateral: whether its sides can be the edges of a sheet at all.

Most cuts go around a block of text or a picture of the page itself, where the same paper lies on
both sides. Drawing such a quadrilateral to the edges under it costs twenty times this look.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Floats = npt.NDArray[np.float64]

SURFACE_SIDE_PX = 5
"""Over so much the brightest pixel is the surface, whatever is printed on it."""
DISTANCES_PX = (4, 8)
"""From the side, on both of its flanks: past its blur, and past what the cut may be off."""
PLACES = np.linspace(0.05, 0.95, 24)
LEAST_PLACES_COUNT = 6
"""A side with fewer places whose both flanks lie in the frame is not known."""
LEAST_STEP_LEVELS = 2.0
LEAST_SIDES_COUNT = 3
"""Sides that must differ so much from their surroundings, or are not known."""
_SIGNED = np.array([[[[each]]] for each in (*DISTANCES_PX, *(-d for d in DISTANCES_PX))])


def surface_of(luma: Pixels) -> Pixels:
    """(H, W) the brightest level around each pixel."""
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (SURFACE_SIDE_PX, SURFACE_SIDE_PX))
    return np.asarray(cv2.dilate(luma, element), np.uint8)


def may_be_sheet(surface: Pixels, quad: Floats) -> bool:
    """Whether enough sides are not surely amid one surface.

    Where a side is near the frame, the sheet is cut off or the quadrilateral is a part of a page
    that fills the frame: then every other side must be brighter within, as a sheet that is cut off
    has to be.

    Args:
        surface: (H, W) from ``surface_of``.
        quad: (4, 2) corners at the same scale, clockwise from the top left.
    """
    steps = _steps(surface, quad)
    known = np.isfinite(steps).any(axis=0)
    if not known.all():
        highest = np.where(np.isfinite(steps), steps, -np.inf).max(axis=0)
        return bool((highest[known] >= LEAST_STEP_LEVELS / 2).all())
    differs = (np.abs(np.where(np.isfinite(steps), steps, 0.0)) >= LEAST_STEP_LEVELS).any(axis=0)
    return int(differs.sum()) >= LEAST_SIDES_COUNT


def _steps(surface: Pixels, quad: Floats) -> Floats:
    """(distances, 4) levels by which each side is brighter within; NaN where that is not known."""
    height, width = surface.shape
    along = quad[[1, 2, 3, 0]] - quad
    unit = along / np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    inward = np.stack([-unit[:, 1], unit[:, 0]], axis=1)
    base = quad[:, None] + along[:, None] * PLACES[:, None]
    at = np.rint(base + inward[:, None] * _SIGNED).astype(np.intp)
    x, y = at[..., 0], at[..., 1]
    seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    levels = surface[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float64)
    count = len(DISTANCES_PX)
    rises = levels[:count] - levels[count:]
    both = seen[:count] & seen[count:]
    # What is not seen goes to the end, so that the middle of the rest can be read off.
    rises[~both] = np.inf
    rises.sort(axis=2)
    seen_count = both.sum(axis=2)
    middle = np.take_along_axis(rises, np.maximum(seen_count // 2, 0)[..., None], axis=2)[..., 0]
    return np.where(seen_count >= LEAST_PLACES_COUNT, middle, np.nan)
