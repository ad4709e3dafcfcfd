"""A quadrilateral's sides, drawn to the edges under them to a fraction of a pixel.

Profiles are taken across each side; the steepest place of each is a point of the edge; a robust
least-squares line through the points is the side; neighbouring sides meet in the corners.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Line = tuple[Floats, Floats]
"""A point (2,) and a unit direction (2,)."""

SAMPLES_COUNT = 96
"""Profiles taken across each side."""
LEAST_RISE_LEVELS = 0.5
"""Gradient per pixel below which there is no edge, however quiet the image."""
TOLERANCE_PX = 1.0
TOLERANCE_FRACTION = 0.0035
"""How far an edge point may lie off its line, the latter in parts of the longest side: paper
bends a little, and lenses bend more."""
LEAST_STEP_LEVELS = 1.5
STEP_SHARE_FRACTION = 0.6
"""A side is a step when this share of its profiles differ by the levels inside from outside."""


def draw_to_edges(
    image: npt.NDArray[np.float32], quad: Floats, fixed: tuple[bool, ...], reach: int
) -> tuple[Floats | None, Floats, int]:
    """Move the sides of a quadrilateral to the steepest places within ``reach`` pixels.

    Rising and falling edges are fitted apart and the better carried one wins, so that the two
    flanks of a shadow line are not mixed.

    Args:
        image: (H, W) brightness.
        quad: (4, 2) corners, clockwise from the top left.
        fixed: (4,) sides (top, right, bottom, left) that stay where they are.
        reach: in pixels, at least 2.

    Returns:
        The moved (4, 2) corners, or None when sides became parallel; (4,) the share of each
        side that has an edge on its line, 0 to 1; how many free sides are steps (brighter or
        darker on one flank than on the other, as a ruled line is not).
    """
    along = np.roll(quad, -1, axis=0) - quad
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    unit = along / length[:, None]
    inward = np.stack([-unit[:, 1], unit[:, 0]], axis=1)
    place = np.linspace(0.03, 0.97, SAMPLES_COUNT)
    base = quad[:, None] + along[:, None] * place[None, :, None]
    profiles = _profiles(image, base, inward, reach)
    height, width = image.shape
    inside = ((base >= 0) & (base <= np.array([width - 1, height - 1]))).all(axis=2)
    rise = (profiles[..., 2:] - profiles[..., :-2]) / 2
    floor = max(LEAST_RISE_LEVELS, 2.0 * float(np.median(np.abs(rise))))
    tolerance = max(TOLERANCE_PX, TOLERANCE_FRACTION * float(length.max()))
    ends, support = _lines(np.stack([rise, -rise]), place, inside, floor, tolerance)
    free = ~np.array(fixed)
    ends[~free] = 0.0
    steps = int((_steps(profiles, ends, place, inside) & free).sum())
    first = quad + inward * ends[:, :1]
    last = np.roll(quad, -1, axis=0) + inward * ends[:, 1:]
    run = last - first
    run /= np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-6)[:, None]
    return corners_of(list(zip(first, run, strict=True))), support, steps


def corners_of(lines: list[Line]) -> Floats | None:
    """(4, 2) where each side meets the one before it; None when two are nearly parallel."""
    corners = []
    for side in range(4):
        (point, direction), (before, slope) = lines[side], lines[side - 1]
        cross = slope[0] * direction[1] - slope[1] * direction[0]
        if abs(cross) < 0.2:
            return None
        rest = point - before
        corners.append(before + slope * (rest[0] * direction[1] - rest[1] * direction[0]) / cross)
    return np.array(corners)


def _profiles(
    image: npt.NDArray[np.float32], base: Floats, inward: Floats, reach: int
) -> Floats:
    """(4, samples, 2 * reach + 3) brightness across the sides, from outside to inside."""
    offsets = np.arange(-reach - 1, reach + 2, dtype=np.float64)
    points = base[:, :, None] + inward[:, None, None] * offsets[None, None, :, None]
    flat = points.reshape(4 * SAMPLES_COUNT, -1, 2).astype(np.float32)
    taken = cv2.remap(
        image, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cast("Floats", taken.reshape(4, SAMPLES_COUNT, -1).astype(np.float64))


def _lines(
    rise: Floats, place: Floats, inside: Flags, floor: float, tolerance: float
) -> tuple[Floats, Floats]:
    """(4, 2) the lines' offsets at both ends of each side, and (4,) their support.

    ``rise`` is (2 signs, 4 sides, samples, offsets). Least squares, reweighted with a shrinking
    tolerance, all sides and signs at once.
    """
    reach = (rise.shape[3] - 1) // 2
    peak = rise.argmax(axis=3)
    height, low, high = (
        np.take_along_axis(rise, np.clip(peak + by, 0, 2 * reach)[..., None], axis=3)[..., 0]
        for by in (0, -1, 1)
    )
    bend = np.maximum(2 * height - low - high, 1e-6)
    at = peak - reach + np.clip((high - low) / (2 * bend), -0.5, 0.5)
    usable = (height > floor) & inside
    middle = place - 0.5
    line = _least_squares(usable.astype(np.float64), at, np.zeros_like(middle))
    known = np.where(usable, at, np.nan)
    line[..., 0] = np.where(
        usable.any(axis=2), np.nanmedian(np.where(usable.any(axis=2)[..., None], known, 0), 2), 0
    )
    for width in (reach, reach / 2, 2 * tolerance, tolerance, tolerance):
        miss = at - line[..., :1] - line[..., 1:] * middle
        weight = usable & (np.abs(miss) <= max(width, tolerance))
        line = _least_squares(weight.astype(np.float64), at, middle)
    miss = at - line[..., :1] - line[..., 1:] * middle
    carried = (usable & (np.abs(miss) <= tolerance)).sum(axis=2)
    share = carried / np.maximum(inside.sum(axis=1), SAMPLES_COUNT // 4)
    better, sides = share.argmax(axis=0), np.arange(4)
    centre, slope = line[better, sides].T
    return np.stack([centre - slope / 2, centre + slope / 2], axis=1), share[better, sides]


def _least_squares(weight: Floats, at: Floats, middle: Floats) -> Floats:
    """(…, 2) offset at the middle of the side and its change along the side."""
    total = weight.sum(axis=-1)
    safe = np.maximum(total, 1e-9)
    mean_x = (weight * middle).sum(axis=-1) / safe
    mean_y = (weight * at).sum(axis=-1) / safe
    x, y = middle - mean_x[..., None], at - mean_y[..., None]
    spread = (weight * x * x).sum(axis=-1)
    slope = np.where(
        (total >= 4) & (spread > 1e-3), (weight * x * y).sum(axis=-1) / np.maximum(spread, 1e-9), 0
    )
    return np.stack([np.where(total > 0, mean_y - slope * mean_x, 0.0), slope], axis=-1)


def _steps(profiles: Floats, ends: Floats, place: Floats, inside: Flags) -> Flags:
    """(4,) whether each side's inside differs from its outside, not only its line from both."""
    reach = (profiles.shape[2] - 3) // 2
    offsets = np.arange(-reach - 1, reach + 2)
    line = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * place
    behind = offsets - line[..., None]
    inner, outer = (behind > 2) & (behind < 7), (behind < -2) & (behind > -7)
    within = (profiles * inner).sum(axis=2) / np.maximum(inner.sum(axis=2), 1)
    without = (profiles * outer).sum(axis=2) / np.maximum(outer.sum(axis=2), 1)
    differs = np.abs(within - without) > LEAST_STEP_LEVELS
    differs &= inside & inner.any(axis=2) & outer.any(axis=2)
    return cast(
        "Flags", differs.sum(axis=1) > STEP_SHARE_FRACTION * np.maximum(inside.sum(axis=1), 1)
    )
