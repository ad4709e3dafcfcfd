"""Quadrilaterals around the parts of a mask: what a cut takes for sheets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.sides import corners_of
from docqa.page import Pixels

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

MOST_PARTS_COUNT = 4
"""Sheets sought in one mask; only the largest parts are."""
GAP_FRACTION = 1 / 60
"""Of the longer side: gaps and specks up to about this size are print and dust."""
FRAME_FRACTION = 0.012
"""Corners this close to the frame's, in parts of its longer side, are the frame's own."""


def quads_of(
    mask: Pixels, *, least_area_fraction: float, is_worth: Callable[[Floats], bool]
) -> Iterator[list[Floats]]:
    """Quadrilaterals around the largest parts of the mask, specks gone.

    Args:
        mask: (H, W) 0 or 255.
        least_area_fraction: smaller parts of the frame are left out.
        is_worth: of a rough one, whether its sides are to follow the part's own contour.

    Yields:
        (4, 2) corners clockwise from the top left, the largest part's first: of the parts as they
        are where there are several, for cards may lie close together; then of the parts with
        their gaps closed.
    """
    least = least_area_fraction * mask.size
    size = max(int(max(mask.shape) * GAP_FRACTION), 1) * 2 + 1
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (size, size))
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, element)
    parts = _parts(opened, least)
    if len(parts) > 1:
        yield _quads_around(parts, mask.shape, is_worth)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, element)
    parts = _parts(cv2.morphologyEx(closed, cv2.MORPH_OPEN, element), least)
    yield _quads_around(parts, mask.shape, is_worth)


def _parts(mask: Array, least_area: float) -> list[Array]:
    contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    sized = sorted(((cv2.contourArea(each), each) for each in contours), key=lambda pair: -pair[0])
    return [each for area, each in sized[:MOST_PARTS_COUNT] if area >= least_area]


def _quads_around(
    contours: list[Array], shape: tuple[int, ...], is_worth: Callable[[Floats], bool]
) -> list[Floats]:
    found = []
    for each in contours:
        quad = _rough_quad(each, shape)
        if quad is not None:
            found.append(_fitted(each, quad) if is_worth(quad) else quad)
    return found


def quad_around(contour: Array, shape: tuple[int, ...]) -> Floats | None:
    """(4, 2) corners around a contour, clockwise from the top left; None where it is the frame.

    Args:
        contour: (N, 1, 2) points of a mask's contour.
        shape: (H, W) of the mask.
    """
    quad = _rough_quad(contour, shape)
    return None if quad is None else _fitted(contour, quad)


def _rough_quad(contour: Array, shape: tuple[int, ...]) -> Floats | None:
    hull = cv2.convexHull(contour)
    if len(hull) < 4:
        return None
    quad = cv2.approxPolyN(hull, 4, None, -1.0, True).reshape(-1, 2).astype(np.float64)
    if len(quad) != 4 or _is_frame(quad, shape):
        return None
    return ordered(quad)


def _is_frame(quad: Floats, shape: tuple[int, ...]) -> bool:
    """All corners lie in the frame's own corners: there is nothing to see."""
    height, width = shape
    near = FRAME_FRACTION * max(shape)
    x, y = quad[:, 0], quad[:, 1]
    return bool((np.minimum(x, width - 1 - x) < near).all() and (
        np.minimum(y, height - 1 - y) < near
    ).all())  # fmt: skip


def ordered(quad: Floats) -> Floats:
    """(4, 2) corners clockwise as seen, from the corner that is nearest to the top left."""
    centre = quad.mean(axis=0)
    angles = np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0])
    clockwise = quad[np.argsort(angles)]
    first = int(np.argmin(clockwise.sum(axis=1)))
    return clockwise[[(first + corner) % 4 for corner in range(4)]]


def _fitted(contour: Array, quad: Floats) -> Floats:
    """The quadrilateral whose sides follow the contour itself: a hull is drawn out by any spur."""
    return ordered(_sides_fitted(contour.reshape(-1, 2)[::3].astype(np.float64), quad))


def _sides_fitted(contour: Floats, quad: Floats) -> Floats:
    starts, ends = quad, quad[[1, 2, 3, 0]]
    along = ends - starts
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    unit = along / length[:, None]
    rest = contour[None] - starts[:, None]
    across = np.abs(rest[..., 0] * unit[:, None, 1] - rest[..., 1] * unit[:, None, 0])
    nearest = across.argmin(axis=0)
    usable = across.min(axis=0) < 0.08 * length.max()
    lines = []
    for side in range(4):
        chosen = usable & (nearest == side)
        rest_of_side = rest[side][chosen]
        if len(rest_of_side) < 8:
            lines.append((starts[side], unit[side]))
            continue
        lines.append(line_through(rest_of_side, starts[side], unit[side]))
    moved = corners_of(lines)
    return quad if moved is None else moved


def line_through(rest: Floats, start: Floats, unit: Floats) -> tuple[Floats, Floats]:
    """The line along most of the points, by least absolute distance (reweighted least squares).

    ``rest`` is (N, 2) the points less the start.
    """
    normal = np.array([-unit[1], unit[0]])
    along, across = rest @ unit, rest @ normal
    powers = np.empty((5, len(along)))
    powers[0], powers[1], powers[3] = 1.0, along, across
    np.multiply(along, along, out=powers[2])
    np.multiply(along, across, out=powers[4])
    middle = len(across) // 2
    offset, slope = float(np.partition(across, middle)[middle]), 0.0
    for _ in range(4):
        weight = 1 / np.maximum(np.abs(across - offset - slope * along), 0.3)
        total, x, xx, y, xy = (powers @ weight).tolist()
        spread = xx - x * x / total
        slope = (xy - x * y / total) / spread if spread > 1e-6 * xx else 0.0
        offset = (y - slope * x) / total
    direction = unit + slope * normal
    return start + offset * normal, direction / math.hypot(*direction)
