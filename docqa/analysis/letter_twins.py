"""Letters that repeat to the last grey level: only a program draws the same letter twice alike.

Paper, ink, lens and sensor make every printed letter a little different in a scan or a photograph.
A page that was rendered (a screenshot, a text processor's export) shows letters from a cache, so
many have an exact twin, and a close one after JPEG or where letters are placed between pixels.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.letter_windows import letter_windows
from docqa.analysis.ranks import percentiles
from docqa.page import Page, Pixels

WINDOWS_COUNT = 5
FIRST_WINDOWS_COUNT = 2
ENOUGH_LETTERS_COUNT = 24
"""So many letters of the first windows without one that has a near twin are a sensor's: the other
windows are not looked at. With 40 the same of 725 drawn and real pages are said to be drawn."""
SAME_SIZE_COUNT = 60
"""Letters of one size compared with each other at most."""
EXACT_FRACTION, CLOSE_FRACTION, NEAR_FRACTION = 0.005, 0.011, 0.02
"""Mean difference of two letters over their contrast."""
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
    by_size: dict[tuple[int, int], list[Pixels]] = defaultdict(list)
    nearest: dict[tuple[int, int], npt.NDArray[np.float64]] = {}
    found = np.ones(0)
    more: set[tuple[int, int]] = set()
    windows = page.derive(letter_windows)
    for number in range(min(len(windows), WINDOWS_COUNT)):
        for letter in windows[number].letters():
            size = letter.shape[0], letter.shape[1]
            by_size[size].append(letter)
            more.add(size)
        if number + 1 < FIRST_WINDOWS_COUNT:
            continue
        nearest |= {size: _nearest(by_size[size][:SAME_SIZE_COUNT]) for size in more}
        more.clear()
        found = np.concatenate([np.ones(0), *nearest.values()])
        if found.size >= ENOUGH_LETTERS_COUNT and found.min() >= NEAR_FRACTION:
            break
    count = max(found.size, 1)
    return LetterTwins(
        letters_count=found.size,
        exact_fraction=float(np.count_nonzero(found < EXACT_FRACTION) / count),
        close_fraction=float(np.count_nonzero(found < CLOSE_FRACTION) / count),
        near_fraction=float(np.count_nonzero(found < NEAR_FRACTION) / count),
        likeness_fraction=percentiles(found, LIKENESS_PERCENT)[0] if found.size else 1.0,
    )


def _nearest(letters: list[Pixels]) -> npt.NDArray[np.float64]:
    """Per letter, the difference to the one most like it, over its contrast; 1 without any."""
    if len(letters) < 2:
        return np.ones(len(letters))
    flat = np.stack([letter.ravel() for letter in letters])
    contrast = flat.max(axis=1) - flat.min(axis=1) + 1.0
    # The nearest of all is the letter itself.
    distance, _ = cv2.batchDistance(flat, flat, cv2.CV_32S, normType=cv2.NORM_L1, K=2)
    return np.asarray(distance[:, 1] / (flat.shape[1] * contrast), np.float64)
