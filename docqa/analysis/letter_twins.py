"""Letters that repeat to the last grey level: only a program draws the same letter twice alike.

Paper, ink, lens and sensor make every printed letter a little different in a scan or a photograph.
A page that was rendered (a screenshot, a text processor's export) shows letters from a cache, so
many have an exact twin, and a close one after JPEG or where letters are placed between pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from docqa.analysis.ranks import percentiles
from docqa.analysis.settled_letters import (
    CLOSE_FRACTION,
    EXACT_FRACTION,
    NEAR_FRACTION,
    settled_letters,
)
from docqa.page import Page

LIKENESS_PERCENT = 5


@dataclass(frozen=True, slots=True)
class LetterTwins:
    """How many letters have a twin elsewhere in the windows."""

    letters_count: int
    exact_fraction: float
    """0 to 1. Under 0.02 on scans in grey or colour, over 0.1 on most rendered pages."""
    close_fraction: float
    """0 to 1; counts the exact ones. At most 0.026 on real scans in grey or colour: one letter in
    twenty finds no twin nearer than 0.018 on any of many letters."""
    near_fraction: float
    """0 to 1; counts the close ones."""
    likeness_fraction: float
    """What one letter in twenty differs by, at most, from the one most like it, over its contrast;
    1.0 without letters. Lower is more alike."""


def letter_twins(page: Page) -> LetterTwins:
    """Compare the letters of the fullest windows. Call it as ``page.derive(letter_twins)``."""
    pairs = page.derive(settled_letters).pairs
    found, count = np.sort(pairs.differences), pairs.letters_count
    if not count:
        return LetterTwins(0, 0.0, 0.0, 0.0, 1.0)
    limits = (EXACT_FRACTION, CLOSE_FRACTION, NEAR_FRACTION)
    exact, close, near = (found.searchsorted(limits) / count).tolist()
    alone = np.ones(count - len(found))
    (likeness,) = percentiles(np.concatenate([alone, found]), LIKENESS_PERCENT)
    return LetterTwins(count, exact, close, near, likeness)
