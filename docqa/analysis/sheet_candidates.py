"""Quadrilaterals that may be a sheet: drawn to the edges under them, and judged by those.

A quadrilateral whose sides have no edge under them is dropped, so a page that fills the frame has
none. On a light background, where a scanned page's own text, tables and pictures could pass for a
card on a white bed, a side must moreover be a step (a ruled line is none) and nothing may be
printed outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.formats import format_aspect
from docqa.analysis.sides import draw_to_edges, side_steps
from docqa.page import Pixels

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEAST_AREA_FRACTION = 0.03
"""An ID card covers 0.07 of an A4 bed; less than this is a stamp or a stain."""
TOUCHING_FRACTION = 0.012
"""A side this close to the frame, in parts of the frame's longer side, is the frame itself."""
MOST_TOUCHING_COUNT = 2
"""With three sides on the frame the fourth may be the lid's shadow or a fold."""
ASKEW_FRACTION = 0.5
"""Of that: a side whose ends differ by more is not the frame."""
TOUCHING_SHARE_FRACTION = 0.6
"""Share of a touching side that must be as bright as the sheet."""
LEAST_SUPPORT_FRACTION = 0.3
"""Share of a side's profiles that must have their edge on the line."""
LEAST_MEAN_SUPPORT_FRACTION = 0.65
"""The same for all visible sides together: one may be torn or hidden."""
LEAST_CARD_SUPPORT_FRACTION = 0.65
"""Least support of a side where the brightness does not tell sheet from surroundings."""
CERTAIN_SUPPORT_FRACTION = 0.95
"""Sides carried this well are edges of something."""
NEAR_REACH_PX = 3
"""How far from the proposed outline an edge is sought first, at the working scale."""
SETTLED_PX = 0.5
"""Sides that moved less at first have found their edges."""
HOPELESS_SUPPORT_FRACTION = 0.5
"""With fewer than two sides carried this well close by, no edge is sought further off."""
FRAME_SUPPORT_FRACTION = 0.5
"""What a side on the frame, or the part of one beyond it, counts for: nothing can be seen there."""
PLACES_COUNT = 33
"""Places along a side at which it is told whether it lies within the frame."""
AREA_WEIGHT = 0.5
"""Of the area in a candidate's score: a sheet's own frame of print is smaller than the sheet."""
CLEAR_STEP_LEVELS = 8.0
"""A sheet this much brighter than its surroundings on every side lies on them."""
SLIGHT_STEP_LEVELS = 3.0
"""Brighter by this on all four sides: white paper on a white desk."""
LARGE_AREA_FRACTION = 0.25
"""Smaller ones may be a light field of the sheet itself, so all their sides must be carried."""
FURTHER_BAND_PX = (8, 16)
"""Past the thickest line of print."""
LEAST_STEP_LEVELS = 1.5
LEAST_STEPS_COUNT = 3
"""Sides of a card on a bed of its own colour that must be steps; a ruled frame has none. One less
for the shape of ID-1, whose white barcode field can reach two of them."""
MOST_PRINT_OUTSIDE_FRACTION = 0.03
"""Print outside a card on a light bed, against print within: more makes it part of a page."""
PRINT_CONTRAST_LEVELS = 25.0
"""Darker than the bed by this is print."""
ID1_ASPECT = format_aspect("id-1")
"""ISO/IEC 7810 ID-1, the size of a bank card."""
ID1_ASPECT_TOLERANCE = 0.07


@dataclass(frozen=True, slots=True)
class Candidate:
    """A quadrilateral on the edges under it, at the working scale."""

    quad: Floats
    """(4, 2) corners, clockwise from the top left."""
    touching: tuple[bool, bool, bool, bool]
    """Top, right, bottom, left: the side lies on the frame."""
    support: Floats
    """(4,) share of each side that has an edge under it."""
    steps: Floats
    """(4,) levels by which each side is brighter within than without; NaN where unknown."""
    score: float
    """Higher is better; candidates of one picture compare."""

    def visible_support(self) -> Floats:
        """Support of the sides that do not lie on the frame."""
        return np.asarray(self.support[~np.array(self.touching)])


def drawn(luma: Pixels, quad: Floats) -> Candidate | None:
    """The quadrilateral drawn to the edges under it; None where they do not carry it.

    First to edges close by, for a faint card edge would lose to the print within; failing that, to
    edges further off.

    Args:
        luma: (H, W) brightness.
        quad: (4, 2) corners, clockwise from the top left.
    """
    height, width = luma.shape
    if not plausible(quad, width, height):
        return None
    if sum(_touching(quad, width, height)) > MOST_TOUCHING_COUNT:
        return None
    near, worst = _drawn_within(luma, quad, NEAR_REACH_PX)
    if near is not None and near.visible_support().min() >= LEAST_CARD_SUPPORT_FRACTION:
        return near
    if worst < HOPELESS_SUPPORT_FRACTION:
        return near
    far, _ = _drawn_within(luma, quad, max(max(luma.shape) // 50, 2 * NEAR_REACH_PX))
    if near is None or (far is not None and far.score > near.score):
        return far
    return near


def _drawn_within(luma: Pixels, quad: Floats, reach: int) -> tuple[Candidate | None, float]:
    """The candidate, and how well its second best side was carried at first."""
    height, width = luma.shape
    carried = 0.0
    for needed in (LEAST_MEAN_SUPPORT_FRACTION / 2, LEAST_MEAN_SUPPORT_FRACTION):
        touching = _touching(quad, width, height)
        if sum(touching) > MOST_TOUCHING_COUNT:
            return None, carried
        moved, support = draw_to_edges(luma, quad, touching, reach)
        visible = support[~np.array(touching)]
        carried = carried or float(np.sort(visible)[-2])
        if carried < HOPELESS_SUPPORT_FRACTION:
            return None, carried
        if moved is None or visible.mean() < needed or not plausible(moved, width, height):
            return None, carried
        is_settled = bool(np.abs(moved - quad).max() < SETTLED_PX)
        quad, reach = moved, max(reach // 2, NEAR_REACH_PX)
        if is_settled and visible.mean() >= LEAST_MEAN_SUPPORT_FRACTION:
            break
    if visible.min() < LEAST_SUPPORT_FRACTION:
        return None, carried
    share = area_within(quad, width, height) / (width * height)
    steps = side_steps(luma, quad)
    seen = np.where(touching, 0.0, _seen_fractions(quad, width, height))
    counted = seen * support + (1 - seen) * FRAME_SUPPORT_FRACTION
    score = float(counted.mean()) + AREA_WEIGHT * share
    return Candidate(quad, touching, support, steps, score), carried


def _seen_fractions(quad: Floats, width: int, height: int) -> Floats:
    """(4,) share of each side that lies within the frame."""
    place = np.linspace(0, 1, PLACES_COUNT)[None, :, None]
    points = quad[:, None] + (quad[[1, 2, 3, 0]] - quad)[:, None] * place
    inside = (points >= 0) & (points <= np.array([width - 1, height - 1]))
    return np.asarray(inside.all(axis=2).mean(axis=1))


def area(quad: Floats) -> float:
    """Area of a (4, 2) quadrilateral in square pixels."""
    following = quad[[1, 2, 3, 0]]
    return float(abs((quad[:, 0] * following[:, 1] - quad[:, 1] * following[:, 0]).sum()) / 2)


def area_within(quad: Floats, width: int, height: int) -> float:
    """Area of the part of a quadrilateral that lies within the frame, in square pixels."""
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    return float(cv2.intersectConvexConvex(quad.astype(np.float32), frame)[0])


def aspect_ratio(quad: Floats) -> float:
    """Longer over shorter side, each the mean of the opposite two; 1.0 or more."""
    along = quad[[1, 2, 3, 0]] - quad
    length = np.hypot(along[:, 0], along[:, 1])
    across, down = max(length[0] + length[2], 1e-6), max(length[1] + length[3], 1e-6)
    return float(max(across / down, down / across))


def is_id1(shape: float) -> bool:
    """Whether an aspect ratio is that of a bank card."""
    return abs(shape / ID1_ASPECT - 1) <= ID1_ASPECT_TOLERANCE


def plausible(quad: Floats, width: int, height: int) -> bool:
    """Whether it may be a sheet: convex, no sharp corner, large enough, not far off the frame."""
    along = quad[[1, 2, 3, 0]] - quad
    length = np.hypot(along[:, 0], along[:, 1])
    if length.min() < 8:
        return False
    unit = along / length[:, None]
    before = unit[[3, 0, 1, 2]]
    turn = before[:, 0] * unit[:, 1] - before[:, 1] * unit[:, 0]
    if turn.min() < np.sin(np.radians(50)):
        return False
    slack = 0.2 * max(width, height)
    inside = (quad > -slack) & (quad < np.array([width, height]) + slack)
    return bool(inside.all()) and area(quad) >= LEAST_AREA_FRACTION * width * height


def _touching(quad: Floats, width: int, height: int) -> tuple[bool, bool, bool, bool]:
    """Sides close to the frame and along it: one that runs askew is an edge that can be seen."""
    near = max(TOUCHING_FRACTION * max(width, height), 1.5)
    x, y = quad[:, 0], quad[:, 1]
    away = (y[[0, 1]], width - 1 - x[[1, 2]], height - 1 - y[[2, 3]], x[[3, 0]])
    top, right, bottom, left = (
        bool(each.max() < near and abs(each[0] - each[1]) < ASKEW_FRACTION * near) for each in away
    )
    return top, right, bottom, left


def filled(shape: tuple[int, ...], quad: Floats, growth: float) -> Pixels:
    """(H, W) 255 inside the quadrilateral grown about its centre, 0 outside."""
    centre = quad.mean(axis=0)
    grown = np.rint(centre + (quad - centre) * growth).astype(np.int32)
    mask = np.zeros(shape, np.uint8)
    return cast("Pixels", cv2.fillConvexPoly(mask, grown, 255))


def is_sheet(luma: Pixels, candidate: Candidate, others: Sequence[Floats] = ()) -> bool:
    """Whether the quadrilateral lies on its surroundings instead of being printed on them.

    A sheet that is clearly brighter than what surrounds it on every side is one, and on one side
    less is enough if that one is still brighter. Anything else (a card of the lid's own colour, a
    dark booklet) could as well be a picture or a table of a page, so its sides must be steps, with
    nothing printed around it.

    Args:
        luma: (H, W) brightness.
        candidate: what was drawn on it.
        others: (4, 2) quadrilaterals of what else lies there: their print is not around this one.
    """
    visible = candidate.visible_support()
    steps = candidate.steps[~np.array(candidate.touching) & np.isfinite(candidate.steps)]
    clear = steps > CLEAR_STEP_LEVELS
    almost = len(steps) == 4 and clear.sum() == 3 and steps.min() > LEAST_STEP_LEVELS
    is_carried = visible.min() >= LEAST_CARD_SUPPORT_FRACTION
    is_large = area(candidate.quad) > LARGE_AREA_FRACTION * luma.size
    if (len(steps) >= 2 and clear.all() and (is_large or is_carried)) or (almost and is_carried):
        return _stands_out(luma, candidate) and _reaches_frame(luma, candidate)
    if any(candidate.touching):
        # Cut off on a ground of about its own brightness: the other sides must leave no doubt.
        certain = len(steps) == 3 and visible.min() >= CERTAIN_SUPPORT_FRACTION
        if not certain or steps.min() <= LEAST_STEP_LEVELS:
            return False
    if not is_carried:
        return False
    if len(steps) == 4 and steps.min() > SLIGHT_STEP_LEVELS and is_large:
        return _stands_out(luma, candidate)
    if steps.max(initial=0.0) > CLEAR_STEP_LEVELS and steps.min(initial=0.0) < -CLEAR_STEP_LEVELS:
        return False  # one even ground is not both darker and lighter
    needed = LEAST_STEPS_COUNT - int(is_id1(aspect_ratio(candidate.quad)))
    if (np.abs(steps) > LEAST_STEP_LEVELS).sum() < needed:
        return False
    outside = filled(luma.shape, candidate.quad, 1.06) == 0
    for other in others:
        outside &= filled(luma.shape, other, 1.06) == 0
    return not _has_print_around(luma, outside, filled(luma.shape, candidate.quad, 1.0) > 0)


def _stands_out(luma: Pixels, candidate: Candidate) -> bool:
    """Whether the ground stays darker further out: beyond a thick line the paper begins again."""
    further = side_steps(luma, candidate.quad, FURTHER_BAND_PX)
    known = further[~np.array(candidate.touching) & np.isfinite(further)]
    return bool((known > LEAST_STEP_LEVELS).sum() >= len(known) - 1)


def _has_print_around(luma: Pixels, outside: Flags, sheet: Flags) -> bool:
    surface = float(np.median(luma[outside])) if outside.any() else 255.0
    dark = luma < surface - PRINT_CONTRAST_LEVELS
    rim = max(min(luma.shape) // 40, 2)
    dark[:rim] = dark[-rim:] = False
    dark[:, :rim] = dark[:, -rim:] = False
    within = int((dark & sheet).sum())
    return int((dark & outside).sum()) > MOST_PRINT_OUTSIDE_FRACTION * max(within, 50)


def _reaches_frame(luma: Pixels, candidate: Candidate) -> bool:
    """Whether the sheet, not its surroundings, is what touches the frame on touching sides."""
    sheet = filled(luma.shape, candidate.quad, 1.0) > 0
    around = ~(filled(luma.shape, candidate.quad, 1.03) > 0)
    if not any(candidate.touching) or not around.any():
        return True
    middle = (float(np.median(luma[sheet])) + float(np.median(luma[around]))) / 2
    strips = (np.s_[2:5, :], np.s_[:, -5:-2], np.s_[-5:-2, :], np.s_[:, 2:5])
    for strip, touches in zip(strips, candidate.touching, strict=True):
        on_sheet = luma[strip][sheet[strip]]
        if touches and (on_sheet <= middle).sum() > (1 - TOUCHING_SHARE_FRACTION) * on_sheet.size:
            return False
    return True
