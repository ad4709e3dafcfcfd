"""Lines of text so far from level that nothing is found near it: 15 to 45 degrees either way.

Asked only where no direction near level is sure: it turns the ink twice and looks again.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from docqa.analysis.ink import ink
from docqa.analysis.outline import Outline, outline
from docqa.analysis.text_angle import (
    LONGEST_PX,
    RANGE_DEG,
    AngleEstimate,
    fans,
    magnitude_angle,
    step_angle,
)
from docqa.page import Page, Pixels, halved

TURNS_DEG = (30.0, 60.0)
"""Each looks 16 degrees around itself, across and down: both together see all that is not level."""
RIM_FRACTION = 0.02
"""Ink this close to the frame is its edge, not text."""
LEAST_SIDE_PX = 64
LEAST_INK_FRACTION = 0.0005
LEAST_PROMINENCE = 0.45
AGREEMENT_DEG = 0.5
"""Two estimates of one direction differ by no more."""


def steep_angle(page: Page) -> AngleEstimate | None:
    """The clearest direction, folded to -45 to 45 degrees; None where none surely lies beyond 15,
    and where the sheet's own sides are seen to lie within.

    Call it as ``page.derive(steep_angle)``.
    """
    sheet = page.derive(outline)
    if sheet is not None and not sheet.fills_frame and _is_near_level(sheet):
        return None
    mask = page.derive(ink).mask
    rim = max(int(RIM_FRACTION * max(mask.shape)), 1)
    mask = np.ascontiguousarray(mask[rim:-rim, rim:-rim])
    if min(mask.shape) < LEAST_SIDE_PX or cv2.countNonZero(mask) < LEAST_INK_FRACTION * mask.size:
        return None
    while max(mask.shape) > LONGEST_PX and min(mask.shape) >= 2 * LEAST_SIDE_PX:
        mask = halved(mask)
    found = [one for turn in TURNS_DEG for one in _sure(_turned(mask, turn), turn)]
    steep = [one for one in found if abs(one.angle_deg) > RANGE_DEG]
    return max(steep, key=lambda one: one.prominence, default=None)


def _is_near_level(sheet: Outline) -> bool:
    return max(map(abs, sheet.side_turns_deg())) <= RANGE_DEG


def _sure(mask: Pixels, turn_deg: float) -> list[AngleEstimate]:
    """What two estimates agree on, of lines across the turned mask and of lines down it."""
    sure = []
    for fan, lying_deg in zip(fans(mask), (0.0, 90.0), strict=True):
        one, other = magnitude_angle(fan), step_angle(fan)
        least = min(one.prominence, other.prominence)
        if least >= LEAST_PROMINENCE and abs(one.angle_deg - other.angle_deg) <= AGREEMENT_DEG:
            angle_deg = (turn_deg + lying_deg + other.angle_deg + 45.0) % 90.0 - 45.0
            sure.append(AngleEstimate(angle_deg, least))
    return sure


def _turned(mask: Pixels, turn_deg: float) -> Pixels:
    """Turned clockwise; beside it there is no ink."""
    height, width = mask.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -turn_deg, 1.0)
    across, along = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = round(width * across + height * along), round(width * along + height * across)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return cast("Pixels", cv2.warpAffine(mask, matrix, size))
