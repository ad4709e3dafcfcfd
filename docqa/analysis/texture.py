"""Pixel-scale texture of a page: noise of paper, levels of ink, screen grid.

Windows of the full-resolution luma are looked at, spread evenly over the page: the traces of a
sensor or of a display die in any downscaled view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.histograms import histogram, masked_histogram
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
    windows = _windows(page)
    counts = histogram(windows.reshape(-1, windows.shape[2])[::SAMPLE_ROWS])
    total, dark = float(counts.sum()), counts[: INK_LEVEL + 1]
    extreme = counts[:3].sum() + counts[253:].sum()
    return Texture(
        paper_noise_levels=_paper_noise(windows),
        ink_mode_fraction=float(dark.max() / dark.sum()) if dark.sum() > total * 1e-3 else 0.0,
        bilevel_fraction=float(extreme / total),
    )


def grid_peak_ratio(page: Page) -> float:
    """Strongest periodic peak over the median of its ring of the spectrum: high on a display.

    The mean log spectrum of all windows, whitened by ring: text moves, a grid stays in place.
    Raises CannotAssess on pages under 32 px.
    """
    windows = _windows(page)
    side = min(windows.shape[1:])
    half = side // 2 + 1  # the other half of the spectrum mirrors it
    hann = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    mean: npt.NDArray[np.float32] = np.zeros((side, half), np.float32)
    for window in windows:
        part = window[:side, :side].astype(np.float32)
        waves = cv2.dft((part - part.mean()) * hann, flags=cv2.DFT_COMPLEX_OUTPUT)[:, :half]
        mean += cv2.log(cv2.magnitude(waves[..., 0], waves[..., 1]) + np.float32(1))
    mean /= len(windows)
    fy, fx = np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij")
    frequency = np.hypot(fx, fy)
    band = (frequency > 1 / GRID_PERIOD_PX[1]) & (frequency < 1 / GRID_PERIOD_PX[0])
    ring = (frequency * side / 2).astype(int)
    times = np.full(mean.shape, 2.0)
    times[:, [0, -1]] = 1.0
    sums = np.bincount(ring.ravel(), (mean * times).ravel())
    level = (sums / np.maximum(np.bincount(ring.ravel(), times.ravel()), 1))[ring]
    excess = np.where(band, mean - level, 0.0)
    both = np.concatenate([excess.ravel(), excess[:, 1:-1].ravel()])
    return float(np.exp(min(float(np.partition(both, -4)[-4]), 10.0)))


def _windows(page: Page) -> Pixels:
    """(windows, H, W) squares of the luma, H and W even, side by side on small pages."""
    luma = page.luma()
    height, width = luma.shape
    if min(height, width) < MIN_SIDE_PX:
        raise CannotAssess(f"the page is under {MIN_SIDE_PX} px wide or high")
    tall, wide = min(WINDOW_PX, height) & ~1, min(WINDOW_PX, width) & ~1
    tops, lefts = (
        np.unique(np.linspace(0.04 * room, 0.96 * room, GRID_WINDOWS).astype(int))
        for room in (height - tall, width - wide)
    )
    return np.stack([luma[y : y + tall, x : x + wide] for y in tops for x in lefts])


def _paper_noise(windows: Pixels) -> float:
    """Robust spread of the difference between neighbours two apart, on bright smooth pixels."""
    spreads = []
    for window in windows:
        rows = window[::SAMPLE_ROWS]
        step = cv2.absdiff(rows[:, 2:], rows[:, :-2])
        paper = cv2.inRange(rows[:, 1:-1], np.array(INK_LEVEL + 1), np.array(BRIGHTEST_LEVEL))
        if cv2.countNonZero(paper) > LEAST_PAPER_FRACTION * paper.size:
            spreads.append(_median_level(cast("Pixels", step), cast("Pixels", paper)))
    return 1.4826 * float(np.median(spreads)) / 2**0.5 if spreads else 0.0


def _median_level(levels: Pixels, mask: Pixels) -> float:
    below = masked_histogram(levels, mask).cumsum()
    return float(np.searchsorted(below, below[-1] / 2))
