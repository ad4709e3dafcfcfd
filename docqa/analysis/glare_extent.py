"""How far a reflection washes print out: where the lamp adds half of the range or more.

The picture clips long before that on bright paper and never on dark print, so neither the clipped
area nor its outline is the answer. Three things are true of any lamp in any laminate:

- where it hides print, every colour channel is clipped, the darkest one as well;
- it adds the same light to ink as to paper, so ink that is still dark proves that little is added,
  and ink that is lifted between clipped paper belongs to the reflection;
- its image fades out smoothly, so on bare paper half of the range is added a little inside of the
  place where the paper clips.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.discs import closed, opened
from docqa.page import Page, Pixels

Mask = npt.NDArray[np.bool_]

SCALE = 4
HALF_RANGE_LEVELS = 127
BLACK_INK_LEVEL = 23
"""Black print in a picture: neither lens nor paper is free of stray light."""
PLATEAU_PERCENTILE = 75
"""Of the darkest channel inside a reflection: the level at which this picture clips."""
LEAST_PLATEAU_LEVEL = 248
"""Under it a channel is not clipped: the lamp has a colour, and nothing more can be told."""
REACH_FRACTION = 1 / 30
"""Of the short side: dense black print holds a reflection's clipped area back by this much."""
PRINT_FRACTION = 1 / 50
"""Of the short side: lifted print between clipped paper is no thicker."""
OPENING_FRACTION = 1 / 60
INSIDE_FRACTION = 0.1
"""Of half the width: how far inside the clipped outline half of the range is added. A Gaussian
highlight that peaks at 4 to 10 times the range, on paper at 155 to 200 levels, has it at 0.04 to
0.16."""
LEAST_KEPT_FRACTION = 0.25
"""A reflection of which less remains is left as it was: it is no such highlight."""


def washed_out(page: Page, blobs: list[Mask]) -> Mask:
    """Where reflections hide print.

    Args:
        page: the page.
        blobs: (H, W) saturated areas that are reflections, at a quarter of the page's size.

    Returns:
        (H, W) at a quarter of the size, true where the lamp adds half of the range or more.
    """
    seen = np.logical_or.reduce(blobs)
    short = min(seen.shape)
    reach = max(2, round(short * REACH_FRACTION))
    rows, columns = (_span(seen.any(axis=axis), 2 * reach) for axis in (1, 0))
    darkest = page.colour(SCALE)[rows, columns].min(axis=2)
    plateau = float(np.percentile(darkest[seen[rows, columns]], PLATEAU_PERCENTILE))
    if plateau < LEAST_PLATEAU_LEVEL:
        return cast("Mask", seen)
    near = cv2.dilate(seen[rows, columns].astype(np.uint8), _square(reach))
    clipped = (darkest >= plateau - 1).astype(np.uint8) & near
    filled = opened(closed(clipped, short * PRINT_FRACTION), short * OPENING_FRACTION)
    dark = page.luma(SCALE)[rows, columns] < HALF_RANGE_LEVELS + BLACK_INK_LEVEL
    kept = _inner(filled) & (cv2.dilate(dark.astype(np.uint8), _square(1)) == 0)
    whole = np.zeros(seen.shape, np.bool_)
    whole[rows, columns] = opened(kept.astype(np.uint8), short * OPENING_FRACTION) > 0
    for blob in blobs:
        if np.count_nonzero(whole & blob) < LEAST_KEPT_FRACTION * np.count_nonzero(blob):
            whole |= blob
    return whole


def _inner(filled: Pixels) -> Mask:
    """Each area, less a part of half its width on all sides."""
    depth = cast("npt.NDArray[np.float32]", cv2.distanceTransform(filled, cv2.DIST_L2, 3))
    count, labels = cv2.connectedComponents(filled)
    half_width = np.zeros(count, np.float32)
    np.maximum.at(half_width, cast("npt.NDArray[np.int32]", labels).ravel(), depth.ravel())
    return cast("Mask", depth > INSIDE_FRACTION * half_width[labels])


def _span(present: Mask, margin: int) -> slice:
    found = np.flatnonzero(present)
    return slice(max(0, int(found[0]) - margin), int(found[-1]) + margin + 1)


def _square(radius: int) -> Pixels:
    return np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
