"""How dark the writing itself is against the paper beside it, everywhere on the page.

``exposure`` tells how a page was lit; this tells whether its words stand out. Each tile of writing
is judged by its own paper and its own darkest strokes, so that thin strokes, shade and a strong
heading elsewhere do not count. Parts of the page where only faint marks stand are looked at too:
they are writing when their marks have the height and the strokes of the page's other writing.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from docqa.analysis.faint_tiles import cut_levels, faint_tiles, is_writing
from docqa.analysis.full_size_tiles import full_size_tiles, tile_counts
from docqa.analysis.ranks import median
from docqa.analysis.text_tiles import TextTile
from docqa.errors import CannotAssess
from docqa.page import Page, Region

STROKE_PERCENTILE = 5
"""Of the dark pixels: the middle of the widest strokes, which keeps its darkness when strokes are
hardly wider than a pixel, and is not the noise."""
LEAST_DARK_PIXELS = 10
"""Of those that are counted."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Contrast of the writing, (paper - ink) / paper; higher is better."""

    text_contrast_fraction: float
    """0 to 1: median of the tiles. Black print has over 0.8 at 300 ppi and loses a tenth at 150,
    where strokes are thin; pencil has about 0.4."""
    worst_text_contrast_fraction: float
    """0 to 1: the same of the faintest tile."""
    regions: tuple[Region, ...]
    """The faintest tile."""


def measure(page: Page) -> Contrast:
    """Measure the contrast. Raises CannotAssess on a page without writing."""
    tiles = page.derive(full_size_tiles)
    counted = zip(page.derive(tile_counts), tiles, strict=True)
    judged = [(value, tile) for counts, tile in counted if (value := _contrast(counts)) is not None]
    if not judged:
        raise CannotAssess("there is no writing on the page to compare with the paper")
    typical = median(np.array([value for value, _ in judged]))
    worst, where = _faintest(page, *min(judged, key=itemgetter(0)))
    return Contrast(typical, worst, (_region(where),))


def _faintest(page: Page, worst: float, where: TextTile) -> tuple[float, TextTile]:
    """The worst tile, or one of faint marks that is worse and holds writing.

    That is costly to tell: the faintest is asked first, and none that is no worse.
    """
    worse = [
        (value, tile, counts)
        for counts, tile in faint_tiles(page)
        if (value := _contrast(counts)) is not None and value < worst
    ]
    for value, tile, counts in sorted(worse, key=itemgetter(0)):
        if is_writing(page, counts, tile):
            return value, tile
    return worst, where


def _contrast(counts: npt.NDArray[np.float32]) -> float | None:
    """Of one tile, from its histogram; None where hardly anything is dark."""
    dark, paper = cut_levels(counts)
    darker = np.cumsum(counts[:dark])
    if len(darker) == 0 or darker[-1] < LEAST_DARK_PIXELS:
        return None
    stroke = int(np.searchsorted(darker, STROKE_PERCENTILE / 100 * darker[-1]))
    return float(paper - stroke) / max(paper, 1)


def _region(tile: TextTile) -> Region:
    left, top = float(tile.left_px), float(tile.top_px)
    bottom, right = top + tile.pixels.shape[0], left + tile.pixels.shape[1]
    return Region("text", ((left, top), (right, top), (right, bottom), (left, bottom)))
