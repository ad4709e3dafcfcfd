"""The direction of a page's print: its text's angle, and whether its lines run across or down.

The ink on the sheet is looked at without its rim, both the way it lies and on its side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np

from docqa.analysis.ink import Ink, ink
from docqa.analysis.outline import Outline, outline
from docqa.analysis.text_angle import AngleEstimate, spectrum, sweep
from docqa.page import Page, Pixels

LEAST_INK_FRACTION = 0.0005
RIM_FRACTION = 0.02
"""Ink this close to the frame or the sheet's edge is the edge, not text."""
LEAST_MASK_SIDE_PX = 32
BANDS_COUNTS = (4, 8)
UNCLEAR_DEG = 0.2
"""Upright bands of the page, taken apart, this far off the whole page: its columns do not match."""
COLUMNS_COMPONENTS_COUNT = 200
"""With fewer letters or words the bands have too little text to be believed alone."""


@dataclass(frozen=True, slots=True)
class PrintDirection:
    """The direction of the lines of text."""

    swept: AngleEstimate
    """By the profile of the lines, the way they run."""
    other: AngleEstimate
    """A second estimate: by the Fourier magnitude, which like the profile takes the page as a
    whole, or where columns of text do not stand level, by narrower bands."""
    across_prominence: float
    """How clearly lines that run across the page stand out of the Fourier magnitude, 0 to 1."""
    down_prominence: float
    """The same for lines that run down it."""


def print_direction(page: Page) -> PrintDirection | None:
    """The direction of the page's print; None without ink to tell it by.

    Call it as ``page.derive(print_direction)``.
    """
    sheet = page.derive(outline)
    found = page.derive(ink)
    mask = _on_sheet(found, None if sheet is None or sheet.fills_frame else sheet)
    if min(mask.shape) < LEAST_MASK_SIDE_PX:
        return None
    if cv2.countNonZero(mask) < LEAST_INK_FRACTION * mask.size:
        return None
    across, down = spectrum(mask)
    other = across
    if down.prominence > across.prominence:
        mask, other = cast("Pixels", cv2.rotate(mask, cv2.ROTATE_90_CLOCKWISE)), down
    swept, banded = sweep(mask), sweep(mask, BANDS_COUNTS[0])
    if abs(banded.angle_deg - swept.angle_deg) > UNCLEAR_DEG:
        if found.component_count >= COLUMNS_COMPONENTS_COUNT:
            swept, other = (
                banded,
                replace(sweep(mask, BANDS_COUNTS[1]), prominence=other.prominence),
            )
        elif abs(banded.angle_deg - other.angle_deg) < abs(swept.angle_deg - other.angle_deg):
            swept = banded
    return PrintDirection(swept, other, across.prominence, down.prominence)


def _on_sheet(found: Ink, sheet: Outline | None) -> Pixels:
    """The ink mask within the sheet, or within the frame, without the rim."""
    height, width = found.mask.shape
    rim = max(int(RIM_FRACTION * max(height, width)), 1)
    if sheet is None:
        return found.mask[rim : height - rim, rim : width - rim]
    corners = np.array(sheet.corners) / found.scale
    within = np.zeros(found.mask.shape, np.uint8)
    cv2.fillConvexPoly(within, np.rint(corners).astype(np.int32), 255)
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    rim = max(int(RIM_FRACTION * max(right - left, bottom - top)), 1)
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * rim + 1, 2 * rim + 1))
    inner = cv2.erode(within, element, borderValue=0)
    mask = cv2.bitwise_and(found.mask, inner)[top : bottom + 1, left : right + 1]
    return cast("Pixels", mask)
