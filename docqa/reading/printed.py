"""Printed values, weighed: the reading, the claim and everything near the claim on the same terms.

A value is first read without knowing the claim. Then the reading, the claim and all texts one slip
away from the claim are weighed against the same part of the picture, and what explains it best was
printed there. Nothing favours the claim; it only makes sure that its nearest rivals are weighed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from docqa.dates import parse_date
from docqa.page import Polygon
from docqa.reading.cells import Cell, Piece, Value
from docqa.reading.ctc import (
    Glyph,
    LogProbabilities,
    glyphs,
    log_likelihood,
    log_likelihoods,
    single_edits,
)
from docqa.reading.strips import Strip, StripReader, between, cut, stretched
from docqa.reading.written_dates import SHORTEST_LETTERS, written_date
from docqa.text import loose, western_digits

DIGITS = "0123456789"
NATIONAL_NUMBER_DIGITS = 11
MOST_DIGITS_AMISS = 2
"""By which what the letters' network sees of a number may miss eleven for it to be looked for at
other widths: two zeros of Arabic print are two dots that one width may close."""
MARGIN_FRAMES = 3
"""Kept on both sides of a value that is cut out of its line."""
SURE_PROBABILITY = 0.98
"""Of the reading by itself: what is left for all other texts together can be no rival."""
SURE_NAME_PROBABILITY = 0.99
"""Of a name by itself, for nobody else to be asked. Of 12,934 drawn names and places of scans the
network was so sure of 8,863, and misread none; of one it saw the last word alone."""
CONTEXT_PX = 24
"""Of the line to either side of a value that is looked at again: what the network sees with it."""
DIGIT_LOOKS = (0.86, 0.92, 1.13, 1.2)
"""Widths, in widths of the strip, at which digits are looked at again where one look is not sure.
Looks err apart from each other: of 80 numbers one look weighs 74 above their rivals by 3 nats, five
looks all 80."""
SETTLED_NATS = -1e-4
"""Natural logarithm of the share from which looks at digits, added, need no further one."""
NAME_LOOKS = (0.92, 1.13)
"""The same for letters, of which the network takes some for others at every width: the looks are
averaged, not added, so that they do not outvote a second opinion."""
LEAST_DOUBT = -1e-6
"""Natural logarithm of the greatest probability that a reading may have."""
HOPELESS_NATS = 25.0
"""A text that one look finds so much less likely than the best is weighed no further."""
LEAST_LOG_LIKELIHOOD = -60.0
"""One look in which a text cannot be does not outweigh all others."""
_DATE = re.compile(r"(?<!\d)(?:\d{1,2}([-/.])\d{1,2}\1\d{4}|\d{4}([-/.])\d{1,2}\2\d{1,2})(?!\d)")
_NUMBER = re.compile(r"\d+(?: \d+)*")
_NAME = re.compile(r"[^\W\d_]+(?:[ \-]+[^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class PrintedText:
    """One value as the picture has it. Personal data."""

    text: str
    confidence: float
    """0 to 1: its probability among the texts it was weighed against."""
    polygon: Polygon
    is_digits: bool
    """Whether the digits' network read it."""
    log_likelihoods: Mapping[str, float]
    """Of all texts it was weighed against and itself: natural logarithms, given the picture. Empty
    where it was read so surely that nothing was weighed."""
    others_log_likelihood: float = -math.inf
    """Of all further texts together; -inf where those above are taken for all there can be."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Part of a line: its characters, and the whole line's answer they were read from."""

    cell: Cell
    strip: Strip
    """The part of the cell's that was read."""
    answer: LogProbabilities
    classes: tuple[str, ...]
    read: Sequence[Glyph]
    first: int
    last: int
    """Indices of glyphs, the last one inclusive."""
    width: float = 1.0
    """At which it was read, in widths of the strip."""
    is_digits: bool = False

    @property
    def text(self) -> str:
        return "".join(glyph.text for glyph in self.read[self.first : self.last + 1])

    def frames(self) -> slice:
        """Its frames, with a margin that stops short of the neighbouring characters."""
        before = self.read[self.first - 1].last_frame + 1 if self.first else 0
        following = self.read[self.last + 1 : self.last + 2]
        after = following[0].first_frame if following else len(self.answer)
        return slice(
            max(before, self.read[self.first].first_frame - MARGIN_FRAMES),
            min(after, self.read[self.last].last_frame + 1 + MARGIN_FRAMES),
        )

    def frames_answer(self) -> LogProbabilities:
        """The part of the answer that is the span."""
        return self.answer[self.frames()]

    def look(self, reader: StripReader, width: float) -> LogProbabilities:
        """The part of the answer that is the span, with its part of the line wider or narrower."""
        frames = self.frames()
        start, stop = sorted(
            reader.column(frame, len(self.answer)) / self.width
            for frame in (frames.start, frames.stop)
        )
        part, left = between(self.strip, start - CONTEXT_PX, stop + CONTEXT_PX)
        drawn = stretched(part, width)
        answer = reader.log_probabilities(drawn)
        ratio = drawn.pixels.shape[1] / part.pixels.shape[1]
        first, last = sorted(
            reader.frame((column - left) * ratio, len(answer)) for column in (start, stop)
        )
        return answer[max(math.floor(first), 0) : math.ceil(last)]


def read_name(value: Value, claimed: Sequence[str], reader: StripReader) -> PrintedText | None:
    """The first run of words where the value stands; None without any.

    Args:
        value: where it stands.
        claimed: the spellings of what was typed, in canonical form.
        reader: the letters' network.
    """
    found = name_in(value)
    if found is None:
        return None
    cell, first, end = found
    span = _Span(
        cell, cell.strip, cell.log_probabilities, reader.classes, cell.glyphs, first, end - 1
    )
    letters = [c for c in reader.classes if c.isalpha()]

    def near() -> Iterator[str]:
        # A space at an end would explain what stands beside the value, for this claim alone.
        return (text for text in _near(claimed, [*letters, " "]) if text == text.strip())

    return _weighed_name(span, near, reader)


def name_in(value: Value) -> tuple[Cell, int, int] | None:
    """The cell of the first run of words, the index of its first glyph and of the one after it."""
    for piece in value.pieces:
        if found := _NAME.search(piece.text):
            return piece.cell, piece.first + found.start(), piece.first + found.end()
    return None


def read_number(value: Value, claimed: str, reader: StripReader) -> PrintedText | None:
    """The run of 11 digits, in 0-9; None where it is not exactly 11 at any width."""
    for piece in value.pieces:
        digits = sum(map(str.isdigit, piece.text))
        is_likely = abs(digits - NATIONAL_NUMBER_DIGITS) <= MOST_DIGITS_AMISS
        for width in (1.0, *DIGIT_LOOKS) if is_likely else (1.0,):
            strip, answer, read = _digits(piece, reader, width)
            runs = [
                run for run in _NUMBER.finditer("".join(glyph.text for glyph in read))
                if _is_whole(run[0])
            ]  # fmt: skip
            if len(runs) == 1:
                first, last = runs[0].start(), runs[0].end() - 1
                span = _Span(
                    piece.cell,
                    strip,
                    answer,
                    reader.classes,
                    read,
                    first,
                    last,
                    width,
                    is_digits=True,
                )

                def near() -> Iterator[str]:
                    return filter(_is_whole, _near((western_digits(claimed),), DIGITS))

                return _weighed_digits(span, near, reader)
    return None


def _is_whole(number: str) -> bool:
    return len(number.replace(" ", "")) == NATIONAL_NUMBER_DIGITS


def read_date(value: Value, claimed: str, reader: StripReader) -> PrintedText | None:
    """The first date where the value stands, as printed but in 0-9; None without any."""
    for piece in value.pieces:
        strip, answer, read = _digits(piece, reader)
        found = _DATE.search("".join(glyph.text for glyph in read))
        if found and parse_date(found[0]) is not None:
            first, last = found.start(), found.end() - 1
            span = _Span(
                piece.cell, strip, answer, reader.classes, read, first, last, is_digits=True
            )
            written = _written(claimed, found[1] or found[2])
            return _weighed_digits(span, partial(_near, written, DIGITS), reader)
    return None


def read_date_in_words(value: Value, reader: StripReader) -> PrintedText | None:
    """A date that is written out in the pieces of the label's own line, and nothing else there.

    None without one. Its text is the date in digits, day-month-year. A date that only ends the line
    does not count: of الثامن عشر, 18, only عشر, 10, may be legible.
    """
    # A label may stand alone on the sheet.
    line = value.pieces[0].cell.line if value.pieces else None
    spans = [
        _Span(piece.cell, piece.cell.strip, piece.cell.log_probabilities, reader.classes,
              piece.cell.glyphs, piece.first, len(piece.cell.glyphs) - 1)
        for piece in value.pieces
        if piece.cell.line == line and piece.first < len(piece.cell.glyphs)
    ]  # fmt: skip
    if sum(len(loose(span.text)) for span in spans) < SHORTEST_LETTERS:
        return None
    answer = np.vstack([span.frames_answer() for span in spans])
    found = written_date(answer, reader.classes)
    if found is None:
        return None
    text = f"{found.date.day}-{found.date.month}-{found.date.year}"
    polygon = _polygon(spans[0], reader)
    return PrintedText(text, found.share, polygon, is_digits=False, log_likelihoods={})


def _written(claimed: str, separator: str) -> Iterator[str]:
    """The ways in which documents write a date."""
    date = parse_date(claimed)
    if date is not None:
        day, month, year = str(date.day), str(date.month), f"{date.year:04}"
        for parts in ((day, month), (day.zfill(2), month.zfill(2))):
            yield separator.join((*parts, year))
            yield separator.join((year, *reversed(parts)))


def _digits(
    piece: Piece, reader: StripReader, width: float = 1.0
) -> tuple[Strip, LogProbabilities, tuple[Glyph, ...]]:
    """The piece without its label, the answer to it at that width and what that reads."""
    cell = piece.cell
    strip = cut(cell.strip, cell.gap_before(piece.first)) if piece.first else cell.strip
    answer = reader.log_probabilities(stretched(strip, width) if width != 1 else strip)
    return strip, answer, tuple(glyphs(answer, reader.classes))


def _near(claims: Iterable[str], alphabet: Iterable[str]) -> set[str]:
    """The claims and every text one slip away from them."""
    alphabet = tuple(alphabet)
    return {text for claim in claims for text in (claim, *single_edits(claim, alphabet))}


def _weighed_name(
    span: _Span, near: Callable[[], Iterable[str]], reader: StripReader
) -> PrintedText:
    """What was read, weighed against texts that are made only where it is not sure alone."""
    alone = _alone(span)
    if alone >= math.log(SURE_NAME_PROBABILITY):
        return _settled(span, alone, reader)
    ordered, first = _hopeful(span, {span.text, *near()})
    if alone >= math.log(SURE_PROBABILITY):
        left = max(-float(np.expm1(np.logaddexp.reduce(first))), -math.expm1(LEAST_DOUBT))
        weighed = dict(zip(ordered, first.tolist(), strict=True))
        share = math.exp(alone)
        return PrintedText(
            span.text, share, _polygon(span, reader), span.is_digits, weighed, math.log(left)
        )
    looks = (span.look(reader, width) for width in NAME_LOOKS)
    every = [first, *(log_likelihoods(look, ordered, span.classes) for look in looks)]
    scores = np.maximum(every, LEAST_LOG_LIKELIHOOD).mean(axis=0)
    return _likeliest(span, ordered, scores, reader)


def _weighed_digits(
    span: _Span, near: Callable[[], Iterable[str]], reader: StripReader
) -> PrintedText:
    """The same for digits."""
    alone = _alone(span)
    # What only another width shows is looked at again however sure that one look is.
    if alone >= math.log(SURE_PROBABILITY) and span.width == 1.0:
        return _settled(span, alone, reader)
    ordered, first = _hopeful(span, {span.text, *near()})
    scores = np.maximum(first, LEAST_LOG_LIKELIHOOD)
    for width in sorted({1.0, *DIGIT_LOOKS} - {span.width}):
        look = log_likelihoods(span.look(reader, width), ordered, span.classes)
        scores += np.maximum(look, LEAST_LOG_LIKELIHOOD)
        if scores.max() - np.logaddexp.reduce(scores) > SETTLED_NATS:
            break
    return _likeliest(span, ordered, scores, reader)


def _settled(span: _Span, alone: float, reader: StripReader) -> PrintedText:
    """What was read, so surely that nothing is weighed against it."""
    share = math.exp(min(alone, 0.0))
    return PrintedText(span.text, share, _polygon(span, reader), span.is_digits, {})


def _likeliest(
    span: _Span, ordered: Sequence[str], scores: npt.NDArray[np.float64], reader: StripReader
) -> PrintedText:
    best = int(scores.argmax())
    share = float(np.exp(scores[best] - np.logaddexp.reduce(scores)))
    weighed = dict(zip(ordered, scores.tolist(), strict=True))
    return PrintedText(ordered[best], share, _polygon(span, reader), span.is_digits, weighed)


def _hopeful(span: _Span, texts: Iterable[str]) -> tuple[list[str], npt.NDArray[np.float64]]:
    """The texts that the first look does not rule out, what was read among them, and its weights.

    Sorted by the text.
    """
    every = sorted(texts)
    read = span.text
    scores = log_likelihoods(span.frames_answer(), every, span.classes)
    least = scores.max() - HOPELESS_NATS
    kept = [at for at, text in enumerate(every) if scores[at] > least or text == read]
    return [every[at] for at in kept], scores[kept]


def _alone(span: _Span) -> float:
    """Natural logarithm of the probability of what was read, against all other texts together."""
    return log_likelihood(span.frames_answer(), span.text, span.classes)


def _polygon(span: _Span, reader: StripReader) -> Polygon:
    cell, frames = span.cell, span.frames()
    ends = (
        span.strip.picture_x(reader.column(frame, len(span.answer)) / span.width)
        for frame in (frames.start, frames.stop)
    )
    left, right = sorted(ends)
    return cell.sheet.polygon(left, cell.box[1], right, cell.box[3])
