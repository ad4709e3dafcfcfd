"""The writing along the frame: how near it comes, and whether the frame cuts its lines.

A whole page keeps its writing clear of the frame, however narrow its margins: on real scans hardly
a mark of a letter's size touches it. Where a page is cut, many of its lines show a piece of a
letter at the frame and go on with the rest of the word. Stray marks, the bits of a copier's dark
border and the holes of a binding have the empty margin behind them, and holes are all alike.

A cut between words, columns or lines cannot be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import Boxes, Ink
from docqa.analysis.outline import Outline

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Singles = npt.NDArray[np.float32]
Truths = npt.NDArray[np.bool_]
Sides = tuple[float, float, float, float]

TEXT_HEIGHTS = (0.5, 3.0)
"""Components of this many text heights are text: no specks."""
LEAST_DEPTH_HEIGHTS = 0.5
"""A component that reaches less far into the page than this is a bit of the line that a lid's
shadow leaves along the edge."""
LEAST_PIECE_HEIGHTS = 0.3
"""So much of a cut letter is seen; what is less may be that bit of a line."""
ENDING_HEIGHTS, STANDING_HEIGHTS = 8.0, 3.0
"""How near the left or right side a line ends, and how near the top or bottom one stands, that the
frame may have cut."""
GOING_ON_HEIGHTS = ((1.0, 2.5), (2.5, 4.0))
"""A line that the left or right side cuts has a mark in each of these reaches from there."""
COMMON_FRACTION = 0.4
"""Two marks of one line have so much of the lower one's height in common."""
LETTER_HEIGHTS, EVEN_HEIGHTS = 1.0, 0.35
"""Of a line that the top or bottom cuts along its length, the next letter is no farther, and
reaches so nearly as far into the page."""
NEXT_LINE_HEIGHTS = (2.0, 5.0)
"""The line before or after that one begins and ends within these, give or take a letter aside."""
LEAST_CUT_COUNT = 4
"""Fewer cut letters along one side are chance."""
LEAST_VARIATION = 0.15
"""Pieces of letters differ in size by more than this part of it; the holes of a binding do not."""
MOST_COUNT = 2500
"""More marks along one side are a screen or noise, and no lines."""


def boxes_on(sheet: Outline | None, found: Ink) -> Boxes:
    """The components whose middle lies on the sheet; all where there is no sheet."""
    if sheet is None:
        return found.boxes
    corners = np.array(sheet.corners) / found.scale
    sides = np.roll(corners, -1, axis=0) - corners
    apart = (found.boxes[:, :2] + found.boxes[:, 2:] / 2)[:, None] - corners
    # Corners run clockwise: what lies on the sheet lies to the right of every side.
    within = (sides[:, 0] * apart[..., 1] >= sides[:, 1] * apart[..., 0]).all(axis=1)
    return found.boxes[within]


def text_distances(found: Ink, boxes: Boxes) -> Floats:
    """(N,) distance of each text component from the nearest edge, in parts of the shorter side.

    Args:
        found: the page's ink.
        boxes: those of its components that are looked at.
    """
    if found.text_height_px is None:
        return np.empty(0)
    height, width = found.mask.shape
    typical = found.text_height_px / found.scale
    low, high = TEXT_HEIGHTS
    boxes = boxes[(boxes[:, 3] >= low * typical) & (boxes[:, 3] <= high * typical)]
    boxes = boxes[boxes[:, 2] >= LEAST_DEPTH_HEIGHTS * typical]
    left, top = boxes[:, 0], boxes[:, 1]
    right, bottom = width - left - boxes[:, 2], height - top - boxes[:, 3]
    nearest = np.minimum(np.minimum(left, right), np.minimum(top, bottom))
    return np.asarray(nearest / min(width, height), np.float64)


def cut_lines(found: Ink, boxes: Boxes) -> Sides:
    """Top, right, bottom, left: share of the writing along that side which the frame cuts, 0 to 1.

    Of the left and right side it is a share of the height of the lines that end there, of the top
    and bottom of the length of the lines that stand there. 0.0 where fewer than four letters are
    cut.
    """
    if found.text_height_px is None:
        return (0.0, 0.0, 0.0, 0.0)
    typical = found.text_height_px / found.scale
    left, top, across, down = boxes[boxes[:, 3] <= TEXT_HEIGHTS[1] * typical].T
    height, width = found.mask.shape
    right, bottom = width - left - across, height - top - down
    return (
        _cut_length(_Marks.of(typical, top, down, left, across)),
        _cut_across(_Marks.of(typical, right, across, top, down)),
        _cut_length(_Marks.of(typical, bottom, down, left, across)),
        _cut_across(_Marks.of(typical, left, across, top, down)),
    )


@dataclass(frozen=True, slots=True)
class _Marks:
    """Components as one side of the frame has them, in text heights."""

    near: Singles
    """(N,) how far from the side each begins."""
    far: Singles
    begin: Singles
    """(N,) where along the side each begins."""
    end: Singles

    @classmethod
    def of(cls, typical: float, near: Ints, depth: Ints, begin: Ints, length: Ints) -> _Marks:
        """From pixels, of which a text height has ``typical``."""
        places = np.array((near, near + depth, begin, begin + length)) / typical
        return cls(*places.astype(np.float32))

    def those(self, chosen: Truths) -> _Marks:
        """The chosen ones."""
        return _Marks(self.near[chosen], self.far[chosen], self.begin[chosen], self.end[chosen])

    def are_pieces(self) -> Truths:
        """(N,) whether each reaches as far into the page as a piece of a letter."""
        return self.far - self.near >= LEAST_PIECE_HEIGHTS


def _cut_across(marks: _Marks) -> float:
    """Of a side at which lines end: cut ones go on from the frame without a gap."""
    if np.count_nonzero(marks.near <= 0) < LEAST_CUT_COUNT:
        return 0.0
    is_line = marks.end - marks.begin >= TEXT_HEIGHTS[0]
    text = marks.those((marks.near <= ENDING_HEIGHTS) & marks.are_pieces() & is_line)
    if len(text.near) > MOST_COUNT:
        return 0.0
    pieces = text.those(text.near <= 0)
    common = np.minimum(text.end, pieces.end[:, None])
    common -= np.maximum(text.begin, pieces.begin[:, None])
    lower = np.minimum(text.end - text.begin, (pieces.end - pieces.begin)[:, None])
    is_same_line = common >= COMMON_FRACTION * lower
    is_cut = np.ones(len(pieces.near), np.bool_)
    for low, high in GOING_ON_HEIGHTS:
        is_cut &= (is_same_line & (text.near < high) & (text.far > low)).any(axis=1)
    cut = pieces.those(is_cut)
    return _share(cut, cut.far - cut.near, text)


def _cut_length(marks: _Marks) -> float:
    """Of a side along which lines stand: beside a cut letter another one is cut as deep, and a
    whole line is next to theirs.
    """
    if np.count_nonzero(marks.near <= 0) < LEAST_CUT_COUNT:
        return 0.0
    marks = marks.those(marks.are_pieces())
    text = marks.those(marks.near <= STANDING_HEIGHTS)
    if len(text.near) > MOST_COUNT:
        return 0.0
    pieces = text.those(text.near <= 0)
    apart = np.maximum(pieces.begin - pieces.end[:, None], pieces.begin[:, None] - pieces.end)
    uneven = np.abs(pieces.far - pieces.far[:, None])
    is_beside = (apart <= LETTER_HEIGHTS) & (uneven <= EVEN_HEIGHTS)
    np.fill_diagonal(is_beside, False)
    low, high = NEXT_LINE_HEIGHTS
    line = marks.those((marks.near > 0) & (marks.near <= high) & (marks.far >= low))
    aside = np.maximum(line.begin - pieces.end[:, None], pieces.begin[:, None] - line.end)
    cut = pieces.those(is_beside.any(axis=1) & (aside < 2 * LETTER_HEIGHTS).any(axis=1))
    return _share(cut, cut.end - cut.begin, text)


def _share(cut: _Marks, sizes: Singles, text: _Marks) -> float:
    """What the cut marks cover of the side, over what all cover; ``sizes`` are the cut ones'."""
    if len(sizes) < LEAST_CUT_COUNT or sizes.std() < LEAST_VARIATION * sizes.mean():
        return 0.0
    return _covered(cut) / _covered(text)


def _covered(marks: _Marks) -> float:
    """Length of the side that marks cover, each place counted once."""
    order = np.argsort(marks.begin, kind="stable")
    begin, end = marks.begin[order], np.maximum.accumulate(marks.end[order])
    begin[1:] = np.maximum(begin[1:], end[:-1])
    return float(np.maximum(end - begin, 0).sum())
