"""How much like letters differ in size: print scatters, what a program drew does not.

Toner and ink spread a little differently at every letter, and sensor and paper add to it. A letter
that a program drew has the same size wherever it stands, also where it was made smaller by any
factor, so that its pixels differ each time: only the grey around its edges tells its size to a
fraction of a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.histograms import histogram
from docqa.analysis.letter_windows import LetterWindow, letter_windows
from docqa.analysis.like_letters import like_pairs
from docqa.analysis.ranks import percentiles
from docqa.page import Page

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Array = npt.NDArray[Any]

FIRST_WINDOWS_COUNT = 2
SAMPLE_ROWS = 3
"""One row in so many is counted for the levels of a window: neighbours say the same."""
WINDOW_LETTERS_COUNT = 60
"""At most so many of a window are measured."""
LEAST_CONTRAST_LEVELS = 30
DARK_QUANTILE = 0.2
"""Of the ink, its level; of the paper it is the median."""
FAINTEST_FRACTION = 0.06
"""Of the contrast: what is fainter is noise."""
RIM_PX = 1
"""So much around a letter's box belongs to its edges."""
PATCH_SIDE_PX = 12
BRIGHTEST_COUNT = 4
"""Pixels of a patch that may be darker than its ink."""
MOST_DIFFERENCE = 0.12
"""Root mean square of two patches' difference, over their contrast: more is another letter."""
LEAST_PAIRS_COUNT = 12
QUARTILE = 25
"""Percentile of the pairs' differences: in few windows many letters have no equal."""
PRINTED_SCATTER = 0.003
"""Where the pairs of the windows so far scatter more, the others are not looked at."""


@dataclass(frozen=True, slots=True)
class LetterScatter:
    """Sizes of letters against those of the letter that is most alike."""

    pairs_count: int
    scatter_fraction: float
    """Lower quartile of the difference in size, width and height together; 0 or more. Real scans in
    grey or colour with 20 pairs have 0.005 to 0.03, letters drawn and made smaller 0 to 0.004."""


def letter_scatter(page: Page) -> LetterScatter | None:
    """Measure the letters of the fullest windows; None where too few are alike.

    Call it as ``page.derive(letter_scatter)``.
    """
    windows = page.derive(letter_windows)
    patches: list[Array] = []
    sizes: list[tuple[float, float]] = []
    found = None
    for number in range(len(windows)):
        _measure(windows[number], patches, sizes)
        if number + 1 < FIRST_WINDOWS_COUNT or len(sizes) < LEAST_PAIRS_COUNT:
            continue
        apart = _apart(np.array(patches, np.float32), np.array(sizes))
        if len(apart) < LEAST_PAIRS_COUNT:
            continue
        found = LetterScatter(len(apart), percentiles(apart, QUARTILE)[0])
        if found.scatter_fraction > PRINTED_SCATTER:
            break
    return found


def _measure(window: LetterWindow, patches: list[Array], sizes: list[tuple[float, float]]) -> None:
    """Add patch and variances, across and down, of each letter of the window."""
    below = np.cumsum(histogram(window.pixels[::SAMPLE_ROWS]))
    dark = below[window.ink_level]
    ink = int(np.searchsorted(below, DARK_QUANTILE * dark))
    paper = int(np.searchsorted(below, (dark + below[-1]) / 2))
    if paper - ink < LEAST_CONTRAST_LEVELS:
        return
    depth = cv2.subtract(np.full_like(window.pixels, paper), window.pixels)
    least = FAINTEST_FRACTION * (paper - ink)
    depth = cv2.threshold(depth, least, 255, cv2.THRESH_TOZERO)[1]
    for x, y, width, height in window.boxes[:WINDOW_LETTERS_COUNT].tolist():
        letter = depth[y - RIM_PX : y + height + RIM_PX, x - RIM_PX : x + width + RIM_PX]
        moments = cv2.moments(letter)
        if not moments["m00"]:  # hardly darker than its paper
            continue
        area = moments["m00"]
        sizes.append((moments["mu20"] / area, moments["mu02"] / area))
        patches.append(
            cv2.resize(letter, (PATCH_SIDE_PX, PATCH_SIDE_PX), interpolation=cv2.INTER_AREA)
        )


def _apart(patches: Singles, variances: Floats) -> Floats:
    """(P,) differences of the logarithms of size between each letter and the one most like it."""
    flat = patches.reshape(len(patches), -1)
    inks = np.partition(flat, -BRIGHTEST_COUNT, axis=1)[:, -BRIGHTEST_COUNT, None]
    even = np.asarray(flat / np.maximum(inks, 1.0), np.float32)
    sizes = np.log(np.maximum(variances, 1e-6)) / 2
    first, second = like_pairs(even, sizes, count=1, most_difference=MOST_DIFFERENCE)
    across, down = (sizes[first] - sizes[second]).T
    return np.asarray(np.hypot(across, down))
