"""Letters that repeat to the last grey level: only a program draws the same letter twice alike.

Paper, ink, lens and sensor make every printed letter a little different in a scan or a photograph.
A page that was rendered (a screenshot, a text processor's export) shows letters from a cache, so
many have an exact twin, and nearly exact ones after JPEG.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import ink
from docqa.page import Page, Pixels

WINDOW_PX = 512
WINDOWS_COUNT = 5
HEIGHT_PX = (8, 64)
WIDTH_PX = (6, 64)
"""Sizes of a letter that is looked at: smaller ones are alike by chance."""
LEAST_AREA_PX = 25
MOST_EXTENT = 0.8
"""Share of its box that a letter fills; more is a bar or a dot."""
SAME_SIZE_COUNT = 60
"""Letters of one size compared with each other at most."""
EXACT_FRACTION = 0.005
NEAR_FRACTION = 0.02
"""Mean difference of two letters over their contrast."""


@dataclass(frozen=True, slots=True)
class LetterTwins:
    """How many letters have a twin elsewhere in the windows."""

    letters_count: int
    exact_fraction: float
    """0 to 1. Under 0.02 on scans in grey or colour, over 0.1 on most rendered pages."""
    near_fraction: float
    """0 to 1; counts the exact ones."""


def letter_twins(page: Page) -> LetterTwins:
    """Compare the letters of the inkiest windows. Call it as ``page.derive(letter_twins)``."""
    by_size: dict[tuple[int, int], list[Pixels]] = defaultdict(list)
    for window in _windows(page):
        for letter in _letters(window):
            by_size[letter.shape[0], letter.shape[1]].append(letter)
    nearest = [_nearest(letters[:SAME_SIZE_COUNT]) for letters in by_size.values()]
    found = np.concatenate(nearest) if nearest else np.ones(0)
    count = max(found.size, 1)
    return LetterTwins(
        letters_count=found.size,
        exact_fraction=float(np.count_nonzero(found < EXACT_FRACTION) / count),
        near_fraction=float(np.count_nonzero(found < NEAR_FRACTION) / count),
    )


def _windows(page: Page) -> list[Pixels]:
    found, luma = page.derive(ink), page.luma()
    side = max(1, WINDOW_PX // found.scale)
    rows, columns = (max(1, n // side) for n in found.mask.shape)
    cut = found.mask[: rows * side, : columns * side]
    density = cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA).ravel()
    chosen = np.argsort(density, kind="stable")[::-1][:WINDOWS_COUNT]
    places = [divmod(int(index), columns) for index in chosen]
    return [
        luma[row * WINDOW_PX : (row + 1) * WINDOW_PX, column * WINDOW_PX : (column + 1) * WINDOW_PX]
        for row, column in places
    ]


def _letters(window: Pixels) -> list[Pixels]:
    _, dark = cv2.threshold(window, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    left, top, width, height, area = boxes[1:].T
    bottom, right = window.shape
    keep = (
        (height >= HEIGHT_PX[0]) & (height <= HEIGHT_PX[1])
        & (width >= WIDTH_PX[0]) & (width <= WIDTH_PX[1])
        & (area >= LEAST_AREA_PX) & (area <= MOST_EXTENT * width * height)
        & (left > 0) & (top > 0) & (left + width < right) & (top + height < bottom)
    )  # fmt: skip
    return [window[y : y + h, x : x + w] for x, y, w, h, _ in boxes[1:][keep]]


def _nearest(letters: list[Pixels]) -> npt.NDArray[np.float64]:
    """Per letter, the difference to the one most like it, over its contrast; 1 without any."""
    flat = np.stack([letter.ravel() for letter in letters]).astype(np.float32)
    contrast = flat.max(axis=1) - flat.min(axis=1) + 1.0
    away = np.abs(flat[:, None] - flat[None]).mean(axis=2) / contrast[:, None]
    np.fill_diagonal(away, 1.0)
    return cast("npt.NDArray[np.float64]", away.min(axis=1).astype(np.float64))
