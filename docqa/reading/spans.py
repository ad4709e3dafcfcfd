"""The part of a line that is a value, and what it is to weigh texts against it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from docqa.page import Polygon
from docqa.reading.cells import Cell
from docqa.reading.ctc import Glyph, LogProbabilities, log_likelihoods, single_edits
from docqa.reading.strips import Strip, StripReader, between, stretched

MARGIN_FRAMES = 3
"""Kept on both sides of a value that is cut out of its line."""
SURE_PROBABILITY = 0.98
"""Of the reading by itself: what is left for all other texts together can be no rival."""
CONTEXT_PX = 24
"""Of the line to either side of a value that is looked at again: what the network sees with it."""
HOPELESS_NATS = 25.0
"""A text that one look finds so much less likely than the best is weighed no further."""
LEAST_LOG_LIKELIHOOD = -60.0
"""One look in which a text cannot be does not outweigh all others."""


@dataclass(frozen=True, slots=True)
class PrintedText:
    """One value as the picture has it. Personal data."""

    text: str
    confidence: float
    """0 to 1: its probability among the texts it was weighed against."""
    polygon: Polygon
    is_digits: bool
    """Whether it is a number or a date in digits."""
    log_likelihoods: Mapping[str, float]
    """Of all texts it was weighed against and itself, those of names in loose form: natural
    logarithms, given the picture. Empty where it was read so surely that nothing was weighed."""
    others_log_likelihood: float = -math.inf
    """Of all further texts together; -inf where those above are taken for all there can be."""
    spelled: Callable[[str], str] = str
    """How one of those loose forms is spelled in print."""


@dataclass(frozen=True, slots=True)
class Span:
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

    @property
    def text(self) -> str:
        """Its characters, in the order of the frames."""
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

    def polygon(self, reader: StripReader) -> Polygon:
        """Where it stands on the page."""
        frames = self.frames()
        ends = (
            self.strip.picture_x(reader.column(frame, len(self.answer)) / self.width)
            for frame in (frames.start, frames.stop)
        )
        left, right = sorted(ends)
        return self.cell.sheet.polygon(left, self.cell.box[1], right, self.cell.box[3])


def near(claims: Iterable[str], alphabet: Iterable[str]) -> set[str]:
    """The claims and every text one slip away from them."""
    alphabet = tuple(alphabet)
    return {text for claim in claims for text in (claim, *single_edits(claim, alphabet))}


def hopeful(
    answer: LogProbabilities, classes: Sequence[str], texts: Iterable[str], read: str
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """The texts that the answer does not rule out, what was read among them, and their weights.

    Sorted by the text.
    """
    every = sorted({*texts, read})
    scores = log_likelihoods(answer, every, classes)
    least = scores.max() - HOPELESS_NATS
    kept = [at for at, text in enumerate(every) if scores[at] > least or text == read]
    return [every[at] for at in kept], scores[kept]


def likeliest(
    ordered: Sequence[str], scores: npt.NDArray[np.float64]
) -> tuple[str, float, dict[str, float]]:
    """The best of the texts, its share among them, and the weights of all."""
    best = int(scores.argmax())
    share = float(np.exp(scores[best] - np.logaddexp.reduce(scores)))
    return ordered[best], share, dict(zip(ordered, scores.tolist(), strict=True))
