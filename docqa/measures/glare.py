"""Where light is mirrored into the lens and washes the page out.

A saturated area is glare when it is a blob with a soft edge on a surface that is itself darker.
White paper of a scan is saturated as well, but nothing around it is darker; a white label or a hole
has a hard edge. ``analysis/glare_extent.py`` tells what of it hides print. Looked at a quarter of
the size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.discs import closed, grown, may_fit, opened
from docqa.analysis.glare_extent import washed_out
from docqa.analysis.ink import ink
from docqa.analysis.paper import paper
from docqa.analysis.ranks import median
from docqa.page import Page, Pixels, Region

Mask = npt.NDArray[np.bool_]
Contour = npt.NDArray[np.integer | np.floating]

SATURATED_LEVEL = 245
WHITE_PAGE_FRACTION = 0.35
"""A page with more clipped pixels than this is white paper: what is mirrored cannot be seen."""
WHITE_PAPER_LEVEL = 247.0
LEAST_AREA_FRACTION = 0.002
MOST_REGIONS = 12
OPENING_FRACTION = 1 / 45
"""Of the short side: saturated gaps between letters and bars are thinner than this."""
RING_FRACTION = 1 / 14
"""Of the short side: width of the surroundings that a blob is compared with."""
LEAST_STEP_LEVELS = 14.0
"""The surface around glare is darker than the glare by at least this."""
SOFT_EDGE_FRACTION = 0.3
"""Share of that step taken within one pixel at the edge: more is the hard edge of a thing."""
RIM_PERCENTILE = 40
"""Of the drop along the edge: where the edge crosses writing it is steep for another reason."""
JOINING_FRACTION = 1 / 100
"""Of the short side: writing that still shows through cuts glare into pieces this far apart."""
TEXT_REACH_FRACTION = 1 / 60
OUTLINE_FRACTION = 0.005
"""Of its length: a region's outline departs from the reflection's by no more."""


@dataclass(frozen=True, slots=True)
class Glare:
    """Specular reflections; lower is better, 0.0 without glare."""

    area_fraction: float
    """0 to 1: share of the picture where a reflection hides print."""
    text_fraction: float
    """0 to 1: share of the area of writing that glare covers or touches."""
    largest_fraction: float
    """0 to 1: share of the picture that the largest single reflection takes."""
    regions: tuple[Region, ...]
    """Outlines of the reflections, largest first, of kind ``glare``."""


def measure(page: Page) -> Glare:
    """Find reflections. Always answers above 16 px a side; a white page has none."""
    light = page.derive(paper)
    clipped, level = light.clipped_white_fraction, median(light.block_levels)
    blobs = [] if clipped > WHITE_PAGE_FRACTION or level > WHITE_PAPER_LEVEL else _blobs(page)
    if not blobs:
        return Glare(0.0, 0.0, 0.0, ())
    covered = washed_out(page, blobs)
    shape = covered.view(np.uint8)
    contours, _ = cv2.findContours(shape, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outlines = sorted(contours, key=cv2.contourArea, reverse=True)
    return Glare(
        area_fraction=float(covered.mean()),
        text_fraction=_text_fraction(page, covered),
        largest_fraction=cv2.contourArea(outlines[0]) / covered.size,
        regions=tuple(_region(outline) for outline in outlines[:MOST_REGIONS]),
    )


def _blobs(page: Page) -> list[Mask]:
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
    order = np.argsort(stats[1:, cv2.CC_STAT_AREA])[::-1][: 3 * MOST_REGIONS] + 1
    reach = max(3, round(short * RING_FRACTION))
    found = []
    for label in order:
        left, top, width, height, area = (int(n) for n in stats[label])
        if area < LEAST_AREA_FRACTION * luma.size:
            break
        sides = (left == 0, top == 0, left + width == luma.shape[1], top + height == luma.shape[0])
        if sum(sides) > 1:
            continue  # the white of a scanner's bed or of a page around the document
        rows = slice(max(0, top - reach), top + height + reach)
        columns = slice(max(0, left - reach), left + width + reach)
        blob = labels[rows, columns] == label
        if _is_glare(luma[rows, columns], blob, reach):
            whole = np.zeros(luma.shape, np.bool_)
            whole[rows, columns] = blob
            found.append(whole)
    return found


def _is_glare(luma: Pixels, blob: Mask, reach: int) -> bool:
    shape = blob.astype(np.uint8)
    outside = cv2.dilate(shape, _square(reach)).astype(bool)
    outside &= cv2.dilate(shape, _square(reach / 2)) == 0
    rim = (cv2.dilate(shape, np.ones((3, 3), np.uint8)) > 0) & ~blob & (luma < SATURATED_LEVEL)
    if np.count_nonzero(outside) < 20 or not rim.any():
        return False
    around = float(np.median(luma[outside]))
    step = float(luma[blob].mean()) - around
    if step < LEAST_STEP_LEVELS:
        return False
    drop = SATURATED_LEVEL - luma[rim].astype(np.float32)
    return float(np.percentile(drop, RIM_PERCENTILE)) < max(SOFT_EDGE_FRACTION * step, 6.0)


def _text_fraction(page: Page, covered: Mask) -> float:
    """Writing that is still seen, at the edge of glare, stands for what is under it."""
    found = page.derive(ink)
    height, width = covered.shape
    reach = min(height, width) * TEXT_REACH_FRACTION
    ink_map = cv2.resize(found.mask, (width, height), interpolation=cv2.INTER_AREA) > 64
    lines = closed(ink_map.astype(np.uint8), reach)
    touched = grown(covered.astype(np.uint8), reach)
    both = cv2.countNonZero(cv2.bitwise_and(lines, touched))
    return both / max(1.0, float(cv2.countNonZero(lines)))


def _region(outline: Contour) -> Region:
    smooth = cv2.approxPolyDP(outline, OUTLINE_FRACTION * cv2.arcLength(outline, True), True)
    return Region("glare", tuple((4.0 * float(x) + 2, 4.0 * float(y) + 2) for [[x, y]] in smooth))


def _square(radius: float) -> Pixels:
    """As a disc, and many times faster where the radius is large."""
    return np.ones((2 * max(1, round(radius)) + 1,) * 2, np.uint8)
