"""The direction of what is ruled straight on a page: the card's own edges, frames, rules, bars.

Line segments are found by their gradients' common direction (LSD: Grompone von Gioi et al. 2010),
whatever their contrast, so the faint shadow of a white card on a white lid counts as much as a
printed frame. Long ones vote for a direction, upright and level ones alike; writing and curved
patterns give short ones only.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import LEAST_TEXT_COUNT, ink
from docqa.analysis.outline import sheets
from docqa.page import LUMA_SCALES, Page, Pixels

Floats = npt.NDArray[np.float64]

WORKING_SIDE_PX = 400
"""Sought at the smallest scale at which the content's longer side is at least this. Finer copies
cost more, and the fine pattern that cards are printed on falls into straight pieces there."""
ROOM_FRACTION = 0.15
"""Of the longer side of what is printed: a card's edges are no further away from it."""
SHEET_ROOM_FRACTION = 0.03
"""The same of a sheet's longer side, where its edges are known and another sheet lies near."""
LEAST_SIDE_PX = 32
LEAST_LENGTH_FRACTION = 0.06
"""Of the shorter side: shorter segments are strokes of writing and pieces of curves."""
RIM_PX = 3.0
"""Segments this close along the frame are the frame, not the page; more in a reduced picture."""
REACH_DEG = 16.0
VOTE_STEP_DEG = 0.1
VOTE_SIGMA_DEG = 0.2
AGREEING_DEG = 0.4
REFINEMENTS_COUNT = 3
LEAST_COUNT, LEAST_RATIO, LEAST_AGREEMENT_FRACTION = 3, 0.6, 0.3
"""The direction is clear when this many edges share it, together this long in shorter sides of the
page, and with this share of all votes."""
LEAST_MEAN_RATIO = 0.2
"""Mean length of those, in shorter sides: lines of writing give many short ones."""
LSD_SCALE, LSD_SIGMA, LSD_QUANT, LSD_ANGLE_DEG, LSD_DENSITY = 0.8, 0.6, 2.0, 22.5, 0.7
"""The detector's own published settings."""
LSD_SIDE_PX = 240
"""The detector reduces larger pictures to this longer side: it takes its time by area, and on 104
drawn cards finer pictures gave no better angle."""


@dataclass(frozen=True, slots=True)
class StraightEdges:
    """The direction that the long straight edges share."""

    angle_deg: float
    """-16 to 16; positive where they rise to the right."""
    length_ratio: float
    """Total length of the edges that share it, over the shorter side of the page; 0 or more."""
    agreement_fraction: float
    """Their share of the votes of all long edges, 0 to 1; a vote is the cube of the length, as the
    exactness of its direction is."""
    count: int
    """Number of edges that share it."""

    def is_clear(self) -> bool:
        """Whether the direction may be believed without any text."""
        return (
            self.count >= LEAST_COUNT
            and self.length_ratio >= max(LEAST_RATIO, LEAST_MEAN_RATIO * self.count)
            and self.agreement_fraction >= LEAST_AGREEMENT_FRACTION
        )


def straight_edges(page: Page) -> StraightEdges | None:
    """What the long straight edges say; None where there are none.

    Call it as ``page.derive(straight_edges)``.
    """
    luma = _content(page)
    if min(luma.shape) < LEAST_SIDE_PX:
        return None
    scale = min(LSD_SCALE, LSD_SIDE_PX / max(luma.shape))
    detector = cv2.createLineSegmentDetector(
        cv2.LSD_REFINE_NONE, scale, LSD_SIGMA, LSD_QUANT, LSD_ANGLE_DEG, 0.0, LSD_DENSITY
    )
    found = detector.detect(luma)[0]
    if found is None:
        return None
    ends = np.asarray(found, np.float64).reshape(-1, 2, 2)
    frame = np.array(luma.shape[::-1], np.float64) - 1
    low, high = ends.min(axis=1), ends.max(axis=1)
    rim = RIM_PX * LSD_SCALE / scale
    inside = ((high >= rim) & (low <= frame - rim)).all(axis=1)
    along = ends[:, 1] - ends[:, 0]
    length = np.hypot(along[:, 0], along[:, 1])
    keep = (length >= LEAST_LENGTH_FRACTION * min(luma.shape)) & inside
    turn = -np.degrees(np.arctan2(along[keep, 1], along[keep, 0]))
    return _agreed((turn + 45.0) % 90.0 - 45.0, length[keep], min(luma.shape))


def _content(page: Page) -> Pixels:
    """The part of the page that has ink, with room for the edges of a card around it.

    Of several sheets it is the first: others may lie turned otherwise.
    """
    width, height = page.width_px, page.height_px
    left, top, right, bottom = 0, 0, width, height
    found, outlines = page.derive(ink), page.derive(sheets)
    if len(outlines) > 1:
        corners = np.array(outlines[0].corners)
        room = SHEET_ROOM_FRACTION * max(outlines[0].side_lengths_px())
        left, top = (max(int(v - room), 0) for v in corners.min(axis=0))
        right, bottom = (int(v + room) for v in corners.max(axis=0))
        right, bottom = min(right, width), min(bottom, height)
    elif found.component_count >= LEAST_TEXT_COUNT:  # fewer may be specks or the steps of an edge
        low = found.boxes[:, :2].min(axis=0) * found.scale
        high = (found.boxes[:, :2] + found.boxes[:, 2:]).max(axis=0) * found.scale
        room = int(ROOM_FRACTION * max(high - low))
        left, top = (max(int(v) - room, 0) for v in low)
        right, bottom = min(int(high[0]) + room, width), min(int(high[1]) + room, height)
    longer = max(right - left, bottom - top)
    scale = max(s for s in LUMA_SCALES if s == 1 or longer >= s * WORKING_SIDE_PX)
    return page.luma(scale)[top // scale : bottom // scale, left // scale : right // scale]


_VOTED_DEG = np.arange(-REACH_DEG, REACH_DEG + VOTE_STEP_DEG / 2, VOTE_STEP_DEG)


def _agreed(turns: Floats, lengths: Floats, shorter_side: int) -> StraightEdges | None:
    # The variance of a segment's direction falls with the cube of its length.
    weights = (lengths / shorter_side) ** 3
    # Single precision is ten times as fast, and enough for a first guess.
    away = (turns[:, None] - _VOTED_DEG).astype(np.float32)
    votes = weights.astype(np.float32) @ np.exp(away * away * np.float32(-0.5 / VOTE_SIGMA_DEG**2))
    if not len(turns) or votes.max() <= 0.0:
        return None
    angle = float(_VOTED_DEG[int(votes.argmax())])
    near = np.abs(turns - angle) < AGREEING_DEG
    for _ in range(REFINEMENTS_COUNT):
        if not near.any():
            return None
        angle = float(np.average(turns[near], weights=weights[near]))
        near = np.abs(turns - angle) < AGREEING_DEG
    return StraightEdges(
        angle_deg=angle,
        length_ratio=float(lengths[near].sum()) / shorter_side,
        agreement_fraction=float(weights[near].sum() / weights.sum()),
        count=int(near.sum()),
    )
