"""Whether letters keep their size across a page, as a scanner keeps it and a camera hardly does.

A scanner looks at every part of a sheet from the same distance. A camera does not: what an app
straightens by the sheet's corners keeps the bends of the paper and the error of the corners, which
make the same letter a few per cent larger here than there. So letters are paired with those of
the same shape, and a smooth surface is fitted to the logarithms of their sizes by the differences
within the pairs: fonts and the shapes of letters cancel out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from docqa.analysis.letter_shapes import letter_shapes
from docqa.page import Page

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

NEIGHBOURS_COUNT = 6
"""A letter is paired with so many at most that are most alike."""
MOST_DIFFERENCE = 0.17
"""Root mean square of two patches' difference, over their contrast: more is another letter."""
MOST_SIZE_RATIO = 0.08
"""Logarithm: letters further apart in size are of another font."""
ROWS_COUNT = 64
"""Letters, neighbours in size, compared at once with those not too far from any of them."""
LEAST_PAIRS_COUNT = 60
FITS_COUNT = 8
OUTLIER_DEVIATIONS = 2.0
"""Pairs so far from the surface count half (Cauchy's weights)."""
LEAST_SCATTER = 0.002
STEADY_FRACTION = 0.01
"""Drift and its error together: no more on 70 of 128 real scans, on 5 of 111 photographs (of books
on a stand), and on 4 or 5 of 47 photographs straightened by their corners."""
PRINTED_SCATTER = 0.004
"""Real print has more, 0.01 to 0.04 nearly always; letters that a program drew often have less."""


@dataclass(frozen=True, slots=True)
class LetterSizes:
    """What pairs of like letters say of the scale of a page."""

    pairs_count: int
    drift_fraction: float
    """How much the scale differs over the page: root mean square, of widths and heights. Real scans
    have 0 to 0.015, photographs 0.01 to 0.1."""
    error_fraction: float
    """Standard error of the drift."""
    scatter_fraction: float
    """How much like letters differ once the drift is gone: 0 where a program drew them."""


def keep_size(page: Page) -> bool:
    """Whether printed letters surely keep their size. Call it as ``page.derive(keep_size)``."""
    found = page.derive(letter_sizes)
    if found is None or found.scatter_fraction < PRINTED_SCATTER:
        return False
    return math.hypot(found.drift_fraction, found.error_fraction) <= STEADY_FRACTION


def letter_sizes(page: Page) -> LetterSizes | None:
    """Fit the scale of the page; None where too few letters are alike.

    Call it as ``page.derive(letter_sizes)``.
    """
    letters = letter_shapes(page)
    if letters is None:
        return None
    first, second = like_pairs(
        letters.patches, letters.sizes, count=NEIGHBOURS_COUNT, most_difference=MOST_DIFFERENCE
    )
    if len(first) < LEAST_PAIRS_COUNT:
        return None
    powers = _powers(letters.places)
    steps = powers[first] - powers[second]
    rises = letters.sizes[first] - letters.sizes[second]
    # A letter is in several pairs, which say the same.
    repeats = max(2 * len(first) / len(np.unique(first)), 1.0)
    fits = [_fitted(steps, rises[:, axis], powers, repeats) for axis in (0, 1)]
    drift, error, scatter = (math.hypot(*both) / math.sqrt(2) for both in zip(*fits, strict=True))
    return LetterSizes(len(first), drift, error, scatter)


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


def _powers(places: Floats) -> Floats:
    """(N, 5) of the surface: a plane and its bends."""
    x, y = places.T
    return np.stack([x, y, x * x, x * y, y * y], axis=1)


def _fitted(
    steps: Floats, rises: Floats, powers: Floats, repeats: float
) -> tuple[float, float, float]:
    """Drift, its error and the scatter, by reweighted least squares.

    Args:
        steps: (P, 5) difference of the powers within each pair.
        rises: (P,) difference of the logarithms of size.
        powers: (N, 5) of all letters: the surface is read where they stand.
        repeats: pairs that say the same.
    """
    weights = np.ones(len(rises))
    ridge = 1e-3 * np.eye(steps.shape[1])
    for _ in range(FITS_COUNT):
        weighted = steps.T * weights
        normal = weighted @ steps + ridge
        bends = np.linalg.solve(normal, weighted @ rises)
        rest = rises - steps @ bends
        half = len(rest) // 2
        scatter = 1.4826 * float(np.partition(np.abs(rest), half)[half])
        weights = 1 / (1 + (rest / (OUTLIER_DEVIATIONS * max(scatter, LEAST_SCATTER))) ** 2)
    around = powers - powers.mean(axis=0)
    drift = math.sqrt(float(((around @ bends) ** 2).mean()))
    variance = float((weights * rest**2).sum() / weights.sum()) * repeats
    spread = np.einsum("ij,ji->", np.linalg.inv(normal), around.T @ around) / len(around)
    return drift, math.sqrt(variance * float(spread)), scatter
