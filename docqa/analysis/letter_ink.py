"""How much ink letters of one shape hold: print differs, what a program drew does not.

Toner and ink spread a little differently at every letter, and sensor and paper add to it. All the
darkness of a letter together does not depend on where it stands between the pixels, so a letter
that a program drew holds the same everywhere, also where it was made smaller by any factor and no
two are equal pixel by pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from docqa.analysis.histograms import histogram
from docqa.analysis.letter_pairs import Floats, letter_pairs
from docqa.analysis.letter_twins import settled_pairs
from docqa.analysis.letter_windows import LetterWindow, letter_windows
from docqa.analysis.ranks import percentiles
from docqa.page import Page

SAMPLE_ROWS = 6
"""One row in so many is counted for the levels of a window: neighbours say the same."""
LEAST_CONTRAST_LEVELS = 30
DARK_QUANTILE = 0.2
"""Of the ink, its level; of the paper it is the median."""
FAINTEST_FRACTION = 0.06
"""Of the contrast: what is fainter is noise."""
RIM_PX = 1
"""So much around a letter's box belongs to its edges."""
LEAST_PAIRS_COUNT = 20
QUARTILE = 25
"""Percentile of the differences: many letters have no equal in few windows."""
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
    windows, pairs = page.derive(letter_windows), page.derive(settled_pairs)
    inks, found = np.empty(0), None
    for count in range(1, len(windows) + 1):
        inks = np.concatenate([inks, _inks(windows[count - 1])])
        if count < pairs.windows_count:
            continue
        if count > pairs.windows_count:
            pairs = letter_pairs(windows, count)
        logarithms = np.log(inks[pairs.numbers])
        apart = np.abs(logarithms - logarithms[pairs.partners])
        apart = apart[np.isfinite(apart)]
        if len(apart) < LEAST_PAIRS_COUNT:
            continue
        found = LetterInk(len(apart), percentiles(apart, QUARTILE)[0])
        if found.scatter_fraction > PRINTED_SCATTER:
            break
    return found


def _inks(window: LetterWindow) -> Floats:
    """(N,) sum of darkness under the paper's level of each letter; NaN where it is faint."""
    below = np.cumsum(histogram(window.pixels[::SAMPLE_ROWS]))
    dark = below[window.ink_level]
    ink, paper = below.searchsorted([DARK_QUANTILE * dark, (dark + below[-1]) / 2]).tolist()
    if paper - ink < LEAST_CONTRAST_LEVELS or not len(window.boxes):
        return np.full(len(window.boxes), np.nan)
    crops = [
        window.pixels[y - RIM_PX : y + height + RIM_PX, x - RIM_PX : x + width + RIM_PX].ravel()
        for x, y, width, height in window.boxes.tolist()
    ]
    starts = np.cumsum([0, *(crop.size for crop in crops[:-1])])
    depths = paper - np.concatenate(crops).astype(np.int32)
    depths[depths <= FAINTEST_FRACTION * (paper - ink)] = 0
    return np.asarray(np.maximum(np.add.reduceat(depths, starts), 1), np.float64)
