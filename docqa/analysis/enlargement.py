"""Whether software enlarged the page, and how many times.

Interpolation makes pixels that depend on their neighbours in a pattern which repeats once per
original pixel. In the spectrum a row's components at two frequencies that add up to 1 / factor are
then copies of one another, whatever is written in it; in a scan, soft or sharp, they have nothing
to do with each other. Their coherence over many rows (0 to 1) tells the two apart, so that
blur, noise and compression alone make no enlargement. The periodicity: Gallagher, "Detection of
linear and cubic interpolation in JPEG compressed images" (2005).
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Page, Pixels

TILE_PX = 240
"""A multiple of every factor's period, and of the 8 pixels of a JPEG block."""
TILES_COUNT = 8
FIRST_ROW_STEP, ROW_STEP = 16, 4
"""One row in so many is looked at: few at first, which is enough to see that nothing repeats."""
SUSPECT_FRACTION = 0.5
"""Of a factor's least coherence: on few rows, less is no sign of it."""
FACTORS = (1.5, 2.0, 2.5, 3.0, 4.0)
BLOCK_SHIFTS = (1 / 8, 3 / 8, 5 / 8)
"""JPEG's blocks also repeat; where they show at these, they show at 1/2 and 1/4 as well."""
BAND_FRACTION = 0.1
"""Width of the band of frequencies around the original's highest, in cycles per pixel."""
LEAST_COHERENCE = {1.5: 0.3, 2.0: 0.35, 2.5: 0.3, 3.0: 0.32, 4.0: 0.3}
BLOCK_RATIO = 1.5
"""Coherence at a factor is this many times that at the blocks' shifts."""
EMPTY_BAND_RATIO = 0.03
"""Energy beyond one period per original pixel, over that of the original's own detail. Cubic and
Lanczos interpolation leave under 0.02 and little to be coherent; real pages have 0.022 and more,
0.05 where they are coherent by chance. So half the coherence is enough, if over the blocks'."""
BAND_EDGE_CYCLES = 0.02
SAME_COHERENCE = 0.05
LEAST_ENERGY = 1e-3

Spectrum = npt.NDArray[np.complex64]
Measured = tuple[Spectrum, npt.NDArray[np.float32]]
"""(TILE_PX / 2 - 1, 2, n) of n rows and n columns by their frequencies from the lowest on, without
the mean and the highest one, and (TILE_PX / 2 - 1, 2) their energies."""


def upscaling_ratio(page: Page) -> float:
    """Pixels per pixel of detail: 1.0 where nothing says that the page was enlarged.

    One of ``FACTORS`` otherwise; the nearest-neighbour enlargement by 1.5 reads as 3. Needs a
    tile of 240 px with writing. Call it as ``page.derive(upscaling_ratio)``. Higher is worse.
    """
    tiles = _inkiest_tiles(page)
    if not tiles:
        return 1.0
    coherence = _coherences(_measured(tiles, FIRST_ROW_STEP))
    if all(found < SUSPECT_FRACTION * LEAST_COHERENCE[f] for f, found in coherence.items()):
        return 1.0
    measured = _measured(tiles, ROW_STEP)
    coherence = _coherences(measured)
    likely = _likely(measured, coherence)
    if not likely:
        return 1.0
    most = max(coherence[factor] for factor in likely)
    # An enlargement by 3 also repeats at the harmonic that is 1.5.
    return max(factor for factor in likely if coherence[factor] >= most - SAME_COHERENCE)


def _likely(measured: Measured, coherence: dict[float, float]) -> list[float]:
    """The factors whose pattern is there, and is not that of JPEG's blocks."""
    needed = {}
    for factor, least in LEAST_COHERENCE.items():
        if coherence[factor] >= SUSPECT_FRACTION * least and _is_empty(measured, factor):
            needed[factor] = 1.0
        elif coherence[factor] >= least:
            needed[factor] = BLOCK_RATIO
    if not needed:
        return []
    blocks = max(_coherence(measured, shift) for shift in BLOCK_SHIFTS)
    return [factor for factor, ratio in needed.items() if coherence[factor] >= ratio * blocks]


def _is_empty(measured: Measured, factor: float) -> bool:
    """Whether hardly anything lies beyond what the original's pixels could hold and its copies."""
    cycles = np.arange(1, TILE_PX // 2) / TILE_PX
    beyond = cycles > 1 / factor + BAND_EDGE_CYCLES
    own = (cycles > 1 / (4 * factor)) & (cycles < 1 / (2 * factor))
    if not beyond.any():
        return False
    energies = measured[1].mean(axis=1)
    return bool(energies[beyond].mean() < EMPTY_BAND_RATIO * energies[own].mean())


def _inkiest_tiles(page: Page) -> list[Pixels]:
    """Tiles on a fixed grid, so that every factor's pattern starts alike in each."""
    luma = page.luma()
    rows, columns = (side // TILE_PX for side in luma.shape)
    if not rows or not columns:
        return []
    coarse = page.luma(4)[: rows * TILE_PX // 4, : columns * TILE_PX // 4]
    step = cast("Pixels", cv2.morphologyEx(coarse, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)))
    side = TILE_PX // 4
    lines = step.reshape(rows, side, columns * side).sum(axis=1, dtype=np.uint16)
    sums = lines.reshape(rows, columns, side).sum(axis=2, dtype=np.uint32)
    ink = np.rint(sums / side**2)
    order = np.argsort(ink, axis=None, kind="stable")[::-1][:TILES_COUNT]
    places = (np.unravel_index(int(index), ink.shape) for index in order)
    tiles = []
    for row, column in places:
        top, left = int(row) * TILE_PX, int(column) * TILE_PX
        tiles.append(luma[top : top + TILE_PX, left : left + TILE_PX])
    return tiles


def _measured(tiles: list[Pixels], row_step: int) -> Measured:
    """Of the differences in one row and one column in ``row_step``, which whiten print.

    Less what a tile's rows share, or its columns: the rules of a level table cross them all at one
    place, and where those are periods apart they are as coherent as an enlargement.
    """
    across = [tile[::row_step] for tile in tiles]
    down = [cv2.transpose(tile[:, ::row_step]) for tile in tiles]
    lines = np.concatenate([*across, *down])
    steps = np.zeros(lines.shape, np.float32)
    cv2.subtract(lines[:, 1:], lines[:, :-1], dst=steps[:, :-1], dtype=cv2.CV_32F)
    by_tile = steps.reshape(2 * len(tiles), -1, TILE_PX)
    by_tile -= by_tile.mean(axis=1, keepdims=True)
    steps *= _WINDOW
    # Real and imaginary parts in turn, between the mean and the highest frequency.
    half = cv2.dft(steps, flags=cv2.DFT_ROWS)[:, 1:-1].view(np.complex64)
    spectrum = np.ascontiguousarray(half.T).reshape(half.shape[1], 2, -1)
    parts = spectrum.view(np.float32)
    return spectrum, np.einsum("fan,fan->fa", parts, parts)


def _coherences(measured: Measured) -> dict[float, float]:
    """By factor. Enlargement is along both axes; bar codes repeat along one."""
    return {factor: _coherence(measured, 1 / factor) for factor in FACTORS}


_WINDOW = np.hanning(TILE_PX).astype(np.float32)


def _coherence(measured: Measured, shift: float) -> float:
    """How alike components are whose frequencies add up to ``shift``, 0 to 1, by rows or columns.

    The products of all pairs have one phase, that of the grid, so they may be added up first.
    """
    total = round(shift * TILE_PX)
    first = total // 2 + 1
    last = min(first + int(BAND_FRACTION * TILE_PX), TILE_PX // 2 - 1, total - 5)
    if last <= first:
        return 0.0
    spectrum, energies = measured
    # The lowest frequency is at 0.
    highs, lows = slice(first - 1, last - 1), slice(total - last, total - first)
    products = (spectrum[highs] * spectrum[lows][::-1]).sum(axis=2)
    energy = np.sqrt(energies[highs] * energies[lows][::-1])
    mean = (products / (energy + LEAST_ENERGY)).sum(axis=0) / (last - first)
    return float(np.abs(mean).min())
