"""Writing that is too faint to be ink beside the strong ink of the same page.

Parts of the page whose marks are all faint are looked at. The marks are writing when they have
the height, the stroke width and the sharpness of the page's other writing: the pattern of a card
and dirt have not the first two, and the other side that shows through lost the third in the paper.
"""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.area_grid import block_means
from docqa.analysis.components import component_stats
from docqa.analysis.full_size_tiles import (
    ROWS_STEP,
    full_size_px,
    full_size_tiles,
    tile_counts,
)
from docqa.analysis.histograms import Counts, histogram, median_level
from docqa.analysis.ink import ink, stroke_px
from docqa.analysis.ranks import median
from docqa.analysis.text_tiles import TextTile
from docqa.page import Page, Pixels

DARKEST_PERCENTILE = 1
PAPER_PERCENTILE = 75
FAINT_ELEMENT_PX = 9
"""Side of the black-hat that finds faint marks, at half the scale of the ink."""
LEAST_FAINT_LEVELS = 1.0
"""Mean depth of a part of the page in which faint writing is looked for, above its noise."""
LEAST_SHARPNESS_RATIO = 0.75
"""Edges of the marks beside those of the page's ink, each against its own contrast: faint print has
0.78 and more, what shows through 0.34 to 0.72 (drawn through real scans, spread by 0.15 mm)."""
MOST_FAINT_TILES = 8
FAINT_FRACTION = 0.7
"""A part whose deepest mark has more than this of the page's deepest is no faint one."""
LEAST_MARKS_COUNT = 10
HEIGHT_RATIO = 1.8
STROKE_RATIO = 1.6
LEAST_ALIKE_FRACTION = 0.35
LEAST_WHOLE_FRACTION = 0.2
"""Of the ink, in marks that the tile's edge does not cut: the lines of a printed ground run through
the tile, and are as high as letters by chance."""
DARK_FRACTIONS = (0.02, 0.3)
LEAST_DEPTH_LEVELS = 8
"""From the paper to the darkest of a tile: less is what JPEG makes of grain, in blocks that may be
as high and as wide as letters. Nobody reads print as faint as that."""
_SHARES = np.array([DARKEST_PERCENTILE, PAPER_PERCENTILE]) / 100


def cut_levels(counts: npt.NDArray[Any]) -> tuple[int, int]:
    """The level halfway from the darkest to the paper, and the paper's level.

    Args:
        counts: (256,) how many pixels of a tile have each level.
    """
    below = counts.cumsum()
    darkest, paper = below.searchsorted(_SHARES * below[-1])
    return int(darkest + paper) // 2, int(paper)


def faint_tiles(page: Page) -> list[tuple[Counts, TextTile]]:
    """Histograms and tiles of marks, writing or not, that are all fainter than elsewhere.

    They lie beyond those of ``full_size_tiles``.
    """
    found = page.derive(ink)
    if found.stroke_width_px is None or found.text_height_px is None:
        return []
    scale = 2 * found.scale
    luma = page.luma(scale)
    element = np.ones((FAINT_ELEMENT_PX, FAINT_ELEMENT_PX), np.uint8)
    depth = cast("Pixels", cv2.morphologyEx(luma, cv2.MORPH_BLACKHAT, element))
    tile_px = full_size_px(page)
    rows, columns = (n * scale // tile_px for n in depth.shape)
    if not rows or not columns:
        return []
    side = tile_px // scale
    cut = depth[: rows * side, : columns * side]
    mean = block_means(cut, (rows, columns))
    holds_marks = mean - median_level(histogram(depth[::3, ::3])) >= LEAST_FAINT_LEVELS
    lines = cut.reshape(rows, side, columns * side).max(axis=1)
    deepest = lines.reshape(rows, columns, side).max(axis=2)
    for tile in page.derive(full_size_tiles):
        holds_marks[tile.top_px // tile_px, tile.left_px // tile_px] = False
    places = np.argwhere(holds_marks & (deepest < FAINT_FRACTION * deepest.max()))
    order = np.argsort(deepest[tuple(places.T)], kind="stable")
    chosen = []
    for row, column in places[order][:MOST_FAINT_TILES].tolist():
        top, left = row * tile_px, column * tile_px
        tile = TextTile(page.luma()[top : top + tile_px, left : left + tile_px], left, top, 1)
        chosen.append((histogram(tile.pixels[::ROWS_STEP]), tile))
    return chosen


def is_writing(page: Page, counts: Counts, tile: TextTile) -> bool:
    """Whether a faint tile's marks are like the page's writing in height, stroke and sharpness."""
    found = page.derive(ink)
    width_px, height_px = stroke_px(found) or 1.0, found.text_height_px or 1.0
    level, paper = cut_levels(counts)
    if 2 * (paper - level) < LEAST_DEPTH_LEVELS:
        return False
    dark = cast("Pixels", cv2.threshold(tile.pixels, level, 1, cv2.THRESH_BINARY_INV)[1])
    area = cv2.countNonZero(dark)
    if not DARK_FRACTIONS[0] <= area / dark.size <= DARK_FRACTIONS[1]:
        return False
    crossings = cv2.norm(dark[:, 1:], dark[:, :-1], cv2.NORM_L1)
    crossings += cv2.norm(dark[1:], dark[:-1], cv2.NORM_L1)
    stroke = 2 * area / max(np.pi / 4 * crossings, 1.0)
    if not 1 / STROKE_RATIO <= stroke / width_px <= STROKE_RATIO:
        return False
    stats = component_stats(dark)
    height = stats[:, cv2.CC_STAT_HEIGHT] / height_px
    alike = (height >= 1 / HEIGHT_RATIO) & (height <= HEIGHT_RATIO)
    marks_area, whole = stats[:, cv2.CC_STAT_AREA], _is_whole(stats, tile.pixels.shape)
    return bool(
        alike.sum() >= LEAST_MARKS_COUNT
        and marks_area[alike].sum() >= LEAST_ALIKE_FRACTION * area
        and marks_area[alike & whole].sum() >= LEAST_WHOLE_FRACTION * area
        and _sharpness(tile, counts) >= LEAST_SHARPNESS_RATIO * page.derive(_ink_sharpness)
    )


def _ink_sharpness(page: Page) -> float:
    """Median over the tiles of ink."""
    tiles = zip(page.derive(full_size_tiles), page.derive(tile_counts), strict=True)
    return median(np.array([_sharpness(tile, counts) for tile, counts in tiles]))


def _sharpness(tile: TextTile, counts: Counts) -> float:
    """0 to about 1, higher is sharper: step across three pixels at the edges of the marks, noise
    averaged out, over the tile's contrast; 0.0 without edges.
    """
    level, paper = cut_levels(counts)
    smooth = cv2.blur(tile.pixels, (3, 3)).astype(np.int16)
    dark = tile.pixels <= level
    steps = [np.zeros(0, np.int16)]
    for levels, marks in ((smooth, dark), (smooth.T, dark.T)):
        step = np.abs(levels[:, 3:] - levels[:, :-3])
        steps.append(step[marks[:, 1:-2] != marks[:, 2:-1]])
    every = np.concatenate(steps)
    return median(every) / max(2 * (paper - level), 1) if len(every) else 0.0


def _is_whole(stats: npt.NDArray[np.int32], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """(marks,) of those that the tile's edge does not cut."""
    left, top, width, height = (stats[:, column] for column in range(4))
    inside = (left > 0) & (top > 0) & (left + width < shape[1]) & (top + height < shape[0])
    return np.asarray(inside, np.bool_)
