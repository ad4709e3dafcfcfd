"""Printed numbers and dates in digits, weighed as :mod:`docqa.reading.printed` weighs names.

The digits' network reads them. Where it makes out no number of eleven digits or no date, the
letters' network is asked, which knows the digits as well and has already read the line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from docqa.dates import parse_date
from docqa.fields import normal_national_number
from docqa.reading.cells import Piece, Value
from docqa.reading.ctc import glyphs, log_likelihood, log_likelihoods
from docqa.reading.spans import (
    LEAST_LOG_LIKELIHOOD,
    SURE_PROBABILITY,
    PrintedText,
    Span,
    hopeful,
    likeliest,
    near,
)
from docqa.reading.strips import StripReader, cut, stretched

DIGITS = "0123456789"
NATIONAL_NUMBER_DIGITS = 11
MOST_DIGITS_AMISS = 2
"""By which what the letters' network sees of a number may miss eleven for it to be looked for at
other widths: two zeros of Arabic print are two dots that one width may close."""
LEAST_DATE_DIGITS = 5
"""That the letters' network sees of a date, for it to be looked for at other widths."""
DIGIT_LOOKS = (0.86, 0.92, 1.13, 1.2)
"""Widths, in widths of the strip, at which digits are looked at again where one look is not sure.
Looks err apart from each other: of 80 numbers one look weighs 74 above their rivals by 3 nats, five
looks all 80."""
SETTLED_NATS = -1e-4
"""Natural logarithm of the share from which looks at digits, added, need no further one."""
_DATE = re.compile(r"(?<!\d)(?:\d{1,2}([-/.])\d{1,2}\1\d{4}|\d{4}([-/.])\d{1,2}\2\d{1,2})(?!\d)")
_NUMBER = re.compile(r"\d+(?: \d+)*")

_Find = Callable[[str], tuple[int, int] | None]
"""Where in what was read the value is: its first character and the one after it."""
_Near = Callable[[str], Iterable[str]]
"""The texts that may be printed instead of what was read."""


def read_number(value: Value, claimed: str, reader: StripReader) -> PrintedText | None:
    """The run of 11 digits, in 0-9; None where it is not exactly 11 to either network."""

    def is_likely(piece: Piece) -> bool:
        digits = sum(map(str.isdigit, piece.text))
        return abs(digits - NATIONAL_NUMBER_DIGITS) <= MOST_DIGITS_AMISS

    def rivals(read: str) -> Iterator[str]:
        return filter(_is_whole, near((normal_national_number(claimed),), DIGITS))

    return _read(value, reader, is_likely, _number_in, rivals)


def _number_in(read: str) -> tuple[int, int] | None:
    runs = [run for run in _NUMBER.finditer(read) if _is_whole(run[0])]
    return runs[0].span() if len(runs) == 1 else None


def _is_whole(number: str) -> bool:
    return len(number.replace(" ", "")) == NATIONAL_NUMBER_DIGITS


def read_date(value: Value, claimed: str, reader: StripReader) -> PrintedText | None:
    """The first date where the value stands, as printed but in 0-9; None without any."""

    def is_likely(piece: Piece) -> bool:
        return sum(map(str.isdigit, piece.text)) >= LEAST_DATE_DIGITS

    def rivals(read: str) -> Iterator[str]:
        # No document prints a date with a digit missing: 200-6-14 is a slip for 2000-6-14.
        return filter(_DATE.fullmatch, near(_written(claimed, re.sub(r"\d", "", read)[0]), DIGITS))

    return _read(value, reader, is_likely, _date_in, rivals)


def _date_in(read: str) -> tuple[int, int] | None:
    found = _DATE.search(read)
    return found.span() if found and parse_date(found[0]) is not None else None


def _written(claimed: str, separator: str) -> Iterator[str]:
    """The ways in which documents write a date."""
    date = parse_date(claimed)
    if date is not None:
        day, month, year = str(date.day), str(date.month), f"{date.year:04}"
        for parts in ((day, month), (day.zfill(2), month.zfill(2))):
            yield separator.join((*parts, year))
            yield separator.join((year, *reversed(parts)))


def _read(
    value: Value,
    reader: StripReader,
    is_likely: Callable[[Piece], bool],
    find: _Find,
    rivals: _Near,
) -> PrintedText | None:
    for piece in value.pieces:
        for width in (1.0, *DIGIT_LOOKS) if is_likely(piece) else (1.0,):
            span = _span(piece, reader, width, find)
            if span is not None:
                return _weighed(span, rivals, reader)
    spans = (_span_of_letters(piece, find) for piece in value.pieces)
    span = next(filter(None, spans), None)
    return None if span is None else _weighed(span, rivals, span.cell.reader, is_turned=True)


def _span(piece: Piece, reader: StripReader, width: float, find: _Find) -> Span | None:
    """What was looked for, in the digits' network's answer at that width."""
    cell = piece.cell
    strip = cut(cell.strip, cell.gap_before(piece.first)) if piece.first else cell.strip
    answer = reader.log_probabilities(stretched(strip, width) if width != 1 else strip)
    read = tuple(glyphs(answer, reader.classes))
    found = find("".join(glyph.text for glyph in read))
    if found is None:
        return None
    return Span(cell, strip, answer, reader.classes, read, found[0], found[1] - 1, width)


def _span_of_letters(piece: Piece, find: _Find) -> Span | None:
    """The same in the letters' network's answer, in which the last digit comes first."""
    cell = piece.cell
    found = find(piece.text[::-1])
    if found is None:
        return None
    first, end = (len(cell.glyphs) - at for at in reversed(found))
    return Span(
        cell, cell.strip, cell.log_probabilities, cell.reader.classes, cell.glyphs, first, end - 1
    )


def _weighed(
    span: Span, rivals: _Near, reader: StripReader, *, is_turned: bool = False
) -> PrintedText:
    """What was read, weighed against texts that are made only where one look is not sure."""
    step = -1 if is_turned else 1
    alone = log_likelihood(span.frames_answer(), span.text, span.classes)
    polygon = span.polygon(reader)
    # What only another width or network shows is looked at again however sure that one look is.
    if alone >= math.log(SURE_PROBABILITY) and span.width == 1.0 and not is_turned:
        return PrintedText(span.text, math.exp(min(alone, 0.0)), polygon, True, {})
    texts = (text[::step] for text in rivals(span.text[::step]))
    ordered, first = hopeful(span.frames_answer(), span.classes, texts, span.text)
    scores = np.maximum(first, LEAST_LOG_LIKELIHOOD)
    for width in sorted({1.0, *DIGIT_LOOKS} - {span.width}):
        look = log_likelihoods(span.look(reader, width), ordered, span.classes)
        scores += np.maximum(look, LEAST_LOG_LIKELIHOOD)
        if scores.max() - np.logaddexp.reduce(scores) > SETTLED_NATS:
            break
    best, share, weights = likeliest([text[::step] for text in ordered], scores)
    return PrintedText(best, share, polygon, True, weights)
