"""The part of a line that is shown to the second reader: a name, after the last word of its label.

The label stays because Tesseract often answers nothing to a short word alone. One word of it is
enough, and what follows the name (a date after its place) says nothing of it: reading a line costs
as much as it is long.
"""

from __future__ import annotations

from docqa.reading.cells import Cell, Value
from docqa.reading.lines import MARGIN_EM, Box, Row
from docqa.text import loose

LONG_LETTERS = 6
"""Letters of a name that needs no label to be read where that is close by. (Behind a label in
another column it does: three of 200 names of extracts.)"""
_MARKS = " :.-"


def row_of_name(value: Value, cell: Cell, first: int, end: int) -> Row:
    """The name's part of its cell and of its label's, where both are on one line.

    Args:
        value: where the name stands.
        cell: what it is in.
        first: index of its first glyph.
        end: index after its last one.
    """
    label = value.label
    if label is cell:
        is_long = len(loose(cell.text[first:end])) >= LONG_LETTERS
        boxes = [_part(cell, first if is_long else _last_word(cell.text[:first]), end)]
    else:
        boxes = [_part(cell, first, end)]
        if label.line == cell.line:
            boxes.insert(0, _part(label, _last_word(label.text), len(label.glyphs)))
    return Row(tuple(boxes), cell.em_px)


def _last_word(text: str) -> int:
    """Where the last word starts."""
    return text.rstrip(_MARKS).rfind(" ") + 1


def _part(cell: Cell, first: int, end: int) -> Box:
    """The box of glyphs ``first`` to ``end``, cut so that with its margin it ends between words."""
    left, top, right, bottom = cell.box
    margin = round(MARGIN_EM * cell.em_px)
    if first > 0:
        right = round(cell.strip.picture_x(cell.gap_before(first))) - margin
    if end < len(cell.glyphs):
        left = round(cell.strip.picture_x(cell.gap_before(end))) + margin
    return min(left, right - 1), top, right, bottom
