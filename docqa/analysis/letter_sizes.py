"""Whether letters keep their size across a page, as a scanner keeps it and a camera hardly does.

A scanner looks at every part of a sheet from the same distance. A camera does not: what an app
straightens by the sheet's corners keeps the bends of the paper and the error of the corners, which
make the same letter a few per cent larger here than there. So letters are paired with those of
the same shape, and a smooth surface is fitted to the logarithms of their sizes by the differences
within the pairs: fonts and the shapes of letters cancel out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import ink
from docqa.analysis.ink_density import BLOCK_PX, ink_density
from docqa.analysis.letter_windows import LEAST_AREA_PX, MOST_EXTENT
from docqa.analysis.like_letters import like_pairs
from docqa.page import LUMA_SCALES, Page, Pixels

Point = tuple[float, float]
Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

LEAST_TEXT_HEIGHT_PX, FINE_TEXT_HEIGHT_PX = 22, 32
"""Letters are looked at in the smallest copy of the page in which text is at least this high; drawn
twice as large where it is lower than the second, for outlines between pixels."""
ZONES_COUNT = 8
"""Windows along each side of the page: the inkiest of each zone is looked at."""
WINDOW_TEXT_HEIGHTS = 12
WINDOW_PX = (160, 384)
SAMPLE_ROWS = 3
MOST_OUTLINES_COUNT = 600
"""A window with more is full of specks, and no writing."""
WINDOW_LETTERS_COUNT, LETTERS_COUNT = 40, 1500
"""At most so many letters of a window and of the page are paired."""
LEAST_CORNERS_COUNT = 6
LEAST_HEIGHT_PX = 8
"""A smaller mark is a dot."""
LEAST_WIDTH, LEAST_HEIGHT, MOST_SIDE = 0.4, 0.5, 3.0
"""Of a letter, over the height of the text."""
PATCH_SIDE_PX, PATCH_DEVIATIONS = 16, 2.1
"""Shapes are compared in patches this large, drawn so that they reach so many standard deviations
of the letter's pixels to each side."""
PATCH_LEVELS_FRACTION = 0.03
"""Of a patch's pixels, left out at both ends: the rest spans its levels."""
NEIGHBOURS_COUNT = 6
"""A letter is paired with so many at most that are most alike."""
MOST_DIFFERENCE = 0.17
"""Root mean square of two patches' difference, over their contrast: more is another letter."""
LEAST_PAIRS_COUNT = 60
FITS_COUNT = 8
OUTLIER_DEVIATIONS = 2.0
"""Pairs so far from the surface count half (Cauchy's weights)."""
LEAST_SCATTER = 0.002
STEADY_FRACTION = 0.01
"""Drift and its error together: no more on 70 of 128 real scans, on 5 of 111 photographs (of books
on a stand), and on 5 of 47 photographs straightened by their corners."""
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


@dataclass(frozen=True, slots=True)
class _Letters:
    """Letters of one page."""

    patches: Singles
    """(N, pixels) their shapes, 0 to 1."""
    sizes: Floats
    """(N, 2) logarithms of their standard deviations across and down."""
    places: Floats
    """(N, 2) -1 to 1 along the page's longer side."""


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
    letters = _letters(page)
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


def _letters(page: Page) -> _Letters | None:
    text_height = page.derive(ink).text_height_px
    if text_height is None:
        return None
    scale = max(s for s in LUMA_SCALES if s == 1 or text_height >= s * LEAST_TEXT_HEIGHT_PX)
    zoom = 2 if text_height < scale * FINE_TEXT_HEIGHT_PX else 1
    found: list[tuple[Singles, Point, Point]] = []
    for left, top, window in _windows(page, scale, text_height / scale):
        for patch, size, (x, y) in _letters_of(window, zoom, text_height / scale):
            found.append((patch, size, (left + x, top + y)))
    found = found[:: -(-len(found) // LETTERS_COUNT) or 1]
    if not found:
        return None
    patches, sizes, places = (np.array(part) for part in zip(*found, strict=True))
    frame = np.array([page.width_px, page.height_px]) / scale
    return _Letters(_even(patches), np.log(sizes), (2 * places - frame) / frame.max())


def _windows(page: Page, scale: int, text_height: float) -> Iterator[tuple[int, int, Pixels]]:
    """Left and top of the inkiest window of each zone, and its brightness."""
    luma, own = page.luma(scale), page.derive(ink).scale
    unit = max(BLOCK_PX * own // scale, 1)
    side = int(np.clip(WINDOW_TEXT_HEIGHTS * text_height, *WINDOW_PX)) // unit * unit
    density = ink_density(page, max(side * scale // own // BLOCK_PX, 1) * BLOCK_PX)
    for top, bottom in _zones(density.shape[0]):
        for left, right in _zones(density.shape[1]):
            zone = density[top:bottom, left:right]
            row, column = divmod(int(zone.argmax()), right - left)
            x, y = (left + column) * side, (top + row) * side
            if zone.max() > 0:
                yield x, y, luma[y : y + side, x : x + side]


def _zones(length: int) -> Iterator[tuple[int, int]]:
    count = min(length, ZONES_COUNT)
    return itertools.pairwise(zone * length // count for zone in range(count + 1))


def _letters_of(
    window: Pixels, zoom: int, text_height: float
) -> Iterator[tuple[Singles, Point, Point]]:
    """Patch, standard deviations and centre of each letter that lies whole in the window."""
    if zoom > 1:
        size = (zoom * window.shape[1], zoom * window.shape[0])
        window = np.asarray(cv2.resize(window, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    level, _ = cv2.threshold(window[::SAMPLE_ROWS], 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dark = np.asarray(cv2.threshold(window, level, 255, cv2.THRESH_BINARY_INV)[1], np.uint8)
    outlines, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if len(outlines) > MOST_OUTLINES_COUNT:
        return
    letters = (each for each in outlines if _is_letter(each, dark, zoom * text_height))
    for outline in itertools.islice(letters, WINDOW_LETTERS_COUNT):
        patch, size, (x, y) = _patch(window, cv2.moments(outline))
        yield patch, size, (x / zoom, y / zoom)


def _is_letter(outline: npt.NDArray[Any], dark: Pixels, text_height: float) -> bool:
    if len(outline) < LEAST_CORNERS_COUNT:  # most marks are specks
        return False
    x, y, width, height = cv2.boundingRect(outline)
    bottom, right = dark.shape
    low, high = max(LEAST_HEIGHT * text_height, LEAST_HEIGHT_PX), MOST_SIDE * text_height
    if not (low <= height <= high and LEAST_WIDTH * text_height <= width <= high):
        return False
    if x == 0 or y == 0 or x + width == right or y + height == bottom:
        return False
    if cv2.contourArea(outline) < LEAST_AREA_PX:
        return False
    inked = cv2.countNonZero(dark[y : y + height, x : x + width])
    return inked <= MOST_EXTENT * width * height


def _patch(window: Pixels, moments: Mapping[str, float]) -> tuple[Singles, Point, Point]:
    area = moments["m00"]
    x, y = moments["m10"] / area, moments["m01"] / area
    # A pixel has a variance of its own, of a twelfth.
    across, down = (math.sqrt(moments[key] / area + 1 / 12) for key in ("mu20", "mu02"))
    step_x, step_y = (2 * PATCH_DEVIATIONS / PATCH_SIDE_PX * each for each in (across, down))
    middle = (PATCH_SIDE_PX - 1) / 2
    from_patch = np.array([[step_x, 0, x - middle * step_x], [0, step_y, y - middle * step_y]])
    patch = cv2.warpAffine(
        window,
        from_patch,
        (PATCH_SIDE_PX, PATCH_SIDE_PX),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(patch.ravel(), np.float32), (across, down), (x, y)


def _even(patches: Singles) -> Singles:
    """The same with levels from about 0 to 1."""
    ordered = np.sort(patches, axis=1)
    end = int(PATCH_LEVELS_FRACTION * patches.shape[1])
    low, high = ordered[:, end, None], ordered[:, -end - 1, None]
    return np.asarray((patches - low) / np.maximum(high - low, 1.0), np.float32)


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
