"""The pixel grid of a display, seen in a photograph of a screen.

What a display shows as white is made of lit stripes; blank paper is made of nothing. So only tiles
without writing are looked at, at full resolution, for a wave that repeats: one sharp peak in the
spectrum, at nearly the same frequency in several tiles. Print and tables lie on other tiles, a
card's guilloche bends (its energy is spread over many frequencies), and noise has no peak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Page, Pixels, Region

Spectrum = npt.NDArray[np.float32]

TILE_PX = 128
COARSE_SCALE = 4
"""Blank tiles are chosen where a grid of few pixels has been averaged away."""
MOST_TILES = 10
LEAST_TILES = 3
BLANK_SPREAD_LEVELS = 10.0
"""Standard deviation of a blank tile at the coarse scale: writing has more."""
BLANK_LEVELS = (60.0, 252.5)
"""Below: too dark to be a lit display; above: clipped, nothing can be seen."""
BRIGHT_SHARE = 0.75
"""Of the 75th percentile over the tiles: what is darker is a table or a frame."""
LEAST_FREQUENCY = 0.16
"""Cycles per pixel: rules and lines of writing repeat more slowly."""
MOST_FREQUENCY = 0.72
JPEG_BLOCK_PX = 8
"""The edges of JPEG blocks repeat too: their harmonics are left out."""
AXIS_BINS = 1.6
FLATTENING_PX = 17
SURROUNDINGS_BINS = 13
LEAST_AMPLITUDE_LEVELS = 0.25
"""A weaker wave is rounding."""
PEAK_RATIO = 14.0
"""A peak is a wave when it is this many times the mean of its surroundings in the spectrum."""
SAME_FREQUENCY = 0.03
"""Cycles per pixel: perspective changes the frequency this little between tiles."""


@dataclass(frozen=True, slots=True)
class Moire:
    """A repeating fine pattern on blank areas; lower is better, 0.0 on paper."""

    strength_ratio: float
    """0 or 14 to about 60: peak of the spectrum over its surroundings, median of the tiles that
    repeat alike; 0.0 where fewer than three do, and where too little of the page is blank."""
    area_fraction: float
    """0 to 1: share of the blank tiles looked at that repeat alike."""
    regions: tuple[Region, ...]
    """The tiles that repeat alike, of kind ``moire``."""


@dataclass(frozen=True, slots=True)
class _Wave:
    ratio: float
    x: float
    y: float
    """Cycles per pixel."""


def measure(page: Page) -> Moire:
    """Look for a display's grid. Always answers; a page without blank tiles has none."""
    luma = page.luma()
    corners = _blank_tiles(page.luma(COARSE_SCALE), page.luma().shape)
    waves = [_wave(luma[y : y + TILE_PX, x : x + TILE_PX]) for x, y in corners]
    found = [(corner, wave) for corner, wave in zip(corners, waves, strict=True) if wave]
    alike = _alike([wave for _, wave in found])
    if len(alike) < LEAST_TILES:
        return Moire(0.0, 0.0, ())
    return Moire(
        strength_ratio=float(np.median([found[i][1].ratio for i in alike])),
        area_fraction=len(alike) / len(corners),
        regions=tuple(_region(*found[i][0]) for i in alike),
    )


def _blank_tiles(coarse: Pixels, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Left and top of the bright tiles with the least on them."""
    rows, columns, side = shape[0] // TILE_PX, shape[1] // TILE_PX, TILE_PX // COARSE_SCALE
    if rows * columns < LEAST_TILES:
        return []
    sums = cv2.integral2(coarse[: rows * side, : columns * side], sdepth=cv2.CV_32S)
    corners = (one[::side, ::side].astype(np.float64) for one in sums)
    level, square = (np.diff(np.diff(one, axis=0), axis=1).ravel() / side**2 for one in corners)
    spread = np.sqrt(np.maximum(square - level * level, 0))
    low = max(BLANK_LEVELS[0], BRIGHT_SHARE * float(np.percentile(level, 75)))
    blank = (level > low) & (level < BLANK_LEVELS[1]) & (spread < BLANK_SPREAD_LEVELS)
    order = [int(i) for i in np.argsort(spread, kind="stable") if blank[i]][:MOST_TILES]
    return [(i % columns * TILE_PX, i // columns * TILE_PX) for i in order]


def _band(x: Spectrum, y: Spectrum) -> npt.NDArray[np.bool_]:
    radius, width = np.hypot(x, y), AXIS_BINS / TILE_PX
    on_axis = (np.abs(x) < width) | (np.abs(y) < width)
    block_x, block_y = (np.abs(f * JPEG_BLOCK_PX - np.round(f * JPEG_BLOCK_PX)) for f in (x, y))
    of_blocks = (block_x < width * JPEG_BLOCK_PX) & (block_y < width * JPEG_BLOCK_PX)
    allowed = (radius >= LEAST_FREQUENCY) & (radius <= MOST_FREQUENCY) & ~(on_axis & of_blocks)
    return np.asarray(allowed, np.bool_)


_X = np.fft.rfftfreq(TILE_PX).astype(np.float32)[None, :]
_Y = np.fft.fftfreq(TILE_PX).astype(np.float32)[:, None]
_BAND = _band(_X, _Y)
_WINDOW = np.outer(np.hanning(TILE_PX), np.hanning(TILE_PX)).astype(np.float32)


def _wave(tile: Pixels) -> _Wave | None:
    """The strongest wave of a tile, if it stands out."""
    level = tile.astype(np.float32)
    level -= cv2.blur(level, (FLATTENING_PX, FLATTENING_PX))
    spectrum = cv2.dft(level * _WINDOW, flags=cv2.DFT_COMPLEX_OUTPUT)[:, : TILE_PX // 2 + 1]
    size = cast("Spectrum", cv2.magnitude(spectrum[..., 0], spectrum[..., 1]))
    around = cv2.blur(size, (SURROUNDINGS_BINS, SURROUNDINGS_BINS))
    ratio = np.where(
        _BAND, size / np.maximum(around, 0.5 * float(np.median(size[::4, ::4])) + 1e-3), 0
    )
    row, column = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    amplitude = 8.0 * float(size[row, column]) / TILE_PX**2  # the window passes a quarter
    if ratio[row, column] < PEAK_RATIO or amplitude < LEAST_AMPLITUDE_LEVELS:
        return None
    return _Wave(float(ratio[row, column]), float(_X[0, column]), float(_Y[row, 0]))


def _alike(waves: list[_Wave]) -> list[int]:
    """Indices of the largest group of waves around one frequency; x and -x are the same wave."""
    if not waves:
        return []
    at = np.array([(wave.x, wave.y) for wave in waves])
    apart = np.minimum(
        np.abs(at[:, None] - at[None]).max(axis=2), np.abs(at[:, None] + at[None]).max(axis=2)
    )
    near = apart < SAME_FREQUENCY
    return [int(i) for i in np.flatnonzero(near[int(np.argmax(near.sum(axis=1)))])]


def _region(x: int, y: int) -> Region:
    corners = ((0, 0), (TILE_PX, 0), (TILE_PX, TILE_PX), (0, TILE_PX))
    return Region("moire", tuple((float(x + across), float(y + down)) for across, down in corners))
