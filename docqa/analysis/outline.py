"""The outline of the sheet or card on its background.

Quadrilaterals are proposed at about 500 px: around what differs from the colour of the frame's
border; where that is no lid, of long straight lines, which stand shadows; and around what is
bright, or white. Each side is then drawn to the edge that is really there: profiles across the
side, the steepest place of each, and a robust least-squares line.

Where no straight edges carry any of them, the sheet may be folded, curled or crumpled: then its
silhouette is sought.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.close_cards import close_cards
from docqa.analysis.formats import FORMATS_MM
from docqa.analysis.histograms import histogram
from docqa.analysis.mask_quads import quads_of
from docqa.analysis.sheet_candidates import (
    CERTAIN_SUPPORT_FRACTION,
    LEAST_AREA_FRACTION,
    LEAST_CARD_SUPPORT_FRACTION,
    Candidate,
    area,
    area_within,
    aspect_ratio,
    drawn,
    filled,
    is_id1,
    is_sheet,
)
from docqa.analysis.sheet_masks import masks_by_border, masks_by_light, whiteness
from docqa.analysis.sheet_screen import SheetScreen
from docqa.analysis.side_lines import quads_from_lines
from docqa.analysis.sides import draw_to_edges
from docqa.analysis.silhouette import silhouette
from docqa.page import Page, Pixels, Polygon

__all__ = ["Background", "Kind", "Outline", "has_room_for_edges", "outline", "sheets"]

Floats = npt.NDArray[np.float64]
Background = Literal["light", "dark", "mixed"]
Kind = Literal["page", "card"]

WORKING_SIDE_PX = 360
"""The sheet is sought at the smallest scale whose longer side is at least this."""
LEAST_SIDE_PX = 24
"""A page whose working copy is narrower shows nothing."""
LEAST_COLOUR_SCALE = 4
"""Colour is not kept finer, so at finer scales edges are drawn in the brightness."""
SAME_PX = 2.0
"""Quadrilaterals closer than this at the working scale are drawn to the same edges."""
LINE_QUADS_COUNT = 4
"""Quadrilaterals of lines that are drawn to their edges."""
MOST_COMMON_FRACTION = 0.1
"""Two sheets have no more of the smaller one in common."""
EVEN_LEVELS = 12.0
"""A lid's or a page's own margin varies by no more, from its median to its 15th percentile."""
FILLING_AREA_FRACTION = 0.97
PARALLEL_DEG = 1.0
"""Sides that are turned no further apart are a rectangle's: no policy that ships asks for less."""
SMALL_AREA_FRACTION = 0.3
"""A sheet smaller than this part of a light bed is a card: beds are A4 or little more."""
LEAST_SCANNER_PPI = 100.0
"""Cameras write 72 or 96 ppi, which says nothing."""
LIGHT_LEVELS = 170.0
DARK_LEVELS = 90.0
PRINT_LEVELS = 140.0
"""Print is as dark even in a picture of 1/16 of the size."""
CARDS_MM = tuple(sorted(FORMATS_MM[name][:2]) for name in ("id-1", "td3"))
"""ISO/IEC 7810: ID-1, and TD3, the data page of a passport."""
CROP_MM = (-1.5, 4.5)
"""By how much larger than the card a scanner's own crop of it may be."""
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
    """The outline is a rectangle of the frame's own size, but for a hair: the edges say nothing of
    the sheet but how far it is turned, which print tells better."""
    background: Background
    touching: tuple[bool, bool, bool, bool]
    """Top, right, bottom, left: the side lies on the frame, so no edge of the sheet was seen."""
    support_fraction: float
    """Mean share of the visible sides' length that has an edge under it, 0 to 1."""
    area_fraction: float
    """Share of the frame inside the outline, 0 to 1."""
    bow_fraction: float = 0.0
    """How far the sheet's edge strays from straight sides, in parts of the longest one, where the
    outline is that of a folded or curled sheet's silhouette; 0.0 where edges carry the sides."""

    def side_lengths_px(self) -> tuple[float, float, float, float]:
        """Lengths of the top, right, bottom and left side."""
        corners = np.array(self.corners)
        lengths = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
        return (float(lengths[0]), float(lengths[1]), float(lengths[2]), float(lengths[3]))

    def side_turns_deg(self) -> tuple[float, float, float, float]:
        """How far the top, right, bottom and left side are turned clockwise from where a level
        rectangle has them, -180 to 180.
        """
        corners = np.array(self.corners)
        along = np.roll(corners, -1, axis=0) - corners
        turns = np.degrees(np.arctan2(along[:, 1], along[:, 0])) - np.array([0, 90, 180, 270])
        top, right, bottom, left = ((turns + 180) % 360 - 180).tolist()
        return (top, right, bottom, left)

    def aspect_ratio(self) -> float:
        """Longer over shorter side, each the mean of the opposite two; 1.0 or more."""
        return aspect_ratio(np.array(self.corners))


def outline(page: Page) -> Outline | None:
    """The outline of the sheet or card; None where the page shows no edge of its own sheet.

    Of several sheets it is the one that ``sheets`` gives first. Call it as
    ``page.derive(outline)``. Never raises for a page that decodes.
    """
    return next(iter(page.derive(sheets)), None)


def has_room_for_edges(page: Page) -> bool:
    """Whether an outline is sought at all: not on strips, whose working copy is too narrow."""
    return min(page.width_px, page.height_px) // _scale(page) >= LEAST_SIDE_PX


def sheets(page: Page) -> tuple[Outline, ...]:
    """The outlines of all sheets and cards that lie apart, the clearest and largest first.

    Empty where the page shows no edge of its own sheet. Call it as ``page.derive(sheets)``. Never
    raises for a page that decodes.
    """
    if not has_room_for_edges(page):
        return ()
    scale = _scale(page)
    luma = page.luma(scale)
    if _is_bare_scan(page, luma):
        return ()
    colour = _colour(page, luma.shape, scale)
    is_coloured = colour.ndim == 3 and scale >= LEAST_COLOUR_SCALE
    tone = whiteness(colour) if is_coloured else luma
    small, tones = _halves(tone, colour)
    is_scan = _has_even_light_rim(small) or _is_whole_card(page)
    found = _candidates(tone, small, tones, is_scan=is_scan)
    if not found and not is_scan:
        return _bent(page, scale, colour)
    if is_scan and scale > 1:
        finer = page.luma(scale // 2)
        found = [card for each in found for card in close_cards(finer, each.quad) or (each,)]
    return tuple(_finished(page, scale, each) for each in _apart(found))


def _is_bare_scan(page: Page, luma: Pixels) -> bool:
    """Whether brightness alone shows that a coloured page is a scan of one page of print.

    Small pages are not asked: their colour costs little. Print on no more room than a card takes
    may be a card's that is as bright as the lid.
    """
    if page.origin.colour_mode != "colour" or not page.is_large:
        return False
    small, _ = _halves(luma, luma)
    if not _has_even_light_rim(small):
        return False
    _, _, across, down = cv2.boundingRect(cv2.inRange(small, 0, PRINT_LEVELS))
    if across * down < SMALL_AREA_FRACTION * small.size:
        return False
    return not _candidates(luma, small, small, is_scan=True)


def _candidates(tone: Pixels, small: Pixels, tones: Pixels, *, is_scan: bool) -> list[Candidate]:
    """What may be a sheet on the picture ``tone``, sought on copies of half its size."""
    screen = SheetScreen(small)
    found: list[Candidate] = []
    tried: list[Floats] = []
    for quads in _proposed(small, tones, screen, is_scan=is_scan):
        fresh = [quad for quad in quads if not _is_known(quad, tried)]
        tried += fresh
        accepted = []
        for quad in fresh:
            if not screen.may_be_sheet(_halved(quad)):
                continue
            candidate = drawn(tone, quad)
            others = [other for other in quads if other is not quad]
            if candidate is not None and is_sheet(tone, candidate, others):
                accepted.append(candidate)
        found += accepted
        if len(accepted) == len(quads) and any(_is_certain(each) for each in accepted):
            break
    return found


def _bent(page: Page, scale: int, colour: Pixels) -> tuple[Outline, ...]:
    """The outline of a sheet without straight sides; empty where there is none."""
    if colour.ndim == 2:
        colour = cast("Pixels", cv2.cvtColor(colour, cv2.COLOR_GRAY2RGB))
    found = silhouette(colour)
    if found is None:
        return ()
    seen = (False, False, False, False)
    return (_described(page, scale, found.quad, seen, found.apart_fraction, found.bow_fraction),)


def _halves(tone: Pixels, colour: Pixels) -> tuple[Pixels, Pixels]:
    """Both pictures at half their size."""
    half = (max(tone.shape[1] // 2, 1), max(tone.shape[0] // 2, 1))
    even = np.s_[: half[1] * 2, : half[0] * 2]
    small = cast("Pixels", cv2.resize(tone[even], half, interpolation=cv2.INTER_AREA))
    if tone is colour:
        return small, small
    return small, cast("Pixels", cv2.resize(colour[even], half, interpolation=cv2.INTER_AREA))


def _proposed(
    small: Pixels, tones: Pixels, screen: SheetScreen, *, is_scan: bool
) -> Iterator[list[Floats]]:
    """Quadrilaterals, each made when it is asked for, the quickest and likeliest first."""
    for mask in masks_by_border(tones):
        yield from _around(mask, screen)
    if is_scan:
        return
    for quad in quads_from_lines(small, count=LINE_QUADS_COUNT):
        yield [_doubled(quad)]
    for mask in masks_by_light(small, tones):
        yield from _around(mask, screen)


def _around(mask: Pixels, screen: SheetScreen) -> Iterator[list[Floats]]:
    for quads in quads_of(
        mask,
        least_area_fraction=LEAST_AREA_FRACTION,
        is_worth=screen.may_be_sheet,
    ):
        yield [_doubled(quad) for quad in quads]


def _doubled(quad: Floats) -> Floats:
    return np.asarray((quad + 0.5) * 2 - 0.5)


def _halved(quad: Floats) -> Floats:
    return np.asarray((quad + 0.5) / 2 - 0.5)


def _has_even_light_rim(luma: Pixels) -> bool:
    """Whether the frame's border is the lid or the page's own margin, which cuts do not miss."""
    depth = max(min(luma.shape) // 25, 1)
    rim = np.cumsum(histogram(np.concatenate([
        luma[:depth].ravel(), luma[-depth:].ravel(),
        luma[:, :depth].ravel(), luma[:, -depth:].ravel(),
    ])))  # fmt: skip
    low, middle = np.searchsorted(rim, (0.15 * rim[-1], 0.5 * rim[-1]))
    return bool(middle >= LIGHT_LEVELS and low >= middle - EVEN_LEVELS)


def _is_whole_card(page: Page) -> bool:
    """Whether the frame is a scanner's crop of a card, by its ppi: what lies on it is print.

    A card within a PDF is left to be sought: its ppi is that of the place somebody gave it.
    """
    ppi = page.origin.ppi_tag
    if ppi is None or ppi < LEAST_SCANNER_PPI or page.origin.format == "pdf":
        return False
    sides = sorted((page.width_px / ppi * 25.4, page.height_px / ppi * 25.4))
    low, high = CROP_MM
    return any(
        all(low <= side - own <= high for side, own in zip(sides, card, strict=True))
        for card in CARDS_MM
    )


def _is_known(quad: Floats, tried: list[Floats]) -> bool:
    return any(np.abs(quad - other).max() < SAME_PX for other in tried)


def _is_certain(found: Candidate) -> bool:
    """No other cut could do better."""
    return not any(found.touching) and bool(found.support.min() > CERTAIN_SUPPORT_FRACTION)


def _apart(found: list[Candidate]) -> list[Candidate]:
    """The best candidate, and well carried ones that lie beside it and each other."""
    chosen: list[Candidate] = []
    for each in sorted(found, key=lambda candidate: -candidate.score):
        if chosen and each.visible_support().min() < LEAST_CARD_SUPPORT_FRACTION:
            continue
        if all(_common_fraction(each.quad, other.quad) < MOST_COMMON_FRACTION for other in chosen):
            chosen.append(each)
    return chosen


def _common_fraction(one: Floats, other: Floats) -> float:
    """What two quadrilaterals have in common, in parts of the smaller."""
    common, _ = cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))
    return float(common) / max(min(area(one), area(other)), 1.0)


def _scale(page: Page) -> int:
    longer = max(page.width_px, page.height_px)
    return next((scale for scale in (16, 8, 4, 2) if longer // scale >= WORKING_SIDE_PX), 1)


def _colour(page: Page, shape: tuple[int, ...], scale: int) -> Pixels:
    """(H, W, 3) RGB at the working scale; (H, W) brightness where the page has no colour."""
    if page.origin.colour_mode != "colour":
        return page.luma(scale)
    colour = page.colour(max(scale, LEAST_COLOUR_SCALE))
    if colour.shape[:2] != shape:
        size = (shape[1], shape[0])
        colour = cast("Pixels", cv2.resize(colour, size, interpolation=cv2.INTER_LINEAR))
    return colour


def _background(luma: Pixels, quad: Floats) -> Background:
    """What lies around the sheet: a light lid, a dark lid, or anything else."""
    sparse = np.ascontiguousarray(luma[::2, ::2])
    outside = cv2.bitwise_not(filled(sparse.shape, quad / 2, 1.03))
    counts = np.cumsum(cv2.calcHist([sparse], [0], outside, [256], [0, 256]))
    if counts[-1] < 16:
        return "mixed"
    low, middle, high = np.searchsorted(counts, np.array((0.2, 0.5, 0.85)) * counts[-1])
    if middle >= LIGHT_LEVELS and low >= middle - 25:
        return "light"
    return "dark" if high <= DARK_LEVELS else "mixed"


def _finished(page: Page, scale: int, found: Candidate) -> Outline:
    """Drawn again at twice the scale, to a fraction of a pixel, and described."""
    quad = found.quad
    if scale > 1:
        doubled = _doubled(quad)
        refined = draw_to_edges(page.luma(scale // 2), doubled, found.touching, 4)[0]
        if refined is not None and np.abs(refined - doubled).max() < 12:
            quad = _halved(refined)
    support = float(min(found.visible_support().mean(), 1.0))
    return _described(page, scale, quad, found.touching, support, 0.0)


def _described(
    page: Page,
    scale: int,
    quad: Floats,
    touching: tuple[bool, bool, bool, bool],
    support_fraction: float,
    bow_fraction: float,
) -> Outline:
    """The outline in page pixels, from a quadrilateral at the working scale."""
    width, height = page.width_px, page.height_px
    corners = (quad + 0.5) * scale - 0.5
    shape = Outline(
        corners=tuple((float(x), float(y)) for x, y in corners),
        kind="page",
        fills_frame=False,
        background=_background(page.luma(scale), quad),
        touching=touching,
        support_fraction=support_fraction,
        area_fraction=area_within(corners + 0.5, width, height) / (width * height),
        bow_fraction=bow_fraction,
    )
    turns = shape.side_turns_deg()
    is_rectangle = max(turns) - min(turns) <= PARALLEL_DEG
    # A sheet that is turned in a frame of its own size loses corners, and is no smaller.
    fills_frame = is_rectangle and area(corners) > FILLING_AREA_FRACTION * width * height
    return replace(shape, kind=_kind(page, shape), fills_frame=fills_frame)


def _kind(page: Page, shape: Outline) -> Kind:
    """A card by its size where the file states a scanner's ppi, else by the shape of ID-1."""
    longest = max(shape.side_lengths_px())
    ppi = page.origin.ppi_tag
    if ppi is not None and ppi >= LEAST_SCANNER_PPI:
        return "card" if longest / ppi * 25.4 <= LONGEST_CARD_MM else "page"
    if is_id1(shape.aspect_ratio()):
        return "card"
    small = shape.background == "light" and shape.area_fraction < SMALL_AREA_FRACTION
    return "card" if small else "page"
