"""A network's answer with the letters joined that writers use for each other, and spaces dropped.

Whether أحمد or احمد is typed must not decide what is read: in the folded answer both are one text,
the loose one of :func:`docqa.text.loose`, with the probabilities of all its spellings added.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from docqa.reading.ctc import BLANK, LogProbabilities, log_likelihoods
from docqa.text import loose


def folded(
    log_probabilities: LogProbabilities, classes: Sequence[str]
) -> tuple[LogProbabilities, tuple[str, ...]]:
    """The answer with the classes joined that are one letter in loose text, spaces with the blank.

    And those letters.
    """
    columns: dict[str, list[int]] = {"": [BLANK]}
    for at, character in enumerate(classes, start=1):
        columns.setdefault(loose(character), []).append(at)
    joined = [np.logaddexp.reduce(log_probabilities[:, of], axis=1) for of in columns.values()]
    return np.column_stack(joined), tuple(columns)[1:]


def respelled(form: str, log_probabilities: LogProbabilities, classes: Sequence[str]) -> str:
    """How a loose text is spelled in print: the letters and spaces that the answer favours.

    Each place by itself, the others as in the loose text.
    """
    alike: dict[str, list[str]] = {}
    for character in classes:
        alike.setdefault(loose(character), []).append(character)
    changes = [
        (at, letter) for at, known in enumerate(form)
        for letter in (*alike.get(known, ()), *([f" {known}"] if at else ()))
    ]  # fmt: skip
    texts = [form[:at] + letter + form[at + 1 :] for at, letter in changes]
    scores = log_likelihoods(log_probabilities, texts, classes)
    letters, best = list(form), dict.fromkeys(range(len(form)), -np.inf)
    spaced = set()
    plain = float(log_likelihoods(log_probabilities, [form], classes)[0])
    for (at, letter), score in zip(changes, scores.tolist(), strict=True):
        if letter.startswith(" "):
            spaced |= {at} if score > plain else set()
        elif score > best[at]:
            letters[at], best[at] = letter, score
    return "".join(f" {letter}" if at in spaced else letter for at, letter in enumerate(letters))
