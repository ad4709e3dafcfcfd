"""Saturated areas of a page that are reflections, and those that are not.

A reflection has a soft edge, the surface around it is darker, and no dark print stands in it. White
paper is saturated as well, but nothing around it is darker; a white label or a hole has a hard
edge; a passport's white strip holds letters as black as any. What touches two sides of the picture
is a scanner's bed or a page around the document, but for a band from one side to the opposite one.
So is what touches one side and goes on along it hardly less white: uneven light clips a part of it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.discs import closed, may_fit, opened
from docqa.analysis.glare_extent import BLACK_INK_LEVEL, HALF_RANGE_LEVELS
from docqa.page import Page, Pixels

Mask = npt.NDArray[np.bool_]

SATURATED_LEVEL = 245
LEAST_AREA_FRACTION = 0.002
MOST_AREAS = 36
OPENING_FRACTION = 1 / 45
"""Of the short side: saturated gaps between letters and bars are thinner than this."""
RING_FRACTION = 1 / 14
"""Of the short side: width of the surroundings that an area is compared with."""
LEAST_RING_PIXELS = 20
LEAST_STEP_LEVELS = 14.0
"""The surface around glare is darker than the glare by at least this."""
MOST_LID_STEP_LEVELS, LID_PERCENTILE = 8.0, 10
"""A lid is hardly darker anywhere beside the part of it that clips. Beside a lamp's image that the
picture's side cuts, only other parts of the image are as white."""
SOFT_EDGE_FRACTION = 0.3
"""Share of that step taken within one pixel at the edge: more is the hard edge of a thing."""
RIM_PERCENTILE = 40
"""Of the drop along the edge: where the edge crosses writing it is steep for another reason."""
JOINING_FRACTION = 1 / 100
"""Of the short side: writing that still shows through cuts glare into pieces this far apart."""
PRINT_REACH_FRACTION = 1 / 20
"""Of the short side: what lies between parts of an area that are so near lies in it."""
MOST_PRINT_FRACTION = 0.02
"""Of an area, dark print in it: at most 0.005 in 44 reflections on laminate, and 0.048 or more in
the white strips of 15 passports."""
BANDS = ((True, False, True, False), (False, True, False, True))
"""Of left, top, right and bottom, the sides that a band touches."""
PLACES_OF_SIDES = (np.s_[:, :1], np.s_[:1, :], np.s_[:, -1:], np.s_[-1:, :])
"""The same sides' outermost pixels."""


def reflections(page: Page) -> list[Mask]:
    """(H, W) each at a quarter of the page's size, largest first."""
    luma = page.luma(4)
    short = min(luma.shape)
    radius = short * OPENING_FRACTION
    if not may_fit((page.luma(8) >= SATURATED_LEVEL).astype(np.uint8), radius):
        return []
    solid = opened((luma >= SATURATED_LEVEL).astype(np.uint8), radius)
    joined = closed(solid, short * JOINING_FRACTION)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        joined, connectivity=8, ltype=cv2.CV_16U
    )
    if count < 2:
        return []
    order = np.argsort(stats[1:, cv2.CC_STAT_AREA])[::-1][:MOST_AREAS] + 1
    reach = max(3, round(short * RING_FRACTION))
    found = []
    for label in order:
        left, top, width, height, area = (int(n) for n in stats[label])
        if area < LEAST_AREA_FRACTION * luma.size:
            break
        sides = (left == 0, top == 0, left + width == luma.shape[1], top + height == luma.shape[0])
        is_band = sides in BANDS
        if sum(sides) > 1 and not is_band:
            continue  # the white of a scanner's bed or of a page around the document
        rows = slice(max(0, top - reach), top + height + reach)
        columns = slice(max(0, left - reach), left + width + reach)
        near, blob = luma[rows, columns], labels[rows, columns] == label
        around = _around(blob, reach)
        if not is_band and _goes_on(near, blob, around, sides):
            continue  # the lid or the page's margin, of which the rest does not clip
        if _shines(near, blob, around, is_band=is_band) and not _holds_print(near, blob, short):
            whole = np.zeros(luma.shape, np.bool_)
            whole[rows, columns] = blob
            found.append(whole)
    return found


def _around(blob: Mask, reach: int) -> Mask:
    """The surroundings that an area is compared with."""
    shape = blob.astype(np.uint8)
    outside = cv2.dilate(shape, _square(reach)).astype(bool)
    outside &= cv2.dilate(shape, _square(reach / 2)) == 0
    return outside


def _goes_on(luma: Pixels, blob: Mask, around: Mask, sides: tuple[bool, bool, bool, bool]) -> bool:
    """Whether the surroundings are as white along a side of the picture that the area touches."""
    least = float(luma[blob].mean()) - MOST_LID_STEP_LEVELS
    for touches, place in zip(sides, PLACES_OF_SIDES, strict=True):
        beside = luma[place][around[place]]
        if touches and beside.size and float(np.percentile(beside, LID_PERCENTILE)) > least:
            return True
    return False


def _shines(luma: Pixels, blob: Mask, outside: Mask, *, is_band: bool) -> bool:
    """Whether the surface around is darker, up to a soft edge; on either flank of a band."""
    shape = blob.astype(np.uint8)
    rim = (cv2.dilate(shape, np.ones((3, 3), np.uint8)) > 0) & ~blob & (luma < SATURATED_LEVEL)
    level = float(luma[blob].mean())
    return all(
        _fades(luma[outside & part], luma[rim & part], level)
        for part in (_flanks(blob) if is_band else (~blob,))
    )


def _flanks(blob: Mask) -> tuple[Mask, ...]:
    """The two largest parts of what a band leaves of the picture."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~blob).astype(np.uint8))
    largest = np.argsort(stats[1:, cv2.CC_STAT_AREA])[::-1][:2] + 1
    return tuple(labels == label for label in largest)


def _fades(outside: Pixels, rim: Pixels, level: float) -> bool:
    if outside.size < LEAST_RING_PIXELS or not rim.size:
        return False
    step = level - float(np.median(outside))
    if step < LEAST_STEP_LEVELS:
        return False
    drop = SATURATED_LEVEL - rim.astype(np.float32)
    return float(np.percentile(drop, RIM_PERCENTILE)) < max(SOFT_EDGE_FRACTION * step, 6.0)


def _holds_print(luma: Pixels, blob: Mask, short: int) -> bool:
    """Whether ink stands in it as dark as ever: a lamp adds as much light to ink as to paper."""
    within = closed(blob.astype(np.uint8), short * PRINT_REACH_FRACTION)
    dark = within * (luma < HALF_RANGE_LEVELS + BLACK_INK_LEVEL)
    return cv2.countNonZero(dark) > MOST_PRINT_FRACTION * cv2.countNonZero(within)


def _square(radius: float) -> Pixels:
    """As a disc, and many times faster where the radius is large."""
    return np.ones((2 * max(1, round(radius)) + 1,) * 2, np.uint8)
