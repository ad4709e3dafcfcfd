"""How much fine detail writing has left, by size and direction.

Gradients are taken in octaves, as 2x2 tensors, less what bare paper shows, which is noise. The
energy near ink falls towards fine octaves where blur took the detail, but also where there is
little beside large solid marks. The step tells them apart: the energy at an edge over that of the
same edge an octave coarser is near 1 for a sharp edge of anything and 1/4 for a smooth slope.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import Ink
from docqa.analysis.print_direction import print_direction
from docqa.analysis.text_tiles import TextTile, text_tiles
from docqa.page import Page, Pixels

Vector = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]

OCTAVES_COUNT = 5
ENLARGED_TILE_PX = 96
TILE_PX = 192
LEAST_HEIGHT_PX = 20.0
"""Tiles are taken at the coarsest scale at which letters are this high; lower ones are doubled."""
PIXELS_PER_HEIGHT = (20.0, 14.0, 10.0, 7.0, 5.0, 3.5)
"""Energy is read where this many pixels make the height of a letter, finest first; the step at
the first four."""
PIXELS_PER_STROKE = (4.0, 2.8, 2.0, 1.4, 1.0)
"""The step is read where this many pixels make the width of a stroke as well."""
STEPS_PER_HEIGHT_COUNT = 4
FEATURES_COUNT = 31
SOFTEST_FINE_STEPS, SHARPEST_FINE_STEPS = slice(20, 22), slice(25, 27)
"""Among the features: the two finest steps by stroke, along the softest direction and across."""
STROKE_TO_TEXT_HEIGHT_RATIO = 0.18
"""Of ordinary print. Blur fattens strokes before it raises letters: the smaller one is taken."""
NEAR_HEIGHT_RATIO = 0.5
BARE_HEIGHT_RATIO = 0.75
"""Of the letters: gradients nearer to ink than the first are its own, beyond the second is bare."""
LEAST_PIXELS = 12
SIDEWAYS_RATIO = 1.5
"""Lines that stand out so much more down the page than across it: it lies on its side."""
FAINTEST_ENERGY = 0.3
LEAST_ENERGY = 0.5
"""Writing with less energy at its own size is too faint to be judged."""
LEAST_STEP = 0.02
MOST_STEP = 4.0

_ANGLES_RAD = np.arange(8) * math.pi / 8
_HALF_TURN = len(_ANGLES_RAD) // 2
_ALONG = np.stack(
    [
        np.cos(_ANGLES_RAD) ** 2,
        2 * np.cos(_ANGLES_RAD) * np.sin(_ANGLES_RAD),
        np.sin(_ANGLES_RAD) ** 2,
    ]
)


@dataclass(frozen=True, slots=True)
class TextDetail:
    """Detail of one tile of writing, along 8 directions from 0 degrees in steps of 22.5."""

    tile: TextTile
    levels: Vector
    """(8, 15): logarithms of 6 energies at PIXELS_PER_HEIGHT, 0 being the mean of two directions
    at the coarsest; of 4 steps at PIXELS_PER_HEIGHT; of 5 steps at PIXELS_PER_STROKE. Blurred
    writing has less of each, in the finest most."""
    stroke_level: float
    """Logarithm of the stroke's width over the height of the letters."""


def features(levels: Vector, stroke_level: float) -> Vector:
    """(31,) along the direction that has lost most detail, across it, and the stroke's width."""
    lost = int(np.argmin(levels[:, 1:4].sum(axis=1) - 0.5 * levels[:, 4:6].sum(axis=1)))
    softest = int(np.argmin(levels[:, 10:].sum(axis=1)))
    across, sharpest = (lost + _HALF_TURN) % 8, (softest + _HALF_TURN) % 8
    return np.concatenate(
        [
            levels[lost, :6],
            levels[across, :6],
            levels[lost, 6:10],
            levels[across, 6:10],
            levels[softest, 10:],
            levels[sharpest, 10:],
            [stroke_level],
        ]
    )


def text_details(page: Page, found: Ink) -> tuple[TextDetail, ...]:
    """Detail of the inkiest tiles that hold writing; empty without text or where all is faint."""
    found = _set_upright(page, found)
    if found.text_height_px is None or found.stroke_width_px is None:
        return ()
    octave = math.floor(math.log2(found.text_height_px / LEAST_HEIGHT_PX))
    scale = 2 ** min(max(octave, 0), 2)
    enlarge = octave < 0
    tiles = text_tiles(page, scale, side_px=ENLARGED_TILE_PX if enlarge else TILE_PX)
    if not tiles or min(tiles[0].pixels.shape) < 2**OCTAVES_COUNT:
        return ()
    seen = _seen(_stacked(tiles, enlarge=enlarge), _near_and_bare(tiles, found))
    pixel_px = scale / 2 if enlarge else scale
    height = found.text_height_px / pixel_px
    stroke = stroke_px(found) / pixel_px
    level = math.log(stroke / height)
    found_levels = _levels(seen, _noise(seen), height, stroke)
    return tuple(
        TextDetail(tile, levels, level)
        for tile, levels in zip(tiles, found_levels, strict=True)
        if np.isfinite(levels).all()
    )


def _set_upright(page: Page, found: Ink) -> Ink:
    """With the height of the letters across the lines where the page lies on its side.

    Blur joins letters to words, whose length is no height.
    """
    lines = page.derive(print_direction) if found.text_height_px is not None else None
    if lines is None or lines.down_prominence < SIDEWAYS_RATIO * lines.across_prominence:
        return found
    widths, heights = found.boxes[:, 2], found.boxes[:, 3]
    order = np.argsort(widths, kind="stable")
    below = np.cumsum(heights[order])
    middle = float(widths[order[np.searchsorted(below, below[-1] / 2)]])
    return replace(found, text_height_px=middle * found.scale)


def stroke_px(found: Ink) -> float:
    """Width of a stroke in pixels of the page, at least 1; 1 without text."""
    if found.stroke_width_px is None or found.text_height_px is None:
        return 1.0
    return max(1.0, min(found.stroke_width_px, STROKE_TO_TEXT_HEIGHT_RATIO * found.text_height_px))


@dataclass(frozen=True, slots=True)
class _Seen:
    """Gradient tensors (xx, xy, yy) of n tiles in each octave."""

    near: Vector
    """(5, n, 3) mean near ink."""
    bare: Vector
    """(5, n, 3) mean over bare paper."""
    bare_count: Vector
    """(n,) pixels of bare paper."""
    fine: Vector
    """(4, n, 3, 3) tensors of each octave times those of the next at the same place."""
    coarse: Vector
    """(4, n, 3, 3) tensors of the next octave times themselves."""
    mass: Vector
    """(4, n, 3) sum of the tensors of the next octave."""


def _stacked(tiles: tuple[TextTile, ...], *, enlarge: bool) -> Image:
    """(n, H, W) pixels of the tiles, all of one size that halves evenly through the octaves."""
    least = 2**OCTAVES_COUNT
    factor = 2 if enlarge else 1
    height, width = (factor * side // least * least for side in tiles[0].pixels.shape)
    stack = np.empty((len(tiles), height, width), np.float32)
    for place, tile in zip(stack, tiles, strict=True):
        pixels = tile.pixels
        if enlarge:
            pixels = cast("Pixels", _doubled(pixels))
        place[:] = pixels[:height, :width]
    return stack


def _doubled(pixels: Pixels) -> Image:
    size = (2 * pixels.shape[1], 2 * pixels.shape[0])
    return cast("Image", cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_CUBIC))


def _near_and_bare(tiles: tuple[TextTile, ...], found: Ink) -> tuple[Pixels, Pixels]:
    """(n, h, w) 0 or 1 at the ink's scale: near ink, and on bare paper."""
    height = (found.text_height_px or 0.0) / found.scale

    def cut(share: float) -> Pixels:
        side = 2 * max(1, round(share * height)) + 1
        grown = cast("Pixels", cv2.dilate(found.mask, np.ones((side, side), np.uint8)))
        parts = []
        for tile in tiles:
            top, left = tile.top_px // found.scale, tile.left_px // found.scale
            rows, columns = (side * tile.scale // found.scale for side in tile.pixels.shape)
            parts.append(grown[top : top + rows, left : left + columns])
        return np.stack(parts)

    near, filled = cut(NEAR_HEIGHT_RATIO), cut(BARE_HEIGHT_RATIO)
    return np.asarray(near > 0, np.uint8), np.asarray(filled == 0, np.uint8)


def _seen(stack: Image, masks: tuple[Pixels, Pixels]) -> _Seen:
    """Tensors of (n, H, W) pixels; masks are (n, h, w) of 0 or 1 at the ink's scale."""
    count = len(stack)
    means = np.zeros((2, OCTAVES_COUNT, count, 3))
    fine, coarse = np.zeros((2, OCTAVES_COUNT - 1, count, 3, 3))
    mass = np.zeros((OCTAVES_COUNT - 1, count, 3))
    bare_count = masks[1].sum(axis=(1, 2), dtype=np.float64)
    # One tile at a time: the finest octave of all of them would not fit a processor's cache.
    halved = np.concatenate([_halved(_tensors(one)) for one in np.split(stack, count)], axis=1)
    for octave in range(OCTAVES_COUNT):
        if octave:
            stack = _halved(stack)
            tensors = _tensors(stack)
            flat = tensors.reshape(3, count, -1).transpose(1, 0, 2)
            finer = halved.reshape(3, count, -1).transpose(1, 0, 2)
            fine[octave - 1] = np.matmul(finer, flat.transpose(0, 2, 1))
            coarse[octave - 1] = np.matmul(flat, flat.transpose(0, 2, 1))
            mass[octave - 1] = flat.sum(axis=2)
            halved = _halved(tensors)
        for mean, mask in zip(means, masks, strict=True):
            where = _fitted(mask, halved.shape[2:])
            counts = np.maximum(where.sum(axis=1), 1)
            mean[octave] = np.einsum("knp,np->nk", halved.reshape(3, count, -1), where)
            mean[octave] /= counts[:, None]
    return _Seen(means[0], means[1], bare_count, fine, coarse, mass)


def _noise(seen: _Seen) -> Vector:
    """(5, 3) mean tensor of the page's bare paper; zeros where there is none."""
    paper = float(seen.bare_count.sum())
    if paper < LEAST_PIXELS:
        return np.zeros((OCTAVES_COUNT, 3))
    return np.asarray(np.einsum("ont,n->ot", seen.bare, seen.bare_count) / paper, np.float64)


def _tensors(stack: Image) -> Image:
    """(3, n, H, W) products xx, xy, yy of the gradients of (n, H, W) pixels."""
    x, y = np.zeros((2, *stack.shape), np.float32)
    np.subtract(stack[:, :, 2:], stack[:, :, :-2], out=x[:, :, 1:-1])
    np.subtract(stack[:, 2:], stack[:, :-2], out=y[:, 1:-1])
    products = np.empty((3, *stack.shape), np.float32)
    np.multiply(x, x, out=products[0])
    np.multiply(x, y, out=products[1])
    np.multiply(y, y, out=products[2])
    return products


def _fitted(masks: Pixels, shape: tuple[int, ...]) -> Image:
    """(n, H * W) of (n, h, w) masks at the size of an octave."""
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)
        for new, old in zip(shape, masks.shape[1:], strict=True)
    )
    fitted = masks.take(rows, axis=1).take(columns, axis=2)
    return np.asarray(fitted.reshape(len(masks), -1), np.float32)


def _halved(stack: Image) -> Image:
    """Means of 2x2 pixels of (..., H, W)."""
    *others, height, width = stack.shape
    size = (width // 2, math.prod(others) * height // 2)
    half = cv2.resize(stack.reshape(2 * size[1], width), size, interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.float32).reshape(*others, height // 2, width // 2)


def _levels(seen: _Seen, noise: Vector, height_px: float, stroke: float) -> Vector:
    """(n, 8, 15), see ``TextDetail.levels``; NaN where the writing of a tile is too faint."""
    at_heights = height_px / np.array(PIXELS_PER_HEIGHT)
    at_strokes = stroke / np.array(PIXELS_PER_STROKE)
    to_energy = _between(at_heights, OCTAVES_COUNT)
    to_step = _between(
        np.append(at_heights[:STEPS_PER_HEIGHT_COUNT], at_strokes), OCTAVES_COUNT - 1
    )
    energy = np.log(np.maximum((seen.near - noise[:, None]) @ _ALONG, FAINTEST_ENERGY))
    read = np.einsum("ro,ona->nar", to_energy, energy)
    level = np.logaddexp(read[:, 0, -1], read[:, _HALF_TURN, -1]) - math.log(2)
    clean = seen.fine - noise[:-1, None, :, None] * seen.mass[:, :, None, :]
    fine, coarse = (
        ((one.swapaxes(2, 3) @ _ALONG) * _ALONG).sum(axis=2) for one in (clean, seen.coarse)
    )
    step = np.log(np.clip(fine / np.maximum(coarse, 1e-6), LEAST_STEP, MOST_STEP))
    steps = np.einsum("ro,ona->nar", to_step, step)
    levels = np.concatenate([read - level[:, None, None], steps], axis=2)
    levels[level < math.log(LEAST_ENERGY)] = np.nan
    return levels


def _between(factors: Vector, count: int) -> Vector:
    """(n, count) weights that read an octave of 0 to ``count`` - 1 at log2 of each factor."""
    octaves = np.clip(np.log2(factors), 0, count - 1)
    weights = np.maximum(1 - np.abs(octaves[:, None] - np.arange(count)), 0.0)
    return np.asarray(weights, np.float64)
