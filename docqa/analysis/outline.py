"""The outline of the sheet or card on its background.

The sheet is cut from the background in several ways at about 500 px (brightness, whiteness,
distance from the colour of the frame's border), each gives a quadrilateral, and each side is then
drawn to the edge that is really there: profiles across the side, the steepest place of each, and
a robust least-squares line. A quadrilateral whose sides have no edge under them is dropped, so a
page that fills the frame has none. On a light background, where a scanned page's own text, tables
and pictures could pass for a card on a white bed, a side must moreover be a step (a ruled line is
none) and nothing may be printed outside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.sheet_masks import sheet_masks
from docqa.analysis.sides import corners_of, draw_to_edges, side_steps
from docqa.page import Page, Pixels, Polygon

Floats = npt.NDArray[np.float64]
Background = Literal["light", "dark", "mixed"]
Kind = Literal["page", "card"]

WORKING_SIDE_PX = 360
"""The sheet is sought at the smallest scale whose longer side is at least this."""
LEAST_SIDE_PX = 24
"""A page whose working copy is narrower shows nothing."""
LEAST_AREA_FRACTION = 0.03
"""An ID card covers 0.07 of an A4 bed; less than this is a stamp or a stain."""
TOUCHING_FRACTION = 0.012
"""A side this close to the frame, in parts of the frame's longer side, is the frame itself."""
TOUCHING_SHARE_FRACTION = 0.6
"""Share of a touching side that must be as bright as the sheet."""
LEAST_SUPPORT_FRACTION = 0.3
"""Share of a side's profiles that must have their edge on the line."""
LEAST_MEAN_SUPPORT_FRACTION = 0.65
"""The same for all visible sides together: one may be torn or hidden."""
LEAST_CARD_SUPPORT_FRACTION = 0.65
"""Least support of a side where the brightness does not tell sheet from surroundings."""
SAME_PX = 2.0
"""Quadrilaterals closer than this at the working scale are drawn to the same edges."""
NEAR_REACH_PX = 3
"""How far from the mask's outline an edge is sought first, at the working scale."""
CERTAIN_SUPPORT_FRACTION = 0.95
"""Every visible side carried this well: no other cut is tried."""
CLEAR_STEP_LEVELS = 8.0
"""A sheet this much brighter than its surroundings on every side lies on them."""
LEAST_STEP_LEVELS = 1.5
LEAST_STEPS_COUNT = 3
"""Sides of a card on a bed of its own colour that must be steps; a ruled frame has none. One less
for the shape of ID-1, whose white barcode field can reach two of them."""
MOST_PRINT_OUTSIDE_FRACTION = 0.03
"""Print outside a card on a light bed, against print within: more makes it part of a page."""
PRINT_CONTRAST_LEVELS = 25.0
"""Darker than the bed by this is print."""
FILLING_AREA_FRACTION = 0.97
SMALL_AREA_FRACTION = 0.3
"""A sheet smaller than this part of a light bed is a card: beds are A4 or little more."""
LEAST_SCANNER_PPI = 100.0
"""Cameras write 72 or 96 ppi, which says nothing."""
LIGHT_LEVELS = 170.0
DARK_LEVELS = 90.0
ID1_ASPECT = 85.6 / 53.98
"""ISO/IEC 7810 ID-1, the size of a bank card."""
ID1_ASPECT_TOLERANCE = 0.07
LONGEST_CARD_MM = 130.0
"""A passport's data page (TD3) is 125 mm wide."""


@dataclass(frozen=True, slots=True)
class Outline:
    """Where the sheet or card lies."""

    corners: Polygon
    """Top left, top right, bottom right, bottom left as seen (not as read), in page pixels. A
    corner of a sheet that is cut off may lie outside the frame."""
    kind: Kind
    fills_frame: bool
    """The outline is the frame's own, but for a hair: the edges say nothing about the sheet."""
    background: Background
    touching: tuple[bool, bool, bool, bool]
    """Top, right, bottom, left: the side lies on the frame, so no edge of the sheet was seen."""
    support_fraction: float
    """Mean share of the visible sides' length that has an edge under it, 0 to 1."""
    area_fraction: float
    """Share of the frame inside the outline, 0 to 1."""

    def side_lengths_px(self) -> tuple[float, float, float, float]:
        """Lengths of the top, right, bottom and left side."""
        corners = np.array(self.corners)
        lengths = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
        return (float(lengths[0]), float(lengths[1]), float(lengths[2]), float(lengths[3]))

    def aspect_ratio(self) -> float:
        """Longer over shorter side, each the mean of the opposite two; 1.0 or more."""
        return _aspect_ratio(np.array(self.corners))


@dataclass(frozen=True, slots=True)
class _Candidate:
    quad: Floats
    """(4, 2) at the working scale."""
    touching: tuple[bool, bool, bool, bool]
    support: Floats
    """(4,) share of each side that has an edge under it."""
    steps: Floats
    """(4,) levels by which each side is brighter within than without; NaN where unknown."""
    score: float


def outline(page: Page) -> Outline | None:
    """The outline of the sheet or card; None where the page shows no edge of its own sheet.

    Call it as ``page.derive(outline)``. Never raises for a page that decodes.
    """
    scale = _scale(page)
    luma = page.luma(scale)
    if min(luma.shape) < LEAST_SIDE_PX:
        return None
    colour = _colour(page, luma.shape, scale)
    best: _Candidate | None = None
    tried: list[Floats] = []
    for mask in sheet_masks(luma, colour):
        quad = _quad(mask)
        if quad is None or any(np.abs(quad - other).max() < SAME_PX for other in tried):
            continue
        tried.append(quad)
        candidate = _drawn(luma, quad)
        if candidate is None or (best is not None and candidate.score <= best.score):
            continue
        if _is_sheet(luma, candidate):
            best = candidate
            if candidate.support[~np.array(candidate.touching)].min() > CERTAIN_SUPPORT_FRACTION:
                break
    return None if best is None else _finished(page, luma, scale, best)


def _scale(page: Page) -> int:
    longer = max(page.width_px, page.height_px)
    return next((scale for scale in (8, 4, 2) if longer // scale >= WORKING_SIDE_PX), 1)


def _colour(page: Page, shape: tuple[int, ...], scale: int) -> Pixels:
    colour = page.colour(8 if scale == 8 else 4)
    if colour.shape[:2] != shape:
        size = (shape[1], shape[0])
        colour = cast("Pixels", cv2.resize(colour, size, interpolation=cv2.INTER_LINEAR))
    return colour


def _quad(mask: Pixels) -> Floats | None:
    """(4, 2) quadrilateral around the largest part of the mask, gaps closed and specks gone."""
    height, width = mask.shape
    size = max(max(height, width) // 60, 1) * 2 + 1
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (size, size))
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, element)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, element)
    contours = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)
    if cv2.contourArea(contour) < LEAST_AREA_FRACTION * height * width:
        return None
    hull = cv2.convexHull(contour)
    if len(hull) < 4:
        return None
    quad = cv2.approxPolyN(hull, 4, None, -1.0, True).reshape(-1, 2).astype(np.float64)
    if len(quad) != 4:
        return None
    return _ordered(_fitted(contour.reshape(-1, 2)[::3].astype(np.float64), _ordered(quad)))


def _ordered(quad: Floats) -> Floats:
    """Clockwise as seen, from the corner that is nearest to the top left."""
    centre = quad.mean(axis=0)
    angles = np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0])
    clockwise = quad[np.argsort(angles)]
    return np.roll(clockwise, -int(np.argmin(clockwise.sum(axis=1))), axis=0)


def _fitted(contour: Floats, quad: Floats) -> Floats:
    """The quadrilateral whose sides follow the contour itself: a hull is drawn out by any spur."""
    starts, ends = quad, np.roll(quad, -1, axis=0)
    along = ends - starts
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    unit = along / length[:, None]
    rest = contour[None] - starts[:, None]
    across = np.abs(rest[..., 0] * unit[:, None, 1] - rest[..., 1] * unit[:, None, 0])
    nearest = across.argmin(axis=0)
    lines = []
    for side in range(4):
        points = contour[(nearest == side) & (across[side] < 0.08 * length.max())]
        if len(points) < 8:
            lines.append((starts[side], unit[side]))
            continue
        lines.append(_line_through(points, starts[side], unit[side]))
    moved = corners_of(lines)
    return quad if moved is None else moved


def _line_through(points: Floats, start: Floats, unit: Floats) -> tuple[Floats, Floats]:
    """The line along most of the points, by least absolute distance (reweighted least squares)."""
    rest = points - start
    along, across = rest @ unit, rest[:, 1] * unit[0] - rest[:, 0] * unit[1]
    offset, slope = float(np.median(across)), 0.0
    for _ in range(4):
        weight = 1 / np.maximum(np.abs(across - offset - slope * along), 0.3)
        slope, offset = _weighted_line(weight, along, across)
    direction = unit + slope * np.array([-unit[1], unit[0]])
    point = start + offset * np.array([-unit[1], unit[0]])
    return point, direction / np.hypot(*direction)


def _weighted_line(weight: Floats, x: Floats, y: Floats) -> tuple[float, float]:
    total = weight.sum()
    mean_x, mean_y = (weight @ x) / total, (weight @ y) / total
    spread = weight @ (x - mean_x) ** 2
    slope = (weight @ ((x - mean_x) * (y - mean_y))) / spread if spread > 1e-9 else 0.0
    return float(slope), float(mean_y - slope * mean_x)


def _drawn(luma: Pixels, quad: Floats) -> _Candidate | None:
    """The quadrilateral drawn to the edges under it, and how well they carry it.

    First to edges close by, for a faint card edge would lose to the print within; failing that, to
    edges further off.
    """
    near = _drawn_within(luma, quad, NEAR_REACH_PX)
    if near is not None and near.support.min() >= LEAST_CARD_SUPPORT_FRACTION:
        return near
    reach = max(max(luma.shape) // 50, 2 * NEAR_REACH_PX)
    far = _drawn_within(luma, quad, reach)
    if near is None or (far is not None and far.score > near.score):
        return far
    return near


def _drawn_within(luma: Pixels, quad: Floats, reach: int) -> _Candidate | None:
    height, width = luma.shape
    for needed in (LEAST_MEAN_SUPPORT_FRACTION / 2, LEAST_MEAN_SUPPORT_FRACTION):
        if not _plausible(quad, width, height):
            return None
        touching = _touching(quad, width, height)
        if sum(touching) > 2:
            return None
        moved, support = draw_to_edges(luma, quad, touching, reach)
        visible = support[~np.array(touching)]
        if moved is None or visible.mean() < needed:
            return None
        quad, reach = moved, max(reach // 2, NEAR_REACH_PX)
    if visible.min() < LEAST_SUPPORT_FRACTION or not _plausible(quad, width, height):
        return None
    area = _area(quad) / (width * height)
    steps = side_steps(luma, quad)
    return _Candidate(quad, touching, support, steps, float(visible.mean()) + 0.5 * area)


def _area(quad: Floats) -> float:
    following = np.roll(quad, -1, axis=0)
    return float(abs((quad[:, 0] * following[:, 1] - quad[:, 1] * following[:, 0]).sum()) / 2)


def _aspect_ratio(quad: Floats) -> float:
    along = quad[[1, 2, 3, 0]] - quad
    length = np.hypot(along[:, 0], along[:, 1])
    across, down = max(length[0] + length[2], 1e-6), max(length[1] + length[3], 1e-6)
    return float(max(across / down, down / across))


def _is_id1(aspect_ratio: float) -> bool:
    return abs(aspect_ratio / ID1_ASPECT - 1) <= ID1_ASPECT_TOLERANCE


def _plausible(quad: Floats, width: int, height: int) -> bool:
    """Convex, no corner sharper than 50 degrees, large enough, and not far outside the frame."""
    along = np.roll(quad, -1, axis=0) - quad
    length = np.hypot(along[:, 0], along[:, 1])
    if length.min() < 8:
        return False
    unit = along / length[:, None]
    before = np.roll(unit, 1, axis=0)
    turn = before[:, 0] * unit[:, 1] - before[:, 1] * unit[:, 0]
    if turn.min() < np.sin(np.radians(50)):
        return False
    slack = 0.2 * max(width, height)
    inside = (quad > -slack) & (quad < np.array([width, height]) + slack)
    return bool(inside.all()) and _area(quad) >= LEAST_AREA_FRACTION * width * height


def _touching(quad: Floats, width: int, height: int) -> tuple[bool, bool, bool, bool]:
    near = max(TOUCHING_FRACTION * max(width, height), 1.5)
    x, y = quad[:, 0], quad[:, 1]
    return (
        bool(y[[0, 1]].max() < near),
        bool(x[[1, 2]].min() > width - 1 - near),
        bool(y[[2, 3]].min() > height - 1 - near),
        bool(x[[3, 0]].max() < near),
    )


def _background(luma: Pixels, quad: Floats) -> Background:
    """What lies around the sheet: a light lid, a dark lid, or anything else."""
    outside = luma[::2, ::2][_filled(luma.shape, quad, 1.03)[::2, ::2] == 0]
    if outside.size < 16:
        return "mixed"
    low, middle, high = np.percentile(outside, (20, 50, 85))
    if middle >= LIGHT_LEVELS and low >= middle - 25:
        return "light"
    return "dark" if high <= DARK_LEVELS else "mixed"


def _filled(shape: tuple[int, ...], quad: Floats, growth: float) -> Pixels:
    """(H, W) 255 inside the quadrilateral grown about its centre, 0 outside."""
    centre = quad.mean(axis=0)
    grown = np.rint(centre + (quad - centre) * growth).astype(np.int32)
    mask = np.zeros(shape, np.uint8)
    return cast("Pixels", cv2.fillConvexPoly(mask, grown, 255))


def _is_sheet(luma: Pixels, candidate: _Candidate) -> bool:
    """Whether the quadrilateral lies on its surroundings instead of being printed on them.

    A sheet that is clearly brighter than what surrounds it on every side is one. Anything else
    (a card of the lid's own colour, a dark booklet) could as well be a picture or a table of a
    page, so its sides must be steps, with nothing printed around it.
    """
    steps = candidate.steps[~np.array(candidate.touching) & np.isfinite(candidate.steps)]
    if len(steps) >= 2 and (steps > CLEAR_STEP_LEVELS).all():
        return _reaches_frame(luma, candidate)
    if any(candidate.touching) or candidate.support.min() < LEAST_CARD_SUPPORT_FRACTION:
        return False
    needed = LEAST_STEPS_COUNT - int(_is_id1(_aspect_ratio(candidate.quad)))
    if (np.abs(steps) > LEAST_STEP_LEVELS).sum() < needed:
        return False
    outside = _filled(luma.shape, candidate.quad, 1.06) == 0
    surface = float(np.median(luma[outside]))
    dark = luma < surface - PRINT_CONTRAST_LEVELS
    rim = max(min(luma.shape) // 40, 2)
    dark[:rim] = dark[-rim:] = False
    dark[:, :rim] = dark[:, -rim:] = False
    within = int((dark & ~outside).sum())
    return int((dark & outside).sum()) <= MOST_PRINT_OUTSIDE_FRACTION * max(within, 50)


def _reaches_frame(luma: Pixels, candidate: _Candidate) -> bool:
    """Whether the sheet, not its surroundings, is what touches the frame on touching sides."""
    sheet = _filled(luma.shape, candidate.quad, 1.0) > 0
    around = ~(_filled(luma.shape, candidate.quad, 1.03) > 0)
    if not any(candidate.touching) or not around.any():
        return True
    middle = (float(np.median(luma[sheet])) + float(np.median(luma[around]))) / 2
    strips = (np.s_[2:5, :], np.s_[:, -5:-2], np.s_[-5:-2, :], np.s_[:, 2:5])
    for strip, touches in zip(strips, candidate.touching, strict=True):
        if touches and (luma[strip][sheet[strip]] > middle).mean() < TOUCHING_SHARE_FRACTION:
            return False
    return True


def _finished(page: Page, luma: Pixels, scale: int, found: _Candidate) -> Outline | None:
    """Drawn again at twice the scale, to a fraction of a pixel, and described."""
    quad = found.quad
    if scale > 1:
        doubled = (quad + 0.5) * 2 - 0.5
        refined = draw_to_edges(page.luma(scale // 2), doubled, found.touching, 4)[0]
        if refined is not None and np.abs(refined - doubled).max() < 12:
            quad = (refined + 0.5) / 2 - 0.5
    corners = (quad + 0.5) * scale - 0.5
    area = _area(corners) / (page.width_px * page.height_px)
    polygon = tuple((float(x), float(y)) for x, y in corners)
    visible = found.support[~np.array(found.touching)]
    shape = Outline(
        corners=polygon,
        kind="page",
        fills_frame=area > FILLING_AREA_FRACTION,
        background=_background(luma, found.quad),
        touching=found.touching,
        support_fraction=float(min(visible.mean(), 1.0)),
        area_fraction=float(min(area, 1.0)),
    )
    return replace(shape, kind=_kind(page, shape))


def _kind(page: Page, shape: Outline) -> Kind:
    """A card by its size where the file states a scanner's ppi, else by the shape of ID-1."""
    longest = max(shape.side_lengths_px())
    ppi = page.origin.ppi_tag
    if ppi is not None and ppi >= LEAST_SCANNER_PPI:
        return "card" if longest / ppi * 25.4 <= LONGEST_CARD_MM else "page"
    if _is_id1(shape.aspect_ratio()):
        return "card"
    small = shape.background == "light" and shape.area_fraction < SMALL_AREA_FRACTION
    return "card" if small else "page"
