"""What the strokes of a page's writing look like, in a form that turns with the page.

The writing is brought to one size and cut to black and white; then each place votes for the
pattern of ink that a 3x3 grid of points around it sees, at several spacings of the grid (the local
binary patterns of Ojala et al. 2002, on ink instead of grey levels). No line is sought and no
letter is read, so Latin and Arabic go the same way: what is upright in a script (ascenders, a
baseline with descending tails, bowls open to one side) makes some patterns common and their turned
copies rare. To turn the page by 90 degrees is to permute the histogram.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import INK_CONTRAST_FRACTION, Boxes, Ink, ink
from docqa.analysis.outline import outline
from docqa.page import LUMA_SCALES, Page, Pixels, page_from_pixels

Histograms = npt.NDArray[np.float64]

SPACINGS_PX = (1, 2, 3, 4)
"""Distance of the grid's points, in parts of a writing that is ``WRITING_SIZE_PX`` high."""
PATTERNS_COUNT = 512
WRITING_SIZE_PX = 10.0
"""The writing is brought to this size: the typical smaller side of its components."""
LONGEST_COMPONENT_RATIO = 8
"""Components longer than this are rules. The same both ways: a page on its side has the same."""
TILE_PX = 256
MOST_TILES_COUNT = 6
"""Of the writing's own size: the tiles with most writing are looked at, which bounds the time."""
TOPHAT_SIDE_PX = 15
ROOM_FRACTION = 0.25
"""Room around a component's box, in parts of the writing's size."""
LEAST_CARD_SIDE_PX = 64
LEAST_COMPONENTS_COUNT = 12
"""Fewer components than this are no writing to tell a direction by."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """How often the writing shows each pattern."""

    shares: Histograms
    """(spacings, 512) square roots of shares: rows of unit length. Entries 0 and 511 (nothing but
    paper, nothing but ink) are 0. Bit 3 y + x of an index is the ink at column x, row y."""
    component_count: int
    """Letters or words that the page has."""


def stroke_patterns(page: Page) -> Patterns | None:
    """The patterns of the page's writing; None where there is hardly any.

    Call it as ``page.derive(stroke_patterns)``.
    """
    page = _subject(page)
    found = page.derive(ink)
    boxes = _writing(found)
    if len(boxes) < LEAST_COMPONENTS_COUNT:
        return None
    size = _size_px(boxes)
    counts = np.zeros((len(SPACINGS_PX), PATTERNS_COUNT))
    for tile in _tiles(page, found, boxes, size):
        for row, spacing in enumerate(SPACINGS_PX):
            counts[row] += _counted(tile, spacing)
    counts[:, [0, PATTERNS_COUNT - 1]] = 0.0
    if counts[0].sum() == 0.0:
        return None
    shares = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    return Patterns(shares, len(boxes))


def _subject(page: Page) -> Page:
    """The page, or the card that lies on it: its small print needs a closer look than a page's."""
    sheet = page.derive(outline)
    if sheet is None or sheet.fills_frame or sheet.kind != "card":
        return page
    corners = np.array(sheet.corners)
    left, top = np.maximum(corners.min(axis=0), 0.0).astype(int).tolist()
    right, bottom = corners.max(axis=0).astype(int).tolist()
    card = page.luma()[top:bottom, left:right]
    return page if min(card.shape) < LEAST_CARD_SIDE_PX else page_from_pixels(card)


def turned(histograms: Histograms) -> Histograms:
    """The histograms of the same page turned clockwise by 90 degrees."""
    return histograms[:, _CLOCKWISE]


def _permutation() -> npt.NDArray[np.intp]:
    """For each pattern, which pattern becomes it when the page turns clockwise."""
    grid = np.arange(9).reshape(3, 3)
    source = np.rot90(grid, -1).ravel()
    codes = np.arange(PATTERNS_COUNT)
    bits = (codes[:, None] >> np.arange(9)) & 1
    before = np.zeros((PATTERNS_COUNT, 9), dtype=np.intp)
    before[:, source] = bits
    return cast("npt.NDArray[np.intp]", (before << np.arange(9)).sum(axis=1))


_CLOCKWISE = _permutation()


def _writing(found: Ink) -> Boxes:
    """The boxes that can be letters or words, whichever way the page lies."""
    sides = np.sort(found.boxes[:, 2:], axis=1)
    keep = (sides[:, 0] >= 3) & (sides[:, 1] <= LONGEST_COMPONENT_RATIO * sides[:, 0])
    keep &= sides[:, 1] <= max(min(found.mask.shape) // 8, 8)
    return found.boxes[keep]


def _size_px(boxes: Boxes) -> float:
    """Smaller side of the typical component, at the ink's scale."""
    smaller = boxes[:, 2:].min(axis=1)
    order = np.argsort(smaller, kind="stable")
    below = np.cumsum(smaller[order])
    return float(smaller[order[np.searchsorted(below, below[-1] / 2)]])


def _tiles(page: Page, found: Ink, boxes: Boxes, size: float) -> list[Pixels]:
    """Tiles of 0 and 1, ink within the boxes, at the size where writing is ``WRITING_SIZE_PX``."""
    size_px = size * found.scale
    scale = max(s for s in LUMA_SCALES if s == 1 or size_px / s >= WRITING_SIZE_PX)
    luma = page.luma(scale)
    factor = WRITING_SIZE_PX / (size_px / scale)
    allowed = np.zeros(found.mask.shape, np.uint8)
    # Room around each box, so that no stroke is cut where the box is: cuts fall one way.
    room = max(round(ROOM_FRACTION * size), 2)
    for x, y, width, height in boxes.tolist():
        left, top = max(x - room, 0), max(y - room, 0)
        allowed[top : y + height + room, left : x + width + room] = 255
    side = TILE_PX / factor * scale / found.scale
    rows, columns = (max(round(n / side), 1) for n in found.mask.shape)
    row = (boxes[:, 1] + boxes[:, 3] // 2) * rows // found.mask.shape[0]
    column = (boxes[:, 0] + boxes[:, 2] // 2) * columns // found.mask.shape[1]
    areas = (boxes[:, 2] * boxes[:, 3]).astype(np.float64)
    density = np.bincount(row * columns + column, areas, rows * columns).reshape(rows, columns)
    places = np.argsort(density, axis=None, kind="stable")[::-1][:MOST_TILES_COUNT]
    tiles = []
    for place in places.tolist():
        row, column = divmod(place, columns)
        if density[row, column] > 0:
            tiles.append(_tile(luma, allowed, (row, column), (rows, columns), factor, found))
    return tiles


def _tile(
    luma: Pixels,
    allowed: Pixels,
    place: tuple[int, int],
    grid: tuple[int, int],
    factor: float,
    found: Ink,
) -> Pixels:
    grey, within = (
        image[
            place[0] * image.shape[0] // grid[0] : (place[0] + 1) * image.shape[0] // grid[0],
            place[1] * image.shape[1] // grid[1] : (place[1] + 1) * image.shape[1] // grid[1],
        ]
        for image in (luma, allowed)
    )
    size = (max(round(grey.shape[1] * factor), 8), max(round(grey.shape[0] * factor), 8))
    grey = cast("Pixels", cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR))
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (TOPHAT_SIDE_PX, TOPHAT_SIDE_PX))
    depth = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, element)
    limit = INK_CONTRAST_FRACTION * found.contrast_levels
    dark = cast("Pixels", cv2.threshold(depth, limit, 1, cv2.THRESH_BINARY)[1])
    # Nearest neighbours would lie half a pixel to one side.
    kept = cv2.resize(within, size, interpolation=cv2.INTER_LINEAR)
    kept = cast("Pixels", cv2.threshold(kept, 127, 1, cv2.THRESH_BINARY)[1])
    return cast("Pixels", cv2.bitwise_and(dark, kept))


def _counted(dark: Pixels, spacing: int) -> Histograms:
    """How often each pattern occurs, (512,)."""
    if min(dark.shape) <= 2 * spacing:
        return np.zeros(PATTERNS_COUNT)
    one, two = slice(spacing, -spacing), slice(2 * spacing, None)
    none = slice(None, -2 * spacing)
    wide = dark.astype(np.uint16)
    row = wide[:, none] | wide[:, one] << 1 | wide[:, two] << 2
    codes = row[none] | row[one] << 3 | row[two] << 6
    counts = cv2.calcHist([codes], [0], None, [PATTERNS_COUNT], [0, PATTERNS_COUNT])
    return counts.ravel().astype(np.float64)
