"""The shapes, sizes and places of the letters of a page.

Letters are found in a copy of the page of half the size and then looked at, all at once, in the
finer one: each is drawn into a small patch, whose grey pixels say where between two an edge lies.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.components import outlined
from docqa.analysis.ink import ink
from docqa.analysis.ink_density import BLOCK_PX, ink_density
from docqa.page import LUMA_SCALES, Page, Pixels

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Boxes = npt.NDArray[np.int32]

LEAST_TEXT_HEIGHT_PX, LEAST_FOUND_HEIGHT_PX = 22, 8
"""Letters are looked at in the smallest copy of the page in which text is at least this high, and
found in one of half its size unless text is lower there than the second."""
ZONES_COUNT = 8
"""Windows along each side of the page: the inkiest of each zone is looked at."""
WINDOW_TEXT_HEIGHTS = 12
WINDOW_PX = (80, 192)
SAMPLE_ROWS = 2
MOST_OUTLINES_COUNT = 600
"""A window with more is full of specks, and no writing."""
WINDOW_LETTERS_COUNT, LETTERS_COUNT = 40, 1300
"""At most so many letters of a window and of the page are looked at."""
MOST_SIDE_PX = 32_766
"""OpenCV draws from and into no higher picture: all patches of a page lie below each other."""
LEAST_HEIGHT_PX = 3
"""A smaller mark is a dot."""
LEAST_WIDTH, LEAST_HEIGHT, MOST_SIDE = 0.4, 0.5, 3.0
"""Of a letter, over the height of the text."""
MOST_ENCLOSED, MOST_EXTENT = 0.97, 0.8
"""Share of its box that a letter fills with what it encloses, and of that box and its rim that its
ink fills: more is a bar or the frame of a cell, and more a blot."""
RIM_PX = 0.5
"""So much around a letter's box, where it was found, is looked at."""
INK_SIDE_PX, SHAPE_SIDE_PX = 24, 16
"""Patches in which a letter's ink is weighed, and in which shapes are compared."""
EDGE_FRACTION = 0.7
"""Of the contrast from ink to paper: over so much of it, around the middle, a pixel is ink in
part."""
SHAPE_DEVIATIONS = 2.1
"""Standard deviations of its ink that the patch of a shape reaches to each side."""
LEVELS_FRACTION = 0.03
"""Of a patch's pixels, left out at both ends: the rest spans its levels."""


@dataclass(frozen=True, slots=True)
class LetterShapes:
    """Letters of one page."""

    patches: Singles
    """(N, pixels) their shapes, 0 (ink) to 1."""
    sizes: Floats
    """(N, 2) logarithms of their standard deviations across and down."""
    places: Floats
    """(N, 2) -1 to 1 along the page's longer side."""


def letter_shapes(page: Page) -> LetterShapes | None:
    """Look at letters from all over the page; None where there are none."""
    text_height = page.derive(ink).text_height_px
    if text_height is None:
        return None
    # Not the coarsest: letters are found at half of it.
    scales = LUMA_SCALES[:-1]
    scale = max(s for s in scales if s == 1 or text_height >= s * LEAST_TEXT_HEIGHT_PX)
    coarse = 1 if text_height < 2 * scale * LEAST_FOUND_HEIGHT_PX else 2
    boxes = _boxes(page, coarse * scale, text_height / (coarse * scale))
    luma = page.luma(scale)
    if not len(boxes) or max(luma.shape) > MOST_SIDE_PX:
        return None
    frames = coarse * (boxes + RIM_PX * np.array([-1, -1, 2, 2])) - np.array([0.5, 0.5, 0, 0])
    sizes, centres, extents = _weighed(_drawn(luma, frames, INK_SIDE_PX), frames)
    found = (extents <= MOST_EXTENT) & (sizes > 0).all(axis=1)
    if not found.any():
        return None
    sizes, centres = sizes[found], centres[found]
    reach = SHAPE_DEVIATIONS * sizes
    shapes = _drawn(luma, np.concatenate([centres - reach, 2 * reach], axis=1), SHAPE_SIDE_PX)
    low, high = _levels(shapes)
    patches = np.asarray((shapes - low) / np.maximum(high - low, 1), np.float32)
    whole = np.array([page.width_px, page.height_px]) / scale
    return LetterShapes(patches, np.log(sizes), (2 * centres - whole) / whole.max())


def _boxes(page: Page, scale: int, text_height: float) -> Boxes:
    """(N, 4) x, y, width and height of letters that lie whole in one of the windows."""
    found = [*_windows(page, scale, text_height)]
    if not found:
        return np.empty((0, 4), np.int32)
    corners, windows = zip(*found, strict=True)
    high, wide = windows[0].shape
    # One below the other, with an empty row between: their outlines are followed in one go.
    dark = np.zeros((len(windows), high + 1, wide), np.uint8)
    for window, into in zip(windows, dark, strict=True):
        level, _ = cv2.threshold(window[::SAMPLE_ROWS], 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        cv2.threshold(window, level, 255, cv2.THRESH_BINARY_INV, into[:high])
    boxes, areas = outlined(dark.reshape(-1, wide), LEAST_HEIGHT_PX)
    x, y, width, height = boxes.T
    owners, y = np.divmod(y, high + 1)
    least, most = max(LEAST_HEIGHT * text_height, LEAST_HEIGHT_PX), MOST_SIDE * text_height
    fits = (least <= height) & (height <= most)
    fits &= (LEAST_WIDTH * text_height <= width) & (width <= most)
    fits &= (x > 0) & (y > 0) & (x + width < wide) & (y + height < high)
    fits &= areas <= MOST_ENCLOSED * width * height
    fits &= (np.bincount(owners, minlength=len(windows)) <= MOST_OUTLINES_COUNT)[owners]
    letters = np.flatnonzero(fits)
    numbers = np.arange(len(letters)) - np.searchsorted(owners[letters], owners[letters])
    letters = letters[numbers < WINDOW_LETTERS_COUNT]
    letters = letters[:: -(-len(letters) // LETTERS_COUNT) or 1]
    left, top = np.array(corners)[owners[letters]].T
    return np.stack([left + x[letters], top + y[letters], width[letters], height[letters]], axis=1)


def _windows(
    page: Page, scale: int, text_height: float
) -> Iterator[tuple[tuple[int, int], Pixels]]:
    """Left and top of the inkiest window of each zone, and its brightness; all of one size."""
    luma, own = page.luma(scale), page.derive(ink).scale
    unit = max(BLOCK_PX * own // scale, 1)
    side = int(np.clip(WINDOW_TEXT_HEIGHTS * text_height, *WINDOW_PX)) // unit * unit
    density = ink_density(page, max(side * scale // own // BLOCK_PX, 1) * BLOCK_PX)
    for top, bottom in _zones(density.shape[0]):
        for left, right in _zones(density.shape[1]):
            zone = density[top:bottom, left:right]
            row, column = divmod(int(zone.argmax()), right - left)
            x, y = (left + column) * side, (top + row) * side
            if zone.max() > 0:
                yield (x, y), luma[y : y + side, x : x + side]


def _zones(length: int) -> Iterator[tuple[int, int]]:
    count = min(length, ZONES_COUNT)
    return itertools.pairwise(zone * length // count for zone in range(count + 1))


def _drawn(luma: Pixels, frames: Floats, side: int) -> Pixels:
    """(N, side * side) what lies in frames of left, top, width and height, each drawn anew."""
    steps = (np.arange(side) + 0.5) / side
    x, y = (frames[:, axis, None] + frames[:, 2 + axis, None] * steps for axis in (0, 1))
    shape = (len(frames), side, side)
    across = np.broadcast_to(x[:, None, :], shape).astype(np.float32).reshape(-1, side)
    down = np.broadcast_to(y[:, :, None], shape).astype(np.float32).reshape(-1, side)
    drawn = cv2.remap(luma, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(drawn, np.uint8).reshape(len(frames), -1)


def _weighed(drawn: Pixels, frames: Floats) -> tuple[Floats, Floats, Floats]:
    """(N, 2) standard deviations and (N, 2) centres of the ink, and (N,) its share of the frame."""
    low, high = _levels(drawn)
    middle = (low + high) / 2
    ink_share = np.clip((middle - drawn) / np.maximum(EDGE_FRACTION * (high - low), 1) + 0.5, 0, 1)
    sums = (ink_share * _around_largest(drawn < middle)) @ _POWERS
    area = np.maximum(sums[:, :1], 1e-6)
    centre = sums[:, 1:3] / area
    deviation = np.sqrt(np.maximum(sums[:, 3:] / area - centre**2, 0))
    scale = frames[:, 2:]
    return deviation * scale, frames[:, :2] + centre * scale, sums[:, 0] / drawn.shape[1]


def _around_largest(dark: npt.NDArray[np.bool_]) -> Pixels:
    """(N, pixels) 1 on the largest component of each patch and next to it: others are parts of
    letters beside it.
    """
    count, side, room = len(dark), INK_SIDE_PX, INK_SIDE_PX + 2
    apart = np.zeros((count, room, side), np.uint8)
    apart[:, :side] = dark.reshape(count, side, side)
    stacked = apart.reshape(-1, side)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(stacked, connectivity=8)
    owners, areas = stats[1:, cv2.CC_STAT_TOP] // room, stats[1:, cv2.CC_STAT_AREA]
    by_owner = np.lexsort((areas, owners))
    largest = np.zeros(count, np.int32)
    largest[owners[by_owner]] = by_owner + 1  # the last one of each stays
    chosen = labels.reshape(apart.shape) == np.where(largest > 0, largest, -1)[:, None, None]
    grown = cv2.dilate(chosen.astype(np.uint8).reshape(stacked.shape), np.ones((3, 3), np.uint8))
    return np.asarray(grown, np.uint8).reshape(apart.shape)[:, :side].reshape(count, -1)


def _powers() -> Singles:
    """(pixels, 5) 1, x, y and their squares, each 0 to 1 over a patch."""
    steps = (np.arange(INK_SIDE_PX) + 0.5) / INK_SIDE_PX
    x, y = (each.ravel() for each in np.meshgrid(steps, steps))
    return np.stack([np.ones_like(x), x, y, x * x, y * y], axis=1).astype(np.float32)


_POWERS = _powers()


def _levels(drawn: Pixels) -> tuple[Singles, Singles]:
    """(N, 1) of ink and of paper."""
    ordered = np.sort(drawn.astype(np.uint16), axis=1)  # a tenth of what NumPy takes to sort bytes
    end = int(LEVELS_FRACTION * drawn.shape[1])
    low, high = ordered[:, end, None], ordered[:, -end - 1, None]
    return low.astype(np.float32), high.astype(np.float32)
