"""How bright the paper and how dark the ink is: under-exposed, washed out, faint or clipped.

Paper is the bright plane of ``analysis/paper.py``. Ink is read at full resolution on tiles that
hold writing, because thin strokes fade in every downscaled view.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from docqa.analysis.full_size_tiles import full_size_tiles
from docqa.analysis.ink import ink
from docqa.analysis.paper import paper
from docqa.analysis.text_tiles import TextTile
from docqa.errors import CannotAssess
from docqa.page import Page

INK_PERCENTILE = 25
"""Of the dark pixels: the body of the strokes rather than their edges, and not the noise."""
LEAST_DARK_PIXELS = 30


@dataclass(frozen=True, slots=True)
class Exposure:
    """Exposure of a page; levels are 0 (black) to 255 (white)."""

    paper_level: float
    """Brightest paper (95th percentile of its blocks); higher is better, scans have over 240."""
    ink_level: float
    """Body of the strokes; lower is better."""
    contrast_fraction: float
    """(paper - ink) / paper, 0 to 1, higher is better; faint print and washed-out light are low."""
    clipped_dark_fraction: float
    """0 to 1: share of pixels at 2 or below; a page of print has a few hundredths."""
    clipped_white_fraction: float
    """0 to 1: share of pixels at 254 or above; near the share of blank paper in most scans."""


def measure(page: Page) -> Exposure:
    """Measure the exposure. Raises CannotAssess on a page without writing."""
    light = page.derive(paper)
    levels = [
        level
        for tile in page.derive(full_size_tiles)
        if (level := _ink_level(tile, page.derive(ink).contrast_levels)) is not None
    ]
    if not levels:
        raise CannotAssess("there is no writing on the page to compare with the paper")
    ink_level = float(np.median(levels))
    paper_level = max(light.brightest_level, ink_level, 1.0)
    return Exposure(
        paper_level=light.brightest_level,
        ink_level=ink_level,
        contrast_fraction=(paper_level - ink_level) / paper_level,
        clipped_dark_fraction=light.clipped_dark_fraction,
        clipped_white_fraction=light.clipped_white_fraction,
    )


def _ink_level(tile: TextTile, contrast_levels: float) -> float | None:
    around = float(np.percentile(tile.pixels[::4, ::4], 75))
    dark = tile.pixels[tile.pixels < around - contrast_levels / 2]
    return float(np.percentile(dark, INK_PERCENTILE)) if dark.size >= LEAST_DARK_PIXELS else None
