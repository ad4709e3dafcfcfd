"""Traces of an app that whitened a camera's picture: soft letters on paper whitened unevenly.

A scanner's paper is either untouched or clipped to white everywhere alike, and its letters are
sampled once. A scanner app lifts each part of the page by what it takes for the background there,
which leaves grey where the light fell off; and its letters went through a lens and a straightening,
so that no edge rises within a pixel. Either alone occurs on scans; both together hardly do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress, pairwise

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.histograms import histograms
from docqa.analysis.ink import ink
from docqa.analysis.ink_density import ink_density
from docqa.analysis.ranks import median, percentiles
from docqa.page import Page, Pixels

Floats = npt.NDArray[np.float64]
Levels = npt.NDArray[np.intp]

WINDOW_PX = 128
FINE_SIDE_PX = 3200
"""Of the shorter side: a sheet at nearly 400 ppi; apps leave fewer pixels."""
SAMPLE_LINES = 6
"""One row in so many is counted for the levels of a window, and one line each way is followed
across its edges: neighbours say the same."""
INK_ROWS = 2
"""One row in so many is searched for ink: those counted are among them."""
ZONES_COUNT = 4
"""Windows along each side of the page: the inkiest of each zone is looked at."""
_IS_FIRST = np.indices((ZONES_COUNT, ZONES_COUNT)).sum(axis=0).ravel() % 2 == 0
"""Zones as the black squares of a chessboard: looked at first."""
LEAST_WINDOWS_COUNT = 7
"""Of those with writing. A card in the corner of a bed reaches six, and its printed ground is no
paper."""
INK_FRACTION = (0.005, 0.5)
LEAST_CONTRAST_LEVELS = 30
EDGE_REACH_PX = 9
EDGE_SWING = (0.75, 1.4)
"""An edge between ink and paper swings by this share of the window's contrast."""
LEAST_EDGES_COUNT = 10
BLOCK_PX = 8
FAR_BLOCKS = 5
"""Blocks that have ink are grown to a square of so many: outside is paper away from all ink."""
FAINT_STROKE_PX = 5
FAINT_FRACTION = 0.07
"""Of the contrast: a stroke that stands out so far is faint print or shows through, and no paper.
What an app leaves is wider."""
LEAST_PAPER_PIXELS = 200
LEAST_SIDE_PX = 64
DARKEST_FRACTION = 0.03
CRISP_STEP_FRACTION, CLEAR_RESIDUE_FRACTION = 0.6, 0.003
WHITE_LEVEL = 245
"""Paper away from ink that is darker was not whitened, or is the pattern of a card."""


@dataclass(frozen=True, slots=True)
class Whitening:
    """Edges and paper of the windows; every number is relative to the contrast of its window."""

    edge_step_fraction: float
    """0 to 1: the steepest step between two pixels of an edge over the whole edge, median. Scans
    have 0.5 to 0.9, a resampled camera's page 0.3 to 0.5."""
    residue_fraction: float
    """How far the darkest 3 % of the paper away from ink lie under its median: 90th percentile of
    the windows. 0 on clipped paper."""
    white_fraction: float
    """0 to 1: share of the windows whose paper is white. A card's printed ground is not."""

    def is_clear(self) -> bool:
        """Whether half of the windows are enough: all are crisp and clipped to white."""
        return (
            self.edge_step_fraction >= CRISP_STEP_FRACTION
            and self.residue_fraction <= CLEAR_RESIDUE_FRACTION
            and self.white_fraction == 1.0
        )


@dataclass(frozen=True, slots=True)
class _Writing:
    """Windows of writing, n of them."""

    windows: Pixels
    """(n, H, W)"""
    ink_levels: Levels
    """The lightest level of ink."""
    paper_levels: Levels
    """Median of what is lighter."""
    contrasts: Levels
    """Levels from ink to paper."""


def whitening(page: Page) -> Whitening | None:
    """Measure edges and paper; None where too few windows hold writing.

    Call it as ``page.derive(whitening)``.
    """
    windows = _windows(page)
    if min(windows[0].shape) < LEAST_SIDE_PX:
        return None
    if len(windows) < _IS_FIRST.size:
        return _of(_seen(windows))
    seen = _seen([*compress(windows, _IS_FIRST)])
    found = _of(seen)
    if found is not None and found.is_clear():
        return found
    return _of(np.concatenate([seen, _seen([*compress(windows, ~_IS_FIRST)])], axis=1))


def _of(seen: Floats) -> Whitening | None:
    steps, residues, is_white = seen
    if steps.size < LEAST_WINDOWS_COUNT:
        return None
    (residue,) = percentiles(residues, 90)
    return Whitening(median(steps), residue, np.count_nonzero(is_white) / len(is_white))


def _seen(windows: list[Pixels]) -> Floats:
    """(3, n) of those windows that hold enough edges of writing: how steep these are, what is left
    on the paper, and 1 where it is white.
    """
    written = _written(windows)
    steps = _edge_steps(written)
    is_white = written.paper_levels >= WHITE_LEVEL
    residues = np.zeros(len(steps))
    white = np.flatnonzero(is_white & np.isfinite(steps))
    if len(white):
        residues[white] = _residues(written, white)
    return np.stack([steps, residues, is_white])[:, np.isfinite(steps)]


def _windows(page: Page) -> list[Pixels]:
    """The inkiest window of each zone, where print is as large as on most pages."""
    found, scale = page.derive(ink), _scale(page)
    luma, side = page.luma(scale), WINDOW_PX * scale // found.scale
    density = ink_density(page, side)
    rows, columns = density.shape
    density[density > 255 * INK_FRACTION[1]] = 0
    windows = []
    for first_row, last_row in _zones(rows):
        for first_column, last_column in _zones(columns):
            zone = density[first_row:last_row, first_column:last_column]
            row, column = divmod(int(zone.argmax()), last_column - first_column)
            top, left = (first_row + row) * WINDOW_PX, (first_column + column) * WINDOW_PX
            windows.append(luma[top : top + WINDOW_PX, left : left + WINDOW_PX])
    return windows


def _scale(page: Page) -> int:
    """An edge takes more pixels the finer a sheet was scanned, and is no softer for that."""
    is_fine = min(page.width_px, page.height_px) >= FINE_SIDE_PX * page.print_scale
    return page.print_scale * (2 if is_fine else 1)


def _zones(length: int) -> Iterator[tuple[int, int]]:
    """Where each of up to ``ZONES_COUNT`` zones of about the same size begins and ends."""
    each, longer = divmod(length, min(length, ZONES_COUNT))
    return pairwise(zone * each + min(zone, longer) for zone in range(min(length, ZONES_COUNT) + 1))


def _written(windows: list[Pixels]) -> _Writing:
    """The windows that hold writing: ink and paper are told apart as Otsu 1979 does."""
    counts = histograms(np.stack([window[::SAMPLE_LINES] for window in windows]))
    below = np.cumsum(counts, axis=1, dtype=np.float64)
    mass = np.cumsum(counts * _LEVELS, axis=1)
    total = below[:, -1:]
    apart = mass[:, -1:] * below - mass * total
    spread = apart * apart / np.maximum(below * (total - below), 1.0)
    ink = spread.argmax(axis=1)[:, None]
    dark = below[np.arange(len(windows)), ink[:, 0]][:, None]
    share = dark / total
    lighter = (below - dark >= 0.5 * (total - dark)) & (ink < _LEVELS)
    paper = lighter.argmax(axis=1)
    contrast = paper - (below >= 0.25 * dark).argmax(axis=1)
    is_writing = ((share > INK_FRACTION[0]) & (share < INK_FRACTION[1]))[:, 0]
    kept = np.flatnonzero(is_writing & (contrast >= LEAST_CONTRAST_LEVELS))
    chosen = [windows[index] for index in kept.tolist()]
    stacked = np.stack(chosen) if chosen else np.empty((0, *windows[0].shape), np.uint8)
    return _Writing(stacked, ink[kept, 0], paper[kept], contrast[kept])


_LEVELS = np.arange(256.0)


def _residues(written: _Writing, indices: npt.NDArray[np.intp]) -> Floats:
    """(n,) of paper away from ink, over the contrast of n windows; 0 where it is not white."""
    windows, contrasts = written.windows[indices], written.contrasts[indices]
    paper = _paper(windows, written.ink_levels[indices])
    residues = _grey_left(windows, paper, contrasts)
    grey = np.flatnonzero(residues > CLEAR_RESIDUE_FRACTION)
    if len(grey):
        contrasts = contrasts[grey]
        faint = _faint(windows[grey], FAINT_FRACTION * contrasts)[:, ::SAMPLE_LINES]
        away = cv2.subtract(paper[grey], faint)
        residues[grey] = _grey_left(windows[grey], np.asarray(away, np.uint8), contrasts)
    return residues


def _grey_left(windows: Pixels, paper: Pixels, contrasts: Levels) -> Floats:
    """(n,) how far the darkest of the paper lie under its median; paper is 255 in one row in
    ``SAMPLE_LINES`` of the windows.
    """
    counts = histograms(np.ascontiguousarray(windows[:, ::SAMPLE_LINES]), paper)
    below = np.cumsum(counts, axis=1)
    count = below[:, -1:]
    low = (below < DARKEST_FRACTION * count).sum(axis=1)
    middle = (below < 0.5 * count).sum(axis=1)
    is_white = (count[:, 0] * SAMPLE_LINES >= LEAST_PAPER_PIXELS) & (middle >= WHITE_LEVEL)
    return np.where(is_white, (middle - low) / contrasts, 0.0)


def _paper(windows: Pixels, ink_levels: Levels) -> Pixels:
    """(n, H/6, W) one row in six: 255 where neither the block nor those around it have ink."""
    count, height, width = windows.shape
    rows, columns = height // BLOCK_PX, width // BLOCK_PX
    dark = _beyond(windows[:, ::INK_ROWS], ink_levels, cv2.THRESH_BINARY_INV)
    size = (columns, count * rows)
    blocks = cv2.resize(dark.reshape(-1, width), size, interpolation=cv2.INTER_AREA)
    apart = np.zeros((count, rows + FAR_BLOCKS, columns), np.uint8)
    apart[:, :rows] = blocks.reshape(count, rows, columns)
    square = np.ones((FAR_BLOCKS, FAR_BLOCKS), np.uint8)
    grown = cv2.dilate(apart.reshape(-1, columns), square).reshape(apart.shape)[:, :rows]
    free = cv2.compare(np.ascontiguousarray(grown).reshape(-1, columns), 0, cv2.CMP_EQ)  # type: ignore[call-overload]  # a level
    sampled = len(range(0, height, SAMPLE_LINES))
    paper = cv2.resize(free, (width, count * sampled), interpolation=cv2.INTER_NEAREST)
    return np.asarray(paper, np.uint8).reshape(count, sampled, width)


def _faint(windows: Pixels, least_levels: npt.NDArray[np.floating]) -> Pixels:
    """(n, H, W) 255 where a stroke stands out from its surroundings by more than that."""
    stroke = np.ones((FAINT_STROKE_PX, FAINT_STROKE_PX), np.uint8)
    rows = windows.reshape(-1, windows.shape[2])
    depths = cv2.morphologyEx(rows, cv2.MORPH_BLACKHAT, stroke).reshape(windows.shape)
    faint = _beyond(np.asarray(depths, np.uint8), least_levels, cv2.THRESH_BINARY)
    grown = cv2.dilate(faint.reshape(rows.shape), stroke)
    return np.asarray(grown, np.uint8).reshape(windows.shape)


def _beyond(windows: Pixels, levels: npt.NDArray[np.number], side: int) -> Pixels:
    """(n, H, W) 255 where (n, H, W) windows lie on that side of the level of each."""
    found = np.empty(windows.shape, np.uint8)
    for window, level, into in zip(windows, levels.tolist(), found, strict=True):
        cv2.threshold(window, level, 255, side, into)
    return found


def _edge_steps(written: _Writing) -> Floats:
    """(windows,) median over the edges across and along; NaN with too few of them."""
    if not len(written.windows):
        return np.empty(0)
    side = min(written.windows.shape[1:])  # not square on a page that is smaller than a window
    square = written.windows[:, :side, :side]
    lines = [square[:, ::SAMPLE_LINES], square[:, :, ::SAMPLE_LINES].transpose(0, 2, 1)]
    steps = _steps_across(np.concatenate(lines), np.tile(written.contrasts, 2)).reshape(2, -1)
    count = np.isfinite(steps).sum(axis=0)
    total = np.where(np.isfinite(steps), steps, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _steps_across(windows: Pixels, contrasts: Levels) -> Floats:
    """(n,) the median of each of (n, H, W) windows; NaN where there are too few edges."""
    rows = windows.reshape(-1, windows.shape[2])
    reach = np.ones((1, EDGE_REACH_PX), np.uint8)
    swing = cv2.morphologyEx(rows, cv2.MORPH_GRADIENT, reach)
    steps = np.zeros_like(rows)
    cv2.absdiff(rows[:, 1:], rows[:, :-1], steps[:, 1:])
    low, high = (share * contrasts for share in EDGE_SWING)
    at_edge = cv2.bitwise_and(
        cv2.compare(steps, cv2.dilate(steps, reach), cv2.CMP_EQ),
        cv2.compare(swing, float(low.min()), cv2.CMP_GE),  # type: ignore[call-overload]  # a level
    )
    places = np.flatnonzero(at_edge != 0)
    swings, owners = swing.ravel()[places], places // (windows.shape[1] * windows.shape[2])
    counted = (swings >= low[owners]) & (swings <= high[owners])
    shares = steps.ravel()[places[counted]] / swings[counted].astype(np.float32)
    ends = np.searchsorted(owners[counted], np.arange(len(contrasts) + 1))
    counts = ends[1:] - ends[:-1]
    # A share is 1 at most: the windows stay apart.
    ordered = np.sort(np.asarray(owners[counted] * 2, np.float32) + shares)
    middle = np.minimum(ends[:-1] + counts // 2, max(len(ordered) - 1, 0))
    medians = ordered[middle] - 2 * np.arange(len(contrasts)) if len(ordered) else 0.0
    return np.where(counts > LEAST_EDGES_COUNT, medians, np.nan)
