"""Places without writing, of which fine texture is asked."""

from __future__ import annotations

import cv2
import numpy as np

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
BRIGHT_SHARE = 0.75
"""Of the 75th percentile over the tiles: what is darker is a table or a frame."""


def blank_tiles(page: Page) -> list[tuple[int, int]]:
    """Left and top, in page pixels, of the bright tiles with the least on them, blankest first."""
    rows, columns = page.height_px // TILE_PX, page.width_px // TILE_PX
    if not rows * columns:
        return []
    side = TILE_PX // COARSE_SCALE // SAMPLE_STEP
    size = (columns * side, rows * side)
    whole = page.luma(COARSE_SCALE)[: size[1] * SAMPLE_STEP, : size[0] * SAMPLE_STEP]
    sample = cv2.resize(whole, size, interpolation=cv2.INTER_NEAREST)
    sums = cv2.integral2(sample, sdepth=cv2.CV_32S)
    corners = (one[::side, ::side].astype(np.float64) for one in sums)
    level, square = (np.diff(np.diff(one, axis=0), axis=1).ravel() / side**2 for one in corners)
    spread = np.sqrt(np.maximum(square - level * level, 0))
    low = max(BLANK_LEVELS[0], BRIGHT_SHARE * float(np.percentile(level, 75)))
    blank = (level > low) & (level < BLANK_LEVELS[1]) & (spread < BLANK_SPREAD_LEVELS)
    order = [int(i) for i in np.argsort(spread, kind="stable") if blank[i]][:MOST_TILES]
    return [(i % columns * TILE_PX, i // columns * TILE_PX) for i in order]
