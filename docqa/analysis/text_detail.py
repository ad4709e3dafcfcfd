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

from docqa.analysis.ink import Ink, ink, stroke_px
from docqa.analysis.print_direction import print_direction
from docqa.analysis.text_tiles import ZONES_COUNT, TextTile, text_tiles
from docqa.page import Page, Pixels

Vector = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]
Cells = npt.NDArray[np.uint8]
Seen = npt.NDArray[np.void]

OCTAVES_COUNT = 5
COARSEST_SCALE = 4
"""Larger writing is looked at no coarser."""
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
NEAR_HEIGHT_RATIO = 0.5
BARE_HEIGHT_RATIO = 0.75
"""Of the letters: gradients nearer to ink than the first are its own, beyond the second is bare."""
LEAST_PIXELS = 12
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
    tiles_count: int
    """Tiles of writing on the page, whether looked at or not."""


def features(levels: Vector, stroke_level: float) -> Vector:
    """(..., 31) of (..., 8, 15) levels: along the direction that has lost most detail, across it,
    and the stroke's width.
    """
    detail = levels[..., 1:4].sum(axis=-1) - 0.5 * levels[..., 4:6].sum(axis=-1)
    lost, softest = detail.argmin(axis=-1), levels[..., 10:].sum(axis=-1).argmin(axis=-1)
    along, across, soft, sharp = (
        np.take_along_axis(levels, (one % 8)[..., None, None], axis=-2)[..., 0, :]
        for one in (lost, lost + _HALF_TURN, softest, softest + _HALF_TURN)
    )
    stroke = np.full((*levels.shape[:-2], 1), stroke_level)
    parts = (along[..., :6], across[..., :6], along[..., 6:10], across[..., 6:10])
    return np.concatenate([*parts, soft[..., 10:], sharp[..., 10:], stroke], axis=-1)


def text_details(page: Page, *, most_tiles: int = ZONES_COUNT) -> tuple[TextDetail, ...]:
    """Detail of the inkiest tiles that hold writing; empty without text or where all is faint.

    Of more tiles than ``most_tiles`` some are taken, evenly over the page. None is looked at twice.
    """
    writing = page.derive(_writing)
    if writing is None:
        return ()
    tiles = writing.tiles
    chosen = np.arange(0, len(tiles), max(1, -(-len(tiles) // most_tiles)))
    unseen = chosen[~writing.is_seen[chosen]]
    if len(unseen):
        writing.seen[unseen] = _seen_of(writing, tuple(tiles[index] for index in unseen.tolist()))
        writing.is_seen[unseen] = True
    seen = writing.seen[chosen]
    level = math.log(writing.stroke_px / writing.height_px)
    found_levels = _levels(seen, _noise(seen), writing.height_px, writing.stroke_px)
    return tuple(
        TextDetail(tiles[index], levels, level, len(tiles))
        for index, levels in zip(chosen.tolist(), found_levels, strict=True)
        if np.isfinite(levels).all()
    )


@dataclass(frozen=True, slots=True)
class _Writing:
    """The tiles of a page that hold writing, and what has been seen of them."""

    tiles: tuple[TextTile, ...]
    found: Ink
    enlarge: bool
    """The tiles are looked at in twice their size."""
    height_px: float
    stroke_px: float
    """Of the writing, in the pixels that are looked at."""
    seen: Seen
    is_seen: npt.NDArray[np.bool_]
    """(tiles,) of those that have been looked at."""


def _writing(page: Page) -> _Writing | None:
    found = _set_upright(page, page.derive(ink))
    stroke = stroke_px(found)
    if found.text_height_px is None or stroke is None:
        return None
    octave = math.floor(math.log2(found.text_height_px / LEAST_HEIGHT_PX))
    scale = min(1 << max(octave, 0), COARSEST_SCALE * page.print_scale)
    enlarge = octave < 0
    side = ENLARGED_TILE_PX * page.print_scale if enlarge else TILE_PX
    tiles = text_tiles(page, scale, side_px=side)
    if not tiles or min(tiles[0].pixels.shape) < 2**OCTAVES_COUNT:
        return None
    pixel_px = scale / 2 if enlarge else scale
    height, stroke = found.text_height_px / pixel_px, stroke / pixel_px
    seen = np.zeros(len(tiles), _SEEN)
    return _Writing(tiles, found, enlarge, height, stroke, seen, np.zeros(len(tiles), np.bool_))


def _set_upright(page: Page, found: Ink) -> Ink:
    """With the height of the letters across the lines where the page lies on its side.

    Blur joins letters to words, whose length is no height.
    """
    lines = page.derive(print_direction) if found.text_height_px is not None else None
    if lines is None or not lines.is_lying:
        return found
    widths, heights = found.boxes[:, 2], found.boxes[:, 3]
    order = np.argsort(widths, kind="stable")
    below = np.cumsum(heights[order])
    middle = float(widths[order[np.searchsorted(below, below[-1] / 2)]])
    return replace(found, text_height_px=middle * found.scale)


_SEEN = np.dtype(
    [
        ("near", np.float64, (OCTAVES_COUNT, 3)),  # mean near ink
        ("bare", np.float64, (OCTAVES_COUNT, 3)),  # mean over bare paper
        ("bare_count", np.float64),  # pixels of bare paper
        # Of each octave but the last: its tensors times those of the next at the same place; those
        # of the next times themselves; and their sum.
        ("fine", np.float64, (OCTAVES_COUNT - 1, 3, 3)),
        ("coarse", np.float64, (OCTAVES_COUNT - 1, 3, 3)),
        ("mass", np.float64, (OCTAVES_COUNT - 1, 3)),
    ]
)
"""Gradient tensors (xx, xy, yy) of a tile by octave."""


def _seen_of(writing: _Writing, tiles: tuple[TextTile, ...]) -> Seen:
    stack = _stacked(tiles, enlarge=writing.enlarge)
    shape = (stack.shape[1] // 2, stack.shape[2] // 2)
    return _seen(stack, _near_and_bare(tiles, writing.found, shape))


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


def _near_and_bare(
    tiles: tuple[TextTile, ...], found: Ink, shape: tuple[int, int]
) -> tuple[Pixels, Pixels]:
    """(n, h, w) 0 or 1, of that shape: near ink, and on bare paper."""
    height = (found.text_height_px or 0.0) / found.scale
    near, bare = (max(1, round(share * height)) for share in (NEAR_HEIGHT_RATIO, BARE_HEIGHT_RATIO))
    margin = bare
    rows, columns = (side * tiles[0].scale // found.scale for side in tiles[0].pixels.shape)
    # Neighbours in the stack are kept apart by the margins, which are zeros.
    deep, wide = rows + 2 * margin, columns + 2 * margin
    size = len(tiles) * deep * wide
    inked = np.zeros(size + 2 * margin * (wide + 1), np.uint8)
    for part, tile in zip(inked[:size].reshape(-1, deep, wide), tiles, strict=True):
        top, left = tile.top_px // found.scale - margin, tile.left_px // found.scale - margin
        seen = found.mask[max(top, 0) : top + deep, max(left, 0) : left + wide]
        place = part[max(-top, 0) :, max(-left, 0) :][: seen.shape[0], : seen.shape[1]]
        np.bitwise_and(seen, 1, out=place)
    down = np.arange(shape[0]) * rows // shape[0]
    places = (np.arange(len(tiles))[:, None] * deep + down).ravel()
    along, covered, cut = inked, 1, []
    for reach in (near, bare):
        along, covered = _runs(along, covered, 2 * reach + 1, 1), 2 * reach + 1
        grown = _runs(along, 1, covered, wide)[(margin - reach) * (wide + 1) :][:size]
        lines = grown.reshape(-1, wide)[places, :columns]
        fitted = cv2.resize(lines, (shape[1], len(places)), interpolation=cv2.INTER_NEAREST)
        cut.append(np.asarray(fitted, np.uint8).reshape(len(tiles), *shape))
    return cut[0], 1 - cut[1]


def _runs(cells: Cells, covered: int, length: int, pitch: int) -> Cells:
    """The most of ``length`` cells from each on, ``pitch`` apart, from that of ``covered`` cells.

    Doubling what is covered takes a few passes where a window takes one for each cell.
    """
    while covered < length:
        step = min(covered, length - covered)
        cells = np.maximum(cells[: -step * pitch], cells[step * pitch :])
        covered += step
    return cells


def _seen(stack: Image, masks: tuple[Pixels, Pixels]) -> Seen:
    """(n,) of (n, H, W) pixels; masks are (n, H / 2, W / 2) of 0 or 1."""
    count, height, width = stack.shape
    seen = np.zeros(count, _SEEN)
    seen["bare_count"] = masks[1].sum(axis=(1, 2), dtype=np.float64)
    tensors: Image | None = None
    for octave in range(OCTAVES_COUNT):
        height, width = height // 2, width // 2
        # What is multiplied: the tensors, those of the next octave, near, bare, and all of it.
        rows = np.empty((9, count, height, width), np.float32)
        if tensors is None:
            _write_halved_tensors(stack, rows[:3])
        else:
            _halved(tensors, rows[:3])
        rows[6:8] = masks
        rows[8] = 1
        stack = _halved(stack, np.empty((count, height, width), np.float32))
        tensors = rows[3:6]
        _write_tensors(stack, tensors)
        flat = rows.reshape(9, count, -1).transpose(1, 0, 2)
        products = np.matmul(flat[:, :6], flat[:, 3:].transpose(0, 2, 1))
        if octave < OCTAVES_COUNT - 1:
            seen["fine"][:, octave] = products[:, :3, :3]
            seen["coarse"][:, octave] = products[:, 3:, :3]
            seen["mass"][:, octave] = products[:, 3:, 5]
        counts = np.maximum(flat[:, 6:8].sum(axis=2), 1)
        means = products[:, :3, 3:5] / counts[:, None]
        seen["near"][:, octave], seen["bare"][:, octave] = means[:, :, 0], means[:, :, 1]
        masks = (masks[0][:, ::2, ::2], masks[1][:, ::2, ::2])
    return seen


def _noise(seen: Seen) -> Vector:
    """(5, 3) mean tensor of the page's bare paper; zeros where there is none."""
    paper = float(seen["bare_count"].sum())
    if paper < LEAST_PIXELS:
        return np.zeros((OCTAVES_COUNT, 3))
    return np.asarray(np.einsum("not,n->ot", seen["bare"], seen["bare_count"]) / paper, np.float64)


def _write_halved_tensors(stack: Image, into: Image) -> None:
    """Means of 2x2 pixels of the tensors, tile by tile: one stays in the processor's cache."""
    size = (into.shape[3], into.shape[2])
    tensors = np.empty((3, 1, *stack.shape[1:]), np.float32)
    for number in range(len(stack)):
        _write_tensors(stack[number : number + 1], tensors)
        for whole, half in zip(tensors[:, 0], into[:, number], strict=True):
            cv2.resize(whole, size, dst=half, interpolation=cv2.INTER_AREA)


def _write_tensors(stack: Image, into: Image) -> None:
    """The products xx, xy, yy of the gradients of (n, H, W) pixels into (3, n, H, W)."""
    flat = stack.reshape(-1, stack.shape[2])
    x, y = np.empty((2, *flat.shape), np.float32)
    cv2.subtract(flat[:, 2:], flat[:, :-2], dst=x[:, 1:-1])
    cv2.subtract(flat[2:], flat[:-2], dst=y[1:-1])
    ends = y.reshape(stack.shape)
    x[:, 0] = x[:, -1] = ends[:, 0] = ends[:, -1] = 0
    products = into.reshape(3, *flat.shape)
    for product, one, other in zip(products, (x, x, y), (x, y, y), strict=True):
        cv2.multiply(one, other, dst=product)


def _halved(stack: Image, into: Image) -> Image:
    """Means of 2x2 pixels of (..., H, W), into (..., H / 2, W / 2)."""
    width = into.shape[-1]
    half = into.reshape(-1, width)
    size = (width, len(half))
    cv2.resize(stack.reshape(-1, 2 * width), size, dst=half, interpolation=cv2.INTER_AREA)
    return into


def _levels(seen: Seen, noise: Vector, height_px: float, stroke: float) -> Vector:
    """(n, 8, 15), see ``TextDetail.levels``; NaN where the writing of a tile is too faint."""
    at_heights = height_px / np.array(PIXELS_PER_HEIGHT)
    at_strokes = stroke / np.array(PIXELS_PER_STROKE)
    to_energy = _between(at_heights, OCTAVES_COUNT)
    to_step = _between(
        np.append(at_heights[:STEPS_PER_HEIGHT_COUNT], at_strokes), OCTAVES_COUNT - 1
    )
    energy = np.log(np.maximum((seen["near"] - noise) @ _ALONG, FAINTEST_ENERGY))
    read = np.einsum("ro,noa->nar", to_energy, energy)
    level = np.logaddexp(read[:, 0, -1], read[:, _HALF_TURN, -1]) - math.log(2)
    clean = seen["fine"] - noise[:-1, :, None] * seen["mass"][:, :, None, :]
    fine, coarse = (
        ((one.swapaxes(2, 3) @ _ALONG) * _ALONG).sum(axis=2) for one in (clean, seen["coarse"])
    )
    step = np.log(np.clip(fine / np.maximum(coarse, 1e-6), LEAST_STEP, MOST_STEP))
    steps = np.einsum("ro,noa->nar", to_step, step)
    levels = np.concatenate([read - level[:, None, None], steps], axis=2)
    levels[level < math.log(LEAST_ENERGY)] = np.nan
    return levels


def _between(factors: Vector, count: int) -> Vector:
    """(n, count) weights that read an octave of 0 to ``count`` - 1 at log2 of each factor."""
    octaves = np.clip(np.log2(factors), 0, count - 1)
    weights = np.maximum(1 - np.abs(octaves[:, None] - np.arange(count)), 0.0)
    return np.asarray(weights, np.float64)
