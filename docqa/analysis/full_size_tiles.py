"""The tiles of writing at full resolution, chosen once for all the measures that look at them."""

from __future__ import annotations

from docqa.analysis.histograms import Counts, histogram
from docqa.analysis.text_tiles import TILE_PX, TextTile, text_tiles
from docqa.page import Page

ROWS_STEP = 3
"""Of a tile's rows, one in so many is counted; not the same row of every JPEG block."""


def full_size_px(page: Page) -> int:
    """Side of those tiles: the same piece of print on the finest pages."""
    return TILE_PX * page.print_scale


def full_size_tiles(page: Page) -> tuple[TextTile, ...]:
    """The inkiest full-resolution tile of each of up to 24 zones; call it by ``page.derive``."""
    return text_tiles(page, 1, side_px=full_size_px(page))


def tile_counts(page: Page) -> tuple[Counts, ...]:
    """(256,) how many of the counted pixels of each of those tiles have each level.

    Call it by ``page.derive``.
    """
    return tuple(histogram(tile.pixels[::ROWS_STEP]) for tile in page.derive(full_size_tiles))
