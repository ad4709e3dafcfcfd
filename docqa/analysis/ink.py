"""The ink of a page: where it is darker than the paper around it, and how large its writing is.

Ink is what a black-hat (grey closing minus image) finds: dark marks narrower than the structuring
element, whatever the paper's own brightness, so shading, shadows and dark tables are no ink. It
looks for dark marks on light paper only; a negative has no ink.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.area_grid import block_means
from docqa.analysis.components import large_boxes
from docqa.analysis.histograms import Counts, histogram, level_below, median_level
from docqa.page import Page, Pixels

Boxes = npt.NDArray[np.int32]
"""(N, 4) x, y, width, height."""

WIDEST_STROKE_PX = 19
"""Side of the structuring element at the ink's scale: wider dark areas are surfaces, not ink."""
LEAST_CONTRAST_LEVELS = 12.0
"""Marks fainter than this above the page's own noise are not ink."""
INK_CONTRAST_FRACTION = 0.4
"""A pixel is ink when it has this share of the contrast of the page's strong ink."""
DARKEST_FRACTION = 0.97
PATTERN_DEPTH_RATIO = 2.0
RIM_FRACTION = 0.01
"""Of the page's sides: the line that scanners leave along the frame is darker than any print."""
LEAST_INNER_FRACTION = 0.6
"""With fewer of the darkest marks inside that rim they are no ink."""
STROKE_TILES_COUNT = 8
STROKE_TILE_PX = 192
"""Stroke width is measured on this many tiles of this side."""
STROKE_TO_TEXT_HEIGHT_RATIO = 0.18
"""Of ordinary print, which no stroke is taken for wider than. Blur fattens strokes before it raises
letters, and beside a photo or a pattern the inkiest tiles show no strokes."""
LEAST_AREA_PX, LEAST_HEIGHT_PX = 6, 3
"""Smaller or lower marks, at the ink's scale, are specks."""
LEAST_TEXT_COUNT = 5
"""Fewer text components than this say nothing about a text height."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Ink and the size of the writing."""

    mask: Pixels
    """(H, W) 0 or 255, at 1/``scale`` of the page."""
    scale: int
    """1, 2, 4 or 8: the coarsest at which small print still holds together."""
    contrast_levels: float
    """How much darker than its paper the strong ink is, 0 to 255; 0.0 where there is no ink."""
    stroke_width_px: float | None
    """Mean width of a stroke in full-resolution pixels; None without text."""
    text_height_px: float | None
    """Height of the typical text component (about an x-height for Latin print, a word's body for
    Arabic) in full-resolution pixels; None without text."""
    component_count: int
    """Components that are as large as characters or words."""
    boxes: Boxes
    """(component_count, 4) their boxes x, y, width, height at 1/``scale`` of the page."""


def stroke_px(found: Ink) -> float | None:
    """Width of a stroke in pixels of the page, at least 1, as print of its height has it.

    None without text.
    """
    if found.stroke_width_px is None or found.text_height_px is None:
        return None
    return max(1.0, min(found.stroke_width_px, STROKE_TO_TEXT_HEIGHT_RATIO * found.text_height_px))


def ink(page: Page) -> Ink:
    """The ink of a page. Always answers: a blank page has an empty mask and no sizes."""
    scale = _scale(page)
    luma = page.luma(scale)
    depth = page.derive(_depth)
    contrast = _contrast(page.derive(depth_counts), depth)
    if contrast == 0.0:
        empty = np.zeros(luma.shape, np.uint8)
        return Ink(empty, scale, 0.0, None, None, 0, np.empty((0, 4), np.int32))
    limit = INK_CONTRAST_FRACTION * contrast
    mask = cast("Pixels", cv2.threshold(depth, limit, 255, cv2.THRESH_BINARY)[1])
    boxes = _text_boxes(mask)
    if len(boxes) < LEAST_TEXT_COUNT:
        return Ink(mask, scale, contrast, None, None, len(boxes), boxes)
    height = _weighted_median(boxes[:, 3], boxes[:, 2]) * scale
    stroke = _stroke_width_px(page, mask, scale, contrast)
    return Ink(mask, scale, contrast, stroke, height, len(boxes), boxes)


def depth_counts(page: Page) -> Counts:
    """(256,) how many places at the ink's scale are so much darker than their surroundings.

    Call it as ``page.derive(depth_counts)``.
    """
    return histogram(page.derive(_depth))


def _depth(page: Page) -> Pixels:
    """(H, W) how much darker than its surroundings each place is, at the ink's scale."""
    luma = page.luma(_scale(page))
    height, width = luma.shape
    if height % 2:
        luma = np.concatenate([luma, luma[-1:]])
    # The lighter of two rows each: closing half the rows costs half.
    pairs = luma.reshape(-1, 2, width)
    lighter = np.maximum(pairs[:, 0], pairs[:, 1])
    element = np.ones((WIDEST_STROKE_PX // 2, WIDEST_STROKE_PX), np.uint8)
    paper = cast("Pixels", cv2.morphologyEx(lighter, cv2.MORPH_CLOSE, element))
    depth = (paper[:, None] - pairs).reshape(luma.shape)
    return depth[:height]


def _scale(page: Page) -> int:
    """Small pages are small because their print is: they are looked at more closely."""
    shorter = min(page.width_px, page.height_px) // page.print_scale
    return page.print_scale * (4 if shorter >= 1400 else 2 if shorter >= 700 else 1)


def _contrast(depths: Counts, depth: Pixels) -> float:
    """The strong ink's depth: the 75th percentile of what stands out of the page's noise.

    On a card most of that is the pale pattern it is printed on. Where the darkest marks are more
    than twice as deep as that percentile, they alone are the ink, unless most of them lie along
    the frame.

    Args:
        depths: (256,) how many places are so deep.
        depth: (H, W) those places.
    """
    below = depths.cumsum(dtype=np.float64)
    floor = 3.0 * int(below.searchsorted(below[-1] / 2)) + LEAST_CONTRAST_LEVELS
    standing = _standing(depths, floor)
    if standing.sum() < 8:
        return 0.0
    contrast, deep = level_below(standing, 0.75), _deep(standing)
    if not deep.any():
        return float(contrast)
    height, width = depth.shape
    down, across = round(RIM_FRACTION * height), round(RIM_FRACTION * width)
    inner = histogram(depth[down : height - down, across : width - across])
    if np.where(deep > 0, inner, 0).sum() < LEAST_INNER_FRACTION * deep.sum():
        deep = _deep(_standing(inner, floor))
    return float(level_below(deep, 0.75) if deep.any() else contrast)


def _deep(standing: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(256,) the darkest marks of it, where they are so much deeper than most; else none."""
    darkest = level_below(standing, DARKEST_FRACTION)
    if darkest <= PATTERN_DEPTH_RATIO * level_below(standing, 0.75):
        return np.zeros(256)
    return np.where(np.arange(256) > darkest / 2, standing, 0.0)


def _standing(depths: Counts, floor: float) -> npt.NDArray[np.float64]:
    """(256,) what of it is deeper than that."""
    return np.where(np.arange(256) > floor, depths, 0).astype(np.float64)


def _text_boxes(mask: Pixels) -> Boxes:
    """Components that can be characters or words: no specks, no rules, no frames."""
    boxes = large_boxes(mask, LEAST_AREA_PX, LEAST_HEIGHT_PX)
    width, height = boxes[:, 2], boxes[:, 3]
    tallest = max(mask.shape[0] // 8, 8)
    keep = (height >= LEAST_HEIGHT_PX) & (height <= tallest) & (width >= 2)
    keep &= (width <= 20 * height) & (height <= 8 * width)
    return cast("Boxes", boxes[keep])


def _weighted_median(values: npt.NDArray[np.int32], weights: npt.NDArray[np.int32]) -> float:
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(below, below[-1] / 2)]])


def _stroke_width_px(page: Page, mask: Pixels, scale: int, contrast: float) -> float | None:
    """Twice the ink's area over its outline's length, on the inkiest tiles.

    The length comes from the crossings along rows and columns (Crofton's formula), which holds for
    strokes of any direction. Ink is cut at half its contrast, where blur moves no edge.
    """
    luma = page.luma(page.print_scale)
    side = STROKE_TILE_PX * page.print_scale // scale
    shape = (max(mask.shape[0] // side, 1), max(mask.shape[1] // side, 1))
    density = np.rint(block_means(mask, shape))
    area = outline = 0.0
    tiles_count = 0
    for index in np.argsort(density, axis=None, kind="stable")[::-1]:
        row, column = np.unravel_index(int(index), density.shape)
        top, left = int(row) * STROKE_TILE_PX, int(column) * STROKE_TILE_PX
        dark = _dark(luma[top : top + STROKE_TILE_PX, left : left + STROKE_TILE_PX], contrast)
        if dark is None:
            continue
        if tiles_count == STROKE_TILES_COUNT:
            break
        tiles_count += 1
        area += cv2.countNonZero(dark)
        outline += _outline_px(dark)
    if not outline and (dark := _dark(luma, contrast)) is not None:
        # All that is written stands beyond the last whole tile, as on a low strip.
        area, outline = cv2.countNonZero(dark), _outline_px(dark)
    return 2.0 * page.print_scale * area / outline if outline else None


def _dark(tile: Pixels, contrast: float) -> Pixels | None:
    """1 where there is ink; None on a dark picture, which is no writing on paper."""
    paper = median_level(histogram(tile[::4, ::4]))
    limit = math.ceil(paper - contrast / 2) - 1
    if limit < 0:
        return None
    return cast("Pixels", cv2.threshold(tile, limit, 1, cv2.THRESH_BINARY_INV)[1])


def _outline_px(dark: Pixels) -> float:
    if min(dark.shape) < 2:
        return 0.0
    crossings = cv2.norm(dark[:, 1:], dark[:, :-1], cv2.NORM_L1)
    crossings += cv2.norm(dark[1:], dark[:-1], cv2.NORM_L1)
    return float(np.pi / 4 * crossings)
