"""Where on the page to look closely at writing: the inkiest tile of each part of the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import Boxes, ink
from docqa.analysis.ink_density import ink_density
from docqa.page import Page, Pixels

TILE_PX = 256
ZONES_LONG_SIDE = 6
ZONES_SHORT_SIDE = 4
ZONES_COUNT = ZONES_LONG_SIDE * ZONES_SHORT_SIDE
LEAST_INK_FRACTION = 0.015
"""A tile with less ink than this holds no line of writing."""
MOST_INK_FRACTION = 0.6
LEAST_CHARACTERS_COUNT = 3
"""A tile with fewer marks of the size of characters shows a photo's or a stamp's edge."""


@dataclass(frozen=True, slots=True)
class TextTile:
    """A square of the page that holds writing."""

    pixels: Pixels
    """(H, W) luma at 1/``scale``, at most ``side_px`` a side; a read-only view."""
    left_px: int
    top_px: int
    scale: int
    """Position is in full-resolution pixels; the tile covers its shape times ``scale`` of them."""


def text_tiles(page: Page, scale: int, *, side_px: int = TILE_PX) -> tuple[TextTile, ...]:
    """The inkiest tile of each of up to 24 zones, from the luma at 1/scale (1, 2, 4 or 8).

    ``side_px`` is the side of a tile in pixels of that luma.
    """
    found = page.derive(ink)
    luma = page.luma(scale)
    side = side_px * scale // found.scale
    step = side * found.scale // scale
    density = ink_density(page, side) / 255
    rows, columns = density.shape
    density[_characters(found.boxes, side, rows, columns) < LEAST_CHARACTERS_COUNT] = 0.0
    upright = rows >= columns
    down = min(rows, ZONES_LONG_SIDE if upright else ZONES_SHORT_SIDE)
    across = min(columns, ZONES_SHORT_SIDE if upright else ZONES_LONG_SIDE)
    zones = _zones(rows, down)[:, None] * across + _zones(columns, across)
    usable = np.where(density <= MOST_INK_FRACTION, density, 0.0).ravel()
    order = np.argsort(-usable, kind="stable")
    order = order[: np.count_nonzero(usable >= LEAST_INK_FRACTION)]
    inkiest = order[np.unique(zones.ravel()[order], return_index=True)[1]]
    tiles = []
    for index in inkiest.tolist():
        top, left = index // columns * step, index % columns * step
        pixels = luma[top : top + step, left : left + step]
        tiles.append(TextTile(pixels, left * scale, top * scale, scale))
    return tuple(tiles)


def _zones(length: int, count: int) -> npt.NDArray[np.int64]:
    """(length,) in which of ``count`` zones of about the same size each place is."""
    longer = length % count
    return np.repeat(np.arange(count), length // count + (np.arange(count) < longer))


def _characters(boxes: Boxes, side: int, rows: int, columns: int) -> npt.NDArray[np.int64]:
    """(rows, columns) how many text components have their middle in each tile."""
    middles = (boxes[:, :2] + boxes[:, 2:] // 2) // side
    inside = (middles[:, 0] < columns) & (middles[:, 1] < rows)
    count = np.bincount(middles[inside, 1] * columns + middles[inside, 0], minlength=rows * columns)
    return count.reshape(rows, columns)
