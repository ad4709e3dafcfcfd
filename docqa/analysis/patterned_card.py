"""The extent of a card whose printed ground, but no edge, stands out from the scanner's lid.

A white card on a white lid has no border that a straight edge could be drawn to, yet its guilloche
covers it from edge to edge: together its fine lines fill a rectangle of a card's shape, which no
page of text does. Only ID-1 is looked for.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from docqa.analysis.histograms import histogram
from docqa.analysis.sheet_candidates import ID1_ASPECT
from docqa.page import Page, Pixels

WORKING_SIDE_PX = 360
LEAST_LID_LEVELS = 200.0
LEAST_DEPTH_LEVELS = 3.0
NOISE_RATIO = 3.0
"""The ground is darker than the lid by more than this many times the lid's own noise."""
DEPTH_FRACTION = 0.4
"""Of the typical depth of what is darker than the lid."""
CLOSING_FRACTION = 0.02
"""Of the frame's longer side: the gap between two lines of the ground."""
LEAST_FILL_FRACTION = 0.94
"""Rounded corners cost a card 1 %; text fills its rectangle to much less."""
LEAST_AREA_FRACTION = 0.04
MOST_AREA_FRACTION = 0.78
"""More of the frame than this is a page with its margins."""
ASPECT_TOLERANCE = 0.03
COARSE_SLACK = 0.1
"""By how much the limits are wider in half the size, where a pixel is twice as much."""


def patterned_card(page: Page) -> tuple[float, float] | None:
    """Longer and shorter side of the card in pixels; None where there is none.

    Call it as ``page.derive(patterned_card)``. Up to 3 % too large, by the card's shadow.
    """
    longer = max(page.width_px, page.height_px)
    scale = next((scale for scale in (8, 4, 2) if longer // scale >= WORKING_SIDE_PX), 1)
    luma = page.luma(scale)
    if min(luma.shape) < 24:
        return None
    mask = _darker_than_lid(luma)
    if mask is None:
        return None
    # Most pages fail in any size, so half of it is asked first.
    height, width = (side // 2 * 2 for side in mask.shape)
    down = cv2.max(mask[:height:2, :width], mask[1:height:2, :width])
    coarse = np.maximum(down[:, ::2], down[:, 1::2])
    if _card_sides(cast("Pixels", coarse), slack=COARSE_SLACK) is None:
        return None
    sides = _card_sides(mask)
    return None if sides is None else (sides[0] * scale, sides[1] * scale)


def _darker_than_lid(luma: Pixels) -> Pixels | None:
    """(H, W) 0 or 255; None where the frame's rim is no lid."""
    depth = max(min(luma.shape) // 40, 2)
    rim = np.cumsum(histogram(np.concatenate([
        luma[:depth].ravel(), luma[-depth:].ravel(),
        luma[:, :depth].ravel(), luma[:, -depth:].ravel(),
    ])))  # fmt: skip
    low, lid = (int(np.searchsorted(rim, share * rim[-1])) for share in (0.16, 0.5))
    if lid < LEAST_LID_LEVELS:
        return None
    least = max(NOISE_RATIO * (lid - low), LEAST_DEPTH_LEVELS)
    darker = np.cumsum(histogram(luma)[: max(int(lid - least), 1)])
    typical = lid - int(np.searchsorted(darker, darker[-1] / 2))
    # Shadow and an uneven lid are shallower than the lines of the ground.
    cut = lid - max(least, DEPTH_FRACTION * typical)
    return cast("Pixels", cv2.threshold(luma, cut, 255, cv2.THRESH_BINARY_INV)[1])


def _card_sides(mask: Pixels, slack: float = 0.0) -> tuple[float, float] | None:
    """Longer and shorter side of a card that the mask fills; every limit is wider by ``slack``."""
    reach = max(round(CLOSING_FRACTION * max(mask.shape)), 2)
    element = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    framed = cv2.copyMakeBorder(mask, *(2 * reach,) * 4, cv2.BORDER_CONSTANT, value=0.0)
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, element)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, element)
    outlines, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    contour = max(outlines, key=cv2.contourArea)
    box = cv2.minAreaRect(contour)[1]
    longer, shorter = max(box) + 1, min(box) + 1
    filled = cv2.contourArea(contour) + (longer + shorter)
    share = filled / mask.size
    if share < LEAST_AREA_FRACTION * (1 - slack) or share > MOST_AREA_FRACTION * (1 + slack):
        return None
    if filled < LEAST_FILL_FRACTION * (1 - slack) * longer * shorter:
        return None
    if abs(longer / shorter / ID1_ASPECT - 1) > ASPECT_TOLERANCE + slack:
        return None
    return float(longer), float(shorter)
