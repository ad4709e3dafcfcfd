"""Whether the whole document is in the picture.

Two things are looked at: the sheet's outline, which must lie within the frame, and the text,
which must not run into the frame. A sheet that fills the frame, as on most scans, is whole as long
as its text keeps inside. Sheets that lie apart are counted, and what lies over the sheet's edge is
told.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.covered_edges import covered_edges
from docqa.analysis.formats import format_aspect
from docqa.analysis.ink import Ink, ink
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
TEXT_HEIGHTS = (0.5, 3.0)
"""Components of this many text heights are text: no specks."""
LEAST_DEPTH_HEIGHTS = 0.5
"""A component that reaches less far into the page than this is a bit of the line that a lid's
shadow leaves along the edge."""
STRIP_FRACTION = 0.02
"""Depth of a reported region."""


@dataclass(frozen=True, slots=True)
class Framing:
    """Whether the whole document is in the picture."""

    cut_off_sides_count: int
    """0 to 4: edges of the frame that cut the sheet; lower is better."""
    text_at_edge_fraction: float
    """0 to 1: share of the text components that touch the frame; lower is better."""
    document_area_fraction: float
    """0 to 1: share of the frame that the sheet covers; 1.0 where it fills the frame."""
    margin_fraction: float
    """0 to 0.5: distance of the text from the frame in parts of its shorter side, the least of
    the four; 0.5 without text."""
    documents_count: int
    """1 or more: sheets and cards that lie apart; 1 also where none shows an edge of its own. A
    front and a back on one bed are 2."""
    covered_edge_fraction: float
    """0 to 1: share of the sheet's visible edge under a finger or another thing; lower is better,
    0.0 where the sheet fills the frame."""
    regions: tuple[Region, ...] = ()
    """Strips along the edges that cut the sheet, of kind ``cut_off``, and over covered parts of
    its edge, of kind ``covered``; every sheet of several, of kind ``sheet``."""


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
    distances = _text_distances(page.derive(ink), sheet)
    strips = _strips(page.width_px, page.height_px)
    covered = page.derive(covered_edges)
    documents = page.derive(sheets)
    nearest = percentiles(distances, 0.5)[0] if len(distances) else 0.5
    regions = [Region("cut_off", s) for s, is_cut in zip(strips, cut, strict=True) if is_cut]
    regions += [Region("covered", place) for place in covered.places]
    regions += [Region("sheet", each.corners) for each in documents if len(documents) > 1]
    return Framing(
        cut_off_sides_count=sum(cut),
        text_at_edge_fraction=float((distances <= EDGE_FRACTION).mean()) if len(distances) else 0.0,
        document_area_fraction=1.0 if sheet is None else sheet.area_fraction,
        margin_fraction=min(max(nearest, 0.0), 0.5),
        documents_count=max(len(documents), 1),
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


def _text_distances(found: Ink, sheet: Outline | None) -> npt.NDArray[np.float64]:
    """(N,) distance of each text component from the nearest edge, in parts of the shorter side."""
    if found.text_height_px is None:
        return np.empty(0)
    height, width = found.mask.shape
    typical = found.text_height_px / found.scale
    low, high = TEXT_HEIGHTS
    boxes = found.boxes
    boxes = boxes[(boxes[:, 3] >= low * typical) & (boxes[:, 3] <= high * typical)]
    boxes = boxes[boxes[:, 2] >= LEAST_DEPTH_HEIGHTS * typical]
    if sheet is not None:
        polygon = (np.array(sheet.corners) / found.scale).astype(np.float32)
        centres = (boxes[:, :2] + boxes[:, 2:] / 2).tolist()
        on_sheet = [cv2.pointPolygonTest(polygon, centre, False) >= 0 for centre in centres]
        boxes = boxes[np.array(on_sheet, np.bool_)]
    left, top = boxes[:, 0], boxes[:, 1]
    right, bottom = width - left - boxes[:, 2], height - top - boxes[:, 3]
    nearest = np.minimum(np.minimum(left, right), np.minimum(top, bottom))
    return np.asarray(nearest / min(width, height), np.float64)


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
