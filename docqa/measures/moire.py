"""The pixel grid of a display, seen in a photograph of a screen.

What a display shows as white is made of lit stripes; blank paper is made of nothing. So only tiles
without writing are looked at, at full resolution, for a wave that repeats: one sharp peak in the
spectrum, at nearly the same frequency in several tiles. Print and tables lie on other tiles, a
card's guilloche bends (its energy is spread over many frequencies) or its lines run askew, where
the rows and columns of a display do not, and noise has no peak.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.blank_tiles import TILE_PX, blank_tiles
from docqa.analysis.ranks import median
from docqa.analysis.spectrum import Spectrum, magnitudes
from docqa.page import Page, Pixels, Region

LEAST_TILES = 3
CLEAR_TILES = 5
"""Where none of so many has a wave the others are not looked at."""
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
_AMPLITUDE_LEVELS = 8.0 / TILE_PX**2
"""Of a wave, by its peak: the window passes a quarter."""
PEAK_RATIO = 14.0
"""A peak is a wave when it is this many times the mean of its surroundings in the spectrum."""
UPRIGHT_DEG, DIAGONAL_DEG = 12.0, 33.0
"""From an axis of the picture: a display's rows and columns lie within the first, their crossings
beyond the second."""
MOST_ASKEW_SHARE = 0.3
"""Of the strongest wave, what is as strong between: in tiles of displays up to 0.13, of printed
grounds of straight lines 0.4 and more. What was photographed further askew is rejected for that."""
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
    corners = blank_tiles(page)
    found: list[tuple[tuple[int, int], _Wave]] = []
    for number, (x, y) in enumerate(corners):
        if number == CLEAR_TILES and not found:
            break
        wave = _wave(luma[y : y + TILE_PX, x : x + TILE_PX])
        if wave is not None:
            found.append(((x, y), wave))
    alike = _alike([wave for _, wave in found])
    if len(alike) < LEAST_TILES:
        return Moire(0.0, 0.0, ())
    return Moire(
        strength_ratio=float(np.median([found[i][1].ratio for i in alike])),
        area_fraction=len(alike) / len(corners),
        regions=tuple(_region(*found[i][0]) for i in alike),
    )


def _band(x: Spectrum, y: Spectrum) -> npt.NDArray[np.bool_]:
    radius, width = np.hypot(x, y), AXIS_BINS / TILE_PX
    on_axis = (np.abs(x) < width) | (np.abs(y) < width)
    block_x, block_y = (np.abs(f * JPEG_BLOCK_PX - np.round(f * JPEG_BLOCK_PX)) for f in (x, y))
    of_blocks = (block_x < width * JPEG_BLOCK_PX) & (block_y < width * JPEG_BLOCK_PX)
    allowed = (radius >= LEAST_FREQUENCY) & (radius <= MOST_FREQUENCY) & ~(on_axis & of_blocks)
    return np.asarray(allowed, np.bool_)


_X = np.fft.rfftfreq(TILE_PX).astype(np.float32)[None, :]
_Y = np.fft.fftfreq(TILE_PX).astype(np.float32)[:, None]
_BAND = _band(_X, _Y).astype(np.uint8)
_OFF_AXIS_DEG = np.degrees(np.arctan2(np.minimum(abs(_X), abs(_Y)), np.maximum(abs(_X), abs(_Y))))
_UPRIGHT = _BAND * (_OFF_AXIS_DEG <= UPRIGHT_DEG)
_ASKEW = _BAND * ((_OFF_AXIS_DEG > UPRIGHT_DEG) & (_OFF_AXIS_DEG < DIAGONAL_DEG))
_WINDOW = np.outer(np.hanning(TILE_PX), np.hanning(TILE_PX)).astype(np.float32)


def _wave(tile: Pixels) -> _Wave | None:
    """The strongest wave of a tile, if it stands out."""
    level = tile.astype(np.float32)
    level -= cv2.blur(level, (FLATTENING_PX, FLATTENING_PX))
    level *= _WINDOW
    size = magnitudes(level)
    least = 0.5 * median(size[::4, ::4]) + 1e-3
    weakest = max(LEAST_AMPLITUDE_LEVELS / _AMPLITUDE_LEVELS, PEAK_RATIO * least)
    if cv2.minMaxLoc(size, _BAND)[1] < weakest:  # noise, or nothing
        return None
    around = cv2.blur(size, (SURROUNDINGS_BINS, SURROUNDINGS_BINS))
    ratio = cv2.divide(size, np.maximum(around, least))
    _, most, _, (column, row) = cv2.minMaxLoc(ratio, _BAND)
    amplitude = _AMPLITUDE_LEVELS * float(size[row, column])
    if most < PEAK_RATIO or amplitude < LEAST_AMPLITUDE_LEVELS:
        return None
    upright, askew = (cv2.minMaxLoc(size, place)[1] for place in (_UPRIGHT, _ASKEW))
    if askew > MOST_ASKEW_SHARE * upright:
        return None
    return _Wave(float(most), float(_X[0, column]), float(_Y[row, 0]))


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
