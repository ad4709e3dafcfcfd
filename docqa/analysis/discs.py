"""Opening and closing of masks by large discs, at a fraction of OpenCV's cost for them.

OpenCV looks at every pixel of an elliptical element; a disc is a few dozen rows, and along a row a
minimum or maximum costs the same however long it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np

from docqa.page import Pixels

LEAST_RADIUS_PX = 6
"""Smaller discs are quick as they are."""


def disc(radius: float) -> Pixels:
    """The element, of 0 and 1."""
    side = 2 * max(1, round(radius)) + 1
    return cast("Pixels", cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


def may_fit(halved: Pixels, radius: float) -> bool:
    """Whether a disc may fit into a mask of which half the size is known: a look in no time.

    Args:
        halved: 0 where not all four pixels of the mask are set.
        radius: of the disc in the mask.
    """
    # Of the square within the disc, the pixels here that surely lie wholly in it.
    side = int((max(1, round(radius)) * 2**0.5 - 1) / 2)
    if side < 1:
        return True
    return cv2.countNonZero(cv2.erode(halved, np.ones((side, side), np.uint8))) > 0


def opened(mask: Pixels, radius: float) -> Pixels:
    """What is left of a mask of 0 and 1 (or 255) where a disc fits in, as OpenCV's opening."""
    element = disc(radius)
    reach = element.shape[0] // 2
    if reach < LEAST_RADIUS_PX:
        return cast("Pixels", cv2.morphologyEx(mask, cv2.MORPH_OPEN, element))
    # A square within the disc tells where to look, in no time.
    inner = int(reach * 0.7)
    square = np.ones((2 * inner + 1, 2 * inner + 1), np.uint8)
    kept = cv2.boundingRect(cv2.erode(mask, square))
    out = np.zeros_like(mask)
    if not kept[2]:
        return out
    rows, columns = _around(kept, 2 * reach + 1, mask.shape)
    part = mask[rows, columns]
    fits = 1 - _grown((part == 0).astype(np.uint8), element)
    # Near the cut's ends more seems to fit than does.
    shrunk = np.zeros_like(fits)
    top, left = kept[1] - rows.start, kept[0] - columns.start
    inside = np.s_[top : top + kept[3], left : left + kept[2]]
    shrunk[inside] = fits[inside]
    out[rows, columns] = _grown(shrunk, element) * part.max()
    return out


def closed(mask: Pixels, radius: float) -> Pixels:
    """A mask of 0 and 1 (or 255) whose gaps narrower than a disc are filled, as OpenCV's."""
    element = disc(radius)
    reach = element.shape[0] // 2
    kept = cv2.boundingRect(mask)
    if not kept[2]:
        return mask
    if reach < LEAST_RADIUS_PX:
        return cast("Pixels", cv2.morphologyEx(mask, cv2.MORPH_CLOSE, element))
    rows, columns = _around(kept, 2 * reach + 1, mask.shape)
    part = mask[rows, columns]
    wide = _grown((part != 0).astype(np.uint8), element)
    out = np.zeros_like(mask)
    out[rows, columns] = (1 - _grown(1 - wide, element)) * part.max()
    return out


def grown(mask: Pixels, radius: float) -> Pixels:
    """A mask of 0 and 1 grown by a disc, as OpenCV's dilation."""
    return _grown(mask, disc(radius))


def _around(box: Sequence[int], margin: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    left, top, width, height = box
    return (
        slice(max(0, top - margin), min(shape[0], top + height + margin)),
        slice(max(0, left - margin), min(shape[1], left + width + margin)),
    )


def _grown(mask: Pixels, element: Pixels) -> Pixels:
    """Dilation of a mask of 0 and 1; what lies beyond its ends is 0."""
    reach = element.shape[0] // 2
    height, width = mask.shape
    framed = cv2.copyMakeBorder(mask, reach, reach, 0, 0, cv2.BORDER_CONSTANT, value=(0,))
    out: cv2.typing.MatLike = np.zeros((height, width), np.uint8)
    lengths = element.sum(axis=1, dtype=np.int64)
    long, before = framed, 1
    for length in np.unique(lengths).tolist():
        long = cv2.dilate(long, np.ones((1, length - before + 1), np.uint8))
        before = length
        for row in np.flatnonzero(lengths == length).tolist():
            cv2.max(out, long[row : row + height], out)
    return cast("Pixels", out)
