"""How far the content is turned from level.

The angle is positive where text lines rise to the right (the content is turned anticlockwise).
It comes from the text lines, by two estimators that must agree. A card has few short lines; where
they are not sharp they say less than what is ruled straight on it: its edges, frames and bars come
first there, its text second, and they decide as well where the text's estimates differ. On a page
that lies on its side the angle is that of its upright text lines to the vertical. Where nothing
near level is sure, lines that lie far from it are looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from docqa.analysis.ink import ink
from docqa.analysis.outline import Outline, outline
from docqa.analysis.print_direction import PrintDirection, has_short_lines, print_direction
from docqa.analysis.steep_lines import steep_angle
from docqa.analysis.straight_edges import LEAST_COUNT, StraightEdges, straight_edges
from docqa.analysis.text_angle import RANGE_DEG, AngleEstimate
from docqa.errors import CannotAssess
from docqa.page import Page

AGREEMENT_DEG = 0.5
"""Largest difference between two estimates of the same angle."""
SHARP = 0.45
"""Text whose lines have sides this steep gives the angle more exactly than edges, however short
its lines; on sheared pages it is the text that a reader follows."""
MOST_SPREAD_DEG = 3.0
"""Sides of a sheet that differ by more are seen in perspective."""
LEAST_PROMINENCE = 0.35
"""Below this, no direction stands out: noise, texture, a picture."""
LEAST_COMPONENTS_COUNT, FEW_COMPONENTS_COUNT = 20, 200
"""Fewer marks that can be letters or words give no angle; fewer yield to edges that differ."""
LEAST_ALONE_FRACTION = 0.6
NO_TEXT_CONFIDENCE = 0.75
"""Edges are believed alone from this agreement on, and what they are worth then."""
UNSURE_CONFIDENCE, STEEP_MARGIN = 0.7, 0.1
"""Below the first, lines far from level that are so much clearer are believed."""


@dataclass(frozen=True, slots=True)
class Skew:
    """How far the content is turned."""

    angle_deg: float
    """-45 to 45; positive where text lines rise to the right."""
    confidence: float
    """0 to 1, higher is surer: how clearly the direction stands out and how well the estimates
    agree."""


def measure(page: Page) -> Skew:
    """The skew of a page.

    Raises:
        CannotAssess: blank or nearly so, no direction stands out, or the estimators disagree.
    """
    try:
        level = _near_level(page)
    except CannotAssess:
        steep = page.derive(steep_angle)
        if steep is None:
            raise
        return Skew(steep.angle_deg, steep.prominence)
    steep = page.derive(steep_angle) if level.confidence < UNSURE_CONFIDENCE else None
    if steep is None or steep.prominence < level.confidence + STEEP_MARGIN:
        return level
    return Skew(steep.angle_deg, steep.prominence)


def _near_level(page: Page) -> Skew:
    """The skew of up to 15 degrees. Raises CannotAssess."""
    sheet = page.derive(outline)
    if sheet is not None and (sheet.fills_frame or sheet.bow_fraction > 0):
        sheet = None
    text = page.derive(print_direction)
    is_small = (sheet is not None and sheet.kind == "card") or has_short_lines(page.derive(ink))
    if text is not None and _agrees(text) and (text.sharpness >= SHARP or not is_small):
        found = _answer(text.swept, text.other)
    else:
        found = _by_edges(page, sheet, text)
    if abs(found.angle_deg) > RANGE_DEG:
        raise CannotAssess("the content may be turned by more, and no direction is clear")
    return found


def _by_edges(page: Page, sheet: Outline | None, text: PrintDirection | None) -> Skew:
    """Little or unclear text: what is ruled straight decides, unless clear text contradicts it."""
    ruled = page.derive(straight_edges)
    if ruled is not None and ruled.is_clear():
        edges: AngleEstimate | None = AngleEstimate(ruled.angle_deg, ruled.agreement_fraction)
    else:
        edges = None if sheet is None else _sides(sheet)
    if text is not None and edges is not None:
        nearer = min(text.swept, text.other, key=lambda estimate: _apart(edges, estimate))
        if _apart(edges, nearer) <= AGREEMENT_DEG:
            return _answer(edges, nearer)
    marks_count = page.derive(ink).component_count
    if edges is not None and edges.prominence >= LEAST_ALONE_FRACTION:
        if text is None or not _agrees(text) or marks_count < FEW_COMPONENTS_COUNT:
            return Skew(edges.angle_deg, NO_TEXT_CONFIDENCE * edges.prominence)
    elif text is None or not _agrees(text):
        found = _borne_out(text, ruled)
        if found is None:
            raise CannotAssess("neither text nor straight edges tell the direction")
        return found
    if edges is not None and sheet is not None and sheet.kind == "card":
        raise CannotAssess("the card's edges and its text differ in direction")
    if marks_count < LEAST_COMPONENTS_COUNT:
        raise CannotAssess("there is too little text to tell its direction")
    return _answer(text.swept, text.other)


def _borne_out(text: PrintDirection | None, ruled: StraightEdges | None) -> Skew | None:
    """Of two differing estimates of clear text, the one that edges bear out, clear or not."""
    if text is None or ruled is None or ruled.count < LEAST_COUNT:
        return None
    both = (text.swept, text.other)
    edges = AngleEstimate(ruled.angle_deg, ruled.agreement_fraction)
    nearer = min(both, key=lambda estimate: _apart(edges, estimate))
    is_clear = min(estimate.prominence for estimate in both) >= LEAST_PROMINENCE
    return _answer(nearer, edges) if is_clear and _apart(edges, nearer) <= AGREEMENT_DEG else None


def _agrees(text: PrintDirection) -> bool:
    clear = text.other.prominence >= LEAST_PROMINENCE
    return clear and _apart(text.swept, text.other) <= AGREEMENT_DEG


def _apart(one: AngleEstimate, other: AngleEstimate) -> float:
    return abs(one.angle_deg - other.angle_deg)


def _answer(estimate: AngleEstimate, other: AngleEstimate) -> Skew:
    disagreement = min(_apart(estimate, other) / AGREEMENT_DEG, 1.0)
    confidence = np.clip(estimate.prominence * (1.0 - 0.5 * disagreement), 0.0, 1.0)
    return Skew(estimate.angle_deg, float(confidence))


def _sides(sheet: Outline) -> AngleEstimate | None:
    """Mean turn of the visible sides, weighted by length; None where perspective spreads them."""
    seen = ~np.array(sheet.touching)
    turns = -np.array(sheet.side_turns_deg())[seen]
    if np.ptp(turns) > MOST_SPREAD_DEG:
        return None
    angle_deg = float(np.average(turns, weights=np.array(sheet.side_lengths_px())[seen]))
    return AngleEstimate(angle_deg, sheet.support_fraction)
