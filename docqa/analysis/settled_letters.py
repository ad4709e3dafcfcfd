"""The letters of as many windows as it takes to tell whether they repeat.

Most pages leave no doubt after a window or two: none of their letters is near another, a great many
equal another, or like letters hold as different amounts of ink as only print does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from docqa.analysis.letter_pairs import LetterPairs, ink_differences, letter_pairs
from docqa.analysis.letter_windows import LetterWindows, letter_windows
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
PRINTED_SCATTER = 0.004
"""Where like letters differ more in the ink they hold, and none is close to another, they were
printed: so are those of no one of 360 drawn pages that are told by more windows."""
PRINTED_PAIRS_COUNTS = (10, 40)
"""So many must say so; the second where some letter is near another."""
QUARTILE = 25
"""Percentile of the differences: many letters have no equal in few windows."""


@dataclass(frozen=True, slots=True)
class SettledLetters:
    """What was looked at, and what it settled."""

    pairs: LetterPairs
    are_printed: bool
    """Whether the ink they hold differs as only print's does; a page not settled may be printed
    as well."""


def settled_letters(page: Page) -> SettledLetters:
    """Compare the letters of the fullest windows, one window more at a time.

    Call it as ``page.derive(settled_letters)``.
    """
    windows, two_levels = page.derive(letter_windows), is_two_level(page)
    most = min(len(windows), WINDOWS_COUNT)
    letters_count = 0
    for count in range(1, most):
        letters_count += len(windows[count - 1].boxes)
        enough = ENOUGH_LETTERS_COUNTS[min(count - 1, 1)]
        if letters_count < (enough if two_levels else PRINTED_PAIRS_COUNTS[0]):
            continue
        pairs = letter_pairs(windows, count)
        if pairs.letters_count >= enough and _is_settled(pairs, two_levels):
            return SettledLetters(pairs, are_printed=False)
        if not two_levels and _are_printed(windows, pairs):
            return SettledLetters(pairs, are_printed=True)
    return SettledLetters(letter_pairs(windows, most), are_printed=False)


def _is_settled(pairs: LetterPairs, two_levels: bool) -> bool:
    """Whether the letters so far leave no doubt by their twins."""
    exact = np.count_nonzero(pairs.differences < EXACT_FRACTION) / pairs.letters_count
    if two_levels:
        low, high = IN_DOUBT_FRACTIONS
        return not low <= exact <= high
    return bool(exact >= SURELY_DRAWN_FRACTION or (pairs.differences >= NEAR_FRACTION).all())


def _are_printed(windows: LetterWindows, pairs: LetterPairs) -> bool:
    few, many = PRINTED_PAIRS_COUNTS
    if len(pairs.differences) < few:
        return False
    nearest = pairs.differences.min()
    if nearest < CLOSE_FRACTION:
        return False
    apart = ink_differences(windows, pairs)
    enough = many if nearest < NEAR_FRACTION else few
    return len(apart) >= enough and percentiles(apart, QUARTILE)[0] > PRINTED_SCATTER
