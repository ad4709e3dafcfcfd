"""Traces of an app that whitened a camera's picture: soft letters on paper whitened unevenly.

A scanner's paper is either untouched or clipped to white everywhere alike, and its letters are
sampled once. A scanner app lifts each part of the page by what it takes for the background there,
which leaves grey and noise where the light fell off; and its letters went through a lens and a
straightening, so that no edge rises within a pixel. Either alone occurs on scans; both together
hardly do.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import ink
from docqa.page import Page, Pixels

Mask = npt.NDArray[np.bool_]

WINDOW_PX = 192
ZONES_COUNT = 4
"""Windows along each side of the page: the inkiest of each zone is looked at."""
LEAST_WINDOWS_COUNT = 7
"""Of those with writing. A card in the corner of a bed reaches six, and its printed ground is no
paper."""
INK_FRACTION = (0.005, 0.5)
LEAST_CONTRAST_LEVELS = 30
EDGE_REACH_PX = 9
EDGE_SWING = (0.75, 1.4)
"""An edge between ink and paper swings by this share of the window's contrast."""
LEAST_EDGES_COUNT = 20
FAR_PX = 31
"""Side of the square that ink is grown by: outside is paper away from all ink."""
LEAST_PAPER_PIXELS = 200
DARKEST_FRACTION = 0.03
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
    noise_spread_fraction: float
    """How much the noise of the paper differs from window to window (interquartile range)."""


@dataclass(frozen=True, slots=True)
class _Seen:
    edge_step: float
    residue: float
    noise: float


def whitening(page: Page) -> Whitening | None:
    """Measure edges and paper; None where too few windows hold writing.

    Call it as ``page.derive(whitening)``.
    """
    seen = [one for window in _windows(page) if (one := _seen(window)) is not None]
    if len(seen) < LEAST_WINDOWS_COUNT:
        return None
    steps = np.array([one.edge_step for one in seen])
    noise = np.array([one.noise for one in seen])
    quarters = np.percentile(noise, (25, 75))
    return Whitening(
        edge_step_fraction=float(np.median(steps)),
        residue_fraction=float(np.percentile([one.residue for one in seen], 90)),
        noise_spread_fraction=float(quarters[1] - quarters[0]),
    )


def _windows(page: Page) -> list[Pixels]:
    """The inkiest window of each zone, at full resolution."""
    found, luma = page.derive(ink), page.luma()
    side = max(1, WINDOW_PX // found.scale)
    rows, columns = (max(1, n // side) for n in found.mask.shape)
    cut = found.mask[: rows * side, : columns * side]
    density = cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA)
    density = np.where(density > 255 * INK_FRACTION[1], 0, density)
    windows = []
    for zone_rows in np.array_split(np.arange(rows), min(rows, ZONES_COUNT)):
        for zone_columns in np.array_split(np.arange(columns), min(columns, ZONES_COUNT)):
            zone = density[np.ix_(zone_rows, zone_columns)]
            row, column = np.unravel_index(int(zone.argmax()), zone.shape)
            top, left = int(zone_rows[row]) * WINDOW_PX, int(zone_columns[column]) * WINDOW_PX
            windows.append(luma[top : top + WINDOW_PX, left : left + WINDOW_PX])
    return windows


def _seen(window: Pixels) -> _Seen | None:
    if min(window.shape) < 2 * FAR_PX:
        return None
    _, dark = cv2.threshold(window, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    share = cv2.countNonZero(dark) / dark.size
    if not INK_FRACTION[0] < share < INK_FRACTION[1]:
        return None
    (paper,) = _levels(window, cv2.bitwise_not(dark), 0.5)
    (ink_level,) = _levels(window, dark, 0.25)
    contrast = paper - ink_level
    if contrast < LEAST_CONTRAST_LEVELS:
        return None
    step = _edge_step(window, contrast)
    if step is None:
        return None
    far = cv2.bitwise_not(cv2.dilate(dark, np.ones((FAR_PX, FAR_PX), np.uint8)))
    if cv2.countNonZero(far) < LEAST_PAPER_PIXELS:
        return _Seen(step, 0.0, 0.0)
    low, middle = _levels(window, far, DARKEST_FRACTION, 0.5)
    if middle < WHITE_LEVEL:
        return _Seen(step, 0.0, 0.0)
    jumps = cv2.mean(cv2.absdiff(window[:, 2:], window[:, :-2]), far[:, 1:-1])[0]
    return _Seen(step, (middle - low) / contrast, jumps / contrast)


def _levels(window: Pixels, mask: cv2.typing.MatLike, *shares: float) -> tuple[float, ...]:
    """The levels that these shares of the masked pixels lie under."""
    counts = cv2.calcHist([window], [0], mask, [256], [0, 256]).ravel().cumsum()
    return tuple(float(np.searchsorted(counts, share * counts[-1])) for share in shares)


def _edge_step(window: Pixels, contrast: float) -> float | None:
    """Median over the edges across and along; None with too few of them."""
    low, high = (np.array(share * contrast) for share in EDGE_SWING)
    shares = []
    for along in (False, True):
        reach = np.ones((EDGE_REACH_PX, 1) if along else (1, EDGE_REACH_PX), np.uint8)
        swing = cv2.morphologyEx(window, cv2.MORPH_GRADIENT, reach)
        steps = np.zeros_like(window)
        if along:
            cv2.absdiff(window[1:], window[:-1], steps[1:])
        else:
            cv2.absdiff(window[:, 1:], window[:, :-1], steps[:, 1:])
        at_edge = cv2.bitwise_and(
            cv2.compare(steps, cv2.dilate(steps, reach), cv2.CMP_EQ), cv2.inRange(swing, low, high)
        )
        places = np.flatnonzero(at_edge)
        if len(places) > LEAST_EDGES_COUNT:
            shares.append(float(np.median(steps.ravel()[places] / swing.ravel()[places])))
    return float(np.mean(shares)) if shares else None
