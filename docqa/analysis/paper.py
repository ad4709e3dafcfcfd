"""Light and colour of the paper: what exposure, illumination and capture all ask of a page.

The page is closed morphologically (which fills ink with the paper around it) and averaged into a
coarse grid of blocks. A plane fitted to the blocks that are paper tells an even light from a
slanting one; blocks far below the plane are no paper (a desk, a hand, a dark picture).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.area_grid import block_means
from docqa.errors import CannotAssess
from docqa.page import Page, Pixels

Levels = npt.NDArray[np.float32]

MIN_SIDE_PX = 16
GRID_LONG_SIDE_BLOCKS = 24
COARSE_SIDE_PX = 160
"""The grid is averaged from the coarsest luma whose short side still has this many pixels."""
CLOSING_FRACTION_OF_SHORT_SIDE = 1 / 40
"""Wider than the strokes of a heading, narrower than a table cell."""
SAMPLE_STEP_PX = 5
"""Odd, so that a subsample of a JPEG meets every phase of its 8x8 blocks."""
WHITE_LEVEL = 254
BLACK_LEVEL = 2
EVEN_LEVELS = 10.0
PAPER_BAND_LEVELS = 18.0
"""Blocks within this distance of the fitted plane are paper."""
SPLIT_LEVELS = 40.0
"""Bright and dark blocks further apart than this are two things: paper and what is not paper."""


@dataclass(frozen=True, slots=True)
class Paper:
    """Brightness and colour of the paper of one page; levels are 0 (black) to 255 (white)."""

    block_levels: Levels
    """(rows, columns) float32: mean level of each block with the ink closed."""
    is_paper: npt.NDArray[np.bool_]
    """(rows, columns): blocks that lie on the fitted plane."""
    paper_level: float
    """Median level of the paper blocks."""
    brightest_level: float
    """95th percentile of the paper blocks."""
    gradient_x_levels: float
    """Change of the plane from the left to the right edge of the page."""
    gradient_y_levels: float
    """Change of the plane from the top to the bottom edge of the page."""
    residual_levels: float
    """Root mean square distance of the paper blocks from the plane."""
    block_range_levels: float
    """95th less 5th percentile over all blocks, paper or not."""
    border_level: float
    """Median level of the outer 2 % of the page."""
    even_border_fraction: float
    """Share of the outer 2 % within 10 levels of that median: near 1 around a scanner's lid."""
    clipped_white_fraction: float
    """Share of pixels at 254 or above."""
    clipped_dark_fraction: float
    """Share of pixels at 2 or below."""
    colour_cast_levels: float
    """Distance of the mean colour of the paper from grey (CIELAB chroma); 0 without colour."""
    colour_spread_levels: float
    """Spread of chroma from paper block to paper block (mixed light); 0 without colour."""

    @property
    def paper_fraction(self) -> float:
        """Share of the blocks that are paper, 0 to 1."""
        return float(self.is_paper.mean())


def paper(page: Page) -> Paper:
    """Measure the paper. Raises CannotAssess on pages under 16 px."""
    if min(page.width_px, page.height_px) < MIN_SIDE_PX:
        raise CannotAssess(f"the page is under {MIN_SIDE_PX} px wide or high")
    coarse = _coarse(page)
    blocks = _blocks(coarse)
    is_paper, plane = _plane(blocks)
    at_paper = blocks[is_paper]
    sample = np.ascontiguousarray(page.luma()[::SAMPLE_STEP_PX, ::SAMPLE_STEP_PX])
    cast_levels, spread_levels = _colour(page, is_paper)
    low, high = np.percentile(blocks, [5, 95])
    border = _border(coarse)
    border_level = float(np.median(border))
    return Paper(
        block_levels=blocks,
        is_paper=is_paper,
        paper_level=float(np.median(at_paper)),
        brightest_level=float(np.percentile(at_paper, 95)),
        gradient_x_levels=float(plane[0]),
        gradient_y_levels=float(plane[1]),
        residual_levels=float(
            np.sqrt(np.mean((at_paper - _on(plane, blocks.shape)[is_paper]) ** 2))
        ),
        block_range_levels=float(high - low),
        border_level=border_level,
        even_border_fraction=float(np.mean(np.abs(border - border_level) <= EVEN_LEVELS)),
        clipped_white_fraction=_share(sample >= WHITE_LEVEL),
        clipped_dark_fraction=_share(sample <= BLACK_LEVEL),
        colour_cast_levels=cast_levels,
        colour_spread_levels=spread_levels,
    )


def _share(chosen: npt.NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(chosen)) / chosen.size


def _coarse(page: Page) -> Pixels:
    short = min(page.width_px, page.height_px)
    scale = next((s for s in (8, 4, 2) if short // s >= COARSE_SIDE_PX), 1)
    return page.luma(scale)


def _blocks(coarse: Pixels) -> Levels:
    height, width = coarse.shape
    side = max(3, int(min(height, width) * CLOSING_FRACTION_OF_SHORT_SIDE) | 1)
    closed = cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    block = max(height, width) / GRID_LONG_SIDE_BLOCKS
    columns, rows = max(2, round(width / block)), max(2, round(height / block))
    return block_means(cast("Pixels", closed), (rows, columns))


def _plane(blocks: Levels) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
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
        if near.sum() < 3 or np.array_equal(near, bright):
            break
        bright = near
        plane = _fit(blocks, bright)
    return bright, plane


def _axes(shape: tuple[int, ...]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    y, x = ((np.arange(n) + 0.5) / n - 0.5 for n in shape)
    return np.broadcast_to(x, shape), np.broadcast_to(y[:, None], shape)


def _fit(blocks: Levels, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Least squares with a light ridge, so that a single row of blocks gives no wild slope."""
    x, y = _axes(blocks.shape)
    design = np.stack([x[chosen], y[chosen], np.ones(int(chosen.sum()))], axis=1)
    ridge = np.diag([1e-2, 1e-2, 0.0]) * len(design)
    centre = blocks[chosen].mean()
    solution = np.linalg.solve(
        design.T @ design + ridge * 0.1 + np.eye(3) * 1e-9, design.T @ (blocks[chosen] - centre)
    )
    solution[2] += centre
    return cast("npt.NDArray[np.float64]", solution)


def _on(plane: npt.NDArray[np.float64], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    x, y = _axes(shape)
    return cast("npt.NDArray[np.float64]", plane[0] * x + plane[1] * y + plane[2])


def _border(coarse: Pixels) -> Levels:
    """(N,) levels of the outer 2 % of the page."""
    height, width = coarse.shape
    margin = max(1, round(0.02 * min(height, width)))
    inner = slice(margin, height - margin)
    sides = (coarse[:margin], coarse[height - margin :], coarse[inner, :margin],
             coarse[inner, width - margin :])  # fmt: skip
    return np.concatenate([side.ravel() for side in sides]).astype(np.float32)


def _colour(page: Page, is_paper: npt.NDArray[np.bool_]) -> tuple[float, float]:
    if page.origin.colour_mode != "colour":
        return 0.0, 0.0
    colour = page.colour(8)
    step = 2 if min(colour.shape[:2]) >= COARSE_SIDE_PX else 1
    rgb = colour[::step, ::step].astype(np.float32) / 255
    darkest = cv2.min(cv2.min(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
    bright = darkest >= np.percentile(darkest[::2, ::2], 30)
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[..., 1:]
    weight = bright.astype(np.float32)
    size = (is_paper.shape[1], is_paper.shape[0])
    total = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    grid = cv2.resize(lab * weight[..., None], size, interpolation=cv2.INTER_AREA)
    known = is_paper & (total > 0.2)
    if known.sum() < 3:
        return 0.0, 0.0
    chroma = grid[known] / total[known][:, None]
    centre = np.median(chroma, axis=0)
    spread = float(np.sqrt(np.mean(np.sum((chroma - centre) ** 2, axis=1))))
    return float(np.hypot(*centre)), spread
