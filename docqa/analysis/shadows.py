"""Shadows that fall over the sheet: of an arm, a phone, a book's gutter.

A cast shadow takes a share of the light from paper on both sides of its edge. So the paper's
logarithm (ink closed) is averaged into blocks, and its step across an eighth of the sheet is
compared with the step that an even slope of the light makes everywhere. Edges of print, pictures
and filled cells are sharp where a shadow has a penumbra, and change the colour where a shadow does
not: steps across such blocks do not count. What is left must run along a fifth of the sheet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.area_grid import block_means
from docqa.analysis.outline import outline
from docqa.analysis.paper_surface import (
    COARSE_SIDE_PX,
    PaperSurface,
    paper_surface,
    with_ink_closed,
)
from docqa.analysis.ranks import median, percentiles
from docqa.page import Page, Pixels, Polygon, halved

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

LONG_SIDE_BLOCKS = 48
STEP_BLOCKS = 6
"""Even. A penumbra is narrower, an even slope makes the same step everywhere."""
LEAST_STEP = 0.08
"""Natural logarithm: a shadow takes 8 % of the light and more."""
CERTAINTY_SHARE = 0.8
"""Of that step: with no edge of this much the page surely has none. The even slope shifts a little
when blocks of print are left out."""
SHARP_FRACTION = 0.10
"""Change from pixel to pixel: print is sharper than a penumbra at this scale."""
PRINT_FRACTION = 0.2
"""No penumbra changes as fast as this."""
PENUMBRA_PX = 7
SUDDEN_SHARE = 0.6
"""Of the change within ``PENUMBRA_PX``: print takes more of it from pixel to pixel."""
MOST_SHARP_FRACTION = 0.12
"""A block with a larger share of sharp pixels is no bare paper."""
LEAST_LIGHT_FRACTION = 0.3
"""Of the sheet's brightest paper: what is darker is not paper, or nothing can be told of it."""
LEAST_PAPER_FRACTION = 0.3
"""Of the sheet's blocks; with less bare paper nothing is said."""
LEAST_LENGTH_FRACTION = 0.2
"""Of the sheet's longer side."""
COLOUR_SHARE = 0.25
"""A shadow changes the colour by less than this share of its step."""
COLOUR_STEP = 0.03
"""Natural logarithm: noise and mixed light change colours by as much."""
INSET_FRACTION = 0.06
"""The sheet's edge and its own shadow are left out: this part of its size, both sides together."""
LEAST_BLOCKS = 60
DARKEST_LEVEL = 8.0
"""Below, ratios are noise."""


@dataclass(frozen=True, slots=True)
class CastShadow:
    """The strongest edge of a shadow on the sheet."""

    edge_levels: float
    """0 to 255: what the paper loses across the edge; 0.0 without one."""
    area_fraction: float
    """0 to 1: share of the sheet on the dark side; 0.0 without an edge."""
    place: Polygon | None
    """Around the edge, in page pixels."""


NO_SHADOW = CastShadow(0.0, 0.0, None)


def cast_shadow(page: Page) -> CastShadow:
    """The strongest shadow edge. Call it as ``page.derive(cast_shadow)``; never raises.

    Most pages are lit evenly: they are let go as soon as no steps are left that could be an edge,
    before it is asked which blocks are print.
    """
    if min(page.width_px, page.height_px) < LONG_SIDE_BLOCKS:
        return NO_SHADOW
    surface = page.derive(paper_surface)
    height, width = surface.closed.shape
    block = max(height, width) / LONG_SIDE_BLOCKS
    shape = (max(round(height / block), 1), max(round(width / block), 1))
    light = _logarithm(block_means(surface.halved, shape))
    inside = _inside(page, surface, shape)
    inside_count = cv2.countNonZero(inside)
    if inside_count < LEAST_BLOCKS:
        return NO_SHADOW
    brightest = _percentile(light[inside > 0], 90)
    least = brightest + math.log(LEAST_LIGHT_FRACTION)
    least_length = LEAST_LENGTH_FRACTION * _extent(inside)
    steps, _ = _steps(light, _levels_of((inside > 0) & (light > least)))
    if not _may_be_edge(steps, CERTAINTY_SHARE * LEAST_STEP, least_length):
        return NO_SHADOW
    colours = _colour_steps(page, shape)
    steps[colours > COLOUR_SHARE * steps / CERTAINTY_SHARE + COLOUR_STEP] = 0
    if not _may_be_edge(steps, CERTAINTY_SHARE * LEAST_STEP, least_length):
        return NO_SHADOW
    return _on_bare_paper(surface, inside, brightest, colours)


def _on_bare_paper(
    surface: PaperSurface, inside: Pixels, brightest: float, colours: Floats
) -> CastShadow:
    """The strongest edge among the steps that do not run over print."""
    shape = (inside.shape[0], inside.shape[1])
    is_large = min(surface.halved.shape) >= COARSE_SIDE_PX
    closed = surface.halved if is_large else surface.closed
    closed = cast("Pixels", cv2.medianBlur(closed, 5))
    light = _logarithm(block_means(closed, shape))
    soft = (inside > 0) & (block_means(_sharp(closed), shape) < MOST_SHARP_FRACTION * 255)
    bare = soft & (light > brightest + math.log(LEAST_LIGHT_FRACTION))
    if bare.sum() < LEAST_PAPER_FRACTION * cv2.countNonZero(inside):
        return NO_SHADOW
    steps, slope = _steps(light, _levels_of(bare))
    steps[colours > COLOUR_SHARE * steps + COLOUR_STEP] = 0
    edge, step = _strongest(steps, LEAST_LENGTH_FRACTION * _extent(inside))
    if edge is None:
        return NO_SHADOW
    y, x = np.mgrid[: shape[0], : shape[1]]
    level = light - slope[0] * y - slope[1] * x
    dark = level[soft] < median(level[edge])
    block = max(surface.closed.shape) / LONG_SIDE_BLOCKS
    return CastShadow(
        edge_levels=min(math.exp(brightest) * (1 - math.exp(-step)), 255.0),
        area_fraction=float(dark.mean()),
        place=_place(edge, block * surface.scale),
    )


def _levels_of(flags: Flags) -> Pixels:
    return cast("Pixels", flags.view(np.uint8) * np.uint8(255))


def _percentile(values: Floats, percentile: int) -> float:
    """The value at that place; of several hundred it is not worth to look between two."""
    at = len(values) * percentile // 100
    return float(np.partition(values, at)[at])


def _extent(inside: Pixels) -> int:
    """Rows or columns of the sheet's blocks, whichever are more."""
    _, _, width, height = cv2.boundingRect(inside)
    return int(max(width, height))


def _may_be_edge(steps: Floats, least: float, least_length: float) -> bool:
    """Whether enough blocks in a row, for all that is known, have a step."""
    over = _levels_of(steps >= least)
    if cv2.countNonZero(over) < least_length:
        return False
    rows, columns = cv2.reduce(over, 1, cv2.REDUCE_MAX), cv2.reduce(over, 0, cv2.REDUCE_MAX)
    return max(cv2.countNonZero(rows), cv2.countNonZero(columns)) >= least_length


def _logarithm(levels: Floats) -> Floats:
    return np.log(np.maximum(levels, np.float32(DARKEST_LEVEL)))


def _sharp(closed: Pixels) -> Pixels:
    """255 where the paper's brightness jumps at once, not over a penumbra."""
    near, far = (
        cv2.morphologyEx(closed, cv2.MORPH_GRADIENT, np.ones((side, side), np.uint8))
        for side in (3, PENUMBRA_PX)
    )
    least = np.maximum(cv2.convertScaleAbs(far, alpha=SUDDEN_SHARE), 2)
    least = cv2.max(least, cv2.convertScaleAbs(closed, alpha=SHARP_FRACTION))
    least = cv2.min(least, cv2.convertScaleAbs(closed, alpha=PRINT_FRACTION))
    return cast("Pixels", cv2.compare(near, least, cv2.CMP_GT))


def _inside(page: Page, surface: PaperSurface, shape: tuple[int, int]) -> Pixels:
    """255 for blocks on the sheet, without its edge; else 0."""
    found = page.derive(outline)
    height, width = surface.halved.shape
    if found is None or found.fills_frame:
        quad = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    else:
        quad = np.array(found.corners) / (2 * surface.scale)
    middle = quad.mean(axis=0)
    inner = np.round(middle + (quad - middle) * (1 - INSET_FRACTION)).astype(np.int32)
    sheet = cv2.fillConvexPoly(np.zeros((height, width), np.uint8), inner, (255,))
    return _levels_of(block_means(cast("Pixels", sheet), shape) > 250)


def _steps(light: Floats, bare: Pixels) -> tuple[Floats, tuple[float, float]]:
    """Size of the step at each block beyond the even slope, and that slope per block (y, x)."""
    down, down_slope = _along(light, bare)
    across, across_slope = _along(light.T, bare.T)
    return cast("Floats", cv2.magnitude(down, np.ascontiguousarray(across.T))), (
        down_slope,
        across_slope,
    )


def _along(light: Floats, bare: Pixels) -> tuple[Floats, float]:
    """Steps down the columns less their median, 0 where they do not run over bare paper."""
    reach = STEP_BLOCKS
    out = np.zeros(light.shape, np.float32)
    if light.shape[0] <= reach:
        return out, 0.0
    run = cv2.erode(np.ascontiguousarray(bare), np.ones((reach + 1, 1), np.uint8))
    whole = run[reach // 2 : -(reach // 2)] > 0
    step = light[reach:] - light[:-reach]
    on_paper = step[whole]
    slope = _percentile(on_paper, 50) if on_paper.size else 0.0
    out[reach // 2 : -(reach // 2)] = np.where(whole, step - np.float32(slope), 0)
    return out, slope / reach


def _colour_steps(page: Page, shape: tuple[int, int]) -> Floats:
    """How far the colour changes where steps are taken; 0 without colour."""
    total = np.zeros(shape, np.float32)
    if page.origin.colour_mode != "colour":
        return total
    colour = page.colour(8)
    if min(colour.shape[:2]) >= 2 * LONG_SIDE_BLOCKS:  # colour needs no detail
        colour = page.colour(16)
    while min(colour.shape[:2]) >= 4 * LONG_SIDE_BLOCKS:
        colour = halved(colour)
    means = _logarithm(block_means(with_ink_closed(colour), shape))
    everywhere = np.full(shape, 255, np.uint8)
    for channel in (0, 2):
        total = np.maximum(total, _steps(means[..., channel] - means[..., 1], everywhere)[0])
    return total


def _strongest(steps: Floats, least_length: float) -> tuple[Flags | None, float]:
    """Blocks and step of the strongest edge that is long enough."""
    over = (steps >= LEAST_STEP).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(over, connectivity=8)
    best, strongest = None, 0.0
    for label in range(1, count):
        row = stats[label]
        if max(row[cv2.CC_STAT_WIDTH], row[cv2.CC_STAT_HEIGHT]) < least_length:
            continue
        (step,) = percentiles(steps[labels == label], 80)
        if step > strongest:
            best, strongest = labels == label, step
    return best, strongest


def _place(edge: Flags, block_px: float) -> Polygon:
    rows, columns = np.nonzero(edge)
    corners = np.concatenate([
        np.stack([columns + right, rows + below], axis=1) for right in (0, 1) for below in (0, 1)
    ])  # fmt: skip
    hull = cv2.convexHull(corners.astype(np.float32)).reshape(-1, 2) * block_px
    return tuple((float(x), float(y)) for x, y in hull)
