"""Connected components, no dearer than what is asked of them."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Stats = npt.NDArray[np.int32]
Box = tuple[int, int, int, int]
"""left, top, width, height in pixels"""

MOST_SHORT_LABELS = 65_000
MOST_OUTLINED_FRACTION = 0.008
"""Runs of pixels per pixel: to follow outlines costs by their length, to label costs by the page.
With more runs labels are the cheaper ones, by a factor of up to five."""


def component_stats(mask: Pixels) -> Stats:
    """(N, 5) left, top, width, height and area of the 8-connected components of a mask.

    Args:
        mask: (H, W), not 0 where something is.
    """
    return _labelled(mask, _runs_count(mask))


def _labelled(mask: Pixels, runs_count: int) -> Stats:
    # Labels of 16 bits cost half. OpenCV gives one, for a while, to every run of pixels in a row.
    kind = cv2.CV_16U if runs_count < MOST_SHORT_LABELS else cv2.CV_32S
    stats = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=kind)[2]
    return cast("Stats", stats[1:])


def _runs_count(mask: Pixels) -> int:
    starts = cv2.compare(mask[:, 1:], mask[:, :-1], cv2.CMP_GT)
    return cv2.countNonZero(starts) + cv2.countNonZero(mask[:, 0])


def component_boxes(mask: Pixels) -> list[Box]:
    """The boxes of the 8-connected components of a mask, from the top, then from the left.

    Their contours alone are followed: a tenth of what labelling all pixels costs.

    Args:
        mask: (H, W), not 0 where something is.
    """
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if tree is None:
        return []
    is_outer = tree[0, :, 3] < 0
    boxes = [
        cast("Box", tuple(cv2.boundingRect(contour)))
        for contour, outer in zip(contours, is_outer, strict=True) if outer
    ]  # fmt: skip
    return sorted(boxes, key=lambda box: (box[1], box[0]))


def large_boxes(mask: Pixels, least_area_px: int) -> Stats:
    """(N, 4) left, top, width and height of the 8-connected components, in no order.

    Args:
        mask: (H, W), not 0 where something is.
        least_area_px: components with fewer pixels, their holes filled, are left out.
    """
    runs_count = _runs_count(mask)
    if runs_count < MOST_OUTLINED_FRACTION * mask.size:
        return _outlined_boxes(mask, least_area_px)
    stats = _labelled(mask, runs_count)
    width, height, area = stats[:, 2], stats[:, 3], stats[:, 4]
    is_large = area >= least_area_px
    hole = np.maximum(width - 2, 0) * np.maximum(height - 2, 0)
    for index in np.flatnonzero(~is_large & (area + hole >= least_area_px)).tolist():
        left, top, wide, high = stats[index, :4].tolist()
        filled = _outlined_boxes(mask[top : top + high, left : left + wide], least_area_px)
        is_large[index] = [0, 0, wide, high] in filled.tolist()
    return stats[is_large, :4]


def _outlined_boxes(mask: Pixels, least_area_px: int) -> Stats:
    outlines, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    parents = tree[0, :, 3].tolist() if outlines else ()
    outer = [
        outline
        for outline, parent in zip(outlines, parents, strict=True)
        if parent < 0 and (len(outline) >= 2 * least_area_px or _area_px(outline) >= least_area_px)
    ]
    if not outer:
        return np.empty((0, 4), np.int32)
    places = np.concatenate(outer)[:, 0]
    lengths = np.fromiter(map(len, outer), np.intp, len(outer))
    starts = np.cumsum(lengths) - lengths
    first = np.minimum.reduceat(places, starts)
    last = np.maximum.reduceat(places, starts)
    return np.asarray(np.concatenate([first, last - first + 1], axis=1), np.int32)


def _area_px(outline: npt.NDArray[Any]) -> float:
    """Pixels on and within an outline of neighbouring pixels (Pick's theorem)."""
    return cv2.contourArea(outline) + len(outline) / 2 + 1
