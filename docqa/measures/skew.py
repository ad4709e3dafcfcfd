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
from docqa.analysis.text_angle import RANGE_DEG, AngleEstimate, spectrum, sweep
from docqa.errors import CannotAssess
from docqa.page import Page, Pixels

AGREEMENT_DEG = 0.5
"""Largest difference between two estimates of the same angle."""
CARD_AGREEMENT_DEG = 1.5
"""The print of a card may lie this far off its edges: cards are cut with that tolerance."""
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
    edges = None if sheet is None else _edges(sheet)
    print_ = _text(page.derive(ink), sheet)
    if edges is not None and sheet is not None and sheet.kind == "card":
        found = _card(edges, print_)
    elif print_ is not None:
        found = _page(print_, edges)
    else:
        raise CannotAssess("there is too little text to tell its direction")
    if abs(found.angle_deg) > RANGE_DEG:
        raise CannotAssess(f"the content is turned by more than {RANGE_DEG:.0f} degrees")
    return found


def _page(text: tuple[AngleEstimate, AngleEstimate], edges: AngleEstimate | None) -> Skew:
    """By the text, the sheet's edges deciding where its two estimators differ."""
    swept, spectral = text
    difference = abs(swept.angle_deg - spectral.angle_deg)
    if difference <= AGREEMENT_DEG and spectral.prominence >= LEAST_PROMINENCE:
        return Skew(swept.angle_deg, _confidence(swept, difference / AGREEMENT_DEG))
    if edges is not None and abs(swept.angle_deg - edges.angle_deg) <= AGREEMENT_DEG:
        difference = abs(swept.angle_deg - edges.angle_deg)
        return Skew(swept.angle_deg, _confidence(swept, difference / AGREEMENT_DEG))
    if spectral.prominence < LEAST_PROMINENCE:
        raise CannotAssess("no direction of text lines stands out")
    raise CannotAssess("two estimates of the direction of text lines differ")


def _card(edges: AngleEstimate, text: tuple[AngleEstimate, AngleEstimate] | None) -> Skew:
    """By the card's edges, unless text that is sure of itself contradicts them."""
    if text is None:
        return Skew(edges.angle_deg, _confidence(edges, 0.5))
    swept, spectral = text
    difference = abs(swept.angle_deg - edges.angle_deg)
    sure = abs(swept.angle_deg - spectral.angle_deg) <= AGREEMENT_DEG
    if sure and spectral.prominence >= LEAST_PROMINENCE and difference > CARD_AGREEMENT_DEG:
        raise CannotAssess("the card's edges and its text differ in direction")
    return Skew(edges.angle_deg, _confidence(edges, min(difference / CARD_AGREEMENT_DEG, 0.5)))


def _confidence(estimate: AngleEstimate, disagreement: float) -> float:
    """``disagreement`` in parts of what is tolerated."""
    return float(np.clip(estimate.prominence * (1.0 - 0.5 * disagreement), 0.0, 1.0))


def _edges(sheet: Outline) -> AngleEstimate | None:
    """Mean turn of the visible sides, weighted by length; None where perspective spreads them."""
    corners = np.array(sheet.corners)
    along = np.roll(corners, -1, axis=0) - corners
    turns = np.degrees(np.arctan2(-along[:, 1], along[:, 0])) + np.array([0, 90, 180, 270])
    turns = (turns + 180) % 360 - 180
    seen = ~np.array(sheet.touching)
    if np.ptp(turns[seen]) > 2 * CARD_AGREEMENT_DEG:
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
