"""Pixel-scale texture of a page: noise of paper and ink, edge steepness, screen grid.

Sixteen windows of the full-resolution luma are looked at, spread evenly over the page: the traces
of a sensor, of a resampling or of a display die in any downscaled view.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.errors import CannotAssess
from docqa.page import Page, Pixels

Spectrum = npt.NDArray[np.float32]

MIN_SIDE_PX = 32
GRID_WINDOWS = 4
WINDOW_PX = 192
INK_LEVEL = 110
"""At or below this a pixel counts as ink where its surroundings are bright."""
MIDDLE_LEVELS = (8, 247)
"""Levels that are neither clipped nor next to it."""
GRID_PERIOD_PX = (2.2, 9.0)
"""Periods of a display's pixel grid, or of its beat with the sensor, in an uncropped photo."""


@dataclass(frozen=True, slots=True)
class Texture:
    """Pixel-scale statistics of one page."""

    paper_noise_levels: float
    """Standard deviation of fine noise on paper that is not clipped; 0 where all is clipped."""
    ink_mode_fraction: float
    """Share of the dark pixels that lie on the most common dark level: near 1 in a drawn page."""
    repeat_fraction: float
    """Share of middle-level pixels that equal their right neighbour: sensors rarely repeat."""
    edge_ratio: float
    """Gradient energy at full size over that at half size: high is crisp (or noisy)."""
    bilevel_fraction: float
    """Share of pixels within 2 levels of black or white."""
    used_levels_fraction: float
    """Share of the 256 levels that hold at least 1 in 20000 of the pixels."""
    grid_peak_ratio: float
    """Strongest periodic peak over the median of its ring of the spectrum: high on a display."""


def texture(page: Page) -> Texture:
    """Measure the texture. Raises CannotAssess on pages under 32 px."""
    if min(page.width_px, page.height_px) < MIN_SIDE_PX:
        raise CannotAssess(f"the page is under {MIN_SIDE_PX} px wide or high")
    windows = _windows(page.luma())
    counts = np.bincount(np.concatenate([w.ravel() for w in windows]), minlength=256)
    total = int(counts.sum())
    dark = counts[: INK_LEVEL + 1]
    extreme = counts[:3].sum() + counts[253:].sum()
    return Texture(
        paper_noise_levels=_paper_noise(windows),
        ink_mode_fraction=float(dark.max() / dark.sum()) if dark.sum() > total * 1e-3 else 0.0,
        repeat_fraction=_repeats(windows),
        edge_ratio=_edge_ratio(windows),
        bilevel_fraction=float(extreme / total),
        used_levels_fraction=float(np.mean(counts * 20000 >= total)),
        grid_peak_ratio=_grid_peak(windows),
    )


def _windows(luma: Pixels) -> list[Pixels]:
    height, width = luma.shape
    tall, wide = min(WINDOW_PX, height) & ~1, min(WINDOW_PX, width) & ~1
    tops = np.unique(
        np.linspace(0.04 * (height - tall), 0.96 * (height - tall), GRID_WINDOWS).astype(int)
    )
    lefts = np.unique(
        np.linspace(0.04 * (width - wide), 0.96 * (width - wide), GRID_WINDOWS).astype(int)
    )
    return [
        np.ascontiguousarray(luma[top : top + tall, left : left + wide])
        for top in tops
        for left in lefts
    ]


def _paper_noise(windows: list[Pixels]) -> float:
    """Robust spread of the difference between neighbours two apart, on bright smooth pixels."""
    spreads = []
    for window in windows:
        level = window.astype(np.int16)
        step = np.abs(level[:, 2:] - level[:, :-2])
        middle = level[:, 1:-1]
        paper = (middle > INK_LEVEL) & (middle <= MIDDLE_LEVELS[1])
        if paper.mean() > 0.3:
            spreads.append(float(np.median(step[paper])))
    return 1.4826 * float(np.median(spreads)) / 2**0.5 if spreads else 0.0


def _repeats(windows: list[Pixels]) -> float:
    low, high = MIDDLE_LEVELS
    equal = middle = 0
    for window in windows:
        inner = (window[:, :-1] >= low) & (window[:, :-1] <= high)
        middle += int(inner.sum())
        equal += int((inner & (window[:, :-1] == window[:, 1:])).sum())
    return equal / middle if middle else 1.0


def _edge_ratio(windows: list[Pixels]) -> float:
    fine = coarse = 1e-3
    for window in windows:
        half = cv2.resize(window, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for picture, is_fine in ((window, True), (half, False)):
            energy = (
                cv2.norm(picture[:, 1:], picture[:, :-1], cv2.NORM_L2SQR)
                + cv2.norm(picture[1:], picture[:-1], cv2.NORM_L2SQR)
            ) / picture.size
            if is_fine:
                fine += energy
            else:
                coarse += energy
    return fine / coarse


def _grid_peak(windows: list[Pixels]) -> float:
    """Mean log spectrum of all windows, whitened by ring; text moves, a grid stays in place."""
    side = min(min(w.shape) for w in windows)
    hann = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    mean: Spectrum = np.zeros((side, side), np.float32)
    for window in windows:
        part = window[:side, :side].astype(np.float32)
        waves = cv2.dft((part - part.mean()) * hann, flags=cv2.DFT_COMPLEX_OUTPUT)
        mean += np.log1p(cv2.magnitude(waves[..., 0], waves[..., 1]))
    mean /= len(windows)
    fy, fx = np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side), indexing="ij")
    frequency = np.hypot(fx, fy)
    band = (frequency > 1 / GRID_PERIOD_PX[1]) & (frequency < 1 / GRID_PERIOD_PX[0])
    ring = (frequency * side / 2).astype(int)
    sums = np.bincount(ring.ravel(), mean.ravel())
    level = (sums / np.maximum(np.bincount(ring.ravel()), 1))[ring]
    excess = np.where(band, mean - level, 0.0)
    return float(np.exp(min(float(np.sort(excess.ravel())[-4]), 10.0)))
