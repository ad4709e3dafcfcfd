"""How far the sheet's outline is from a rectangle, as the perspective of a camera makes it.

A flatbed shows every sheet as a rectangle: its opposite sides are parallel and its corners right.
A folded, curled or crumpled sheet has no straight sides; the angles are then between its corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from docqa.analysis.outline import has_room_for_edges, outline
from docqa.errors import CannotAssess
from docqa.page import Page, Region

Distortion = Literal["perspective", "bent"]


@dataclass(frozen=True, slots=True)
class Perspective:
    """How far the outline is from a rectangle. Lower is better; 0.0 is a rectangle."""

    keystone_deg: float
    """0 to 90: the larger angle between two opposite sides."""
    worst_corner_deg: float
    """0 to 90: the largest difference of a corner from 90 degrees; a sheared or bent sheet has
    it too."""
    distortion: Distortion = "perspective"
    """What the angles come from: ``bent`` where the sheet's sides are not straight either."""
    bow_fraction: float = 0.0
    """0 to 1: how far the edge of a bent sheet strays from straight sides, in parts of the longest
    one; lower is better, 0.0 where they are straight."""
    regions: tuple[Region, ...] = ()
    """The outline, of kind ``page``."""


def measure(page: Page) -> Perspective:
    """The perspective of a page.

    A page that fills the frame shows no edges of its own and counts as a rectangle (0.0): that is
    what a scan looks like. Sides that lie on the frame were cut there and say nothing; an angle
    that needs one is left out.

    Raises:
        CannotAssess: the page is too narrow to show an outline.
    """
    if not has_room_for_edges(page):
        raise CannotAssess("the page is too narrow to show the edges of a sheet")
    sheet = page.derive(outline)
    if sheet is None or sheet.fills_frame:
        return Perspective(0.0, 0.0)
    turns = sheet.side_turns_deg()
    seen = [not touches for touches in sheet.touching]
    pairs = [abs(turns[i] - turns[i + 2]) for i in (0, 1) if seen[i] and seen[i + 2]]
    corners = [abs(turns[i] - turns[i - 1]) for i in range(4) if seen[i] and seen[i - 1]]
    return Perspective(
        keystone_deg=float(max(pairs, default=0.0)),
        worst_corner_deg=float(max(corners, default=0.0)),
        distortion="bent" if sheet.bow_fraction > 0 else "perspective",
        bow_fraction=sheet.bow_fraction,
        regions=(Region("page", sheet.corners),),
    )
