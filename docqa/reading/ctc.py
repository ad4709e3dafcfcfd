"""How well a network's answer explains a text, against everything one slip away from it.

Connectionist temporal classification: A. Graves, S. Fernández, F. Gomez, J. Schmidhuber,
"Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural
networks", ICML 2006. The likelihood of a text sums over all its alignments to the frames, so a
claim can be weighed without ever reading the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LogProbabilities = npt.NDArray[np.float64]
"""(T, 1 + classes): natural logarithms for each frame in reading order, class 0 the blank."""
Indices = npt.NDArray[np.intp]
BLANK = 0
RESCALED_EVERY_FRAMES = 4
"""Forward sums are kept near 1: so many frames cannot shrink them out of a double's range."""
LEAST_LOG_PROBABILITY = -100.0
"""Under this, a frame says no more: it bounds how fast the forward sums can shrink."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character as the network saw it."""

    text: str
    confidence: float
    """Highest probability of a frame, 0 to 1."""
    first_frame: int
    last_frame: int
    """Inclusive; the frames of the character itself, without the blanks around it."""


def glyphs(log_probabilities: LogProbabilities, classes: Sequence[str]) -> list[Glyph]:
    """The likeliest class of every frame, repeats joined and blanks dropped, in reading order."""
    best = log_probabilities.argmax(axis=1)
    edges = np.flatnonzero(np.diff(best)) + 1
    starts = np.concatenate([[0], edges])
    ends = np.concatenate([edges, [len(best)]])
    return [
        Glyph(
            classes[int(best[start]) - 1],
            float(np.exp(log_probabilities[start:end, best[start]].max())),
            int(start),
            int(end) - 1,
        )
        for start, end in zip(starts, ends, strict=True)
        if best[start] != BLANK
    ]


def log_likelihood(log_probabilities: LogProbabilities, text: str, classes: Sequence[str]) -> float:
    """Natural logarithm of the summed probability of all alignments of the text; -inf for none."""
    return float(log_likelihoods(log_probabilities, [text], classes)[0])


def log_likelihoods(
    log_probabilities: LogProbabilities, texts: Sequence[str], classes: Sequence[str]
) -> npt.NDArray[np.float64]:
    """The same for many texts at once: (len(texts),).

    A text with a character that the network does not know has -inf.
    """
    lengths = np.array([len(text) for text in texts])
    labels = _labels("".join(texts), classes)
    starts = np.cumsum(lengths) - lengths
    is_known = np.bincount(np.repeat(np.arange(len(texts)), lengths), labels < 0, len(texts)) == 0
    out = np.full(len(texts), -np.inf)
    if is_known.any() and len(log_probabilities):
        out[is_known] = _forward(log_probabilities, labels, starts[is_known], lengths[is_known])
    return out


def single_edits(text: str, alphabet: Iterable[str]) -> list[str]:
    """Every text one slip away: a character replaced, left out, put in, or two neighbours swapped.

    Sorted, each once, without the text itself.
    """
    letters = tuple(alphabet)
    cuts = [(text[:at], text[at:]) for at in range(len(text) + 1)]
    found = {before + c + after for before, after in cuts for c in letters}
    found |= {before + after[1:] for before, after in cuts if after}
    found |= {before + c + after[1:] for before, after in cuts if after for c in letters}
    found |= {before + after[1] + after[0] + after[2:] for before, after in cuts if len(after) > 1}
    return sorted(found - {text})


def _labels(text: str, classes: Sequence[str]) -> Indices:
    """The class of every character; -1 for those that the network does not know."""
    known = np.array([ord(token) for token in classes])
    order = np.argsort(known)
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    at = order[np.minimum(np.searchsorted(known, codes, sorter=order), len(known) - 1)]
    return np.where(known[at] == codes, at + 1, -1)


def _forward(
    log_probabilities: LogProbabilities, labels: Indices, starts: Indices, lengths: Indices
) -> npt.NDArray[np.float64]:
    """Graves et al., equations 6 to 8, for all texts at once, sums instead of logarithms.

    Before, between and behind the characters there is a blank. Texts lie side by side in memory:
    each step then adds rows as long as there are texts.

    Args:
        log_probabilities: of every frame.
        labels: the characters of all texts, one text after the other.
        starts: where each text begins in them, (N,).
        lengths: of the texts, (N,).
    """
    position = np.arange(max(int(lengths.max()), 1))[:, None]
    characters = np.where(
        position < lengths,
        np.append(labels, BLANK)[np.minimum(starts + position, len(labels))],
        BLANK,
    )
    probabilities = np.exp(np.maximum(log_probabilities, LEAST_LOG_PROBABILITY))
    # A character may follow the last one without a blank unless it is the same once more.
    may_skip = (characters[1:] != characters[:-1]).astype(np.float64)
    blank = np.zeros((len(characters) + 1, len(lengths)))
    at_character = np.zeros(characters.shape)
    blank[0], at_character[0] = probabilities[0, BLANK], probabilities[0][characters[0]]
    arriving = np.empty(characters.shape)
    scale = np.zeros(len(lengths))
    for frame, row in enumerate(probabilities[1:], start=1):
        # In place: for a thousand texts, making arrays takes longer than adding them.
        arriving[0] = 0.0
        np.multiply(at_character[:-1], may_skip, out=arriving[1:])
        arriving += blank[:-1]
        arriving += at_character
        blank[1:] += at_character
        blank *= row[BLANK]
        np.take(row, characters, out=at_character, mode="clip")
        at_character *= arriving
        if frame % RESCALED_EVERY_FRAMES == 0:
            highest = np.maximum(blank.max(axis=0), at_character.max(axis=0))
            highest[highest == 0] = 1.0
            blank /= highest
            at_character /= highest
            scale += np.log(highest)
    text = np.arange(len(lengths))
    last = at_character[np.maximum(lengths - 1, 0), text]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(blank[lengths, text] + np.where(lengths > 0, last, 0.0)) + scale)
