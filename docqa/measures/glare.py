"""Where light is mirrored into the lens and washes the page out.

``analysis/reflections.py`` tells which saturated areas are a lamp's, ``analysis/glare_extent.py``
what of them hides print. Looked at a quarter of the size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.discs import closed, grown
from docqa.analysis.glare_extent import washed_out
from docqa.analysis.ink import ink
from docqa.analysis.outline import sheets
from docqa.analysis.paper import paper
from docqa.analysis.ranks import median
from docqa.analysis.reflections import reflections
from docqa.page import Page, Region

Mask = npt.NDArray[np.bool_]
Contour = npt.NDArray[np.integer | np.floating]

WHITE_PAGE_FRACTION = 0.35
"""A page with more clipped pixels than this is white paper: what is mirrored cannot be seen."""
WHITE_PAPER_LEVEL = 247.0
MOST_REGIONS = 12
TEXT_REACH_FRACTION = 1 / 60
LEAST_ON_SHEETS_FRACTION = 0.1
"""Of a reflection, its part on a sheet: an outline may be off the sheet's edge by a little."""
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
    is_white = clipped > WHITE_PAGE_FRACTION or level > WHITE_PAPER_LEVEL
    blobs = [] if is_white else _on_sheets(page, reflections(page))
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


def _on_sheets(page: Page, blobs: list[Mask]) -> list[Mask]:
    """Without what lies on none of several sheets: that is the lid between them."""
    outlines = page.derive(sheets) if blobs else ()
    if len(outlines) < 2:
        return blobs
    within = np.zeros(blobs[0].shape, np.uint8)
    for each in outlines:
        cv2.fillConvexPoly(within, np.rint(np.array(each.corners) / 4).astype(np.int32), 1)
    least = LEAST_ON_SHEETS_FRACTION
    return [each for each in blobs if cv2.mean(within, each.view(np.uint8))[0] >= least]


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
