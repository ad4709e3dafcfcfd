"""Each letter of the fullest windows beside the one of its size that is most like it.

Pixel by pixel, so only letters whose boxes have the same size to the pixel are compared; letters of
about one size and any place between the pixels are paired in ``letter_sizes.py``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.letter_windows import LetterWindows
from docqa.page import Pixels

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

SAME_SIZE_COUNT = 60
"""Letters of one size compared with each other at most."""


@dataclass(frozen=True, slots=True)
class LetterPairs:
    """The letters of some windows that have another of their size."""

    windows_count: int
    """How many windows they are from, the fullest ones."""
    letters_count: int
    """Those without another of their size as well."""
    numbers: Places
    """(N,) which of all letters each is, counted from 0 over the windows."""
    partners: Places
    """(N,) place of the one that is most like it."""
    differences: Floats
    """(N,) mean difference of both over the contrast; lower is more alike."""


def letter_pairs(windows: LetterWindows, windows_count: int) -> LetterPairs:
    """Compare the letters of so many windows."""
    by_size: dict[tuple[int, ...], list[tuple[int, Pixels]]] = defaultdict(list)
    first = 0
    for index in range(windows_count):
        letters = windows[index].letters()
        for number, letter in enumerate(letters, first):
            by_size[letter.shape].append((number, letter))
        first += len(letters)
    several = [same[:SAME_SIZE_COUNT] for same in by_size.values() if len(same) > 1]
    alone_count = sum(len(same) == 1 for same in by_size.values())
    if not several:
        none = np.empty(0, np.intp)
        return LetterPairs(windows_count, alone_count, none, none, np.empty(0))
    differences, partners = _nearest([[letter for _, letter in same] for same in several])
    numbers = np.array([number for same in several for number, _ in same], np.intp)
    count = alone_count + len(numbers)
    return LetterPairs(windows_count, count, numbers, partners, differences)


def ink_differences(windows: LetterWindows, pairs: LetterPairs) -> Floats:
    """(M,) logarithm of how much more ink the one of each pair holds, without the faint ones.

    All the darkness of a letter together does not depend on where it stands between the pixels, as
    ``LetterPairs.differences`` do. Lower is more alike.
    """
    logarithms = np.log(windows.inks(pairs.windows_count)[pairs.numbers])
    apart = np.abs(logarithms - logarithms[pairs.partners])
    return np.asarray(apart[np.isfinite(apart)])


def _nearest(by_size: list[list[Pixels]]) -> tuple[Floats, Places]:
    """(N,) the difference to the one of its size that is most like it, and the place of that one;
    of two or more letters of each size.
    """
    flat = np.concatenate([letter.ravel() for letters in by_size for letter in letters])
    areas = np.repeat([letters[0].size for letters in by_size], [*map(len, by_size)])
    starts = np.cumsum(areas) - areas
    contrasts = np.maximum.reduceat(flat, starts) - np.minimum.reduceat(flat, starts) + 1.0
    distances, places, pixel, first = [], [], 0, 0
    for letters in by_size:
        count, area = len(letters), letters[0].size
        same = flat[pixel : pixel + count * area].reshape(count, area)
        # The nearest of all is the letter itself, or one that equals it.
        found = cv2.batchDistance(same, same, cv2.CV_32S, normType=cv2.NORM_L1, K=2)
        distances.append(found[0][:, 1])
        places.append(found[1] + first)
        pixel, first = pixel + count * area, first + count
    nearest, second = np.concatenate(places).T
    partners = np.where(nearest == np.arange(first), second, nearest)
    return np.concatenate(distances) / (areas * contrasts), partners.astype(np.intp)
