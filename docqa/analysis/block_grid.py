"""The 8x8 block grid that JPEG leaves in pixels: where it lies, how visible it is, how coarse.

Blocks are seen where the paper is smooth: there the step across a block border is larger than the
steps inside (after Fan and de Queiroz, "Identification of bitmap compression history", 2003). And
the cosine coefficients of every block are multiples of the quantisation step they were stored with,
which survives a later save in a finer or lossless format: that names the quality. Blocks that touch
black or white are left out, because clipping moves their coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.full_size_tiles import full_size_tiles
from docqa.analysis.ranks import median
from docqa.analysis.text_tiles import TILE_PX, TextTile
from docqa.page import Page, Pixels

Floats = npt.NDArray[np.float64]

BLOCK_PX = 8
_HALVINGS = 3
MOST_TILES = 12
SMOOTH_LEVELS = 12
"""Steps inside the blocks up to this: paper and soft shades, no edges of strokes."""
MOST_STEP_LEVELS = 40
MOST_LINE_LEVELS = 20
"""Mean of the steps along one row or column of a tile: blocks of quality 10 have up to 14, a level
rule that runs through the tile 40."""
LEAST_STEP_LEVELS = 0.02
"""Added to both sides of the ratio: pages without any grain have no border steps either."""
IJG_LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
"""ITU-T T.81, table K.1, in the order (vertical, horizontal) frequency."""
FREQUENCIES = ((0, 1), (1, 0), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (3, 0), (0, 3), (2, 2))
"""The ones that print and grain fill with coefficients."""
QUALITIES = tuple(range(4, 93))
"""Above these the steps are as fine as the rounding of pixels."""
LEAST_BLOCKS = 30
MOST_BLOCKS = 3000
"""Evenly chosen, to bound the time."""
LEAST_COEFFICIENTS = 12
LEAST_FREQUENCIES = 3
LEAST_STEP = 3
MOST_STEP = 120
LARGEST_COEFFICIENT = 400
CLIPPED_LEVELS = (2, 253)


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """The grid of one page."""

    blocking_ratio: float
    """Step across block borders over the step inside, on smooth paper; 1 without a grid."""
    left_px: int
    """0 to 7: column of the first block border."""
    top_px: int
    """0 to 7: row of the first block border."""
    trace_quality: int | None
    """IJG quality whose steps the coefficients follow; None where the trace is not certain."""
    trace_confidence: float
    """0 to 1: how exactly the coefficients follow it; up to 0.1 by chance."""


def block_grid(page: Page) -> BlockGrid | None:
    """Find the grid on tiles of writing; None on a page without writing."""
    tiles = page.derive(full_size_tiles)
    tiles = tiles[:: max(1, -(-len(tiles) // MOST_TILES))]
    if not tiles:
        return None
    if page.print_scale > 1:
        tiles = tuple(map(_darkest_quarter, tiles))
    left, across = _strongest(_steps_across(tiles))
    top, down = _strongest(_steps_down(tiles))
    quality, confidence = _traced(tiles, left, top)
    return BlockGrid(float(np.sqrt(across * down)), left, top, quality, confidence)


def _darkest_quarter(tile: TextTile) -> TextTile:
    """Of a tile of a fine page as many pixels as of others: blocks are no larger there."""
    places = [(y, x) for y in (0, TILE_PX) for x in (0, TILE_PX)]
    quarters = [tile.pixels[y : y + TILE_PX, x : x + TILE_PX] for y, x in places]
    darkest = min(range(len(places)), key=lambda number: cv2.mean(quarters[number])[0])
    top, left = places[darkest]
    return TextTile(quarters[darkest], tile.left_px + left, tile.top_px + top, tile.scale)


def _steps_across(tiles: tuple[TextTile, ...]) -> Floats:
    """(8,) mean step of smooth pixels by the phase of the column behind it.

    Tiles lie on a grid of whole blocks.
    """
    if tiles[0].pixels.shape[1] < 2 * BLOCK_PX:
        return np.zeros(BLOCK_PX)
    steps = (cv2.absdiff(tile.pixels[:, 1:], tile.pixels[:, :-1]) for tile in tiles)
    parts = ((step[:, :-2], step[:, 1:-1], step[:, 2:]) for step in steps)
    return _by_phase(parts, tiles[0].left_px, summed_along=0)


def _steps_down(tiles: tuple[TextTile, ...]) -> Floats:
    """The same by the phase of the row."""
    if tiles[0].pixels.shape[0] < 2 * BLOCK_PX:
        return np.zeros(BLOCK_PX)
    steps = (cv2.absdiff(tile.pixels[1:], tile.pixels[:-1]) for tile in tiles)
    parts = ((step[:-2], step[1:-1], step[2:]) for step in steps)
    return _by_phase(parts, tiles[0].top_px, summed_along=1)


def _by_phase(parts: Iterable[tuple[Any, Any, Any]], start_px: int, summed_along: int) -> Floats:
    """(8,) mean of the middle ones of steps in a row, where those before and after are small.

    Tile by tile: what is made of one stays in the processor's cache.
    """
    sums: Any = 0
    smooths: Any = 0
    for before, middle, after in parts:
        inside = cv2.max(before, after)
        smooth = cv2.threshold(inside, SMOOTH_LEVELS, 255, cv2.THRESH_BINARY_INV)[1]
        small = cv2.threshold(middle, MOST_STEP_LEVELS, 0, cv2.THRESH_TRUNC)[1]
        counted = cv2.bitwise_and(small, smooth)
        line, places = (
            cv2.reduce(each, summed_along, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
            for each in (counted, smooth)
        )
        is_rule = 255 * line > MOST_LINE_LEVELS * places
        line[is_rule] = places[is_rule] = 0
        sums, smooths = sums + line, smooths + places
    phase = (np.arange(sums.size) + 2 + start_px) % BLOCK_PX
    total, count = (np.bincount(phase, each.ravel(), BLOCK_PX) for each in (sums, smooths / 255))
    return np.asarray(total / np.maximum(count, 1), np.float64)


def _strongest(steps: Floats) -> tuple[int, float]:
    """The phase with the largest step, and that step over the median of the others."""
    phase = int(steps.argmax())
    others = median(np.delete(steps, phase))
    return phase, float((steps[phase] + LEAST_STEP_LEVELS) / (others + LEAST_STEP_LEVELS))


def _traced(tiles: tuple[TextTile, ...], left_px: int, top_px: int) -> tuple[int | None, float]:
    """The quality whose steps the coefficients are multiples of, and how exactly."""
    blocks = _blocks(tiles, left_px, top_px)
    if len(blocks) < LEAST_BLOCKS:
        return None, 0.0
    sizes = np.abs(np.rint(blocks.astype(np.float32) @ _BASIS)).astype(np.int32)
    levels = np.minimum(sizes, LARGEST_COEFFICIENT) + _FIRST_BINS
    shape = (len(FREQUENCIES), len(_LEVELS))
    counts = np.bincount(levels.ravel(), minlength=shape[0] * shape[1]).reshape(shape)
    counts = counts.astype(np.float64)
    found_levels = np.flatnonzero(counts.any(axis=0))
    counts = counts[:, found_levels]
    # A coefficient under half a step is stored as zero by any step: it says nothing.
    seen = counts @ _COUNTED[found_levels]
    agreement = np.where(seen >= LEAST_COEFFICIENTS, counts @ _AGREEMENT[found_levels], np.nan)
    agreement /= np.maximum(seen, 1)
    found = np.where(_IS_USABLE, agreement[np.arange(len(FREQUENCIES)), _AT_STEP], np.nan)
    known = np.isfinite(found)
    mean = np.where(known, found, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    mean[known.sum(axis=1) < LEAST_FREQUENCIES] = 0.0
    best = int(mean.argmax())
    return (QUALITIES[best], float(mean[best])) if mean[best] > 0 else (None, 0.0)


def _blocks(tiles: tuple[TextTile, ...], left_px: int, top_px: int) -> npt.NDArray[np.uint8]:
    """(N, 64) up to MOST_BLOCKS whole blocks that hold something and are nowhere clipped."""
    x, y = (left_px - tiles[0].left_px) % BLOCK_PX, (top_px - tiles[0].top_px) % BLOCK_PX
    height, width = tiles[0].pixels.shape
    rows, columns = (height - y) // BLOCK_PX, (width - x) // BLOCK_PX
    if not rows or not columns:
        return np.empty((0, BLOCK_PX**2), np.uint8)
    cut = [tile.pixels[y : y + rows * BLOCK_PX, x : x + columns * BLOCK_PX] for tile in tiles]
    strip = np.asarray(cv2.hconcat(cut), np.uint8)
    low, high = (_of_blocks(strip, take) for take in (cv2.min, cv2.max))
    whole = (low > CLIPPED_LEVELS[0]) & (high < CLIPPED_LEVELS[1]) & (high > low + 1)
    row, column = np.nonzero(whole)
    step = max(1, -(-len(row) // MOST_BLOCKS))
    # A row of a block is one number of eight bytes.
    lines = strip.view(np.uint64).reshape(rows, BLOCK_PX, -1)
    chosen = lines[row[::step], :, column[::step]]
    return np.ascontiguousarray(chosen).view(np.uint8)


def _of_blocks(strip: Pixels, take: Callable[..., Any]) -> Pixels:
    """(rows, columns) the least or the most of each block."""
    for _ in range(2):
        for _ in range(_HALVINGS):
            strip = take(strip[::2], strip[1::2])
        strip = cast("Pixels", cv2.transpose(strip))
    return strip


def ijg_steps(quality: int) -> npt.NDArray[np.int64]:
    """(8, 8) luma steps of the Independent JPEG Group's encoder at a quality of 1 to 100."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.asarray(np.clip((IJG_LUMA * scale + 50) // 100, 1, 255), np.int64)


def _basis() -> npt.NDArray[np.float32]:
    """(64, frequencies): the two-dimensional cosines."""
    place = (2 * np.arange(BLOCK_PX) + 1) * np.pi / (2 * BLOCK_PX)
    waves = [np.sqrt((2 - (u == 0)) / BLOCK_PX) * np.cos(u * place) for u in range(BLOCK_PX)]
    columns = [np.outer(waves[down], waves[across]).ravel() for down, across in FREQUENCIES]
    return np.stack(columns, axis=1).astype(np.float32)


_BASIS = _basis()
_LEVELS = np.arange(LARGEST_COEFFICIENT + 1)[:, None]
_FIRST_BINS = (np.arange(len(FREQUENCIES)) * len(_LEVELS)).astype(np.int32)
_STEPS = np.arange(LEAST_STEP, MOST_STEP + 1)[None, :]
_COUNTED = (_LEVELS > _STEPS / 2).astype(np.float64)
_AGREEMENT = _COUNTED * np.cos(2 * np.pi * _LEVELS / _STEPS)
_QUALITY_STEPS = np.stack([ijg_steps(q)[tuple(np.transpose(FREQUENCIES))] for q in QUALITIES])
_IS_USABLE = (_QUALITY_STEPS >= LEAST_STEP) & (_QUALITY_STEPS <= MOST_STEP)
_AT_STEP = np.clip(_QUALITY_STEPS - LEAST_STEP, 0, MOST_STEP - LEAST_STEP)
