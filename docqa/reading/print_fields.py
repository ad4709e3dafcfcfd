"""Fields read from print by the trained networks, one sheet at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from docqa.documents import FieldSpec, Source
from docqa.fields import Field, Match, agrees, compare, spellings
from docqa.places import NO_PLACES, Places
from docqa.reading.cells import Cell, Value, read_cells, values_on
from docqa.reading.excerpts import row_of_name
from docqa.reading.printed import is_cut, name_in, read_date_in_words, read_name
from docqa.reading.printed_digits import read_date, read_number
from docqa.reading.regions import Sheet
from docqa.reading.second_look import Candidate
from docqa.reading.spans import PrintedText
from docqa.reading.strips import StripReader

LEAST_CONFIDENCE = 0.8
"""Of a text among its rivals: less says neither that the claim is printed nor that it is not."""
MOST_DOUBT_NATS = 8.0
"""A text that explains the picture so much worse than the best is not what is printed."""
MOST_SHEETS = 6


@dataclass(frozen=True, slots=True)
class Readers:
    """The trained networks."""

    arabic: StripReader
    """Labels, names and places."""
    digits: StripReader
    """Numbers and dates."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the citizen typed, by claim name, and how places are spelled. Personal data."""

    values: Mapping[str, str]
    places: Places = NO_PLACES

    def match(self, spec: FieldSpec, read: str, *, may_be_cut: bool = False) -> Match:
        """See :func:`docqa.fields.compare`."""
        return compare(spec.kind, self.values[spec.name], read, self.places, may_be_cut=may_be_cut)

    def spellings(self, spec: FieldSpec) -> tuple[str, ...]:
        """See :func:`docqa.fields.spellings`."""
        return spellings(spec.kind, self.values[spec.name], self.places)


@dataclass(frozen=True, slots=True)
class Print:
    """What the networks read on the sheet that bears the fields' labels."""

    sheet: Sheet
    fields: tuple[Field, ...]
    """Those that were read surely."""
    open: Mapping[FieldSpec, Candidate]
    """Names and places that may be what was typed, and of which the network is not sure: nothing
    but a second opinion confirms one."""


def read_print(
    sheets: Iterable[Sheet],
    printed: Sequence[FieldSpec],
    specs: Sequence[FieldSpec],
    claimed: Claimed,
    readers: Readers,
    see: Callable[[Sequence[Cell], Sheet], None] = lambda cells, sheet: None,
) -> Print | None:
    """The fields on the sheet that says most of what was typed; None without any label.

    A sheet stands for one document: what two cards of one page say is never mixed.

    Args:
        sheets: candidates, the likeliest first; no more are made than are needed.
        printed: all fields of the document.
        specs: those of them to read.
        claimed: what the citizen typed.
        readers: the networks.
        see: is shown the print of every sheet that is read.
    """
    best: Print | None = None
    most = -1
    for sheet in islice(sheets, MOST_SHEETS):
        cells = read_cells(sheet, readers.arabic)
        see(cells, sheet)
        values = values_on(cells, printed)
        if not any(spec.name in values for spec in specs):
            continue
        read = tuple(_fields(values, specs, claimed, readers))
        fields = tuple(f for f, c in read if f.confidence >= LEAST_CONFIDENCE and c is None)
        open_ = {spec: c for spec in specs for f, c in read if f.name == spec.name and c}
        agreed = sum(agrees(field.match) for field, _ in read)
        if agreed > most:
            best, most = Print(sheet, fields, open_), agreed
        if agreed == len(specs):
            break
    return best


def _fields(
    values: Mapping[str, Value],
    specs: Iterable[FieldSpec],
    claimed: Claimed,
    readers: Readers,
) -> Iterator[tuple[Field, Candidate | None]]:
    """Each field as read, with what a second opinion needs if it is open."""
    for spec in (spec for spec in specs if spec.name in values):
        value = values[spec.name]
        text = _read(spec, value, claimed, readers)
        if text is None:
            continue
        matched = claimed.match(spec, text.text, may_be_cut=True)
        if matched != "unread":
            source: Source = "digits" if text.is_digits else "ocr"
            page = value.pieces[0].cell.sheet.page
            field = Field(
                spec.name, matched, source, text.confidence, text.polygon, page, text.text
            )
            yield field, _candidate(value, text, claimed.spellings(spec), matched)


def _candidate(
    value: Value, text: PrintedText, claimed: Sequence[str], matched: Match
) -> Candidate | None:
    """The value for a second opinion, unless none could show that the claim is printed."""
    name = name_in(value)
    if name is None or not _may_be(claimed, text, matched):
        return None
    return Candidate(text, row_of_name(value, *name))


def _may_be(claimed: Sequence[str], text: PrintedText, matched: Match) -> bool:
    """Whether a second opinion could show that the claim is printed."""
    if not text.log_likelihoods or text.is_digits:
        return False
    weights = text.log_likelihoods
    likeliest = max(weights.get(spelling, -math.inf) for spelling in claimed)
    return agrees(matched) or likeliest > max(weights.values()) - MOST_DOUBT_NATS


def _read(spec: FieldSpec, value: Value, claimed: Claimed, readers: Readers) -> PrintedText | None:
    if spec.kind == "number":
        return read_number(value, claimed.values[spec.name], readers.digits)
    if spec.kind == "date":
        typed = claimed.values[spec.name]
        return read_date(value, typed, readers.digits) or read_date_in_words(value, readers.arabic)
    if spec.kind != "place" and is_cut(value):
        return None  # part of a name is another name; a place is as well told by its first words
    return read_name(value, claimed.spellings(spec), readers.arabic)
