"""Whether a page has any colour, and which tint its paper has."""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np

from docqa.analysis.area_grid import block_means
from docqa.analysis.histograms import histogram
from docqa.analysis.paper import paper
from docqa.analysis.ranks import median
from docqa.page import Page, Pixels, halved

COLOURLESS_LEVELS = 3
"""Spread of red, green and blue that JPEG leaves on grey."""
COLOURED_FRACTION = 0.01
"""Of the pixels; fewer are a speck."""
COARSE_SIDE_PX = 160
"""Colour whose shorter side has this many pixels is looked at in half the size."""
DARKER_FRACTION = 0.3
"""What is darker than the rest of the pixels, in its least channel, is not asked for its colour."""
LEAST_BLOCKS_COUNT = 3


def is_colourless(page: Page) -> bool:
    """True where nothing on the page, not even a stamp, has a colour."""
    if page.origin.colour_mode != "colour":
        return True
    # A mean of four pixels has a colour only where one of them has.
    if _coloured_fraction(page.colour(16)) > 4 * COLOURED_FRACTION:
        return False
    return _coloured_fraction(page.colour(8)) <= COLOURED_FRACTION


def _coloured_fraction(colour: Pixels) -> float:
    red, green, blue = cv2.split(colour)
    spread = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    shown = cv2.threshold(spread, COLOURLESS_LEVELS, 1, cv2.THRESH_BINARY)[1]
    return cv2.countNonZero(shown) / spread.size


def colour_cast_levels(page: Page) -> float:
    """Distance of the colour of the paper from grey (CIELAB chroma), the median of its blocks.

    Only the brighter pixels are asked: ink and stamps are no paper. 0 without colour, or with too
    little paper. Raises CannotAssess on pages too small to tell.
    """
    if page.origin.colour_mode != "colour":
        return 0.0
    colour = page.colour(8)
    if min(colour.shape[:2]) >= COARSE_SIDE_PX:
        colour = page.colour(16)
    while min(colour.shape[:2]) >= 2 * COARSE_SIDE_PX:
        colour = halved(colour)
    red, green, blue = cv2.split(colour)
    darkest = cast("Pixels", cv2.min(cv2.min(red, green), blue))
    counts = np.cumsum(histogram(darkest))
    least = float(np.searchsorted(counts, DARKER_FRACTION * counts[-1]))
    bright = cast("Pixels", cv2.threshold(darkest, least - 1, 255, cv2.THRESH_BINARY)[1])
    shown = [cast("Pixels", cv2.bitwise_and(each, bright)) for each in (red, green, blue)]
    is_paper = page.derive(paper).is_paper
    means = block_means(
        cast("Pixels", cv2.merge([*shown, bright])), (is_paper.shape[0], is_paper.shape[1])
    )
    known = is_paper & (means[..., 3] > 0.2 * 255)
    if known.sum() < LEAST_BLOCKS_COUNT:
        return 0.0
    rgb = (means[known][:, :3] / means[known][:, 3:])[None]
    chroma = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0, :, 1:]
    return math.hypot(median(chroma[:, 0]), median(chroma[:, 1]))
