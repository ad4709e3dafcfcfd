"""How much of a document has colour of its own, apart from the lamp's cast and from noise.

A lamp tints everything by the same factors, so that the chroma of grey things grows with their
lightness; what departs from that line has a colour. Noise and the coloured fringes that a scanner
leaves along strokes change sign within a millimetre or two and are averaged away.
"""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.outline import outline
from docqa.page import COLOUR_SCALES, Page, Pixels, halved

Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

LEAST_SIDE_PX = 120
"""The coarsest view is looked at in which the sheet's short side has this many pixels, or else the
finest there is."""
SMOOTHING_PX = 5
RIM_PX = 2 * SMOOTHING_PX + 1
"""Off the outline: smoothing carries the colour of a table onto the edge of the sheet."""
LEAST_CHROMA = 6.0
"""CIELAB: about three just noticeable differences; the pale tints of cards have 8 and more."""
NOISE_MULTIPLE = 4.0
DARK_LEVEL = 40
"""Of 255 in CIELAB lightness: the colour of darker pixels is not certain."""
CAST_MARGIN_FRACTION = 0.2
"""Of the cast's chroma: a channel that clips bends the line that grey things lie on."""
MOST_WHITE_PX = 4096
"""Of the white, so many tell its cast as well as all."""
CLIPPED_LEVEL = 250
LEAST_WHITE_FRACTION = 0.05
"""With less than this left unclipped, the clipped white itself is the reference."""
WHITE_PERCENTILE = 85


def colour_fraction(page: Page) -> float:
    """Share of the document's area with a colour of its own, 0 to 1; call it by ``page.derive``.

    The area is that of the sheet or card where its outline is seen, else the picture's. One tint
    that covers nearly everything evenly cannot be told from a lamp's and counts as none.
    """
    if page.origin.colour_mode != "colour":
        return 0.0
    colour, scale = _view(page)
    lab = cv2.cvtColor(cv2.blur(colour, (3, 3)), cv2.COLOR_RGB2LAB)
    lightness, *channels = cast("list[Pixels]", cv2.split(lab))
    inside = _inside(page, lightness.shape, scale)
    certain = inside & (lightness > DARK_LEVEL)
    if not certain.any():
        return 0.0
    white = np.flatnonzero(_white(lightness, certain))
    white = white[:: max(1, len(white) // MOST_WHITE_PX)]
    square = np.zeros(lightness.shape, np.float32)
    limit, cast_chroma = LEAST_CHROMA, 0.0
    for channel in channels:
        tint, noise, cast_levels = _own_tint(channel, lightness, certain, white)
        cv2.accumulateSquare(tint, square)
        limit = max(limit, NOISE_MULTIPLE * noise)
        cast_chroma = math.hypot(cast_chroma, cast_levels)
    limit += CAST_MARGIN_FRACTION * cast_chroma
    coloured = (square > limit**2) & certain
    return float(np.count_nonzero(coloured)) / float(np.count_nonzero(inside))


def _view(page: Page) -> tuple[Pixels, int]:
    """(H, W, 3) RGB, and how many pixels of the page one of it is wide."""
    sheet = page.derive(outline)
    short = min((page.width_px, page.height_px) if sheet is None else sheet.side_lengths_px())
    scale = min(COLOUR_SCALES)
    while short // (2 * scale) >= LEAST_SIDE_PX:
        scale *= 2
    made = min(scale, max(COLOUR_SCALES))
    colour = page.colour(made)
    while made < scale:
        colour, made = halved(colour), 2 * made
    return colour, scale


def _white(lightness: Pixels, certain: Mask) -> Mask:
    """The brightest of what is not clipped: paper, lid, highlights, which take the lamp's cast."""
    usable = certain & (lightness < CLIPPED_LEVEL)
    if np.count_nonzero(usable) < LEAST_WHITE_FRACTION * np.count_nonzero(certain):
        usable = certain
    shown = cast("Pixels", usable.view(np.uint8))
    counts = cv2.calcHist([lightness], [0], shown, [256], [0, 256]).ravel()
    limit = np.searchsorted(counts.cumsum(), WHITE_PERCENTILE / 100 * counts.sum())
    return cast("Mask", usable & (lightness >= limit))


def _own_tint(
    channel: Pixels, lightness: Pixels, certain: Mask, white: Places
) -> tuple[Field, float, float]:
    """Smoothed chroma less the cast, the noise that smoothing leaves, and the cast on white."""
    on_white = channel.ravel()[white].astype(np.float32) - np.float32(128)
    slope = float(np.median(on_white / lightness.ravel()[white]))
    own = cv2.addWeighted(channel, 1, lightness, -slope, -128, dtype=cv2.CV_32F)
    smooth = cast("Field", cv2.blur(own, (SMOOTHING_PX, SMOOTHING_PX)))
    rest = cv2.absdiff(own, smooth)[::2, ::2][certain[::2, ::2]]
    noise = 1.4826 * float(np.median(rest)) / SMOOTHING_PX if rest.size else 0.0
    return smooth, noise, 255 * slope


def _inside(page: Page, shape: tuple[int, ...], scale: int) -> Mask:
    sheet = page.derive(outline)
    if sheet is None or sheet.fills_frame:
        return np.ones(shape, np.bool_)
    mask = np.zeros(shape, np.uint8)
    corners = np.round(np.array(sheet.corners) / scale).astype(np.int32)
    cv2.fillConvexPoly(mask, corners, 1)
    mask = cast("Pixels", cv2.erode(mask, np.ones((RIM_PX, RIM_PX), np.uint8)))
    return mask > 0 if mask.any() else np.ones(shape, np.bool_)
