"""Pixel-scale texture of a page: levels, noise of paper, screen grid.

Windows of the full-resolution luma are looked at, spread evenly over the page: the traces of a
sensor or of a display die in any downscaled view.
"""

from __future__ import annotations

from functools import cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.histograms import histogram
from docqa.analysis.spectrum import Spectrum, magnitudes
from docqa.errors import CannotAssess
from docqa.page import Page, Pixels

Bins = npt.NDArray[np.intp]

MIN_SIDE_PX = 32
GRID_WINDOWS = 4
WINDOW_PLACES = tuple(np.linspace(0.04, 0.96, GRID_WINDOWS).tolist())
WINDOW_PX = 192
INK_LEVEL = 110
"""At or below this a pixel counts as ink where its surroundings are bright."""
BRIGHTEST_LEVEL = 247
"""Paper above it is clipped or next to it, and shows no noise."""
LEAST_PAPER_FRACTION = 0.3
LEAST_INK_FRACTION = 0.001
EXTREME_LEVELS = 2
TWO_LEVELS_FRACTION = 0.995
"""With so many pixels next to black or white the picture has two levels, whatever it could hold."""
SAMPLE_ROWS = 7
"""One row of a window in so many is counted: neighbours say the same. Odd, so that they
come from everywhere in the blocks of a JPEG."""
CLEAR_PEAK_RATIO = 16.0
"""Nine photographs in ten stay under it. Of 386 real pages 314 do so in a diagonal's windows, and
none of these has over 21 in all windows."""
GRID_PERIOD_PX = (2.2, 9.0)
"""Periods of a display's pixel grid, or of its beat with the sensor, in an uncropped photo."""


def bilevel_fraction(page: Page) -> float:
    """0 to 1: share of the pixels within ``EXTREME_LEVELS`` of black or white.

    Call it as ``page.derive(bilevel_fraction)``. Raises CannotAssess on pages under 32 px.
    """
    rows = page.derive(_sample)
    # Levels run round at 256: white lies next to black.
    from_white = np.add(rows.reshape(-1, rows.shape[2]), np.uint8(EXTREME_LEVELS + 1))
    limit = 2 * EXTREME_LEVELS + 1
    extreme = cv2.countNonZero(cv2.threshold(from_white, limit, 1, cv2.THRESH_BINARY_INV)[1])
    return extreme / rows.size


def is_two_level(page: Page) -> bool:
    """Whether the picture is black and white without shades. Raises CannotAssess under 32 px."""
    return (
        page.origin.colour_mode == "bilevel" or page.derive(bilevel_fraction) > TWO_LEVELS_FRACTION
    )


def ink_mode_fraction(page: Page) -> float:
    """0 to 1: share of the dark pixels on the most common dark level, near 1 in a drawn page.

    Raises CannotAssess on pages under 32 px.
    """
    rows = page.derive(_sample)
    dark = histogram(rows.reshape(-1, rows.shape[2]))[: INK_LEVEL + 1]
    return float(dark.max() / dark.sum()) if dark.sum() > LEAST_INK_FRACTION * rows.size else 0.0


def is_noiseless(page: Page) -> bool:
    """True where most of the paper that is not clipped, if any, is alike two pixels apart.

    Raises CannotAssess on pages under 32 px.
    """
    windows = page.derive(_sample)
    noisy = quiet = 0
    for rows in windows:
        paper = cv2.inRange(rows[:, 1:-1], np.array(INK_LEVEL + 1), np.array(BRIGHTEST_LEVEL))
        paper_count = cv2.countNonZero(paper)
        if paper_count <= LEAST_PAPER_FRACTION * paper.size:
            continue
        alike = cv2.bitwise_and(paper, cv2.compare(rows[:, 2:], rows[:, :-2], cv2.CMP_EQ))
        if 2 * cv2.countNonZero(alike) < paper_count:
            noisy += 1
            if 2 * noisy >= len(windows):
                return False
        else:
            quiet += 1
    return noisy < quiet or noisy == 0


def _sample(page: Page) -> Pixels:
    """(windows, H, W) one row in ``SAMPLE_ROWS`` of the windows."""
    return _windows(page, _places(page), SAMPLE_ROWS)


def grid_peak_ratio(page: Page) -> float:
    """Strongest periodic peak over the mean of its ring of the spectrum: high on a display.

    The mean log spectrum of windows, whitened by ring: text moves, a grid stays in place. Fewer
    windows leave higher peaks, so where those of a diagonal show none the others are not looked at.
    Raises CannotAssess on pages under 32 px.
    """
    places = _places(page)
    if len(places) == GRID_WINDOWS**2:
        few = _peak_ratio(_windows(page, places[:: GRID_WINDOWS + 1]))
        if few < CLEAR_PEAK_RATIO:
            return few
    return _peak_ratio(_windows(page, places))


def _peak_ratio(windows: Pixels) -> float:
    side = min(windows.shape[1:])
    ring, counts, band = _rings(side)
    mean = np.mean([_log_spectrum(window[:side, :side]) for window in windows], axis=0)
    level = np.bincount(ring, mean) / counts
    excess = mean[band] - level[ring[band]]
    second = float(np.partition(excess, -2)[-2])  # one bin may be chance
    return float(np.exp(min(second, 10.0)))


def _log_spectrum(window: Pixels) -> Spectrum:
    """(bins,) of ``_rings``, of an even square."""
    side = len(window)
    level = window.astype(np.float32)
    level -= level.mean()
    level *= _hann(side)
    size = magnitudes(level)
    half = np.concatenate([size[:, 1:-1].ravel(), size[1 : side // 2, 0]])
    return cast("Spectrum", cv2.log(half + np.float32(1)).ravel())


@cache
def _hann(side: int) -> Spectrum:
    one = np.hanning(side)
    return np.outer(one, one).astype(np.float32)


@cache
def _rings(side: int) -> tuple[Bins, Bins, Bins]:
    """Ring of each bin, how many bins each ring has (at least 1), and the bins in the band of
    grids.

    Half of the plane: the other half mirrors it. The mean and the highest frequency are left out.
    """
    x, y = np.arange(1, side // 2) / side, np.fft.fftfreq(side)
    frequency = np.concatenate([np.hypot(x[None], y[:, None]).ravel(), x])
    band = (frequency > 1 / GRID_PERIOD_PX[1]) & (frequency < 1 / GRID_PERIOD_PX[0])
    ring = (frequency * side / 2).astype(np.intp)
    return ring, np.maximum(np.bincount(ring), 1), np.flatnonzero(band)


def _places(page: Page) -> list[tuple[slice, slice]]:
    """Rows and columns of the windows, even numbers of them, side by side on small pages."""
    height, width = page.height_px, page.width_px
    if min(height, width) < MIN_SIDE_PX:
        raise CannotAssess(f"the page is under {MIN_SIDE_PX} px wide or high")
    tall, wide = min(WINDOW_PX, height) & ~1, min(WINDOW_PX, width) & ~1
    tops, lefts = (
        dict.fromkeys(int(room * share) for share in WINDOW_PLACES)
        for room in (height - tall, width - wide)
    )
    return [(slice(y, y + tall), slice(x, x + wide)) for y in tops for x in lefts]


def _windows(page: Page, places: list[tuple[slice, slice]], rows_step: int = 1) -> Pixels:
    """(windows, H, W) of the luma there; only one row in ``rows_step`` is taken."""
    luma = page.luma()
    return np.stack([luma[rows, columns][::rows_step] for rows, columns in places])
