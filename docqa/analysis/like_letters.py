"""Which letters of a page are the same one, by the shapes that they fill their boxes with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

MOST_SIZE_RATIO = 0.08
"""Logarithm: letters further apart in size are of another font."""
ROWS_COUNT = 64
"""Letters, neighbours in size, compared at once with those not too far from any of them."""


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
    order = np.argsort(sizes[:, 0], kind="stable")
    sizes, patches = sizes[order].astype(np.float32), patches[order]
    squares = np.einsum("ij,ij->i", patches, patches)
    first, second = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for start in range(0, len(patches), ROWS_COUNT):
        end = min(start + ROWS_COUNT, len(patches))
        reach = sizes[start, 0] - MOST_SIZE_RATIO, sizes[end - 1, 0] + MOST_SIZE_RATIO
        low, high = np.searchsorted(sizes[:, 0], reach).tolist()
        high = max(high, end)
        away = squares[start:end, None] + squares[low:high]
        away -= 2 * patches[start:end] @ patches[low:high].T
        for axis in (0, 1):
            apart = sizes[start:end, axis, None] - sizes[low:high, axis]
            away[np.abs(apart) > MOST_SIZE_RATIO] = np.inf
        own = np.arange(end - start)
        away[own, own + start - low] = np.inf
        most = min(count, high - low - 1)
        if most < 1:
            continue
        nearest = np.argpartition(away, most - 1, axis=1)[:, :most].ravel()
        row = np.repeat(own, most)
        alike = away[row, nearest] <= most_difference**2 * patches.shape[1]
        first.append(row[alike] + start)
        second.append(nearest[alike] + low)
    return order[np.concatenate(first)], order[np.concatenate(second)]
