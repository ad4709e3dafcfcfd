"""Where something lies over the sheet's edge: a finger, a thumb, an object, another paper.

Both flanks of each side of the outline are compared with what they are along the rest of it. Print
that runs up to the edge changes the sheet alone, uneven ground changes the ground alone, a missing
corner shows the ground on both, and a shadow darkens both but leaves the step between them.
Something that lies over the edge changes both and hides the step. No colour is looked for, so any
skin counts, in gray pictures too.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.outline import outline
from docqa.page import COLOUR_SCALES, Page, Pixels, Polygon

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

WORKING_SIDE_PX = 360
"""Flanks are read at the smallest scale whose longer side is at least this."""
SAMPLES_COUNT = 256
"""Places along each side."""
FLANK_BAND_PX = (3, 7)
"""Distances from the side at which the flanks are read: past the edge's own blur."""
CHANGED_LEVELS = 20.0
"""A flank that differs by this much, in its most different channel, is of another thing."""
ALIKE_FRACTION = 0.4
"""Both flanks are one thing when they differ by no more than this part of what they changed."""
LEAST_STEP_RATIO = 1.05
"""A sheet less bright than this over its ground leaves no step that a shadow could be told by."""
HIDDEN_STEP_FRACTION = 0.4
"""The step is hidden where this much of it, or less, is left (in its logarithm: light scales)."""
LEAST_RUN_FRACTION = 0.03
"""Of the side: a fingertip is 10 mm or more across, and A4 is 297 mm long."""
MOST_RUN_FRACTION = 0.6
"""Of the side: where more has changed, the usual flanks are not known."""
CORNER_FRACTION = 0.02
"""Left out at both ends of a side, where corners are round."""
PLACES = np.linspace(CORNER_FRACTION, 1 - CORNER_FRACTION, SAMPLES_COUNT)
MARK_DEPTH_FRACTION = 0.02
"""Depth of a reported region, in parts of the frame's longer side."""


@dataclass(frozen=True, slots=True)
class CoveredEdges:
    """Where something lies over the sheet's edge."""

    fraction: float
    """Share of the visible sides' length that is covered, 0 to 1; 0.0 without straight sides."""
    places: tuple[Polygon, ...]
    """A strip on the page over each covered part of a side."""


def covered_edges(page: Page) -> CoveredEdges:
    """Where something lies over the edge of the page's sheet.

    Along bent sides it is not looked for: their edge strays from the line its flanks are read by.
    Call it as ``page.derive(covered_edges)``.
    """
    sheet = page.derive(outline)
    if sheet is None or sheet.fills_frame or sheet.bow_fraction > 0:
        return CoveredEdges(0.0, ())
    longer = max(page.width_px, page.height_px)
    scale = max(s for s in COLOUR_SCALES if s == COLOUR_SCALES[0] or longer >= s * WORKING_SIDE_PX)
    colour = page.colour(scale)
    corners = (np.array(sheet.corners) + 0.5) / scale - 0.5
    depth = MARK_DEPTH_FRACTION * max(colour.shape[:2])
    (sheets, grounds), seen = _flanks(colour, corners)
    covered, length, places = 0.0, 0.0, []
    for side in range(4):
        if sheet.touching[side]:
            continue
        start, end = corners[side], corners[(side + 1) % 4]
        extent = float(np.hypot(*(end - start)))
        runs = _runs(_is_covered(sheets[side], grounds[side], seen[side]))
        length += extent
        for first, last in runs:
            covered += extent * (last - first) / SAMPLES_COUNT
            places.append(_strip(start, end, (first, last), depth, scale))
    return CoveredEdges(covered / length if length else 0.0, tuple(places))


def _flanks(colour: Pixels, corners: Floats) -> tuple[Singles, Flags]:
    """(2, 4, 3, SAMPLES_COUNT) mean colours of a band within and a band without each side, and
    (4, SAMPLES_COUNT) where both bands lie in the frame.

    Averaged with their neighbours along the side, against the grain of cloth and wood.
    """
    along = corners[[1, 2, 3, 0]] - corners
    unit = along / np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    band = np.arange(*FLANK_BAND_PX)
    steps = np.stack([band, -band], axis=1)[..., None]
    height, width = colour.shape[:2]
    (x, in_x), (y, in_y) = (
        _whole(corners[:, axis, None] + along[:, axis, None] * PLACES, steps * inward, last)
        for axis, inward, last in ((0, -unit[:, 1], width - 1), (1, unit[:, 0], height - 1))
    )
    read = colour.reshape(-1, 3)[y * width + x].sum(axis=0, dtype=np.uint16)
    sums = np.ascontiguousarray(np.moveaxis(read, 3, 2), np.float32)
    sums[..., 1:-1] = (sums[..., :-2] + sums[..., 1:-1] + sums[..., 2:]) / 3
    seen = np.asarray(in_x & in_y).all(axis=(0, 1))
    return np.asarray(sums / len(band)), np.asarray(seen)


def _whole(base: Floats, steps: Floats, last: int) -> tuple[Places, Flags]:
    """(band, 2, 4, SAMPLES_COUNT) whole coordinates from 0 to the last, and what was not moved."""
    at = np.rint(base + steps[..., None]).astype(np.intp)
    within = np.minimum(np.maximum(at, 0), last)
    return within, np.asarray(within == at)


def _is_covered(sheet: Singles, ground: Singles, seen: Flags) -> Flags:
    """(SAMPLES_COUNT,) places of one side where something hides its edge."""
    if np.count_nonzero(seen) < SAMPLES_COUNT // 4:
        return np.zeros(SAMPLES_COUNT, np.bool_)
    usual_sheet, usual_ground = _middle(sheet[:, seen]), _middle(ground[:, seen])
    from_sheet = sheet - usual_sheet
    of_sheet = np.abs(from_sheet).max(axis=0)
    of_ground = np.abs(ground - usual_ground).max(axis=0)
    found: Flags = seen & (np.minimum(of_sheet, of_ground) > CHANGED_LEVELS)
    if not found.any():
        return found
    between = np.abs(sheet - ground).max(axis=0)
    found &= between < ALIKE_FRACTION * np.maximum(of_sheet, of_ground)
    # A lamp mirrored by sheet and ground alike hides the step too, but only ever adds light.
    found &= from_sheet.min(axis=0) < -CHANGED_LEVELS
    usual = float(_step(usual_sheet, usual_ground)[0])
    if abs(usual) > np.log(LEAST_STEP_RATIO):
        found &= np.abs(_step(sheet, ground)) < HIDDEN_STEP_FRACTION * abs(usual)
    return found


def _middle(colours: Singles) -> Singles:
    """(3, 1) median of each channel."""
    half = colours.shape[1] // 2
    return np.asarray(np.partition(colours, half, axis=1)[:, half, None])


def _step(sheet: Singles, ground: Singles) -> Singles:
    """Logarithm of how much brighter the sheet is: what a shadow, which scales both, leaves."""
    return np.asarray(np.log((sheet.mean(axis=0) + 4.0) / (ground.mean(axis=0) + 4.0)))


def _runs(covered: Flags) -> list[tuple[int, int]]:
    """First and past-the-last place of each covered run that is neither tiny nor most of it."""
    if not covered.any():
        return []
    kernel = np.ones((1, 5), np.uint8)
    joined = cv2.morphologyEx(covered.astype(np.uint8)[None], cv2.MORPH_CLOSE, kernel)[0]
    turns = np.flatnonzero(np.diff(np.concatenate([[0], joined, [0]]).astype(np.int8)))
    runs = [(int(a), int(b)) for a, b in turns.reshape(-1, 2)]
    if sum(b - a for a, b in runs) > MOST_RUN_FRACTION * len(covered):
        return []
    return [(a, b) for a, b in runs if b - a >= LEAST_RUN_FRACTION * len(covered)]


def _strip(start: Floats, end: Floats, run: tuple[int, int], depth: float, scale: float) -> Polygon:
    """A strip along part of a side, in page pixels, clockwise."""
    usable = 1 - 2 * CORNER_FRACTION
    first, last = (
        start + (end - start) * (CORNER_FRACTION + usable * at / SAMPLES_COUNT) for at in run
    )
    unit = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
    across = np.array([-unit[1], unit[0]]) * depth / 2
    corners = np.array([first - across, last - across, last + across, first + across])
    return tuple((float(x), float(y)) for x, y in (corners + 0.5) * scale - 0.5)
