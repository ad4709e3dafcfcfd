"""How probable it is that the light of a page is a scanner's, by a trained logistic model."""

from __future__ import annotations

import math

import cv2

from docqa.analysis.capture_features import (
    SOFTEST,
    UNKNOWN_SOFTNESS,
    capture_features,
    grey_share,
    light_features,
)
from docqa.analysis.logistic import Logistic
from docqa.analysis.paper import paper
from docqa.page import Page, Pixels

SURELY_UNEVEN, SURELY_EVEN = 0.02, 0.95
"""A page whose light gives no more than the first whatever its letters are like is a camera's; one
whose light gives no less than the second is a scanner's."""
COLOURLESS_LEVELS = 3
"""Spread of red, green and blue that JPEG leaves on grey."""
COLOURED_FRACTION = 0.01
"""Of the pixels; fewer are a speck."""


def even_light(page: Page, model: Logistic) -> float:
    """0 to 1, higher is better. Raises CannotAssess on pages too small to tell.

    The letters, which cost most, are looked at only where they could make a difference. On a page
    without any colour light's log odds against a scanner count half: a copier lights unevenly too,
    and its copies are grey, while nearly every photograph has colour.
    """
    light = page.derive(paper)
    grey = max(grey_share(light), 0.0)
    ends = (0.0, SOFTEST * grey)
    least, most = sorted(model.probability(light_features(light, soft)) for soft in ends)
    if most > SURELY_UNEVEN and least < SURELY_EVEN:
        even = model.probability(capture_features(page))
    else:
        even = model.probability(light_features(light, UNKNOWN_SOFTNESS * grey))
    if even >= 0.5 or not is_colourless(page):
        return even
    return 1 / (1 + math.sqrt((1 - even) / even))


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
