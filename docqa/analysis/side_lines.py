"""Quadrilaterals put together from long straight lines, where no cut shows the whole sheet.

Under a shadow or a lamp's reflection every cut loses a part of the sheet, yet its sides stay
straight. Segments (LSD: Grompone von Gioi et al. 2010) in one line are joined; two lines that run
across the frame and two that run down it, or the frame itself in place of one, make a
quadrilateral; the best are those with an edge under all their sides that ends at their corners,
as a sheet's does and a seam of the table does not.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.histograms import histogram, level_below
from docqa.page import Pixels

Floats = npt.NDArray[np.float64]

LSD_SCALE, LSD_SIGMA, LSD_ANGLE_DEG, LSD_DENSITY = 0.8, 0.6, 22.5, 0.7
"""The detector's own published settings."""
LSD_SIDE_PX = 208
"""The detector reduces larger pictures to this longer side: it takes its time by area."""
LSD_QUANT_LEVELS = (0.7, 2.0)
"""The published bound on the gradient's error is the latter; an even picture, as of white paper on
a white desk, bears a finer one."""
LEAST_LENGTH_FRACTION = 0.06
"""Of the shorter side: shorter segments are strokes of writing and pieces of curves."""
SEGMENTS_COUNT = 80
JOIN_PX = 2.0
JOIN_DEG = 4.0
"""Segments this close to a line, in place and direction, belong to it."""
LINES_COUNT = 6
"""The longest lines kept of each direction."""
STEP_PX = 2.0
"""An edge is read as the difference between both sides at this distance."""
LEAST_RISE_LEVELS = 3.0
NOISE_FACTOR = 2.0
OVERRUN_FRACTION = 0.12
"""How far beyond its corners a side is followed, in parts of its length."""
OVERRUN_WEIGHT = 0.3
AREA_WEIGHT = 0.3
FRAME_SUPPORT = 0.6
"""What a side on the frame counts for, where nothing can be seen."""
MOST_ON_FRAME_COUNT = 1
"""Two parallel lines and the frame are anything: a table's edge, a column of print."""
LEAST_SUPPORT_FRACTION = 0.3
LEAST_MEAN_SUPPORT_FRACTION = 0.6
LEAST_SIDE_FRACTION = 0.15
"""Of the frame's shorter side."""
LEAST_CORNER_SINE = 0.77
"""No corner is sharper than 50 degrees."""
REACH_BEYOND_FRACTION = 0.2
"""Corners lie no further outside the frame, in parts of its longer side."""


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines of one direction, ordered as they were found."""

    points: Floats
    """(N, 2)"""
    directions: Floats
    """(N, 2) unit vectors: to the right, or down."""
    rises: Floats
    """(2, N, samples) running sums of samples with a rising and with a falling edge."""
    seen: Floats
    """(N, samples) running sums of samples within the frame."""
    on_frame: npt.NDArray[np.bool_]


def quads_from_lines(luma: Pixels, *, count: int) -> list[Floats]:
    """The best quadrilaterals that long straight lines make.

    Args:
        luma: (H, W) brightness.
        count: at most this many.

    Returns:
        (4, 2) corners each, clockwise from the top left, the best first.
    """
    joined = _joined(_segments(luma))
    across = _measured(luma, joined, is_across=True)
    down = _measured(luma, joined, is_across=False)
    return _best(across, down, luma.shape[1], luma.shape[0], count)


def _segments(luma: Pixels) -> Floats:
    """(N, 2, 2) ends of segments that are long enough."""
    quant = float(np.clip(_usual_rise(luma), *LSD_QUANT_LEVELS))
    scale = min(LSD_SCALE, LSD_SIDE_PX / max(luma.shape))
    detector = cv2.createLineSegmentDetector(
        cv2.LSD_REFINE_NONE, scale, LSD_SIGMA, quant, LSD_ANGLE_DEG, 0.0, LSD_DENSITY
    )
    found = detector.detect(luma)[0]
    if found is None:
        return np.empty((0, 2, 2))
    ends = np.asarray(found, np.float64).reshape(-1, 2, 2)
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    keep = length >= LEAST_LENGTH_FRACTION * min(luma.shape)
    order = np.argsort(-length[keep])
    return cast("Floats", ends[keep][order[:SEGMENTS_COUNT]])


def _joined(segments: Floats) -> Floats:
    """(N, 5) lines: a point, a unit direction, the total length of their segments."""
    along = segments[:, 1] - segments[:, 0]
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    unit, middles = along / length[:, None], segments.mean(axis=1)
    normals = np.stack([-unit[:, 1], unit[:, 0]], axis=1)
    # Of every segment (rows) from every segment's line (columns).
    away = np.abs(((segments[:, :, None] - middles[None, None]) * normals[None, None]).sum(axis=3))
    turn = np.abs(unit @ normals.T)
    near = (away.max(axis=1) < JOIN_PX) & (turn < np.sin(np.radians(JOIN_DEG)))
    free = np.ones(len(segments), np.bool_)
    lines = []
    for index in range(len(segments)):
        if not free[index]:
            continue
        member = near[:, index] & free
        free &= ~member
        point, direction = middles[index], unit[index]
        if member.sum() > 1:
            point, direction = _through(segments[member], length[member])
        lines.append((*point, *direction, length[member].sum()))
    return np.array(lines, np.float64).reshape(-1, 5)


def _through(segments: Floats, length: Floats) -> tuple[Floats, Floats]:
    """The line through segments, by total least squares."""
    weight = np.repeat(length, 2)
    ends = segments.reshape(-1, 2)
    point = (ends * weight[:, None]).sum(axis=0) / weight.sum()
    rest = ends - point
    turn = (
        np.arctan2(
            2 * (weight * rest[:, 0] * rest[:, 1]).sum(),
            (weight * (rest[:, 0] ** 2 - rest[:, 1] ** 2)).sum(),
        )
        / 2
    )
    return point, np.array([np.cos(turn), np.sin(turn)])


def _measured(luma: Pixels, joined: Floats, *, is_across: bool) -> _Lines:
    """The longest lines of one direction and the frame's two, with the edge under each."""
    height, width = luma.shape
    axis = 0 if is_across else 1
    of_axis = joined[np.abs(joined[:, 2 + axis]) >= np.sqrt(0.5)]
    chosen = of_axis[np.argsort(-of_axis[:, 4])][:LINES_COUNT]
    direction = chosen[:, 2:4] * np.sign(chosen[:, 2 + axis])[:, None]
    straight = np.eye(2)[axis]
    corners = np.array([(0.0, 0.0), (width - 1.0, height - 1.0)])
    points = np.concatenate([chosen[:, :2], corners])
    directions = np.concatenate([direction, [straight, straight]])
    on_frame = np.arange(len(points)) >= len(chosen)
    # From the top to the bottom, from the left to the right, where they cross the frame's middle.
    middle = (np.array([width, height])[axis] / 2 - points[:, axis]) / directions[:, axis]
    order = np.argsort(points[:, 1 - axis] + middle * directions[:, 1 - axis])
    points, directions, on_frame = points[order], directions[order], on_frame[order]
    # Every sample is one pixel further along the axis.
    extent = (width, height)[axis]
    slack = int(REACH_BEYOND_FRACTION * max(width, height))
    at = np.arange(-slack, extent + slack, dtype=np.float64)
    reach = (at[None] - points[:, axis, None]) / directions[:, axis, None]
    base = points[:, None] + reach[..., None] * directions[:, None]
    normal = np.stack([-directions[:, 1], directions[:, 0]], axis=1)[:, None]
    levels = [
        cv2.remap(
            luma,
            (base + by * normal)[..., 0].astype(np.float32),
            (base + by * normal)[..., 1].astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float64)
        for by in (-STEP_PX, STEP_PX)
    ]
    limits = np.array([width - 1, height - 1])
    seen = ((base >= 0) & (base <= limits)).all(axis=2)
    rise = levels[1] - levels[0]
    floor = max(LEAST_RISE_LEVELS, NOISE_FACTOR * _usual_rise(luma))
    edges = np.stack([(rise > floor) & seen, (-rise > floor) & seen])
    return _Lines(points, directions, _running(edges), _running(seen), on_frame)


def _running(flags: npt.NDArray[np.bool_]) -> Floats:
    sums = np.cumsum(flags, axis=-1, dtype=np.float64)
    return np.concatenate([np.zeros((*flags.shape[:-1], 1)), sums], axis=-1)


def _usual_rise(luma: Pixels) -> float:
    """Levels by which places as far apart as both flanks of a line usually differ: grain, or the
    light's own gradient along either axis.
    """
    apart = int(2 * STEP_PX)
    down = cv2.absdiff(luma[apart::3], luma[:-apart:3])
    across = cv2.absdiff(luma[::3, apart:], luma[::3, :-apart])
    return float(max(level_below(histogram(cast("Pixels", each)), 0.5) for each in (down, across)))


def _best(across: _Lines, down: _Lines, width: int, height: int, count: int) -> list[Floats]:
    """Every pair of lines across with every pair down, scored at once."""
    slack = int(REACH_BEYOND_FRACTION * max(width, height))
    meets = _meets(across, down)
    tops, bottoms = np.array(list(itertools.combinations(range(len(across.points)), 2))).T
    lefts, rights = np.array(list(itertools.combinations(range(len(down.points)), 2))).T
    h, v = (grid.ravel() for grid in np.meshgrid(np.arange(len(tops)), np.arange(len(lefts))))
    top, bottom, left, right = tops[h], bottoms[h], lefts[v], rights[v]
    quads = np.stack(
        [meets[top, left], meets[top, right], meets[bottom, right], meets[bottom, left]], axis=1
    )
    frame_count = (
        across.on_frame[top].astype(int)
        + across.on_frame[bottom]
        + down.on_frame[left]
        + down.on_frame[right]
    )
    keep = (frame_count <= MOST_ON_FRAME_COUNT) & _plausible(quads, width, height, slack)
    quads, top, bottom, left, right = (v[keep] for v in (quads, top, bottom, left, right))
    if not len(quads):
        return []
    sides = [
        _support(across, top, quads[:, 0, 0], quads[:, 1, 0], slack),
        _support(down, right, quads[:, 1, 1], quads[:, 2, 1], slack),
        _support(across, bottom, quads[:, 3, 0], quads[:, 2, 0], slack),
        _support(down, left, quads[:, 0, 1], quads[:, 3, 1], slack),
    ]
    support = np.stack([s for s, _ in sides], axis=1)
    overrun = np.stack([o for _, o in sides], axis=1)
    area = _areas(quads) / (width * height)
    good = (support.min(axis=1) >= LEAST_SUPPORT_FRACTION) & (
        support.mean(axis=1) >= LEAST_MEAN_SUPPORT_FRACTION
    )
    score = support.mean(axis=1) - OVERRUN_WEIGHT * overrun.mean(axis=1) + AREA_WEIGHT * area
    order = np.argsort(np.where(good, -score, np.inf))[: int(good.sum())]
    chosen: list[Floats] = []
    for index in order:
        quad = quads[index]
        if all(np.abs(quad - other).max() > 2 * JOIN_PX for other in chosen):
            chosen.append(quad)
        if len(chosen) == count:
            break
    return chosen


def _meets(across: _Lines, down: _Lines) -> Floats:
    """(A, D, 2) where each line across meets each line down."""
    a, d = across.directions[:, None], down.directions[None]
    rest = down.points[None] - across.points[:, None]
    cross = a[..., 0] * d[..., 1] - a[..., 1] * d[..., 0]
    safe = np.where(np.abs(cross) < 0.2, np.inf, cross)
    by = (rest[..., 0] * d[..., 1] - rest[..., 1] * d[..., 0]) / safe
    return across.points[:, None] + by[..., None] * a


def _plausible(quads: Floats, width: int, height: int, slack: int) -> npt.NDArray[np.bool_]:
    """(N,) convex, clockwise, no sharp corner, large enough, not far outside the frame."""
    along = np.roll(quads, -1, axis=1) - quads
    length = np.maximum(np.hypot(along[..., 0], along[..., 1]), 1e-6)
    unit = along / length[..., None]
    before = np.roll(unit, 1, axis=1)
    turn = before[..., 0] * unit[..., 1] - before[..., 1] * unit[..., 0]
    inside = (quads >= -slack) & (quads <= np.array([width, height]) + slack)
    return np.asarray(
        (turn.min(axis=1) > LEAST_CORNER_SINE)
        & (length.min(axis=1) > LEAST_SIDE_FRACTION * min(width, height))
        & inside.all(axis=(1, 2))
    )


def _areas(quads: Floats) -> Floats:
    x, y = quads[..., 0], quads[..., 1]
    return np.asarray(
        np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)) / 2
    )


def _support(
    lines: _Lines, which: npt.NDArray[np.intp], start: Floats, end: Floats, slack: int
) -> tuple[Floats, Floats]:
    """Share of each side that has an edge under it, and of its prolongations."""

    def share(low: Floats, high: Floats, least: float) -> Floats:
        last = lines.seen.shape[1] - 1
        a = np.clip(np.rint(low).astype(np.intp) + slack, 0, last)
        b = np.clip(np.rint(high).astype(np.intp) + slack, 0, last)
        edges = (lines.rises[:, which, b] - lines.rises[:, which, a]).max(axis=0)
        seen = lines.seen[which, b] - lines.seen[which, a]
        return np.asarray(edges / np.maximum(seen, np.maximum(least * (high - low), 1.0)))

    gap, over = 3.0, OVERRUN_FRACTION * (end - start)
    support = share(start, end, 0.3)
    before = share(start - over - gap, start - gap, 0.5)
    after = share(end + gap, end + over + gap, 0.5)
    on_frame = lines.on_frame[which]
    return np.where(on_frame, FRAME_SUPPORT, support), np.where(on_frame, 0.0, (before + after) / 2)
