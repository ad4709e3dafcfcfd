"""Whether the whole document is in the picture.

Three things are looked at: the sheet's outline, which must lie within the frame, the text, which
must not run into the frame, and where the file states a scanner's density the picture's own size,
which must hold a card. A sheet that fills the frame, as on most scans, is whole as long as its text
keeps inside. Sheets that lie apart are counted, and what lies over the sheet's edge is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from docqa.analysis.card_extent import short_of
from docqa.analysis.covered_edges import covered_edges
from docqa.analysis.edge_text import boxes_on, cut_lines, text_distances
from docqa.analysis.formats import format_aspect
from docqa.analysis.ink import ink
from docqa.analysis.outline import Outline, has_room_for_edges, outline, sheets
from docqa.analysis.ranks import percentiles
from docqa.errors import CannotAssess
from docqa.page import Page, Polygon, Region

BEYOND_FRACTION = 0.015
"""A corner this far outside the frame, in parts of its longer side, is cut off."""
WHOLE_ASPECTS = tuple(map(format_aspect, ("a4", "letter", "legal", "id-1", "td3")))
"""A sheet on the frame's edge that still has a format's shape lies in the corner of the glass."""
WHOLE_TOLERANCE = 0.02
EDGE_FRACTION = 0.004
"""Text within this part of the frame's shorter side touches the edge."""
STRIP_FRACTION = 0.02
"""Depth of a reported region."""


@dataclass(frozen=True, slots=True)
class Framing:
    """Whether the whole document is in the picture."""

    cut_off_sides_count: int
    """0 to 4: edges of the frame that cut the sheet; lower is better."""
    text_at_edge_fraction: float
    """0 to 1: share of the text components that touch the frame; lower is better."""
    cut_lines_fraction: float
    """0 to 1: share of the writing along one side of the frame that is cut there, of the side where
    it is most; lower is better. 0.0 where fewer than four letters are cut."""
    document_area_fraction: float
    """0 to 1: share of the frame that the sheet covers; 1.0 where it fills the frame."""
    margin_fraction: float
    """0 to 0.5: distance of the text from the frame in parts of its shorter side, the least of
    the four; 0.5 without text."""
    documents_count: int
    """1 or more: sheets and cards that lie apart; 1 also where none shows an edge of its own. A
    front and a back on one bed are 2."""
    short_of_id1_fraction: float
    """0 to 1: by how much the picture, or the sheet that its frame cuts, is too small for a card
    of ID-1 at the density that the file states; lower is better, 0.0 where it states none."""
    short_of_td3_fraction: float
    """The same of a passport's data page."""
    covered_edge_fraction: float
    """0 to 1: share of the sheet's visible edge under a finger or another thing; lower is better,
    0.0 where the sheet fills the frame."""
    regions: tuple[Region, ...] = ()
    """Strips along the edges that cut the sheet or its writing, of kind ``cut_off``, and over
    covered parts of its edge, of kind ``covered``; every sheet of several, of kind ``sheet``."""


def measure(page: Page) -> Framing:
    """The framing of a page.

    Raises:
        CannotAssess: the page is too narrow to show an outline.
    """
    if not has_room_for_edges(page):
        raise CannotAssess("the page is too narrow to show the edges of a sheet")
    sheet = page.derive(outline)
    if sheet is not None and sheet.fills_frame:
        sheet = None
    cut = (False,) * 4 if sheet is None else _cut_edges(page, sheet)
    found = page.derive(ink)
    boxes = boxes_on(sheet, found)
    distances, lines = text_distances(found, boxes), cut_lines(found, boxes)
    strips = _strips(page.width_px, page.height_px)
    covered = page.derive(covered_edges)
    documents = page.derive(sheets)
    nearest = percentiles(distances, 0.5)[0] if len(distances) else 0.5
    regions = [
        Region("cut_off", s) for s, *is_cut in zip(strips, cut, lines, strict=True) if any(is_cut)
    ]
    regions += [Region("covered", place) for place in covered.places]
    regions += [Region("sheet", each.corners) for each in documents if len(documents) > 1]
    return Framing(
        cut_off_sides_count=sum(cut),
        text_at_edge_fraction=float((distances <= EDGE_FRACTION).mean()) if len(distances) else 0.0,
        cut_lines_fraction=max(lines),
        document_area_fraction=1.0 if sheet is None else sheet.area_fraction,
        margin_fraction=min(max(nearest, 0.0), 0.5),
        documents_count=max(len(documents), 1),
        short_of_id1_fraction=short_of(page, "id-1"),
        short_of_td3_fraction=short_of(page, "td3"),
        covered_edge_fraction=covered.fraction,
        regions=tuple(regions),
    )


def _cut_edges(page: Page, sheet: Outline) -> tuple[bool, ...]:
    """Top, right, bottom, left: the frame's edges beyond which the sheet goes on."""
    x, y = np.array(sheet.corners).T
    beyond = BEYOND_FRACTION * max(page.width_px, page.height_px)
    outside = (
        y.min() < -beyond,
        x.max() > page.width_px + beyond,
        y.max() > page.height_px + beyond,
        x.min() < -beyond,
    )
    aspect = sheet.aspect_ratio()
    whole = any(abs(aspect / known - 1) <= WHOLE_TOLERANCE for known in WHOLE_ASPECTS)
    return tuple(
        bool(out or (touches and not whole))
        for out, touches in zip(outside, sheet.touching, strict=True)
    )


def _strips(width: int, height: int) -> tuple[Polygon, ...]:
    """Top, right, bottom, left strips of the frame."""
    depth = STRIP_FRACTION * max(width, height)
    edges = (
        (0.0, 0.0, width, depth),
        (width - depth, 0.0, width, height),
        (0.0, height - depth, width, height),
        (0.0, 0.0, depth, height),
    )
    return tuple(
        ((left, top), (right, top), (right, bottom), (left, bottom))
        for left, top, right, bottom in edges
    )
