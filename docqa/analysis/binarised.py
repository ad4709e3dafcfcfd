"""What a threshold made of the writing: two levels only, and specks where paper was noisy.

Scanner apps threshold a photograph against its surroundings, which turns the noise of bare paper
into specks. A clean black and white scan has two levels as well, but few specks. Both are looked
for on tiles of writing at full resolution, relative to the width of its strokes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from docqa.analysis.components import component_stats
from docqa.analysis.full_size_tiles import full_size_tiles, tile_counts
from docqa.analysis.histograms import Counts
from docqa.analysis.ink import ink, stroke_px
from docqa.analysis.ranks import median
from docqa.analysis.text_tiles import TextTile
from docqa.analysis.texture import bilevel_fraction, is_two_level
from docqa.page import Page, Pixels

MOST_TILES = 6
LEAST_STEP_LEVELS = 30
"""Writing closer to its paper than this was not made by a threshold."""
LEVEL_TOLERANCE_FRACTION = 0.12
"""Of the step between the two levels: what JPEG makes of a black and white page stays within."""
BILEVEL_FRACTION = 0.9
"""Writing with more shades than this was not thresholded: its grain is not counted as specks."""
SHADELESS_FRACTIONS = (0.88, 0.95)
"""Of the page within two levels of black or white, and of the strokes at one of two levels: with
more of both a page is black and white however its file was made. Scans with shades have up to 0.82
of the second."""
BLACK_LEVEL, WHITE_LEVEL = 60, 200
"""A threshold writes black and white; the grain of a desk may have two levels, but not those."""
SPECK_AREA_STROKES = 0.35
"""In squares of the stroke width; the dot of a letter has about 1."""


@dataclass(frozen=True, slots=True)
class Binarised:
    """Traces of a threshold in the writing."""

    bilevel_fraction: float
    """0 to 1: share of the pixels of strokes and their edges that are at one of two levels."""
    speckle_fraction: float
    """0 to 1: share of specks among the dark marks, median of the tiles; 0.0 where the writing has
    shades."""


def is_black_and_white(page: Page) -> bool:
    """Whether the page was thresholded, in a JPEG too, which blurs the two levels.

    Raises CannotAssess on pages under 32 px.
    """
    if is_two_level(page):
        return True
    of_page, of_strokes = SHADELESS_FRACTIONS
    if page.derive(bilevel_fraction) <= of_page:
        return False
    found = page.derive(binarised)
    return found is not None and found.bilevel_fraction >= of_strokes


def binarised(page: Page) -> Binarised | None:
    """Count the traces; None on a page without writing."""
    stroke = stroke_px(page.derive(ink))
    tiles = tuple(zip(page.derive(full_size_tiles), page.derive(tile_counts), strict=True))
    at_levels = near_ink = 0
    for tile, counts in tiles[:: max(1, -(-len(tiles) // MOST_TILES))]:
        levels = _levels(counts)
        if levels is None:
            continue
        low, high = levels
        near = cv2.dilate(_dark(tile, levels), np.ones((3, 3), np.uint8))
        tolerance = 2 + LEVEL_TOLERANCE_FRACTION * (high - low)
        between = cv2.inRange(tile.pixels, low + tolerance, high - tolerance)
        near_ink += cv2.countNonZero(near)
        at_levels += cv2.countNonZero(near) - cv2.countNonZero(cv2.bitwise_and(between, near))
    if not near_ink or stroke is None:
        return None
    bilevel = at_levels / near_ink
    specks = _speckle_fraction(tiles, stroke) if bilevel >= BILEVEL_FRACTION else 0.0
    return Binarised(bilevel, specks)


def _dark(tile: TextTile, levels: tuple[int, int]) -> Pixels:
    """(H, W) 1 where the tile is nearer to the ink's level."""
    middle = sum(levels) // 2
    return cast("Pixels", cv2.threshold(tile.pixels, middle, 1, cv2.THRESH_BINARY_INV)[1])


def _levels(counts: Counts) -> tuple[int, int] | None:
    """The most common level of the ink and of the paper."""
    below = counts.cumsum()
    low, high = below.searchsorted([0.01 * below[-1], 0.75 * below[-1]])
    if high - low < LEAST_STEP_LEVELS:
        return None
    middle = int(low + high) // 2
    return int(counts[:middle].argmax()), middle + int(counts[middle:].argmax())


def _speckle_fraction(tiles: Sequence[tuple[TextTile, Counts]], stroke_px: float) -> float:
    """The median of all tiles: a screened picture in some of them is made of specks."""
    most_px = max(1.0, SPECK_AREA_STROKES * stroke_px**2)
    shares = []
    for tile, counts in tiles:
        levels = _levels(counts)
        if levels is None or levels[0] > BLACK_LEVEL or levels[1] < WHITE_LEVEL:
            continue
        areas = component_stats(_dark(tile, levels))[:, cv2.CC_STAT_AREA]
        if len(areas):
            shares.append(float((areas <= most_px).mean()))
    return median(np.array(shares)) if shares else 0.0
