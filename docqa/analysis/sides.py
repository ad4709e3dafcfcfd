"""A quadrilateral's sides, drawn to the edges under them to a fraction of a pixel.

Profiles are taken across each side; the steepest place of each is a point of the edge; a robust
least-squares line through the points is the side; neighbouring sides meet in the corners.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.int16]
Line = tuple[Floats, Floats]
"""A point (2,) and a unit direction (2,)."""

SAMPLES_COUNT = 64
"""Profiles taken across each side."""
PLACES = np.linspace(0.03, 0.97, SAMPLES_COUNT)
"""Along the side, 0 to 1."""
LEAST_RISE_LEVELS = 0.5
"""Gradient per pixel below which there is no edge, however quiet the image."""
TOLERANCE_PX = 1.0
TOLERANCE_FRACTION = 0.0035
"""How far an edge point may lie off its line, the latter in parts of the longest side: paper
bends a little, and lenses bend more."""
WITHIN_BAND_PX = (3, 8)
WITHOUT_BAND_PX = (2, 7)
"""Distances from a side at which its flanks are compared: past the edge's own blur, and wide
enough to reach the paper between letters and lines."""
STEP_SHARE_FRACTION = 0.7
"""A side is a step when this share of its profiles go the same way from outside to inside."""


def draw_to_edges(
    image: Pixels, quad: Floats, fixed: tuple[bool, ...], reach: int
) -> tuple[Floats | None, Floats]:
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
        side that has an edge on its line, 0 to 1.
    """
    length, inward = _frame_of(quad)
    base = _points(quad)
    profiles = _profiles(image, base, inward, reach)
    height, width = image.shape
    within = (base >= 0) & (base <= np.array([width - 1, height - 1]))
    inside = within[..., 0] & within[..., 1]
    rise = (profiles[..., 2:] - profiles[..., :-2]) / 2
    floor = max(LEAST_RISE_LEVELS, 2.0 * _middle(np.abs(rise).ravel()))
    tolerance = max(TOLERANCE_PX, TOLERANCE_FRACTION * float(length.max()))
    ends, support = _lines(np.stack([rise, -rise]), inside, floor, tolerance)
    free = ~np.array(fixed)
    ends[~free] = 0.0
    first = quad + inward * ends[:, :1]
    last = quad[[1, 2, 3, 0]] + inward * ends[:, 1:]
    run = last - first
    run /= np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-6)[:, None]
    return corners_of(list(zip(first, run, strict=True))), support


def side_steps(
    image: Pixels, quad: Floats, without_band: tuple[int, int] = WITHOUT_BAND_PX
) -> Floats:
    """(4,) how many levels brighter the surface is within each side than without.

    The brightest pixels of both flanks are compared: that is the surface, whatever is printed on
    it. About 0 for a ruled line or the edge of a text block, 0 where the sign varies, and NaN
    for a side too near to the frame to have an outer flank.
    """
    inward = _frame_of(quad)[1]
    base = _points(quad)
    rises, seen = _rises(image, base, inward, WITHIN_BAND_PX, without_band)
    steps = np.full(4, np.nan)
    for side in range(4):
        of_side = rises[side][seen[side]]
        if len(of_side) >= SAMPLES_COUNT // 8:
            middle = _middle(of_side)
            same_way = np.count_nonzero(of_side * np.sign(middle) > 0.3 * abs(middle))
            is_step = same_way >= STEP_SHARE_FRACTION * len(of_side)
            steps[side] = middle if is_step else 0.0
    return steps


def _middle(values: Singles | Levels) -> float:
    half = len(values) // 2
    return float(np.partition(values, half)[half])


def corners_of(lines: list[Line]) -> Floats | None:
    """(4, 2) where each side meets the one before it; None when two are nearly parallel."""
    corners = [meeting(lines[side], lines[side - 1]) for side in range(4)]
    found = [corner for corner in corners if corner is not None]
    return np.array(found) if len(found) == 4 else None


def meeting(side: Line, before: Line) -> Floats | None:
    """(2,) where two lines meet; None when they are nearly parallel."""
    (point, direction), (start, slope) = side, before
    cross = slope[0] * direction[1] - slope[1] * direction[0]
    if abs(cross) < 0.2:
        return None
    rest = point - start
    return np.asarray(start + slope * (rest[0] * direction[1] - rest[1] * direction[0]) / cross)


def _frame_of(quad: Floats) -> tuple[Floats, Floats]:
    """(4,) lengths of the sides and (4, 2) unit normals that point inward."""
    along = quad[[1, 2, 3, 0]] - quad
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    unit = along / length[:, None]
    return length, np.stack([-unit[:, 1], unit[:, 0]], axis=1)


def _points(quad: Floats) -> Floats:
    """(4, samples, 2) the points at ``PLACES`` of each side."""
    along = quad[[1, 2, 3, 0]] - quad
    return np.asarray(quad[:, None] + along[:, None] * PLACES[None, :, None])


def _rises(
    image: Pixels,
    base: Floats,
    inward: Floats,
    within_band: tuple[int, int],
    without_band: tuple[int, int],
) -> tuple[Levels, Flags]:
    """(4, samples) by how much the highest level in a band within exceeds that in one without, and
    where a part of both lies in the frame.
    """
    within, without = np.arange(*within_band), -np.arange(*without_band)
    offsets = np.concatenate([within, without])[:, None, None]
    height, width = image.shape
    # Whole arrays of x and of y, and the band first: that is what NumPy is quick with.
    x = np.rint(base[..., 0] + offsets * inward[:, None, 0]).astype(np.intp)
    y = np.rint(base[..., 1] + offsets * inward[:, None, 1]).astype(np.intp)
    inside_x, inside_y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    levels = image[inside_y, inside_x].astype(np.int16)
    levels[(inside_x != x) | (inside_y != y)] = -1
    highest, beyond = levels[: len(within)].max(axis=0), levels[len(within) :].max(axis=0)
    return highest - beyond, (highest >= 0) & (beyond >= 0)


def _profiles(image: Pixels, base: Floats, inward: Floats, reach: int) -> Singles:
    """(4, samples, 2 * reach + 3) brightness across the sides, from outside to inside.

    Smoothed along the profiles and along the sides, which is cheaper than smoothing the image.
    """
    offsets = np.arange(-reach - 2, reach + 3, dtype=np.float64)
    points = base[:, :, None] + inward[:, None, None] * offsets[None, None, :, None]
    flat = points.reshape(4 * SAMPLES_COUNT, -1, 2).astype(np.float32)
    read = cv2.remap(
        image, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    taken = np.asarray(read, np.float32).reshape(4, SAMPLES_COUNT, -1)
    taken = taken[..., :-2] + 2 * taken[..., 1:-1] + taken[..., 2:]
    taken[:, 1:-1] = (taken[:, :-2] + 2 * taken[:, 1:-1] + taken[:, 2:]) / 4
    return np.asarray(taken / 4, np.float32)


def _lines(rise: Singles, inside: Flags, floor: float, tolerance: float) -> tuple[Floats, Floats]:
    """(4, 2) the lines' offsets at both ends of each side, and (4,) their support.

    ``rise`` is (2 signs, 4 sides, samples, offsets). Least squares, reweighted with a shrinking
    tolerance, all sides and signs at once.
    """
    reach = (rise.shape[3] - 1) // 2
    peak = rise.argmax(axis=3)
    flat, width = rise.reshape(-1), rise.shape[3]
    start = np.arange(0, flat.size, width).reshape(peak.shape)
    height, low, high = (
        flat[start + at_place]
        for at_place in (peak, np.maximum(peak - 1, 0), np.minimum(peak + 1, width - 1))
    )
    bend = np.maximum(2 * height - low - high, 1e-6)
    at = peak - reach + np.clip((high - low) / (2 * bend), -0.5, 0.5)
    usable = np.logical_and(height > floor, inside)
    middle = PLACES - 0.5
    # Profiles without an edge vote for the side to stay where it is.
    half = at.shape[2] // 2
    centre = np.partition(np.where(usable, at, 0.0), half, axis=2)[..., half]
    line = np.stack([centre, np.zeros_like(centre)], axis=-1)
    powers = np.stack([np.ones_like(middle), middle, middle * middle], axis=1)
    weight = None
    for within in (reach, 2 * tolerance, tolerance, tolerance):
        chosen = _near(at, line, middle, usable, max(within, tolerance))
        if weight is not None and np.array_equal(chosen, weight):
            continue  # the same points give the same line
        weight = chosen
        line = _least_squares(weight.astype(np.float64), at, powers)
    carried = _near(at, line, middle, usable, tolerance).sum(axis=2)
    share = carried / np.maximum(inside.sum(axis=1), SAMPLES_COUNT // 4)
    better, sides = share.argmax(axis=0), np.arange(4)
    middles, slopes = line[better, sides].T
    ends = np.stack([middles - slopes / 2, middles + slopes / 2], axis=1)
    return ends, share[better, sides]


def _near(at: Floats, line: Floats, middle: Floats, usable: Flags, within: float) -> Flags:
    miss = at - line[..., :1] - line[..., 1:] * middle
    return np.asarray(usable & (np.abs(miss) <= within))


def _least_squares(weight: Floats, at: Floats, powers: Floats) -> Floats:
    """(…, 2) offset at the middle of the side and its change along the side.

    ``powers`` is (samples, 3) the powers 0 to 2 of the place from the middle.
    """
    of_x, of_y = weight @ powers, (weight * at) @ powers
    total, sum_x, sum_xx = of_x[..., 0], of_x[..., 1], of_x[..., 2]
    sum_y, sum_xy = of_y[..., 0], of_y[..., 1]
    safe = np.maximum(total, 1e-9)
    spread = sum_xx - sum_x * sum_x / safe
    known = (total >= 4) & (spread > 1e-3)
    slope = np.where(known, (sum_xy - sum_x * sum_y / safe) / np.maximum(spread, 1e-9), 0.0)
    line = np.empty((*total.shape, 2))
    line[..., 0] = (sum_y - slope * sum_x) / safe
    line[..., 1] = slope
    return line
