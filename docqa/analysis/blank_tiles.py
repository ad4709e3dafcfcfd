"""Places without writing, of which fine texture is asked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from docqa.analysis.ranks import percentiles
from docqa.page import Page

TILE_PX = 128
COARSE_SCALE = 4
"""Blank tiles are chosen where a grid of few pixels has been averaged away."""
SAMPLE_STEP = 2
"""Every second pixel there, each way, tells as well what is blank."""
MOST_TILES = 10
BLANK_SPREAD_LEVELS = 10.0
"""Standard deviation of a blank tile at the coarse scale: writing has more."""
BLANK_LEVELS = (60.0, 252.5)
"""Below: too dark to be a lit display; above: clipped, nothing can be seen."""
BRIGHT_SHARE, BRIGHT_PERCENTILE = 0.75, 75
"""Of that percentile over the tiles: what is darker is a table or a frame."""


def blank_tiles(page: Page) -> list[tuple[int, int]]:
    """Left and top, in page pixels, of the bright tiles with the least on them, blankest first."""
    rows, columns = page.height_px // TILE_PX, page.width_px // TILE_PX
    if not rows * columns:
        return []
    side = TILE_PX // COARSE_SCALE
    whole = page.luma(COARSE_SCALE)[: rows * side, : columns * side]
    sample = whole[::SAMPLE_STEP, ::SAMPLE_STEP].astype(np.float32)
    level, square = (_tile_means(each, rows, columns) for each in (sample, sample * sample))
    spread = np.sqrt(np.maximum(square - level * level, 0))
    low = max(BLANK_LEVELS[0], BRIGHT_SHARE * percentiles(level, BRIGHT_PERCENTILE)[0])
    blank = (level > low) & (level < BLANK_LEVELS[1]) & (spread < BLANK_SPREAD_LEVELS)
    order = [int(i) for i in np.argsort(spread, kind="stable") if blank[i]][:MOST_TILES]
    return [(i % columns * TILE_PX, i // columns * TILE_PX) for i in order]


def _tile_means(
    sample: npt.NDArray[np.float32], rows: int, columns: int
) -> npt.NDArray[np.float64]:
    """(rows * columns,) means of whole numbers whose sum over a tile single precision holds."""
    height, width = sample.shape[0] // rows, sample.shape[1] // columns
    lines = sample.reshape(rows, height, columns * width).sum(axis=1)
    sums = lines.reshape(-1, width) @ np.ones(width, np.float32)
    return np.asarray(sums / (height * width), np.float64)
