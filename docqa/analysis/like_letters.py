"""Which letters of a page are the same one, by the shapes that they fill their boxes with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

MOST_SIZE_RATIO = 0.08
"""Logarithm: letters further apart in size are of another font."""
ROWS_COUNT = 256
"""Letters compared with all others at once: of 1500 all at once would take 50 MB."""


def like_pairs(
    patches: Singles, sizes: Floats, *, count: int, most_difference: float
) -> tuple[Places, Places]:
    """(P,) numbers of both letters of each pair, a letter with those most like it.

    Args:
        patches: (N, pixels) what the letters look like, whatever their sizes, 0 to 1.
        sizes: (N, 2) logarithms of their sizes across and down.
        count: a letter has at most so many partners.
        most_difference: root mean square of two patches' difference; more is another letter.
    """
    count = min(count, len(patches) - 1)
    if count < 1:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    squares = np.einsum("ij,ij->i", patches, patches)
    single = sizes.astype(np.float32)
    first, second = [], []
    for start in range(0, len(patches), ROWS_COUNT):
        rows = slice(start, start + ROWS_COUNT)
        away = squares[rows, None] + squares - 2 * patches[rows] @ patches.T
        for axis in (0, 1):
            away[np.abs(single[rows, axis, None] - single[:, axis]) > MOST_SIZE_RATIO] = np.inf
        own = np.arange(len(away))
        away[own, own + start] = np.inf
        nearest = np.argpartition(away, count - 1, axis=1)[:, :count].ravel()
        row = np.repeat(own, count)
        alike = away[row, nearest] <= most_difference**2 * patches.shape[1]
        first.append(row[alike] + start)
        second.append(nearest[alike])
    return np.concatenate(first), np.concatenate(second)
