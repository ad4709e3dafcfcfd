"""The direction of a page's print: its text's angle, and whether its lines run across or down.

The ink on the sheet is looked at without its rim, both the way it lies and on its side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from docqa.analysis.ink import Boxes, Ink, ink
from docqa.analysis.line_sides import Strips, ink_strips, sharpen
from docqa.analysis.outline import Outline, outline
from docqa.analysis.text_angle import AngleEstimate, banded_angle, fans, magnitude_angle, step_angle
from docqa.page import Page, Pixels

LEAST_INK_FRACTION = 0.0005
RIM_FRACTION = 0.02
"""Ink this close to the frame or the sheet's edge is the edge, not text."""
LEAST_MASK_SIDE_PX = 32
SMALL_SIDE_PX = 1200
"""A smaller sheet, such as a card on a bed, is looked at in up to four times the mask's size."""
SIDEWAYS_PROMINENCE = 0.3
"""Letters must stand so much clearer in lines down the page than in lines across it: the columns
of tables and answer sheets are lines as well, and most pages are upright."""
UNEVEN_DEG = 0.34
"""Upright bands of the page, taken apart, this far off the whole page: its columns do not match."""
COLUMNS_COMPONENTS_COUNT = 200
"""With fewer letters or words the bands have too little text to be believed alone."""
LEAST_LINE_HEIGHTS, OUTLYING_FRACTION = 52.0, 0.02
"""Lines shorter than this many letters are high, without the outermost marks, are those of a card;
70 and more on an A4 page."""
ONE_START_DEG = 0.3
"""First estimates this near have the same peak in reach."""


@dataclass(frozen=True, slots=True)
class PrintDirection:
    """The direction of the lines of text."""

    swept: AngleEstimate
    """By the profile of the lines, the way they run."""
    other: AngleEstimate
    """A second estimate: by the Fourier magnitude."""
    is_lying: bool
    """Whether the lines run down the page, by their spacing and by how letters stand in them."""
    across_prominence: float
    """How clearly lines that run across the page stand out of the Fourier magnitude, 0 to 1."""
    down_prominence: float
    """The same for lines that run down it."""
    sharpness: float
    """How exact ``swept`` is, 0 to 1: how far the profile's steps fall beside its angle."""


def print_direction(page: Page) -> PrintDirection | None:
    """The direction of the page's print; None without ink to tell it by.

    Call it as ``page.derive(print_direction)``.
    """
    sheet = page.derive(outline)
    found = page.derive(ink)
    left, top, right, bottom = _extent(found, sheet)
    if min(right - left, bottom - top) < LEAST_MASK_SIDE_PX:
        return None
    mask = found.mask[top:bottom, left:right]
    if sheet is not None and not sheet.fills_frame:
        inner = _inner(found, sheet)[top:bottom, left:right]
        mask = cast("Pixels", cv2.bitwise_and(mask, inner))
    if cv2.countNonZero(mask) < LEAST_INK_FRACTION * mask.size:
        return None
    fan_across, fan_down = fans(mask)
    across, down = magnitude_angle(fan_across), magnitude_angle(fan_down)
    lying = bool(down.prominence > across.prominence) and _lies(
        mask, found.boxes - (left, top, 0, 0)
    )
    other = down if lying else across
    fan = fan_down if lying else fan_across
    swept, is_uneven = step_angle(fan), False
    if found.component_count >= COLUMNS_COMPONENTS_COUNT:
        banded = banded_angle(fan)
        is_uneven = abs(banded.angle_deg - swept.angle_deg) > UNEVEN_DEG
        swept = banded if is_uneven else swept
    starts = [swept.angle_deg]
    if abs(swept.angle_deg - other.angle_deg) > ONE_START_DEG:
        starts.append(other.angle_deg)
    strips = _strips(page, found.scale, mask, (left, top), lying=lying)
    best = max(
        (sharpen(strips, start, banded=is_uneven) for start in starts),
        key=lambda sharp: sharp.score,
    )
    swept = AngleEstimate(best.angle_deg, swept.prominence)
    prominences = (across.prominence, down.prominence)
    return PrintDirection(swept, other, bool(lying), *prominences, best.sharpness)


def has_short_lines(found: Ink) -> bool:
    """Whether lines are too short for their height to give an angle more exactly than edges do."""
    if found.text_height_px is None:
        return True
    left, right = np.sort(found.boxes[:, 0]), np.sort(found.boxes[:, 0] + found.boxes[:, 2])
    few = round(OUTLYING_FRACTION * (len(left) - 1))
    extent = int(right[-1 - few] - left[few]) * found.scale
    return extent < LEAST_LINE_HEIGHTS * found.text_height_px


def _strips(page: Page, scale: int, mask: Pixels, place: tuple[int, int], *, lying: bool) -> Strips:
    """The ink at up to twice the mask's size, up to four times on a small sheet.

    The mask's top left corner is at ``place`` (x, y) of the page.
    Where lines run down the page it is turned first, so that they run across.
    """
    (left, top), (height, width) = place, mask.shape
    finer = min(scale, 4 if scale * max(height, width) <= SMALL_SIDE_PX else 2)
    rows, columns = (slice(first * finer, (first + count) * finer) for first, count in
                     ((top, height), (left, width)))  # fmt: skip
    luma = page.luma(scale // finer)[rows, columns]
    coarse = page.luma(scale)[top : top + height, left : left + width]
    if lying:
        luma, coarse, mask = (_turned(image) for image in (luma, coarse, mask))
    return ink_strips(luma, coarse, mask)


def _turned(image: Pixels) -> Pixels:
    return cast("Pixels", cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE))


def _lies(mask: Pixels, boxes: Boxes) -> bool:
    """Whether letters and words stand in lines down the page; rules and frames have no say."""
    half = np.ascontiguousarray(mask[::2, ::2])
    height, width = half.shape
    left, right = (np.clip(x // 2, 0, width) for x in (boxes[:, 0], boxes[:, 0] + boxes[:, 2] + 1))
    top, bottom = (np.clip(y // 2, 0, height) for y in (boxes[:, 1], boxes[:, 1] + boxes[:, 3] + 1))
    edges = np.zeros((height + 1, width + 1), np.int16)
    for y, x, step in ((top, left, 1), (bottom, right, 1), (top, right, -1), (bottom, left, -1)):
        np.add.at(edges, (y, x), step)
    covered = edges.cumsum(axis=0, dtype=np.int16).cumsum(axis=1, dtype=np.int16)
    within = np.where(covered[:height, :width] > 0, half, np.uint8(0))
    across, down = (magnitude_angle(fan) for fan in fans(cast("Pixels", within)))
    return down.prominence > across.prominence + SIDEWAYS_PROMINENCE


def _extent(found: Ink, sheet: Outline | None) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the sheet, or of the frame without its rim, in the mask."""
    height, width = found.mask.shape
    if sheet is None or sheet.fills_frame:
        rim = max(int(RIM_FRACTION * max(height, width)), 1)
        return rim, rim, width - rim, height - rim
    corners = np.array(sheet.corners) / found.scale
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0).tolist()
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).tolist()
    return left, top, min(right + 1, width), min(bottom + 1, height)


def _inner(found: Ink, sheet: Outline) -> Pixels:
    """255 on the sheet without its rim."""
    corners = np.array(sheet.corners) / found.scale
    within = np.zeros(found.mask.shape, np.uint8)
    outer = np.rint(corners).astype(np.int32)
    cv2.fillConvexPoly(within, outer, 255)
    rim = max(int(RIM_FRACTION * float(np.ptp(corners, axis=0).max())), 1)
    cv2.polylines(within, [outer], isClosed=True, color=0, thickness=2 * rim + 1)
    return within
