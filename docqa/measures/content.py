"""Whether there is a document at all: writing, an empty page, or a picture of something else.

Writing is dark marks of like size in rows, on a surface that is smooth beside them. A landscape has
marks that stand nowhere in particular, light ones as many as dark ones, and shades in between. All
three signs must fail before a page is called no document: a wrong reject is worse than a miss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from docqa.analysis.histograms import Counts
from docqa.analysis.ink import WIDEST_STROKE_PX, Boxes, Ink, depth_counts, ink
from docqa.page import Page

Kind = Literal["document", "blank", "not_document"]

BLANK_INK_FRACTION = 0.002
"""Less ink than this is dust."""
LEAST_TEXT_COUNT = 12
"""Fewer marks than this are specks or one scribble, not lines of writing."""
LEAST_ROW_FRACTION = 0.25
MOST_SHADE_RATIO = 0.6
MOST_LIGHT_RATIO = 1.7
STRONG_FRACTION = 0.4
FAINT_FRACTION = 0.15
"""Of the strong ink's contrast: between faint and strong lie the shades of a picture."""
MOST_BOXES = 800
"""Only the topmost marks, to bound the time."""
HEIGHT_RATIO = 1.6
GAP_HEIGHTS = 1.5
LEVEL_HEIGHTS = 0.3


@dataclass(frozen=True, slots=True)
class Content:
    """What kind of thing the page shows."""

    kind: Kind
    """What it is taken for."""
    document_fraction: float
    """0 to 1, higher is better: share of the three signs of writing that hold; 0 when blank."""
    ink_fraction: float
    """0 to 1: share of the page that is ink; print has 0.02 to 0.15."""
    text_count: int
    """Marks of the size of letters or words."""
    row_fraction: float
    """0 to 1, higher is better: share of those marks with a like neighbour in their row or column.
    Columns count too, so that a page on its side is a document as well."""
    shade_ratio: float
    """0 and up, lower is better: faint marks over strong ones; 0.3 in scans, over 0.6 in photos."""
    light_ratio: float
    """0 and up, higher is better: light marks over dark ones; paper between strokes makes it 2 to
    4 in writing, pictures have about 1."""


def measure(page: Page) -> Content:
    """Tell a document from an empty page and from a picture. Always answers."""
    found = page.derive(ink)
    ink_fraction = float(cv2.countNonZero(found.mask)) / found.mask.size
    if found.contrast_levels == 0.0 or (
        ink_fraction < BLANK_INK_FRACTION and found.component_count < LEAST_TEXT_COUNT
    ):
        return Content("blank", 0.0, ink_fraction, found.component_count, 0.0, 0.0, 0.0)
    boxes = found.boxes[np.argsort(found.boxes[:, 1], kind="stable")][:MOST_BOXES]
    rows = max(_row_fraction(boxes), _row_fraction(boxes[:, [1, 0, 3, 2]]))
    shade, light = _shades(page, found)
    signs = (rows >= LEAST_ROW_FRACTION, shade <= MOST_SHADE_RATIO, light >= MOST_LIGHT_RATIO)
    kind: Kind = "document" if any(signs) else "not_document"
    share = sum(signs) / len(signs)
    return Content(kind, share, ink_fraction, found.component_count, rows, shade, light)


def _shades(page: Page, found: Ink) -> tuple[float, float]:
    """Faint over strong dark marks, and light over dark marks, by area."""
    dark = page.derive(depth_counts)
    limit = STRONG_FRACTION * found.contrast_levels
    strong = max(1.0, _count_over(dark, limit))
    marks = _count_over(dark, FAINT_FRACTION * found.contrast_levels)
    element = np.ones((WIDEST_STROKE_PX, WIDEST_STROKE_PX), np.uint8)
    height = cv2.morphologyEx(page.luma(found.scale), cv2.MORPH_TOPHAT, element)
    light = cv2.countNonZero(cv2.threshold(height, limit, 1, cv2.THRESH_BINARY)[1])
    return max(0.0, marks / strong - 1), light / strong


def _count_over(counts: Counts, limit: float) -> float:
    return float(counts[int(limit) + 1 :].sum())


def _row_fraction(boxes: Boxes) -> float:
    """Share of the boxes that have another of like height beside them, level with them."""
    if len(boxes) < 2:
        return 0.0
    boxes = boxes[np.argsort(2 * boxes[:, 1] + boxes[:, 3], kind="stable")]
    left, top, width, height = (boxes[:, i].astype(np.float32) for i in range(4))
    middle = top + height / 2
    right = left + width
    # No box further below is both level with this one and of like height.
    numbers = np.arange(len(boxes))
    reach = LEVEL_HEIGHTS * HEIGHT_RATIO * height
    count = np.searchsorted(middle, middle + reach, side="right") - numbers - 1
    one = np.repeat(numbers, count)
    other = np.arange(1, len(one) + 1) + np.repeat(numbers - np.cumsum(count) + count, count)
    gap = np.maximum(left[other] - right[one], left[one] - right[other])
    # Few are near enough beside it for a box of like height: the others are not looked at further.
    widest = HEIGHT_RATIO * height[one]
    near = (gap >= -LEVEL_HEIGHTS * widest) & (gap <= GAP_HEIGHTS * widest)
    one, other, gap = one[near], other[near], gap[near]
    tallest = np.maximum(height[one], height[other])
    level = np.abs(middle[one] - middle[other]) < LEVEL_HEIGHTS * tallest
    beside = (gap > -LEVEL_HEIGHTS * tallest) & (gap < GAP_HEIGHTS * tallest)
    alike = tallest < HEIGHT_RATIO * np.minimum(height[one], height[other])
    pair = level & beside & alike
    has_neighbour = np.zeros(len(boxes), np.bool_)
    has_neighbour[one[pair]] = has_neighbour[other[pair]] = True
    return float(np.mean(has_neighbour))
