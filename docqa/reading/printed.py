"""Printed names, weighed: the reading, the claim and everything near the claim on the same terms.

A value is first read without knowing the claim. Then the reading, the claim and all texts one slip
away from the claim are weighed against the same part of the picture, and what explains it best was
printed there. Nothing favours the claim; it only makes sure that its nearest rivals are weighed.
Spellings of one name are one text to all of this (:mod:`docqa.reading.folding`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from docqa.reading.cells import Cell, Value
from docqa.reading.ctc import LogProbabilities, log_likelihood, log_likelihoods
from docqa.reading.folding import folded, respelled
from docqa.reading.spans import (
    HOPELESS_NATS,
    LEAST_LOG_LIKELIHOOD,
    SURE_PROBABILITY,
    PrintedText,
    Span,
    hopeful,
    likeliest,
    near,
)
from docqa.reading.strips import StripReader
from docqa.reading.written_dates import SHORTEST_LETTERS, written_date
from docqa.text import loose

SURE_NAME_PROBABILITY = 0.995
"""Of a name by itself, for nobody else to be asked. Of 2,800 drawn names and places of scans the
network is so sure of 1,982 and misreads none (part ``sure_names`` of benchmarks/accuracy); from
0.99 it misreads one of 2,207."""
NAME_LOOKS = (0.92, 1.13)
"""Widths, in widths of the strip, at which names are looked at again. The network takes some
letters for others at every width: the looks are averaged, not added, so that they do not outvote a
second opinion."""
MOST_GAP_EM = 2.5
"""Between the words of one name, for the next cell of its line to go on with it: six spaces are 2.
Another column stands further away."""
LEAST_DOUBT = -1e-6
"""Natural logarithm of the greatest probability that a reading may have."""
_NAME = re.compile(r"[^\W\d_]+(?:[ \-]+[^\W\d_]+)*")
_LETTER = re.compile("[\u0621-\u064a]")
"""Any that the network knows; its x is what it does not."""


def read_name(value: Value, claimed: Sequence[str], reader: StripReader) -> PrintedText | None:
    """The first run of words where the value stands; None without any.

    Args:
        value: where it stands.
        claimed: what was typed, and what a document may print for it, in loose form.
        reader: the letters' network.
    """
    found = name_in(value)
    if found is None:
        return None
    cell, first, end = found
    span = Span(
        cell, cell.strip, cell.log_probabilities, reader.classes, cell.glyphs, first, end - 1
    )
    return _weighed(span, claimed, reader)


def name_in(value: Value) -> tuple[Cell, int, int] | None:
    """The cell of the first run of words, the index of its first glyph and of the one after it."""
    for piece in value.pieces:
        if found := _NAME.search(piece.text):
            return piece.cell, piece.first + found.start(), piece.first + found.end()
    return None


def is_cut(value: Value) -> bool:
    """Whether letters follow in the line of the name in its value: the rest of it, maybe.

    After a mark, as in محمد (علي), or a gap too wide for a space. What has a colon is a label.
    """
    found = name_in(value)
    if found is None:
        return False
    cell, _, end = found
    following = cell.text[end:]
    beside = [piece.cell for piece in value.pieces if piece.cell.line == cell.line]
    for right, left in pairwise(beside[beside.index(cell) :]):
        if right.box[0] - left.box[2] > MOST_GAP_EM * cell.em_px or ":" in left.text:
            break
        following += left.text
    return _LETTER.search(following) is not None


def read_date_in_words(value: Value, reader: StripReader) -> PrintedText | None:
    """A date that is written out in the pieces of the label's own line, and nothing else there.

    None without one. Its text is the date in digits, day-month-year. A date that only ends the line
    does not count: of الثامن عشر, 18, only عشر, 10, may be legible.
    """
    # A label may stand alone on the sheet.
    line = value.pieces[0].cell.line if value.pieces else None
    spans = [
        Span(piece.cell, piece.cell.strip, piece.cell.log_probabilities, reader.classes,
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
    polygon = spans[0].polygon(reader)
    return PrintedText(text, found.share, polygon, is_digits=False, log_likelihoods={})


def _weighed(span: Span, claimed: Sequence[str], reader: StripReader) -> PrintedText:
    """What was read, weighed against texts that are made only where it is not sure alone."""
    form, polygon = loose(span.text), span.polygon(reader)
    answer, letters = folded(span.frames_answer(), reader.classes)
    alone = log_likelihood(answer, form, letters)
    share = math.exp(min(alone, 0.0))
    if alone >= math.log(SURE_NAME_PROBABILITY):
        return PrintedText(span.text, share, polygon, False, {})
    alphabet = [letter for letter in letters if letter.isalpha()]
    texts = near(_possible(claimed, answer, letters), alphabet)
    if form not in texts:
        # Far from the claim, the reading would else be weighed against nothing.
        texts |= near((form,), alphabet)
    ordered, first = hopeful(answer, letters, texts, form)
    spelled = partial(_spelled, span)
    if alone >= math.log(SURE_PROBABILITY):
        left = max(-float(np.expm1(np.logaddexp.reduce(first))), -math.expm1(LEAST_DOUBT))
        weighed = dict(zip(ordered, first.tolist(), strict=True))
        return PrintedText(span.text, share, polygon, False, weighed, math.log(left), spelled)
    looks = (folded(span.look(reader, width), reader.classes)[0] for width in NAME_LOOKS)
    every = [first, *(log_likelihoods(look, ordered, letters) for look in looks)]
    scores = np.maximum(every, LEAST_LOG_LIKELIHOOD).mean(axis=0)
    best, share, weights = likeliest(ordered, scores)
    return PrintedText(spelled(best), share, polygon, False, weights, spelled=spelled)


def _possible(
    claimed: Sequence[str], answer: LogProbabilities, letters: Sequence[str]
) -> list[str]:
    """Of the names of one place those that the picture does not rule out, one at least."""
    scores = log_likelihoods(answer, claimed, letters)
    least = scores.max() - HOPELESS_NATS
    return [form for form, score in zip(claimed, scores.tolist(), strict=True) if score >= least]


def _spelled(span: Span, form: str) -> str:
    """As it was read, where that is the same name."""
    if loose(span.text) == form:
        return span.text
    return respelled(form, span.frames_answer(), span.classes)
