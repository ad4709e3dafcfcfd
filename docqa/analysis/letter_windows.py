"""The letters in the fullest windows of a page, found once for all that compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import ink
from docqa.page import Page, Pixels

Boxes = npt.NDArray[np.int32]

WINDOW_PX = 384
WINDOWS_COUNT = 6
SAMPLE_ROWS = 6
HEIGHT_PX = (8, 64)
WIDTH_PX = (6, 64)
"""Sizes of a letter that is looked at: smaller ones are alike by chance."""
LEAST_AREA_PX = 25
LEAST_CORNERS_COUNT = 6
"""Of an outline: one with fewer is a bar."""
MOST_EXTENT = 0.8
"""Share of its box that a letter fills; more is a bar or a dot."""


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


class LetterWindows:
    """Windows, those with most marks of writing first; each is looked at when it is asked for.

    Args:
        windows: their pixels.
    """

    __slots__ = ("_found", "_windows")

    def __init__(self, windows: Sequence[Pixels]) -> None:
        self._windows = windows
        self._found: list[LetterWindow] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._windows)

    def __getitem__(self, number: int) -> LetterWindow:
        """The window of that number, from 0."""
        for window in self._windows[len(self._found) : number + 1]:
            self._found.append(_looked_at(window))
        return self._found[number]


def letter_windows(page: Page) -> LetterWindows:
    """The windows with the most marks of writing: the inkiest ones are often pictures and rules.

    Call it as ``page.derive(letter_windows)``.
    """
    found, luma = page.derive(ink), page.luma()
    side = WINDOW_PX // found.scale
    rows, columns = (max(n // side, 1) for n in found.mask.shape)
    column, row = ((found.boxes[:, :2] + found.boxes[:, 2:] // 2) // side).T
    inside = (row < rows) & (column < columns)
    counts = np.bincount((row * columns + column)[inside], minlength=rows * columns)
    chosen = np.argsort(-counts, kind="stable")[:WINDOWS_COUNT]
    corners = [(WINDOW_PX * (each // columns), WINDOW_PX * (each % columns)) for each in chosen]
    return LetterWindows([luma[y : y + WINDOW_PX, x : x + WINDOW_PX] for y, x in corners])


def _looked_at(window: Pixels) -> LetterWindow:
    # Few rows tell ink from paper as well, and to count levels costs most of a threshold.
    level, _ = cv2.threshold(window[::SAMPLE_ROWS], 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    _, dark = cv2.threshold(window, level, 255, cv2.THRESH_BINARY_INV)
    outlines, nesting = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    bottom, right = window.shape
    boxes = []
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
            boxes.append((x, y, width, height))
    return LetterWindow(window, int(level), np.array(boxes, np.int32).reshape(-1, 4))
