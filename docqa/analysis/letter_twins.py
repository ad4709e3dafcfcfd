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

from docqa.analysis.ink import ink
from docqa.page import Page, Pixels

WINDOW_PX = 384
WINDOWS_COUNT = 5
FIRST_WINDOWS_COUNT = 2
ENOUGH_LETTERS_COUNT = 24
"""So many letters of the first windows without one that has a near twin are a sensor's: the other
windows are not looked at. With 40 the same of 725 drawn and real pages are said to be drawn."""
SAMPLE_ROWS = 3
HEIGHT_PX = (8, 64)
WIDTH_PX = (6, 64)
"""Sizes of a letter that is looked at: smaller ones are alike by chance."""
LEAST_AREA_PX = 25
LEAST_CORNERS_COUNT = 6
"""Of an outline: one with fewer is a bar."""
MOST_EXTENT = 0.8
"""Share of its box that a letter fills; more is a bar or a dot."""
SAME_SIZE_COUNT = 60
"""Letters of one size compared with each other at most."""
EXACT_FRACTION, CLOSE_FRACTION, NEAR_FRACTION = 0.005, 0.011, 0.02
"""Mean difference of two letters over their contrast."""


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


def letter_twins(page: Page) -> LetterTwins:
    """Compare the letters of the fullest windows. Call it as ``page.derive(letter_twins)``."""
    by_size: dict[tuple[int, int], list[Pixels]] = defaultdict(list)
    nearest: dict[tuple[int, int], npt.NDArray[np.float64]] = {}
    found = np.ones(0)
    more: set[tuple[int, int]] = set()
    for number, window in enumerate(_windows(page), start=1):
        for letter in _letters(window):
            size = letter.shape[0], letter.shape[1]
            by_size[size].append(letter)
            more.add(size)
        if number < FIRST_WINDOWS_COUNT:
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
    )


def _windows(page: Page) -> list[Pixels]:
    """Those with the most marks of writing: the inkiest ones are often pictures and rules."""
    found, luma = page.derive(ink), page.luma()
    side = WINDOW_PX // found.scale
    rows, columns = (max(n // side, 1) for n in found.mask.shape)
    column, row = ((found.boxes[:, :2] + found.boxes[:, 2:] // 2) // side).T
    inside = (row < rows) & (column < columns)
    counts = np.bincount((row * columns + column)[inside], minlength=rows * columns)
    chosen = np.argsort(-counts, kind="stable")[:WINDOWS_COUNT]
    places = [divmod(int(index), columns) for index in chosen]
    return [
        luma[row * WINDOW_PX : (row + 1) * WINDOW_PX, column * WINDOW_PX : (column + 1) * WINDOW_PX]
        for row, column in places
    ]


def _letters(window: Pixels) -> list[Pixels]:
    # Few rows tell ink from paper as well, and to count levels costs most of a threshold.
    level, _ = cv2.threshold(window[::SAMPLE_ROWS], 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    _, dark = cv2.threshold(window, level, 255, cv2.THRESH_BINARY_INV)
    outlines, nesting = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    bottom, right = window.shape
    letters = []
    parents = nesting[0, :, 3].tolist() if outlines else ()
    for outline, parent in zip(outlines, parents, strict=True):
        if parent >= 0 or len(outline) < LEAST_CORNERS_COUNT:
            continue
        x, y, width, height = cv2.boundingRect(outline)
        if not (
            HEIGHT_PX[0] <= height <= HEIGHT_PX[1] and WIDTH_PX[0] <= width <= WIDTH_PX[1]
            and x > 0 and y > 0 and x + width < right and y + height < bottom
        ):  # fmt: skip
            continue
        inked = cv2.countNonZero(dark[y : y + height, x : x + width])
        if LEAST_AREA_PX <= inked <= MOST_EXTENT * width * height:
            letters.append(window[y : y + height, x : x + width])
    return letters


def _nearest(letters: list[Pixels]) -> npt.NDArray[np.float64]:
    """Per letter, the difference to the one most like it, over its contrast; 1 without any."""
    if len(letters) < 2:
        return np.ones(len(letters))
    flat = np.stack([letter.ravel() for letter in letters])
    contrast = flat.max(axis=1) - flat.min(axis=1) + 1.0
    # The nearest of all is the letter itself.
    distance, _ = cv2.batchDistance(flat, flat, cv2.CV_32S, normType=cv2.NORM_L1, K=2)
    return np.asarray(distance[:, 1] / (flat.shape[1] * contrast), np.float64)
