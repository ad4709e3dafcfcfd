"""The silhouette of a sheet whose sides are not straight: folded, curled or crumpled paper.

No straight edges carry a quadrilateral around such a sheet, but its colours still part it from its
ground. It is cut out by GrabCut (Rother, Kolmogorov and Blake 2004), the ground's colours learnt at
the frame's border. What is cut out is a sheet only where nothing just within it has the colour of
the ground just without: between the letters and pictures of a page the paper shows, on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.mask_quads import line_through, quad_around
from docqa.analysis.sheet_candidates import plausible
from docqa.analysis.sides import Line, meeting
from docqa.page import Pixels

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

WORKING_SIDE_PX = 128
"""Longer side of the picture that is cut: the price is by pixels, the corners stay within 1 %."""
COARSE_SIDE_PX = 64
"""The same of the cut that is tried first: a sixth of the price, and most pictures fail in it."""
LEAST_SIDE_PX = 24
ITERATIONS = 2
SEED = 1
"""The colours are clustered by chance; the same picture must give the same answer."""
RING_FRACTION = 1 / 20
"""Depth of the border whose colours are the ground's, in parts of the frame's shorter side."""
COLOUR_BINS = (16, 32, 32)
"""Of lightness and both colour axes, each over its 256 levels."""
MOST_GROUND_FRACTION = 0.05
"""Where the frame's middle has a colour that takes more of its border, sheet and ground do not
part: that is a page that fills the frame, and most scans, which are let go before any cut."""
LEAST_LIKENESS_FRACTION = 0.9
"""Area that silhouette and quadrilateral have in common, in parts of what either covers."""
LEAST_SEEN_FRACTION = 0.7
"""Share of the contour with ground visible beyond it; the rest runs along the frame."""
LEAST_APART_FRACTION = 0.96
"""Share of that with none of the ground's colour just within."""
LEAST_COARSE_LIKENESS_FRACTION = 0.85
LEAST_COARSE_SEEN_FRACTION = 0.4
LEAST_COARSE_APART_FRACTION = 0.6
"""The same three in the coarse cut, whose contour is off by as much as the flanks are away."""
APART_DELTA_E = 9.0
"""Colours this far apart (CIE 1976) are two: no shading does that over a few pixels."""
FLANK_PX = (4, 13)
"""Distances from the contour at which the flanks are read, past what the cut may be off."""
LEAST_FLANK_PX = 5
BEYOND_FRACTION = 0.015
"""A corner further outside the frame, in parts of its longer side, was not seen."""
CORNER_SPAN = (0.03, 0.3)
"""Part of a side, from its corner, whose direction the corner is found by: the rest may be bent."""
LEAST_POINTS_COUNT = 6


@dataclass(frozen=True, slots=True)
class Silhouette:
    """A sheet cut out by its colours."""

    quad: Floats
    """(4, 2) corners, clockwise from the top left."""
    apart_fraction: float
    """Share of its contour along which it is of another colour than its ground, 0 to 1."""
    bow_fraction: float
    """How far its edge strays from straight sides, in parts of the longest side."""


def silhouette(colour: Pixels) -> Silhouette | None:
    """The sheet that parts from its ground by colour, all around; None where there is none.

    Args:
        colour: (H, W, 3) RGB.
    """
    height, width = colour.shape[:2]
    longer = max(height, width)
    if longer < WORKING_SIDE_PX or min(height, width) * WORKING_SIDE_PX < LEAST_SIDE_PX * longer:
        return None
    lab = _reduced(colour, WORKING_SIDE_PX)
    if _ground_fraction(lab) > MOST_GROUND_FRACTION:
        return None
    coarse = _seen_in(colour, _reduced(colour, COARSE_SIDE_PX), iterations=1)
    if coarse is None or not coarse.is_promising():
        return None
    found = _seen_in(colour, lab, ITERATIONS)
    if found is None or found.likeness_fraction < LEAST_LIKENESS_FRACTION:
        return None
    if found.seen_fraction < LEAST_SEEN_FRACTION or found.apart_fraction < LEAST_APART_FRACTION:
        return None
    small = np.array(lab.shape[1::-1])
    quad = _with_own_corners(found.points, found.straight)
    scaled = (quad + 0.5) * (np.array([width, height]) / small) - 0.5
    slack = BEYOND_FRACTION * longer
    if scaled.min() < -slack or (scaled > np.array([width, height]) + slack).any():
        return None
    if not plausible(scaled, width, height):
        return None
    return Silhouette(scaled, found.apart_fraction, _bow(found.points, quad))


@dataclass(frozen=True, slots=True)
class _Cut:
    """What was cut out in one size."""

    points: Floats
    """(N, 2) its contour."""
    straight: Floats
    """(4, 2) the quadrilateral around it."""
    likeness_fraction: float
    seen_fraction: float
    apart_fraction: float

    def is_promising(self) -> bool:
        """Whether a finer cut may do: the flanks of a coarse one are less sure."""
        return (
            self.likeness_fraction >= LEAST_COARSE_LIKENESS_FRACTION
            and self.seen_fraction >= LEAST_COARSE_SEEN_FRACTION
            and self.apart_fraction >= LEAST_COARSE_APART_FRACTION
        )


def _reduced(colour: Pixels, longer_side_px: int) -> Array:
    """(h, w, 3) 8-bit CIELAB of that longer side, without specks."""
    height, width = colour.shape[:2]
    reduction = max(height, width) / longer_side_px
    size = (round(width / reduction), round(height / reduction))
    small = cv2.medianBlur(cv2.resize(colour, size, interpolation=cv2.INTER_AREA), 3)
    return cv2.cvtColor(small, cv2.COLOR_RGB2LAB)


def _seen_in(colour: Pixels, lab: Array, iterations: int) -> _Cut | None:
    """What is cut out of the reduced picture, and how well it parts from its ground."""
    contour = _cut(lab, iterations)
    height, width = lab.shape[:2]
    straight = None if contour is None else quad_around(contour, (height, width))
    if contour is None or straight is None:
        return None
    points = contour.reshape(-1, 2).astype(np.float64)
    likeness = _likeness(contour, straight, (height, width))
    seen, apart = 0.0, 0.0
    if likeness >= LEAST_COARSE_LIKENESS_FRACTION:
        unit = np.array(colour.shape[1::-1]) / np.array([width, height])
        seen, apart = _parting(colour, (points + 0.5) * unit - 0.5)
    return _Cut(points, straight, likeness, seen, apart)


def _ground_fraction(lab: Array) -> float:
    """Share of the border that has the colour of the frame's middle, for the median there."""
    height, width = lab.shape[:2]
    depth = max(int(min(height, width) * RING_FRACTION), 2)
    ring = np.full((height, width), 255, np.uint8)
    ring[depth:-depth, depth:-depth] = 0
    spans = [0, 256] * 3
    counts = cv2.calcHist([lab], [0, 1, 2], ring, list(COLOUR_BINS), spans)
    shares = np.asarray(counts) / cv2.countNonZero(ring)
    middle = lab[height // 4 : height - height // 4, width // 4 : width - width // 4]
    steps = 256 // np.array(COLOUR_BINS)
    at = (middle // steps).reshape(-1, 3)
    return float(np.median(shares[at[:, 0], at[:, 1], at[:, 2]]))


def _cut(lab: Array, iterations: int) -> Array | None:
    """(N, 1, 2) the contour of the largest part that is not ground."""
    mask = np.full(lab.shape[:2], cv2.GC_PR_FGD, np.uint8)
    mask[[0, -1]] = cv2.GC_BGD
    mask[:, [0, -1]] = cv2.GC_BGD
    cv2.setRNGSeed(SEED)
    ground, sheet = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(lab, mask, (0, 0, 0, 0), ground, sheet, iterations, cv2.GC_INIT_WITH_MASK)
    kept = np.where(mask == cv2.GC_PR_FGD, np.uint8(255), np.uint8(0))
    kept = cv2.morphologyEx(kept, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    kept = cv2.morphologyEx(kept, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    contours = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    return max(contours, key=cv2.contourArea, default=None)


def _with_own_corners(points: Floats, straight: Floats) -> Floats:
    """The corners where the sheet's sides meet the way they run there, however they bend between.

    Lines through whole sides miss the corners of a sheet that is folded or bowed.
    """
    place, across, unit = _beside(points, straight)
    nearest = np.abs(across).argmin(axis=0)

    def line(side: int, low: float, high: float) -> Line:
        chosen = (nearest == side) & (place[side] > low) & (place[side] < high)
        if chosen.sum() < LEAST_POINTS_COUNT:
            return straight[side], unit[side]
        return line_through(points[chosen] - straight[side], straight[side], unit[side])

    near, far = CORNER_SPAN
    corners = []
    for side in range(4):
        own, before = line(side, near, far), line((side - 1) % 4, 1 - far, 1 - near)
        met = meeting(own, before)
        corners.append(straight[side] if met is None else met)
    return np.array(corners)


def _beside(points: Floats, quad: Floats) -> tuple[Floats, Floats, Floats]:
    """(4, N) place of each point along each side, in its lengths; (4, N) distance from its line;
    (4, 2) the sides' directions.
    """
    along = quad[[1, 2, 3, 0]] - quad
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    unit = along / length
    rest = points[None] - quad[:, None]
    across = rest[..., 1] * unit[:, :1] - rest[..., 0] * unit[:, 1:]
    return (rest * unit[:, None]).sum(axis=2) / length, across, unit


def _likeness(contour: Array, quad: Floats, shape: tuple[int, ...]) -> float:
    body, straight = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    cv2.drawContours(body, [contour], 0, (255,), cv2.FILLED)
    cv2.fillPoly(straight, [np.rint(quad).astype(np.int32)], (255,))
    common = cv2.countNonZero(cv2.bitwise_and(body, straight))
    return common / max(cv2.countNonZero(cv2.bitwise_or(body, straight)), 1)


def _parting(colour: Pixels, edge: Floats) -> tuple[float, float]:
    """Share of the contour with ground in sight, and share of that without its colour within."""
    run = np.roll(edge, -3, axis=0) - np.roll(edge, 3, axis=0)
    run /= np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-6)[:, None]
    inward = np.stack([-run[:, 1], run[:, 0]], axis=1)
    following = np.roll(edge, -1, axis=0)
    if (edge[:, 0] * following[:, 1] - following[:, 0] * edge[:, 1]).sum() < 0:
        inward = -inward
    within, _ = _flank(colour, edge, inward)
    without, inside = _flank(colour, edge, -inward)
    seen = inside.sum(axis=1) >= LEAST_FLANK_PX
    if not seen.any():
        return 0.0, 0.0
    without[~inside] = np.nan
    ground = np.nanmedian(without[seen], axis=1, keepdims=True)
    away = np.sqrt(((within[seen] - ground) ** 2).sum(axis=2)).min(axis=1)
    return float(seen.mean()), float((away > APART_DELTA_E).mean())


def _flank(colour: Pixels, edge: Floats, toward: Floats) -> tuple[Floats, Array]:
    """(N, depth, 3) CIELAB of a band beside the contour, and (N, depth) what lies in the frame."""
    offsets = np.arange(*FLANK_PX)
    at = np.rint(edge[:, None] + toward[:, None] * offsets[None, :, None]).astype(np.intp)
    height, width = colour.shape[:2]
    x, y = np.clip(at[..., 0], 0, width - 1), np.clip(at[..., 1], 0, height - 1)
    read = (colour[y, x] / 255.0).astype(np.float32)
    lab = cast("Floats", cv2.cvtColor(read, cv2.COLOR_RGB2LAB))
    return lab, (x == at[..., 0]) & (y == at[..., 1])


def _bow(points: Floats, quad: Floats) -> float:
    """How far the contour strays from the sides, but for its outermost fiftieth."""
    across = np.abs(_beside(points, quad)[1])
    longest = np.hypot(*(quad[[1, 2, 3, 0]] - quad).T).max()
    return float(np.percentile(across.min(axis=0), 98) / max(longest, 1e-6))
