"""What compression did to a page: blocks, the coarseness of JPEG, a second save, a threshold.

Blocks and the quality are read from the pixels (``analysis/block_grid.py``), so that a page saved
again in a better format still shows the worst save behind it; where the pixels say nothing, the
file's own quantisation table does. Specks are what a threshold makes of a noisy photo
(``analysis/binarised.py``): being black and white alone is no damage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from docqa.analysis.binarised import binarised
from docqa.analysis.block_grid import IJG_LUMA, BlockGrid, block_grid
from docqa.analysis.ranks import median
from docqa.errors import CannotAssess
from docqa.page import Origin, Page

LOSSLESS_QUALITY = 100.0
TRACE_CONFIDENCE = 0.4
"""Pages without a trace reach 0.1; a trace under a second save at quality 75 has over 0.5."""
RESAVED_QUALITY_STEP = 8.0
"""The trace is this much coarser than the file's own table: an earlier save left it."""
JUDGED_COEFFICIENTS = 15
"""The low frequencies of a table, in zig-zag order: the ones writing is made of."""


@dataclass(frozen=True, slots=True)
class Compression:
    """Damage by compression."""

    blocking_ratio: float
    """About 1 and up, lower is better: step across the borders of 8x8 blocks over the step inside,
    on smooth paper, wherever the grid lies. 1.2 at JPEG quality 90, 2 at 30, over 4 at 10."""
    jpeg_quality: float
    """1 to 100, higher is better: quality on the scale of the Independent JPEG Group of the
    coarsest save that is known or leaves a trace; 100.0 without one."""
    is_resaved: bool
    """An earlier JPEG save shows: blocks off the file's own grid, coarser ones than its table
    makes, or blocks in a file without JPEG. A hint: one save more is no damage by itself."""
    bilevel_fraction: float
    """0 to 1: share of the pixels of strokes and their edges at one of two levels; over 0.8 the
    page is black and white, under 0.7 it has shades. No fault by itself."""
    speckle_fraction: float
    """0 to 1, lower is better: share of specks among the marks of a black and white page; clean
    scans have under 0.4, thresholded photos up to 0.99. 0.0 where the writing has shades."""


def measure(page: Page) -> Compression:
    """Measure the damage. Raises CannotAssess on a page without writing."""
    grid = page.derive(block_grid)
    if grid is None:
        raise CannotAssess("there is no writing on the page to judge its compression by")
    threshold = page.derive(binarised)
    stored = _table_quality(page.origin)
    traced = _trace(grid)
    qualities = [q for q in (stored, traced) if q is not None]
    return Compression(
        blocking_ratio=grid.blocking_ratio,
        jpeg_quality=min(qualities, default=LOSSLESS_QUALITY),
        is_resaved=traced is not None and _is_earlier(page, grid, traced, stored),
        bilevel_fraction=0.0 if threshold is None else threshold.bilevel_fraction,
        speckle_fraction=0.0 if threshold is None else threshold.speckle_fraction,
    )


def _trace(grid: BlockGrid) -> float | None:
    if grid.trace_quality is None or grid.trace_confidence < TRACE_CONFIDENCE:
        return None
    return float(grid.trace_quality)


def _is_earlier(page: Page, grid: BlockGrid, traced: float, stored: float | None) -> bool:
    if stored is None:
        return True
    # A picture turned by its orientation tag has its grid at the other end of a side.
    own = {0, page.width_px % 8}, {0, page.height_px % 8}
    is_off = grid.left_px not in own[0] or grid.top_px not in own[1]
    return is_off or traced < stored - RESAVED_QUALITY_STEP


def _table_quality(origin: Origin) -> float | None:
    """Quality whose steps are nearest to the file's own luma table; None without a table."""
    if not origin.jpeg_quantisation or len(origin.jpeg_quantisation[0]) != 64:
        return None
    own = np.array(origin.jpeg_quantisation[0][:JUDGED_COEFFICIENTS], np.float64)
    scale = 100 * median(own / _ZIGZAG[:JUDGED_COEFFICIENTS])
    return float(np.clip(5000 / scale if scale > 100 else 100 - scale / 2, 1, 100))


_PLACES = sorted(
    ((down, across) for down in range(8) for across in range(8)),
    key=lambda at: (sum(at), at[0] if sum(at) % 2 else -at[0]),
)
_ZIGZAG = np.array([IJG_LUMA[place] for place in _PLACES], np.float64)
