"""Dates that are written out in words, read as the likeliest sentence that can be a date.

Eight to fourteen words hold some sixty letters, of which the network takes one in thirty for
another. But the words are few and known, and seldom one letter apart: weighed as words they are
sure where the letters are not. Letters that spell alike count as one (أ, إ, آ and ا), and spaces
as none, as in :func:`docqa.text.loose`.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from docqa.dates import SLOTS, parse_date
from docqa.reading.ctc import LogProbabilities, log_likelihoods
from docqa.reading.folding import folded
from docqa.reading.slots import likeliest_sentence

MOST_DOUBT_NATS = 14.0
"""Of a word: one that the network likes so much less than what it read is not what is printed. Of
some 1,800 words of 140 drawn dates the hardest, with four slips in six letters, has 11.8; of 20
dates with a month of another calendar the word taken for it has 15.4 and more."""
SHORTEST_LETTERS = 8
"""Of a date in words; what is shorter is not tried."""


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date and how surely it is the one that is printed. Personal data."""

    date: datetime.date
    share: float
    """0 to 1, among all dates one word away."""


def written_date(log_probabilities: LogProbabilities, classes: Sequence[str]) -> WrittenDate | None:
    """The date that a network's answer to some words is; None where it is none.

    Args:
        log_probabilities: the answer, of nothing but the date.
        classes: the characters of the network, those after the blank.
    """
    answer, letters = folded(log_probabilities, classes)
    sentence = likeliest_sentence(answer, SLOTS, letters)
    words = [word.text for word in sentence]
    # The 30th of February is no slip for the 30th of another month.
    if parse_date("".join(words)) is None:
        return None
    if max(word.doubt_nats for word in sentence) > MOST_DOUBT_NATS:
        return None
    dates = _dates_near(words)
    weights = log_likelihoods(answer, list(dates), letters)
    of_date: dict[datetime.date, float] = {}
    for date, weight in zip(dates.values(), weights.tolist(), strict=True):
        of_date[date] = float(np.logaddexp(of_date.get(date, -np.inf), weight))
    best = max(of_date, key=of_date.__getitem__)
    total = np.logaddexp.reduce(list(of_date.values()))
    return WrittenDate(best, float(np.exp(of_date[best] - total)))


def _dates_near(words: Sequence[str]) -> dict[str, datetime.date]:
    """The sentence itself and those with one word exchanged, added or left out that are dates."""
    texts = {
        "".join([*words[:at], word, *words[at + 1 :]])
        for at, slot in enumerate(SLOTS)
        for word in slot
    }
    return {text: date for text in sorted(texts) if (date := parse_date(text)) is not None}
