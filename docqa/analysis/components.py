"""Connected components, no dearer than what is asked of them."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Stats = npt.NDArray[np.int32]
Box = tuple[int, int, int, int]
"""left, top, width, height in pixels"""

MOST_SHORT_LABELS = 65_000
MOST_OUTLINED_FRACTION = 0.017
"""Runs of pixels per pixel: to follow outlines costs by their length, to label costs by the page.
With more runs labels are the cheaper ones, by a factor of up to three."""


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

    Their outlines alone are followed: a tenth of what labelling all pixels costs.

    Args:
        mask: (H, W), not 0 where something is.
    """
    boxes, _ = outlined(mask)
    order = np.lexsort((boxes[:, 0], boxes[:, 1]))
    return [cast("Box", tuple(box)) for box in boxes[order].tolist()]


def large_boxes(mask: Pixels, least_area_px: int, least_height_px: int = 1) -> Stats:
    """(N, 4) left, top, width and height of the 8-connected components, in no order.

    Args:
        mask: (H, W), not 0 where something is.
        least_area_px: components with fewer pixels, their holes filled, are left out.
        least_height_px: lower ones may be left out.
    """
    runs_count = _runs_count(mask)
    if runs_count < MOST_OUTLINED_FRACTION * mask.size:
        boxes, areas = outlined(mask, least_height_px)
        return boxes[areas >= least_area_px]
    stats = _labelled(mask, runs_count)
    width, height, area = stats[:, 2], stats[:, 3], stats[:, 4]
    is_large = area >= least_area_px
    hole = np.maximum(width - 2, 0) * np.maximum(height - 2, 0)
    for index in np.flatnonzero(~is_large & (area + hole >= least_area_px)).tolist():
        left, top, wide, high = stats[index, :4].tolist()
        boxes, areas = outlined(mask[top : top + high, left : left + wide])
        whole = (boxes == (0, 0, wide, high)).all(axis=1)
        is_large[index] = (areas[whole] >= least_area_px).any()
    return stats[is_large, :4]


def outlined(mask: Pixels, least_height_px: int = 1) -> tuple[Stats, Stats]:
    """(N, 4) left, top, width and height, and (N,) pixels, their holes filled, of the 8-connected
    components, in no order.

    Args:
        mask: (H, W), not 0 where something is.
        least_height_px: lower ones may be left out.
    """
    # An outline visits both ends of every run of pixels beside it.
    outlines = [
        each for each in cv2.findContoursLinkRuns(mask)[0] if len(each) >= 2 * least_height_px
    ]
    if not outlines:
        return np.empty((0, 4), np.int32), np.empty(0, np.int32)
    x, y = np.ascontiguousarray(np.concatenate(outlines)[:, 0].T)
    lengths = np.fromiter(map(len, outlines), np.int32, len(outlines))
    starts = np.cumsum(lengths) - lengths
    # From one end to the other of a run, or of the gap between two, an outline keeps the row, and
    # else it never does. A component's begins at a left end; a hole's at a right one, so that its
    # area comes out below 0.
    crosses = np.empty(len(y), np.bool_)
    np.equal(y[1:], y[:-1], out=crosses[1:])
    crosses[starts] = True
    sides = np.logical_xor.accumulate(crosses)
    is_right = sides != np.repeat(sides[starts], lengths)
    areas = np.add.reduceat(np.where(is_right, x, -x), starts) + lengths // 2
    left, right = np.minimum.reduceat(x, starts), np.maximum.reduceat(x, starts)
    top, bottom = y[starts], np.maximum.reduceat(y, starts)
    boxes = np.stack([left, top, right - left + 1, bottom - top + 1], axis=1)
    return boxes[areas > 0], areas[areas > 0]
