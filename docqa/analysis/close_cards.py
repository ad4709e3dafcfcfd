"""Two cards that lie so close together on the glass that a cut goes around both.

The shadow between them is of neither's colour nor of the lid's. Turned apart, they look like one
sheet seen at an angle; drawn by itself, each is a rectangle of ID-1's shape.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from docqa.analysis.sheet_candidates import Candidate, aspect_ratio, drawn, is_id1, is_sheet
from docqa.page import Pixels

Floats = npt.NDArray[np.float64]

LEAST_ASPECT, MOST_ASPECT = 1.15, 1.38
"""Of two of them together: 1.26 where they touch, more with a gap."""
REACHES = (0.49, 0.485)
"""How far a card may reach, of the length of both: edges are sought from there."""
MOST_SPREAD_DEG = 0.5
"""Opposite sides that are turned further apart are not those of one card."""


def close_cards(luma: Pixels, around: Floats) -> tuple[Candidate, ...]:
    """The two cards within a quadrilateral, each on its own edges.

    Empty where it is no pair, and where it is a rectangle, as of one sheet.

    Args:
        luma: (H, W) brightness at twice the size that the quadrilateral is in: at its own the gap
            is hardly a pixel wide.
        around: (4, 2) corners, clockwise from the top left; so are those of the cards.
    """
    if not LEAST_ASPECT <= aspect_ratio(around) <= MOST_ASPECT:
        return ()
    if _spread_deg(around) <= MOST_SPREAD_DEG:
        return ()
    for reach in REACHES:
        one, other = _ends((around + 0.5) * 2 - 0.5, reach)
        first, second = _card(luma, one, other), _card(luma, other, one)
        if first is not None and second is not None:
            return first, second
    return ()


def _ends(quad: Floats, reach: float) -> tuple[Floats, Floats]:
    """(4, 2) corners of both ends of the longer sides, clockwise from the whole's own first."""
    length = np.hypot(*(quad[[1, 2, 3, 0]] - quad).T)
    turn = int(length[0] + length[2] > length[1] + length[3])
    first, second, third, fourth = np.roll(quad, -turn, axis=0)
    one = (first, second, second + (third - second) * reach, first + (fourth - first) * reach)
    other = (fourth + (first - fourth) * reach, third + (second - third) * reach, third, fourth)
    return np.roll(one, turn, axis=0), np.roll(other, turn, axis=0)


def _card(luma: Pixels, quad: Floats, beside: Floats) -> Candidate | None:
    """At the whole's own size; None where no card lies."""
    found = drawn(luma, quad)
    if found is None or not is_id1(aspect_ratio(found.quad)):
        return None
    if _spread_deg(found.quad) > MOST_SPREAD_DEG or not is_sheet(luma, found, [beside]):
        return None
    return replace(found, quad=(found.quad + 0.5) / 2 - 0.5)


def _spread_deg(quad: Floats) -> float:
    """The larger angle between two opposite sides."""
    x, y = (quad[[1, 2, 3, 0]] - quad).T
    turns = np.degrees(np.arctan2(y, x))
    apart = (turns[:2] - turns[2:]) % 360 - 180
    return float(np.abs(apart).max())
