"""The light of pictures that somebody laid on an empty white page.

Apps' modes for cards and any editor do so with photographs. The white round them is no scanner's
lid and says nothing of the light in the pictures, which are looked at by themselves. A card or a
passport under a white lid is such a picture as well, and its own light is a scanner's.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from docqa.analysis.capture_features import light_features
from docqa.analysis.logistic import Logistic
from docqa.analysis.paper import MIN_SIDE_PX, Paper, paper
from docqa.analysis.paper_surface import paper_surface
from docqa.page import Page, Pixels, page_from_pixels

WHITE_LEVEL = 250
"""What is darker, with its ink closed, is no empty page."""
AREA_FRACTIONS = (0.05, 0.95)
"""Of the page, that a picture has; smaller are logos, larger (or several) leave nothing empty."""
LEAST_FILLED_FRACTION = 0.7
"""Of the box round a picture."""
EDGE_PX = 2
"""Of a coarse picture's edges, where it is mixed with the white round it."""
MOST_INK_FRACTION = 0.005
"""Of the page beside the pictures: more is a document's writing, and the picture a portrait."""


def placed_light(page: Page, model: Logistic) -> float:
    """Least probability that the light in such a picture is a scanner's; 1.0 where there is none.

    Raises CannotAssess on pages under 16 px.
    """
    found = page.derive(placed_pictures)
    return min((model.probability(light_features(one)) for one in found), default=1.0)


def placed_pictures(page: Page) -> tuple[Paper, ...]:
    """Paper and light of each picture; () on any other page. Call it by ``page.derive``."""
    surface = page.derive(paper_surface)
    filled = cv2.threshold(surface.closed, WHITE_LEVEL - 1, 1, cv2.THRESH_BINARY_INV)[1]
    least, most = AREA_FRACTIONS
    if not least * LEAST_FILLED_FRACTION <= cv2.countNonZero(filled) / filled.size <= most:
        return ()
    beside = np.ones(filled.shape, np.bool_)
    found: list[Pixels] = []
    for left, top, width, height, area in cv2.connectedComponentsWithStats(filled)[2][1:].tolist():
        box = width * height
        if least <= box / filled.size <= most and area >= LEAST_FILLED_FRACTION * box:
            rows, columns = (
                slice(max(start - 2 * EDGE_PX, 0), start + length + 2 * EDGE_PX)
                for start, length in ((top, height), (left, width))
            )
            beside[rows, columns] = False
            found.append(surface.luma[top : top + height, left : left + width])
    if np.count_nonzero(surface.luma[beside] < WHITE_LEVEL) > MOST_INK_FRACTION * filled.size:
        return ()
    inner = (one[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX] for one in found)
    return tuple(
        paper(page_from_pixels(cast("Pixels", np.ascontiguousarray(one))))
        for one in inner
        if min(one.shape) >= MIN_SIDE_PX
    )
