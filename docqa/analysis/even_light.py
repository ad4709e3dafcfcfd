"""How probable it is that the light of a page is a scanner's, by a trained logistic model."""

from __future__ import annotations

import math

from docqa.analysis.capture_features import light_features
from docqa.analysis.logistic import Logistic
from docqa.analysis.paper import paper
from docqa.analysis.paper_colour import is_colourless
from docqa.page import Page

SURELY_UNEVEN = 0.02
"""A page whose light gives no more than this is a camera's: nothing of its texture could make a
scanner likelier."""
UNDER_GREY_LID = 0.5
"""Under it the paper is told from the lid too seldom for a low probability to be believed."""


def even_light(page: Page, model: Logistic) -> float:
    """0 to 1, higher is better. Raises CannotAssess on pages too small to tell.

    On a page without any colour light's log odds against a scanner count half: a copier lights
    unevenly too, and its copies are grey, while nearly every photograph has colour.
    """
    light = page.derive(paper)
    even = model.probability(light_features(light))
    if light.is_under_grey_lid:
        even = max(even, UNDER_GREY_LID)
    if even >= 0.5 or not is_colourless(page):
        return even
    return 1 / (1 + math.sqrt((1 - even) / even))
