"""The print of a document as cells: pieces of a line with no wide gap in them, each read once.

Labels say which cell holds which value, not positions: several designs of the card circulate. A
value follows its label in the same cell, stands in the next cell of the line, or under its label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz

from docqa.documents import DocumentType, FieldSpec
from docqa.reading.ctc import Glyph, LogProbabilities, glyphs
from docqa.reading.lines import LEAST_LABEL_RATIO, Box, Row, find_rows
from docqa.reading.regions import Sheet
from docqa.reading.strips import Strip, StripReader, strip_of
from docqa.text import loose

CELL_GAP_EM = 1.1
"""A wider gap parts two cells: a space of justified print is narrower."""
MARKS_EM = 0.45
"""Dots and hamzas stand so far above and below a letter at most."""
LEAST_HEADING_RATIO = 85.0
"""Likeness, 0 to 100, from which a heading counts as read: one wrong letter of eight passes."""
MOST_HEADING_LENGTH = 3.0
"""Letters of a heading's cell, in those of the heading."""
BELOW_EM = 3.0
"""A value under its label starts within this of it."""
MOST_RATIO_BEHIND = 15.0
"""Of a label read with a slip, in likeness, behind what is taken for the same label elsewhere."""
ALREADY_FOUND = 1000.0
"""More than any likeness."""

_Start = tuple[str, float, int]
"""The label a cell starts with, how alike the two are, and the glyph where its value starts."""


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One piece of a line, read. Personal data."""

    box: Box
    em_px: float
    line: int
    """Number of its line, from the top."""
    strip: Strip
    log_probabilities: LogProbabilities
    glyphs: tuple[Glyph, ...]
    """In logical order, one character each."""
    sheet: Sheet
    reader: StripReader
    """What read it."""

    @property
    def text(self) -> str:
        """What the network read."""
        return "".join(glyph.text for glyph in self.glyphs)

    def gap_before(self, at: int) -> int:
        """The column of the strip with least ink between the letters before and after a glyph."""
        letters = [index for index, glyph in enumerate(self.glyphs) if glyph.text != " "]
        before = max((index for index in letters if index < at), default=at)
        after = min((index for index in letters if index >= at), default=at)
        frames = len(self.log_probabilities)
        start, stop = sorted((
            round(self.reader.column(self.glyphs[before].last_frame + 1, frames)),
            round(self.reader.column(self.glyphs[after].first_frame, frames)),
        ))  # fmt: skip
        light = self.strip.pixels[:, start : max(stop, start + 1)].mean(axis=0)
        whitest = np.flatnonzero(light >= light.max() - 1)
        return start + int(np.median(whitest))


@dataclass(frozen=True, slots=True)
class Piece:
    """A cell from one of its characters on."""

    cell: Cell
    first: int
    """Index of a glyph."""

    @property
    def text(self) -> str:
        """What was read from there on."""
        return self.cell.text[self.first :]


@dataclass(frozen=True, slots=True)
class Value:
    """Where the value of a field may stand, the likeliest piece first."""

    label: Cell
    pieces: tuple[Piece, ...]
    label_ratio: float
    """0 to 100: how alike the label that was read and the printed one are."""


def read_cells(sheet: Sheet, reader: StripReader) -> list[Cell]:
    """Every cell of a sheet, by line from the top, each line from right to left."""
    cells = []
    for line, row in enumerate(find_rows(sheet.pixels)):
        for box in (_with_marks(box, row) for box in _boxes(row)):
            strip = strip_of(sheet.pixels, box, row.em_px)
            answer = reader.log_probabilities(strip)
            read = tuple(glyphs(answer, reader.classes))
            cells.append(Cell(box, row.em_px, line, strip, answer, read, sheet, reader))
    return cells


def values_on(cells: Sequence[Cell], specs: Iterable[FieldSpec]) -> dict[str, Value]:
    """Where the values of the fields stand whose labels are found, by field name.

    ``specs`` holds all fields of the document: a label that is not known passes for a value.
    """
    specs = list(specs)
    # Where two labels are as alike, the first counts, not whichever a set holds first.
    labels = dict.fromkeys(label for spec in specs for label in spec.labels)
    starts = _first(_starts(cells, labels))
    found: dict[str, Value] = {}
    for at, start in enumerate(starts):
        if start is None:
            continue
        label, ratio, first = start
        value = Value(cells[at], tuple(_pieces(cells, starts, at, first)), ratio)
        for spec in specs:
            known = found.get(spec.name)
            if label in spec.labels and (known is None or ratio > known.label_ratio):
                found[spec.name] = value
    return found


def labels_on(cells: Sequence[Cell], labels: Iterable[str]) -> list[tuple[Cell, str]]:
    """The cells that start with one of the labels, each with the likest."""
    starts = zip(cells, _starts(cells, labels), strict=True)
    return [(cell, start[0]) for cell, start in starts if start is not None]


def heading_on(
    cells: Iterable[Cell],
    types: Iterable[DocumentType],
    least_ratio: float = LEAST_HEADING_RATIO,
) -> tuple[str, Cell] | None:
    """Id of the document type of which a heading is printed, the likest one, and where."""
    headings = [(kind.id, loose(heading)) for kind in types for heading in kind.headings]
    best, highest = None, least_ratio
    for cell in cells:
        text = loose(cell.text)
        for name, heading in headings:
            # In a line of prose the same words are no heading.
            if not len(heading) - 1 <= len(text) <= MOST_HEADING_LENGTH * len(heading):
                continue
            ratio = fuzz.partial_ratio(heading, text)
            if ratio >= highest and (best is None or ratio > highest):
                best, highest = (name, cell), ratio
    return best


def _boxes(row: Row) -> list[Box]:
    """The row's cells, from right to left."""
    boxes: list[Box] = []
    for left, top, right, bottom in row.words:
        if boxes and boxes[-1][0] - right <= CELL_GAP_EM * row.em_px:
            last = boxes[-1]
            boxes[-1] = (
                min(left, last[0]), min(top, last[1]), max(right, last[2]), max(bottom, last[3])
            )  # fmt: skip
        else:
            boxes.append((left, top, right, bottom))
    return boxes


def _with_marks(box: Box, row: Row) -> Box:
    """As high as its neighbours in the line: dots that stand apart are no part of a word's box."""
    left, top, right, bottom = box
    _, highest, _, lowest = row.box()
    room = round(MARKS_EM * row.em_px)
    return left, max(highest, top - room), right, min(lowest, bottom + room)


def _starts(cells: Iterable[Cell], labels: Iterable[str]) -> list[_Start | None]:
    wanted = {label: loose(label) for label in labels}
    return [_label_of(cell, wanted) for cell in cells]


def _first(starts: Sequence[_Start | None]) -> list[_Start | None]:
    """Each label once: the first that is nearly as alike as any.

    A name may look like a label, even more so than a label that is read with a slip (إلياس and
    الجاسم like الاسم); but it stands after its own.
    """
    highest: dict[str, float] = {}
    for label, ratio, _ in filter(None, starts):
        highest[label] = max(ratio, highest.get(label, 0.0))
    first: list[_Start | None] = []
    for start in starts:
        is_first = start and start[1] >= highest[start[0]] - MOST_RATIO_BEHIND
        first.append(start if is_first else None)
        if start and is_first:
            highest[start[0]] = ALREADY_FOUND
    return first


def _label_of(cell: Cell, labels: Mapping[str, str]) -> _Start | None:
    """The label the cell starts with, how alike it is, and the glyph where its value starts.

    ``labels`` holds the loose form of each.
    """
    text = cell.text
    longest = max(map(len, labels.values()), default=0)
    ends: list[tuple[int, str]] = []
    for end in [at for at, c in enumerate(text) if c in " :"] + [len(text)]:
        start = loose(text[:end])
        if len(start) > 2 * longest:
            break
        if start:
            ends.append((end, start))
    best: tuple[str, float, int] | None = None
    for label, wanted in labels.items():
        for end, start in ends:
            if len(start) > 2 * len(wanted):
                continue
            ratio = fuzz.ratio(start, wanted)
            if ratio >= LEAST_LABEL_RATIO and (best is None or ratio > best[1]):
                best = label, ratio, end
    if best is None:
        return None
    label, ratio, end = best
    while end < len(text) and text[end] in " :.-":
        end += 1
    return label, ratio, end


def _pieces(
    cells: Sequence[Cell],
    starts: Sequence[_Start | None],
    at: int,
    first: int,
) -> Iterable[Piece]:
    """Where the value of the label may stand, the likeliest first.

    Where a value starts beside its label, what is under it may go on with it, as long as it has no
    letters: a date that did not fit on the line of its place.
    """
    label = cells[at]
    if first < len(label.glyphs):
        yield Piece(label, first)
    for cell, start in zip(cells[at + 1 :], starts[at + 1 :], strict=True):
        if cell.line != label.line or start is not None:
            break
        yield Piece(cell, 0)
    below = [
        cell
        for cell, start in zip(cells, starts, strict=True)
        if start is None and cell.line > label.line
        and cell.box[1] - label.box[3] < BELOW_EM * label.em_px
        and min(cell.box[2], label.box[2]) > max(cell.box[0], label.box[0])
    ]  # fmt: skip
    if not below:
        return
    following = min(below, key=lambda cell: cell.box[1])
    if first == len(label.glyphs) or not any(map(str.isalpha, following.text)):
        yield Piece(following, 0)
