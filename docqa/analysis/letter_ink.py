"""How much ink letters of one shape hold: print differs, what a program drew does not.

Toner and ink spread a little differently at every letter, and sensor and paper add to it. All the
darkness of a letter together does not depend on where it stands between the pixels, so a letter
that a program drew holds the same everywhere, also where it was made smaller by any factor and no
two are equal pixel by pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

from docqa.analysis.letter_pairs import ink_differences, letter_pairs
from docqa.analysis.letter_windows import letter_windows
from docqa.analysis.ranks import percentiles
from docqa.analysis.settled_letters import QUARTILE, settled_letters
from docqa.page import Page

LEAST_PAIRS_COUNT = 20
PRINTED_SCATTER = 0.002
"""Where the letters of the windows so far scatter more, the others are not looked at."""


@dataclass(frozen=True, slots=True)
class LetterInk:
    """Ink of letters against that of the one of their size that is most like them."""

    letters_count: int
    """Those with another of their size."""
    scatter_fraction: float
    """Lower quartile of the difference; 0 or more. Real scans in grey or colour have 0.0037 to
    0.03, letters drawn and made smaller 0.0002 to 0.003."""


def letter_ink(page: Page) -> LetterInk | None:
    """Weigh the letters of the fullest windows; None where too few have one of their size.

    Call it as ``page.derive(letter_ink)``.
    """
    windows, pairs = page.derive(letter_windows), page.derive(settled_letters).pairs
    found = None
    for count in range(pairs.windows_count, len(windows) + 1):
        if count > pairs.windows_count:
            pairs = letter_pairs(windows, count)
        apart = ink_differences(windows, pairs)
        if len(apart) < LEAST_PAIRS_COUNT:
            continue
        found = LetterInk(len(apart), percentiles(apart, QUARTILE)[0])
        if found.scatter_fraction > PRINTED_SCATTER:
            break
    return found
