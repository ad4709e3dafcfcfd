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
from docqa.page import Page, Pixels, Polygon

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

LONG_SIDE_BLOCKS = 48
STEP_BLOCKS = 6
"""Even. A penumbra is narrower, an even slope makes the same step everywhere."""
COARSE_SIDE_PX = 160
"""The blocks are averaged from the coarsest luma whose short side still has this many pixels."""
CLOSING_FRACTION_OF_SHORT_SIDE = 1 / 40
"""Wider than the strokes of a heading."""
LEAST_STEP = 0.08
"""Natural logarithm: a shadow takes 8 % of the light and more."""
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
    """The strongest shadow edge. Call it as ``page.derive(cast_shadow)``; never raises."""
    short = min(page.width_px, page.height_px)
    scale = next((s for s in (8, 4, 2) if short // s >= COARSE_SIDE_PX), 1)
    luma = page.luma(scale)
    if min(luma.shape) < LONG_SIDE_BLOCKS:
        return NO_SHADOW
    closed = cast("Pixels", cv2.medianBlur(_closed(luma), 5))
    block = max(luma.shape) / LONG_SIDE_BLOCKS
    shape = (round(luma.shape[0] / block), round(luma.shape[1] / block))
    light = _logarithm(block_means(closed, shape))
    inside = block_means(_sheet(page, luma.shape, scale), shape) > 250
    if inside.sum() < LEAST_BLOCKS:
        return NO_SHADOW
    brightest = float(np.percentile(light[inside], 90))
    soft = inside & (block_means(_sharp(closed), shape) < MOST_SHARP_FRACTION * 255)
    bare = soft & (light > brightest + math.log(LEAST_LIGHT_FRACTION))
    if bare.sum() < LEAST_PAPER_FRACTION * inside.sum():
        return NO_SHADOW
    steps, slope = _steps(light, bare)
    steps[_colour_steps(page, shape) > COLOUR_SHARE * steps + COLOUR_STEP] = 0
    edge, step = _strongest(steps, inside)
    if edge is None:
        return NO_SHADOW
    y, x = np.mgrid[: shape[0], : shape[1]]
    level = light - slope[0] * y - slope[1] * x
    dark = level[soft] < np.median(level[edge])
    return CastShadow(
        edge_levels=min(math.exp(brightest) * (1 - math.exp(-step)), 255.0),
        area_fraction=float(dark.mean()),
        place=_place(edge, block * scale),
    )


def _closed(pixels: Pixels) -> Pixels:
    side = max(3, int(min(pixels.shape[:2]) * CLOSING_FRACTION_OF_SHORT_SIDE) | 1)
    closed = cv2.morphologyEx(pixels, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return cast("Pixels", closed)


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


def _sheet(page: Page, shape: tuple[int, ...], scale: int) -> Pixels:
    """255 on the sheet, without its edge."""
    found = page.derive(outline)
    height, width = shape
    if found is None or found.fills_frame:
        quad = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    else:
        quad = np.array(found.corners) / scale
    middle = quad.mean(axis=0)
    inner = np.round(middle + (quad - middle) * (1 - INSET_FRACTION)).astype(np.int32)
    return cast("Pixels", cv2.fillConvexPoly(np.zeros(shape, np.uint8), inner, (255,)))


def _steps(light: Floats, bare: Flags) -> tuple[Floats, tuple[float, float]]:
    """Size of the step at each block beyond the even slope, and that slope per block (y, x)."""
    down, down_slope = _along(light, bare)
    across, across_slope = _along(light.T, bare.T)
    return cast("Floats", cv2.magnitude(down, np.ascontiguousarray(across.T))), (
        down_slope,
        across_slope,
    )


def _along(light: Floats, bare: Flags) -> tuple[Floats, float]:
    """Steps down the columns less their median, 0 where they do not run over bare paper."""
    reach = STEP_BLOCKS
    out = np.zeros(light.shape, np.float32)
    if light.shape[0] <= reach:
        return out, 0.0
    above = np.cumsum(np.pad(bare, ((1, 0), (0, 0))), axis=0)
    whole: Flags = np.asarray(above[reach + 1 :] - above[: -reach - 1] == reach + 1, np.bool_)
    step = light[reach:] - light[:-reach]
    slope: float = float(np.median(step[whole])) if whole.any() else 0.0
    out[reach // 2 : -(reach // 2)] = np.where(whole, step - slope, 0)
    return out, slope / reach


def _colour_steps(page: Page, shape: tuple[int, int]) -> Floats:
    """How far the colour changes where steps are taken; 0 without colour."""
    if page.origin.colour_mode != "colour":
        return np.zeros(shape, np.float32)
    colour = page.colour(8)
    height, width = (side // 2 for side in colour.shape[:2])
    if min(height, width) >= LONG_SIDE_BLOCKS:  # colour needs no detail
        even = colour[: 2 * height, : 2 * width]
        half = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
        colour = cast("Pixels", half)
    red, green, blue = cv2.split(_closed(colour))
    base = _logarithm(block_means(cast("Pixels", green), shape))
    total = np.zeros(shape, np.float32)
    everywhere = np.ones(shape, np.bool_)
    for channel in (red, blue):
        ratio = _logarithm(block_means(cast("Pixels", channel), shape)) - base
        total = np.maximum(total, _steps(ratio, everywhere)[0])
    return total


def _strongest(steps: Floats, inside: Flags) -> tuple[Flags | None, float]:
    """Blocks and step of the strongest edge that is long enough."""
    over = (steps >= LEAST_STEP).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(over, connectivity=8)
    longer = max(int(inside.any(axis=0).sum()), int(inside.any(axis=1).sum()))
    best, strongest = None, 0.0
    for label in range(1, count):
        row = stats[label]
        if max(row[cv2.CC_STAT_WIDTH], row[cv2.CC_STAT_HEIGHT]) < LEAST_LENGTH_FRACTION * longer:
            continue
        step = float(np.percentile(steps[labels == label], 80))
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
