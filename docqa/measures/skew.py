"""How far the content is turned from level.

The angle is positive where text lines rise to the right (the content is turned anticlockwise).
It comes from the text lines, by two estimators that must agree, or from the edges of a card that
lies alone on a scanner's bed, whose few short lines say less than its edges do. Pages that lie on
their side are measured as well: the angle is then that of their upright text lines to the vertical.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from docqa.analysis.ink import Ink, ink
from docqa.analysis.outline import Outline, outline
from docqa.analysis.straight_edges import StraightEdges, straight_edges
from docqa.analysis.text_angle import RANGE_DEG, AngleEstimate, spectrum, sweep
from docqa.errors import CannotAssess
from docqa.page import Page, Pixels

AGREEMENT_DEG = 0.5
"""Largest difference between two estimates of the same angle."""
CLOSE_DEG = 0.08
"""The text's two estimates this close need no third."""
LEAST_EDGES_COUNT = 3
LEAST_EDGES_RATIO = 0.6
LEAST_EDGES_AGREEMENT_FRACTION = 0.5
"""Straight edges are clear when this many share a direction, together this long in shorter sides
of the page, and this share of the length of all."""
MOST_SPREAD_DEG = 3.0
"""Sides of a sheet that differ by more are seen in perspective."""
LEAST_PROMINENCE = 0.35
"""Below this, no direction stands out: noise, texture, a picture."""
LEAST_INK_FRACTION = 0.0005
RIM_FRACTION = 0.02
"""Ink this close to the frame or the sheet's edge is the edge, not text."""
LEAST_MASK_SIDE_PX = 32


@dataclass(frozen=True, slots=True)
class Skew:
    """How far the content is turned."""

    angle_deg: float
    """-15 to 15; positive where text lines rise to the right."""
    confidence: float
    """0 to 1, higher is surer: how clearly the direction stands out and how well the estimates
    agree."""


def measure(page: Page) -> Skew:
    """The skew of a page.

    Raises:
        CannotAssess: blank or nearly so, no direction stands out, the estimators disagree, or
            the angle is beyond 15 degrees.
    """
    sheet = page.derive(outline)
    if sheet is not None and sheet.fills_frame:
        sheet = None
    print_ = _text(page.derive(ink), sheet)
    is_card = sheet is not None and sheet.kind == "card"
    if print_ is not None and not is_card and _agreeing(*print_, CLOSE_DEG):
        found = _answer(print_[0], print_[1])
    else:
        found = _by_edges(page, sheet, print_)
    if abs(found.angle_deg) > RANGE_DEG:
        raise CannotAssess(f"the content is turned by more than {RANGE_DEG:.0f} degrees")
    return found


def _by_edges(
    page: Page, sheet: Outline | None, print_: tuple[AngleEstimate, AngleEstimate] | None
) -> Skew:
    """Little or unclear text: what is ruled straight decides, unless clear text contradicts it."""
    ruled = page.derive(straight_edges)
    sides = None if sheet is None else _sides(sheet)
    if ruled is not None and _is_clear(ruled):
        edges: AngleEstimate | None = AngleEstimate(ruled.angle_deg, ruled.agreement_fraction)
    else:
        edges = sides
    if print_ is None:
        if edges is None:
            raise CannotAssess("there is too little text to tell its direction")
        return Skew(edges.angle_deg, 0.75 * edges.prominence)
    swept, spectral = print_
    if edges is not None and min(_apart(edges, swept), _apart(edges, spectral)) <= AGREEMENT_DEG:
        return _answer(edges, min(swept, spectral, key=lambda e: _apart(edges, e)))
    if _agreeing(swept, spectral, AGREEMENT_DEG):
        if edges is not None and sheet is not None and sheet.kind == "card":
            raise CannotAssess("the card's edges and its text differ in direction")
        return _answer(swept, spectral)
    raise CannotAssess("no two estimates of the direction of the content agree")


def _agreeing(swept: AngleEstimate, spectral: AngleEstimate, within_deg: float) -> bool:
    clear = spectral.prominence >= LEAST_PROMINENCE
    return clear and _apart(swept, spectral) <= within_deg


def _is_clear(ruled: StraightEdges) -> bool:
    return (
        ruled.count >= LEAST_EDGES_COUNT
        and ruled.length_ratio >= LEAST_EDGES_RATIO
        and ruled.agreement_fraction >= LEAST_EDGES_AGREEMENT_FRACTION
    )


def _apart(one: AngleEstimate, other: AngleEstimate) -> float:
    return abs(one.angle_deg - other.angle_deg)


def _answer(estimate: AngleEstimate, other: AngleEstimate) -> Skew:
    disagreement = min(_apart(estimate, other) / AGREEMENT_DEG, 1.0)
    return Skew(estimate.angle_deg, _confidence(estimate, disagreement))


def _confidence(estimate: AngleEstimate, disagreement: float) -> float:
    """``disagreement`` in parts of what is tolerated."""
    return float(np.clip(estimate.prominence * (1.0 - 0.5 * disagreement), 0.0, 1.0))


def _sides(sheet: Outline) -> AngleEstimate | None:
    """Mean turn of the visible sides, weighted by length; None where perspective spreads them."""
    corners = np.array(sheet.corners)
    along = np.roll(corners, -1, axis=0) - corners
    turns = np.degrees(np.arctan2(-along[:, 1], along[:, 0])) + np.array([0, 90, 180, 270])
    turns = (turns + 180) % 360 - 180
    seen = ~np.array(sheet.touching)
    if np.ptp(turns[seen]) > MOST_SPREAD_DEG:
        return None
    weights = np.hypot(along[:, 0], along[:, 1])[seen]
    return AngleEstimate(float(np.average(turns[seen], weights=weights)), sheet.support_fraction)


def _text(found: Ink, sheet: Outline | None) -> tuple[AngleEstimate, AngleEstimate] | None:
    """Sweep and spectrum of the ink on the sheet, the way its lines run; None without ink."""
    mask = _on_sheet(found, sheet)
    if min(mask.shape) < LEAST_MASK_SIDE_PX:
        return None
    if cv2.countNonZero(mask) < LEAST_INK_FRACTION * mask.size:
        return None
    across, down = spectrum(mask)
    if down.prominence <= across.prominence:
        return sweep(mask), across
    return sweep(cast("Pixels", cv2.rotate(mask, cv2.ROTATE_90_CLOCKWISE))), down


def _on_sheet(found: Ink, sheet: Outline | None) -> Pixels:
    """The ink mask within the sheet, or within the frame, without the rim."""
    height, width = found.mask.shape
    rim = max(int(RIM_FRACTION * max(height, width)), 1)
    if sheet is None:
        return found.mask[rim : height - rim, rim : width - rim]
    corners = np.array(sheet.corners) / found.scale
    within = np.zeros(found.mask.shape, np.uint8)
    cv2.fillConvexPoly(within, np.rint(corners).astype(np.int32), 255)
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    rim = max(int(RIM_FRACTION * max(right - left, bottom - top)), 1)
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * rim + 1, 2 * rim + 1))
    inner = cv2.erode(within, element, borderValue=0)
    mask = cv2.bitwise_and(found.mask, inner)[top : bottom + 1, left : right + 1]
    return cast("Pixels", mask)
