"""Letters that repeat to the last grey level: only a program draws the same letter twice alike.

Paper, ink, lens and sensor make every printed letter a little different in a scan or a photograph.
A page that was rendered (a screenshot, a text processor's export) shows letters from a cache, so
many have an exact twin, and a close one after JPEG or where letters are placed between pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from docqa.analysis.letter_pairs import LetterPairs, letter_pairs
from docqa.analysis.letter_windows import letter_windows
from docqa.analysis.ranks import percentiles
from docqa.analysis.texture import is_two_level
from docqa.page import Page

WINDOWS_COUNT = 5
ENOUGH_LETTERS_COUNTS = (40, 24)
"""Of the first window, and of more: where so many letters leave no doubt, no others are looked at.
Of 351 drawn and real pages 350 are judged as by all windows."""
EXACT_FRACTION, CLOSE_FRACTION, NEAR_FRACTION = 0.005, 0.011, 0.02
"""Mean difference of two letters over their contrast."""
SURELY_DRAWN_FRACTION = 0.2
"""Of the letters, with an exact twin; seven times what is asked of a drawn page."""
IN_DOUBT_FRACTIONS = (0.1, 0.75)
"""The same in two levels: under the first are nearly all scans, and no drawn page whose letters
would repeat in more windows."""
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
    pairs = page.derive(settled_pairs)
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


def settled_pairs(page: Page) -> LetterPairs:
    """The letters of as many windows as it takes to leave no doubt, or of all that are looked at.

    Call it as ``page.derive(settled_pairs)``.
    """
    windows, two_levels = page.derive(letter_windows), is_two_level(page)
    most = min(len(windows), WINDOWS_COUNT)
    letters_count = 0
    for count in range(1, most):
        letters_count += len(windows[count - 1].boxes)
        enough = ENOUGH_LETTERS_COUNTS[min(count - 1, 1)]
        if letters_count < enough:
            continue
        pairs = letter_pairs(windows, count)
        if pairs.letters_count >= enough and _is_settled(pairs, two_levels):
            return pairs
    return letter_pairs(windows, most)


def _is_settled(pairs: LetterPairs, two_levels: bool) -> bool:
    """Whether the letters so far leave no doubt."""
    exact = np.count_nonzero(pairs.differences < EXACT_FRACTION) / pairs.letters_count
    if two_levels:
        low, high = IN_DOUBT_FRACTIONS
        return not low <= exact <= high
    return bool(exact >= SURELY_DRAWN_FRACTION or (pairs.differences >= NEAR_FRACTION).all())
