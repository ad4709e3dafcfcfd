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
Levels = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]

SURFACE_SIDE_PX = 5
"""Over so much the brightest pixel is the surface, whatever is printed on it."""
DISTANCES_PX = (4, 8)
"""From the side, on both of its flanks: past its blur, and past what the cut may be off."""
PLACES = np.linspace(0.05, 0.95, 24)
LEAST_PLACES_COUNT = 6
"""A side with fewer places whose both flanks lie in the frame is not known."""
LEAST_STEP_LEVELS = 2
LEAST_CUT_STEP_LEVELS = 1
"""The same for a sheet that is cut off, whose every other side must be brighter within."""
LEAST_SIDES_COUNT = 3
"""Sides that must differ so much from their surroundings."""
SAME_PX = 1.0
"""Quadrilaterals closer than this look the same."""
_SIGNED = np.array([[[each]] for each in (*DISTANCES_PX, *(-d for d in DISTANCES_PX))])


class SheetScreen:
    """Whether quadrilaterals on one picture can be sheets; it remembers what it was asked.

    Args:
        luma: (H, W) brightness.
    """

    __slots__ = ("_judged", "_surface")

    def __init__(self, luma: Pixels) -> None:
        element = cv2.getStructuringElement(cv2.MORPH_RECT, (SURFACE_SIDE_PX, SURFACE_SIDE_PX))
        self._surface = np.asarray(cv2.dilate(luma, element), np.uint8)
        self._judged: list[tuple[Floats, bool]] = []

    def may_be_sheet(self, quad: Floats) -> bool:
        """Whether enough sides are not surely amid one surface.

        Where a side is near the frame, the sheet is cut off or the quadrilateral is a part of a
        page that fills the frame: then every other side must be brighter within, as a sheet that
        is cut off has to be.

        Args:
            quad: (4, 2) corners, clockwise from the top left.
        """
        for other, answer in self._judged:
            if np.abs(quad - other).max() < SAME_PX:
                return answer
        answer = _has_sides(self._surface, quad)
        self._judged.append((quad, answer))
        return answer


def _has_sides(surface: Pixels, quad: Floats) -> bool:
    rises, both = _rises(surface, quad)
    half = both.sum(axis=2)
    known = half >= LEAST_PLACES_COUNT
    half //= 2
    if not known.any(axis=0).all():
        brighter = ((rises >= LEAST_CUT_STEP_LEVELS) & both).sum(axis=2) > half
        return bool(((brighter & known).any(axis=0) | ~known.any(axis=0)).all())
    brighter = ((rises >= LEAST_STEP_LEVELS) & both).sum(axis=2) > half
    darker = ((rises <= -LEAST_STEP_LEVELS) & both).sum(axis=2) > half
    differs = ((brighter | darker) & known).any(axis=0)
    return int(differs.sum()) >= LEAST_SIDES_COUNT


def _rises(surface: Pixels, quad: Floats) -> tuple[Levels, Flags]:
    """(distances, 4, places) levels by which each side is brighter within, and where both flanks
    lie in the frame.
    """
    height, width = surface.shape
    along = quad[[1, 2, 3, 0]] - quad
    unit = along / np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    base_x, base_y = quad[:, :1] + along[:, :1] * PLACES, quad[:, 1:] + along[:, 1:] * PLACES
    x = np.rint(base_x - unit[:, 1:] * _SIGNED).astype(np.intp)
    y = np.rint(base_y + unit[:, :1] * _SIGNED).astype(np.intp)
    inside_x, inside_y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    seen = (inside_x == x) & (inside_y == y)
    levels = surface[inside_y, inside_x].astype(np.int16)
    count = len(DISTANCES_PX)
    return levels[:count] - levels[count:], seen[:count] & seen[count:]
