"""The likeliest sentence of a known form in a network's answer.

The form is a row of slots, each with the words that may stand there. The best path (A. J. Viterbi,
"Error bounds for convolutional codes and an asymptotically optimum decoding algorithm", IEEE
Transactions on Information Theory 13(2), 1967) runs through the frames and one word a slot; letters
follow each other as in connectionist temporal classification, with blanks between them or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from docqa.reading.ctc import BLANK, Indices, LogProbabilities

Slots = Sequence[Sequence[str]]
"""The words of each slot; "" among them where the slot may be empty."""
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a sentence. Personal data."""

    text: str
    """"" where its slot is empty."""
    doubt_nats: float
    """By which what the network likes best in its frames is likelier; 0 is none."""


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """The W words of all S slots one after the other, and all their letters in one row."""

    words: tuple[str, ...]
    slots: Indices
    """(W,) of each word; never falling."""
    classes: Indices
    """(letters,)"""
    heads: Indices
    """(W,) index of each word's first letter."""
    tails: Indices
    """(W,) index of each word's last letter."""
    costs: Scores
    """(S + 1, S + 1): 0 where slot ``column`` - 1 may stand right before slot ``row``, else -inf.
    Column 0 is the start, row S the end."""


@dataclass(frozen=True, slots=True)
class _Paths:
    """The best path to every word's end in every frame."""

    scores: Scores
    """(T, W)"""
    begun: Indices
    """(T, W): the frame in which the word begins on that path."""
    ends: Scores
    """(T + 1, S + 1): the best path by the end of a slot before each frame; slot 0 is the start."""


def likeliest_sentence(
    log_probabilities: LogProbabilities, slots: Slots, classes: Sequence[str]
) -> list[Word]:
    """A word for every slot, those of the best path through all frames; none where none has one.

    Args:
        log_probabilities: the answer to the whole sentence.
        slots: what may stand where. Words with a character that is no class are left out.
        classes: the characters of the network, those after the blank.
    """
    lexicon = _lexicon(slots, classes)
    if not lexicon.words or not len(log_probabilities):
        return []
    return _traced(lexicon, _paths(lexicon, log_probabilities), log_probabilities)


def _lexicon(slots: Slots, classes: Sequence[str]) -> _Lexicon:
    class_of = {character: at for at, character in enumerate(classes, start=1)}
    words = [
        (slot, word)
        for slot, alternatives in enumerate(slots)
        for word in alternatives
        if word and all(character in class_of for character in word)
    ]
    tails = np.array(list(accumulate(len(word) for _, word in words)), np.intp) - 1
    costs = np.full((len(slots) + 1, len(slots) + 1), -np.inf)
    for row in range(len(slots) + 1):
        for column in range(row, -1, -1):
            costs[row, column] = 0.0
            if column and "" not in slots[column - 1]:
                break
    return _Lexicon(
        tuple(word for _, word in words),
        np.array([slot for slot, _ in words], np.intp),
        np.array([class_of[character] for _, word in words for character in word], np.intp),
        tails - np.array([len(word) for _, word in words], np.intp) + 1,
        tails,
        costs,
    )


def _paths(lexicon: _Lexicon, log_probabilities: LogProbabilities) -> _Paths:
    frames, slots = len(log_probabilities), len(lexicon.costs) - 1
    scores = np.full((frames, len(lexicon.words)), -np.inf)
    begun = np.zeros(scores.shape, np.intp)
    ends = np.full((frames + 1, slots + 1), -np.inf)
    ends[0, 0], ends[1:, 0] = 0.0, np.cumsum(log_probabilities[:, BLANK])
    letter = np.full(len(lexicon.classes), -np.inf)
    gap = letter.copy()
    """Blanks behind a letter."""
    letter_begun, gap_begun = np.zeros((2, len(letter)), np.intp)
    for frame, row in enumerate(log_probabilities):
        done, done_begun = _better(letter, letter_begun, gap, gap_begun)
        before, before_begun = np.roll(done, 1), np.roll(done_begun, 1)
        before[lexicon.heads] = (lexicon.costs[:-1] + ends[frame]).max(axis=1)[lexicon.slots]
        before_begun[lexicon.heads] = frame
        gap, gap_begun = done + row[BLANK], done_begun
        letter, letter_begun = _better(letter, letter_begun, before, before_begun)
        letter = letter + row[lexicon.classes]
        done, done_begun = _better(letter, letter_begun, gap, gap_begun)
        scores[frame], begun[frame] = done[lexicon.tails], done_begun[lexicon.tails]
        np.maximum.at(ends[frame + 1], lexicon.slots + 1, scores[frame])
    return _Paths(scores, begun, ends)


def _better(
    one: Scores, one_begun: Indices, other: Scores, other_begun: Indices
) -> tuple[Scores, Indices]:
    return np.maximum(one, other), np.where(one >= other, one_begun, other_begun)


def _traced(lexicon: _Lexicon, paths: _Paths, log_probabilities: LogProbabilities) -> list[Word]:
    """From the last word to the first."""
    slots, frame = len(lexicon.costs) - 1, len(log_probabilities)
    if not np.isfinite((lexicon.costs[slots] + paths.ends[frame]).max()):
        return []
    found = [Word("", 0.0)] * slots
    likeliest = log_probabilities.max(axis=1)
    following = slots
    while end := int((lexicon.costs[following] + paths.ends[frame]).argmax()):
        following = end - 1
        is_here = lexicon.slots == following
        best = int(np.where(is_here, paths.scores[frame - 1], -np.inf).argmax())
        first, last = int(paths.begun[frame - 1, best]), frame
        # The frames before the first word passed for blanks: what they really hold is its doubt.
        if not (lexicon.costs[following] + paths.ends[first]).argmax():
            first = 0
        before = (lexicon.costs[following] + paths.ends[first]).max()
        doubt = likeliest[first:last].sum() - (paths.ends[last, end] - before)
        found[following] = Word(lexicon.words[best], float(doubt))
        frame = first
    return found
