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
    found, count = pairs.differences, max(pairs.letters_count, 1)
    alone = np.ones(pairs.letters_count - len(found))
    return LetterTwins(
        letters_count=pairs.letters_count,
        exact_fraction=float(np.count_nonzero(found < EXACT_FRACTION) / count),
        close_fraction=float(np.count_nonzero(found < CLOSE_FRACTION) / count),
        near_fraction=float(np.count_nonzero(found < NEAR_FRACTION) / count),
        likeness_fraction=(
            percentiles(np.concatenate([alone, found]), LIKENESS_PERCENT)[0]
            if pairs.letters_count
            else 1.0
        ),
    )
