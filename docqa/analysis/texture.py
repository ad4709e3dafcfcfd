"""Pixel-scale texture of a page: noise of paper, levels of ink, screen grid.

Windows of the full-resolution luma are looked at, spread evenly over the page: the traces of a
sensor or of a display die in any downscaled view.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.histograms import histogram, masked_histogram
from docqa.analysis.spectrum import Spectrum, magnitudes
from docqa.errors import CannotAssess
from docqa.page import Page, Pixels

MIN_SIDE_PX = 32
GRID_WINDOWS = 4
WINDOW_PX = 192
INK_LEVEL = 110
"""At or below this a pixel counts as ink where its surroundings are bright."""
BRIGHTEST_LEVEL = 247
"""Paper above it is clipped or next to it, and shows no noise."""
LEAST_PAPER_FRACTION = 0.3
SAMPLE_ROWS = 3
"""One row of a window in so many is counted: neighbours say the same."""
CLEAR_PEAK_RATIO = 16.0
"""Nine photographs in ten stay under it. Of 386 real pages 314 do so in a diagonal's windows, and
none of these has over 21 in all windows."""
GRID_PERIOD_PX = (2.2, 9.0)
"""Periods of a display's pixel grid, or of its beat with the sensor, in an uncropped photo."""


@dataclass(frozen=True, slots=True)
class Texture:
    """Pixel-scale statistics of one page."""

    paper_noise_levels: float
    """Standard deviation of fine noise on paper that is not clipped; 0 where all is clipped."""
    ink_mode_fraction: float
    """Share of the dark pixels that lie on the most common dark level: near 1 in a drawn page."""
    bilevel_fraction: float
    """Share of pixels within 2 levels of black or white."""


def texture(page: Page) -> Texture:
    """Measure the texture. Raises CannotAssess on pages under 32 px."""
    rows = _windows(page, SAMPLE_ROWS)
    counts = histogram(rows.reshape(-1, rows.shape[2]))
    total, dark = float(counts.sum()), counts[: INK_LEVEL + 1]
    extreme = counts[:3].sum() + counts[253:].sum()
    return Texture(
        paper_noise_levels=_paper_noise(rows),
        ink_mode_fraction=float(dark.max() / dark.sum()) if dark.sum() > total * 1e-3 else 0.0,
        bilevel_fraction=float(extreme / total),
    )


def grid_peak_ratio(page: Page) -> float:
    """Strongest periodic peak over the mean of its ring of the spectrum: high on a display.

    The mean log spectrum of windows, whitened by ring: text moves, a grid stays in place. Fewer
    windows leave higher peaks, so where those of a diagonal show none the others are not looked at.
    Raises CannotAssess on pages under 32 px.
    """
    windows = _windows(page)
    if len(windows) == GRID_WINDOWS**2:
        few = _peak_ratio(windows[:: GRID_WINDOWS + 1])
        if few < CLEAR_PEAK_RATIO:
            return few
    return _peak_ratio(windows)


def _peak_ratio(windows: Pixels) -> float:
    side = min(windows.shape[1:])
    ring, is_in_band = _rings(side)
    mean = np.mean([_log_spectrum(window[:side, :side]) for window in windows], axis=0)
    level = np.bincount(ring, mean) / np.maximum(np.bincount(ring), 1)
    excess = (mean - level[ring])[is_in_band]
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
def _rings(side: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Ring of each bin, and whether it is in the band of grids.

    Half of the plane: the other half mirrors it. The mean and the highest frequency are left out.
    """
    x, y = np.arange(1, side // 2) / side, np.fft.fftfreq(side)
    frequency = np.concatenate([np.hypot(x[None], y[:, None]).ravel(), x])
    band = (frequency > 1 / GRID_PERIOD_PX[1]) & (frequency < 1 / GRID_PERIOD_PX[0])
    return (frequency * side / 2).astype(np.intp), band


def _windows(page: Page, rows_step: int = 1) -> Pixels:
    """(windows, H, W) squares of the luma, H and W even, side by side on small pages.

    Only one row in ``rows_step`` is taken.
    """
    luma = page.luma()
    height, width = luma.shape
    if min(height, width) < MIN_SIDE_PX:
        raise CannotAssess(f"the page is under {MIN_SIDE_PX} px wide or high")
    tall, wide = min(WINDOW_PX, height) & ~1, min(WINDOW_PX, width) & ~1
    tops, lefts = (
        np.unique(np.linspace(0.04 * room, 0.96 * room, GRID_WINDOWS).astype(int))
        for room in (height - tall, width - wide)
    )
    return np.stack([luma[y : y + tall : rows_step, x : x + wide] for y in tops for x in lefts])


def _paper_noise(windows: Pixels) -> float:
    """Robust spread of the difference between neighbours two apart, on bright smooth pixels."""
    rows = windows.reshape(-1, windows.shape[2])
    step = cv2.absdiff(rows[:, 2:], rows[:, :-2])
    bright = cv2.inRange(rows[:, 1:-1], np.array(INK_LEVEL + 1), np.array(BRIGHTEST_LEVEL))
    of_window = (len(windows), 1, -1)
    steps, papers = (np.asarray(one, np.uint8).reshape(of_window) for one in (step, bright))
    spreads = [
        _median_level(step, paper)
        for step, paper in zip(steps, papers, strict=True)
        if cv2.countNonZero(paper) > LEAST_PAPER_FRACTION * paper.size
    ]
    return 1.4826 * float(np.median(spreads)) / 2**0.5 if spreads else 0.0


def _median_level(levels: Pixels, mask: Pixels) -> float:
    below = masked_histogram(levels, mask).cumsum()
    return float(np.searchsorted(below, below[-1] / 2))
