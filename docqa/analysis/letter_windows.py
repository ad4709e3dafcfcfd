"""The letters in the fullest windows of a page, found once for all that compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.components import outlined
from docqa.analysis.histograms import histogram
from docqa.analysis.ink import ink
from docqa.page import Page, Pixels

Boxes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

WINDOW_PX = 384
WINDOWS_COUNT = 6
SAMPLE_ROWS = 6
"""One row in so many is counted for the levels of a window: neighbours say the same."""
HEIGHT_PX = (8, 64)
WIDTH_PX = (6, 64)
"""Sizes of a letter that is looked at: smaller ones are alike by chance."""
LEAST_AREA_PX = 25
"""With what it encloses."""
MOST_EXTENT = 0.8
"""Share of its box that a letter fills; more is a bar or a dot."""
MOST_ENCLOSED = 0.97
"""The same, what a letter encloses filled; more is the frame of a cell."""
LEAST_CONTRAST_LEVELS = 30
DARK_QUANTILE = 0.2
"""Of the ink, its level; of the paper it is the median."""
FAINTEST_FRACTION = 0.06
"""Of the contrast: what is fainter is noise."""
RIM_PX = 1
"""So much around a letter's box belongs to its edges."""


@dataclass(frozen=True, slots=True)
class LetterWindow:
    """A window of the page in full size."""

    pixels: Pixels
    """(H, W) brightness."""
    ink_level: int
    """The lightest level of ink, as Otsu 1979 tells it from paper."""
    boxes: Boxes
    """(N, 4) x, y, width and height of the letters that lie whole in the window."""

    def letters(self) -> list[Pixels]:
        """The pixels of each box."""
        boxes, pixels = self.boxes.tolist(), self.pixels
        return [pixels[y : y + height, x : x + width] for x, y, width, height in boxes]

    def inks(self) -> Floats:
        """(N,) sum of darkness under the paper's level of each letter; NaN where it is faint."""
        below = np.cumsum(histogram(self.pixels[::SAMPLE_ROWS]))
        dark = below[self.ink_level]
        ink, paper = below.searchsorted([DARK_QUANTILE * dark, (dark + below[-1]) / 2]).tolist()
        if paper - ink < LEAST_CONTRAST_LEVELS or not len(self.boxes):
            return np.full(len(self.boxes), np.nan)
        depth = cv2.subtract(np.full(self.pixels.shape, paper, np.uint8), self.pixels)
        faintest = FAINTEST_FRACTION * (paper - ink)
        depth = cv2.threshold(depth, faintest, 0, cv2.THRESH_TOZERO)[1]
        rims = self.boxes + np.array([-RIM_PX, -RIM_PX, 2 * RIM_PX, 2 * RIM_PX])
        sums = [cv2.sumElems(depth[y : y + h, x : x + w])[0] for x, y, w, h in rims.tolist()]
        return np.maximum(sums, 1.0)


class LetterWindows:
    """Windows, those with most marks of writing first; each is looked at when it is asked for.

    Args:
        windows: their pixels.
    """

    __slots__ = ("_found", "_inks", "_windows")

    def __init__(self, windows: Sequence[Pixels]) -> None:
        self._windows = windows
        self._found: list[LetterWindow] = []
        self._inks: list[Floats] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._windows)

    def __getitem__(self, number: int) -> LetterWindow:
        """The window of that number, from 0."""
        for window in self._windows[len(self._found) : number + 1]:
            self._found.append(_looked_at(window))
        return self._found[number]

    def inks(self, count: int) -> Floats:
        """(N,) what the letters of the first so many windows hold, as ``LetterWindow.inks``."""
        for number in range(len(self._inks), count):
            self._inks.append(self[number].inks())
        return np.concatenate(self._inks[:count])


def letter_windows(page: Page) -> LetterWindows:
    """The windows with the most marks of writing: the inkiest ones are often pictures and rules.

    Call it as ``page.derive(letter_windows)``.
    """
    found, luma = page.derive(ink), page.luma()
    side = WINDOW_PX // found.scale
    rows, columns = (max(n // side, 1) for n in found.mask.shape)
    column, row = ((found.boxes[:, :2] + found.boxes[:, 2:] / 2) / side).astype(np.intp).T
    inside = (row < rows) & (column < columns)
    counts = np.bincount((row * columns + column)[inside], minlength=rows * columns)
    chosen = np.argsort(-counts, kind="stable")[:WINDOWS_COUNT]
    corners = [(WINDOW_PX * (each // columns), WINDOW_PX * (each % columns)) for each in chosen]
    return LetterWindows([luma[y : y + WINDOW_PX, x : x + WINDOW_PX] for y, x in corners])


def _looked_at(window: Pixels) -> LetterWindow:
    # Few rows tell ink from paper as well, and to count levels costs most of a threshold.
    level, _ = cv2.threshold(window[::SAMPLE_ROWS], 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dark = np.asarray(cv2.threshold(window, level, 255, cv2.THRESH_BINARY_INV)[1], np.uint8)
    boxes, areas = outlined(dark, HEIGHT_PX[0])
    x, y, width, height = boxes.T
    bottom, right = window.shape
    fits = (areas >= LEAST_AREA_PX) & (areas <= MOST_ENCLOSED * width * height)
    fits &= (height >= HEIGHT_PX[0]) & (height <= HEIGHT_PX[1])
    fits &= (width >= WIDTH_PX[0]) & (width <= WIDTH_PX[1])
    fits &= (x > 0) & (y > 0) & (x + width < right) & (y + height < bottom)
    # Only what encloses more than a letter fills has to be counted.
    for index in np.flatnonzero(fits & (areas > MOST_EXTENT * width * height)).tolist():
        left, top, wide, high = boxes[index].tolist()
        inked = cv2.countNonZero(dark[top : top + high, left : left + wide])
        fits[index] = inked <= MOST_EXTENT * wide * high
    return LetterWindow(window, int(level), boxes[fits])
