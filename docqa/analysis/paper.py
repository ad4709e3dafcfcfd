"""Light of the paper: what exposure, illumination and capture all ask of a page.

The page is closed morphologically (which fills ink with the paper around it) and averaged into a
coarse grid of blocks. A plane fitted to the blocks that are paper tells an even light from a
slanting one; blocks far below the plane are no paper (a desk, a hand, a dark picture).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.area_grid import block_means
from docqa.analysis.histograms import Counts, histogram, level_below
from docqa.analysis.paper_surface import PaperSurface, paper_surface
from docqa.analysis.ranks import percentiles
from docqa.errors import CannotAssess
from docqa.page import Page, Pixels

Levels = npt.NDArray[np.float32]
Powers = npt.NDArray[np.float64]

MIN_SIDE_PX = 16
GRID_LONG_SIDE_BLOCKS = 24
GRIDS_KEPT_COUNT = 64
"""Grids come back from page to page."""
SAMPLED_ROWS_COUNT = 120
"""About so many rows of the page are looked at for clipped pixels. The step from one to the next is
odd, so where it is small there are fewer (80 of 240, 96 of 480); under 240 all are looked at."""
WHITE_LEVEL = 254
BLACK_LEVEL = 2
EVEN_LEVELS, FLAT_LEVELS = 10.0, 4.0
PAPER_BAND_LEVELS = 18.0
"""Blocks within this distance of the fitted plane are paper."""
LID_LEVELS, LEAST_LID_FRACTION = (100.0, 240.0), 0.97
"""A border of one such grey all round is a lid in even light: that of no real photograph that was
looked at keeps to 0.85. A dark one tells nothing of the light, a white one may be an app's."""
SPLIT_LEVELS = 40.0
"""Bright and dark blocks further apart than this are two things: paper and what is not paper."""


@dataclass(frozen=True, slots=True)
class Paper:
    """Brightness of the paper of one page; levels are 0 (black) to 255 (white)."""

    block_levels: Levels
    """(rows, columns) float32: mean level of each block with the ink closed."""
    is_paper: npt.NDArray[np.bool_]
    """(rows, columns): blocks that lie on the fitted plane."""
    paper_level: float
    """Median level of the paper blocks."""
    brightest_level: float
    """95th percentile of the paper blocks."""
    gradient_x_levels: float
    """Change of the plane from the left to the right edge of the page; 0 under a grey lid, where
    the paper may be a card in a corner."""
    gradient_y_levels: float
    """The same from top to bottom."""
    residual_levels: float
    """Root mean square distance of the paper blocks from the plane."""
    border_level: float
    """Median level of the outer 2 % of the page."""
    even_border_fraction: float
    """Share of the outer 2 % within 10 levels of that median: near 1 around a scanner's lid."""
    is_under_grey_lid: bool
    """Whether the outer 2 % is of one grey, neither black nor white, all round."""
    clipped_white_fraction: float
    """Share of pixels at 254 or above."""
    clipped_dark_fraction: float
    """Share of pixels at 2 or below."""

    @property
    def gradient_levels(self) -> float:
        """How much brighter the plane is on one side of the page than on the other."""
        return math.hypot(self.gradient_x_levels, self.gradient_y_levels)

    @property
    def paper_fraction(self) -> float:
        """Share of the blocks that are paper, 0 to 1."""
        return _share(self.is_paper)


def paper(page: Page) -> Paper:
    """Measure the paper. Raises CannotAssess on pages under 16 px."""
    if min(page.width_px, page.height_px) < MIN_SIDE_PX:
        raise CannotAssess(f"the page is under {MIN_SIDE_PX} px wide or high")
    surface = page.derive(paper_surface)
    blocks = _blocks(surface)
    is_paper, plane = _plane(blocks)
    at_paper = blocks[is_paper]
    rest = at_paper - _on(plane, blocks.shape)[is_paper]
    rows = np.ascontiguousarray(page.luma()[:: _row_step(page)])
    middle, brightest = percentiles(at_paper, 50, 95)
    counts = _border_counts(surface.luma)
    border_level = float(level_below(counts, 0.5))
    flat_fraction = _share_near(counts, border_level, FLAT_LEVELS)
    is_lid = LID_LEVELS[0] <= border_level <= LID_LEVELS[1] and flat_fraction >= LEAST_LID_FRACTION
    return Paper(
        block_levels=blocks,
        is_paper=is_paper,
        paper_level=middle,
        brightest_level=brightest,
        gradient_x_levels=0.0 if is_lid else float(plane[0]),
        gradient_y_levels=0.0 if is_lid else float(plane[1]),
        residual_levels=math.sqrt(float(np.dot(rest, rest)) / len(rest)),
        border_level=border_level,
        even_border_fraction=_share_near(counts, border_level, EVEN_LEVELS),
        is_under_grey_lid=is_lid,
        clipped_white_fraction=_share(rows >= WHITE_LEVEL),
        clipped_dark_fraction=_share(rows <= BLACK_LEVEL),
    )


def _share(chosen: npt.NDArray[np.bool_]) -> float:
    return cv2.countNonZero(chosen.view(np.uint8)) / chosen.size


def _row_step(page: Page) -> int:
    """Odd, so that the rows meet every phase of a JPEG's 8x8 blocks."""
    return max(page.height_px // SAMPLED_ROWS_COUNT, 1) | 1


def _blocks(surface: PaperSurface) -> Levels:
    height, width = surface.closed.shape
    block = max(height, width) / GRID_LONG_SIDE_BLOCKS
    columns, rows = max(2, round(width / block)), max(2, round(height / block))
    return block_means(surface.closed, (rows, columns))


def _plane(blocks: Levels) -> tuple[npt.NDArray[np.bool_], Powers]:
    """Blocks of paper and the plane (x change, y change, centre level) through them.

    Starts from the brighter class where there clearly are two, then grows along the plane, so
    that a strong slope is followed and a desk is left out.
    """
    threshold, _ = cv2.threshold(
        blocks.astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU
    )
    bright = blocks > threshold
    split = bool(bright.any() and not bright.all())
    if not split or blocks[bright].mean() - blocks[~bright].mean() < SPLIT_LEVELS:
        bright = np.ones(blocks.shape, np.bool_)
    plane = _fit(blocks, bright)
    for _ in range(8):
        near = np.abs(blocks - _on(plane, blocks.shape)) <= PAPER_BAND_LEVELS
        if np.count_nonzero(near) < 3 or np.array_equal(near, bright):
            break
        bright = near
        plane = _fit(blocks, bright)
    return bright, plane


@lru_cache(maxsize=GRIDS_KEPT_COUNT)
def _powers(shape: tuple[int, int]) -> Powers:
    """(6, blocks) of each block's place from the page's middle, in parts of its sides: 1, x, y,
    x², xy and y².
    """
    y, x = np.meshgrid(*((np.arange(n) + 0.5) / n - 0.5 for n in shape), indexing="ij")
    return np.stack([np.ones(shape), x, y, x * x, x * y, y * y]).reshape(6, -1)


def _fit(blocks: Levels, chosen: npt.NDArray[np.bool_]) -> Powers:
    """Least squares with a light ridge, so that a single row of blocks gives no wild slope."""
    powers = _powers((blocks.shape[0], blocks.shape[1]))
    at = chosen.ravel().astype(np.float64)
    n, x, y, xx, xy, yy = (powers @ at).tolist()
    levels = blocks.ravel() * at
    centre = float(levels.sum()) / n
    of_1, of_x, of_y = (powers[:3] @ (levels - centre * at)).tolist()
    light = 1e-3 * n + 1e-9
    normal = np.array([[xx + light, xy, x], [xy, yy + light, y], [x, y, n + 1e-9]])
    plane: Powers = np.ravel(cv2.solve(normal, np.array([of_x, of_y, of_1]))[1])
    plane[2] += centre
    return plane


def _on(plane: Powers, shape: tuple[int, ...]) -> Powers:
    one, x, y = _powers((shape[0], shape[1]))[:3]
    return np.asarray(plane[0] * x + plane[1] * y + plane[2] * one).reshape(shape)


def _border_counts(coarse: Pixels) -> Counts:
    """(256,) how many pixels of the outer 2 % of the page have each level."""
    height, width = coarse.shape
    margin = max(1, round(0.02 * min(height, width)))
    inner = slice(margin, height - margin)
    sides = (coarse[:margin], coarse[height - margin :], coarse[inner, :margin],
             coarse[inner, width - margin :])  # fmt: skip
    return histogram(np.concatenate([side.ravel() for side in sides]))


def _share_near(counts: Counts, level: float, reach: float) -> float:
    low, high = max(int(level - reach), 0), int(level + reach)
    return float(counts[low : high + 1].sum() / counts.sum())
