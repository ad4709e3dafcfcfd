"""What the strokes of a page's writing look like, in a form that turns with the page.

The writing is brought to one size and cut to black and white; then each place votes for the
pattern of ink that a 3x3 grid of points around it sees, at several spacings of the grid (the local
binary patterns of Ojala et al. 2002, on ink instead of grey levels). No line is sought and no
letter is read, so Latin and Arabic go the same way: what is upright in a script (ascenders, a
baseline with descending tails, bowls open to one side) makes some patterns common and their turned
copies rare. To turn the page by 90 degrees is to permute the histogram.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import INK_CONTRAST_FRACTION, Boxes, Ink, ink
from docqa.analysis.outline import outline
from docqa.page import LUMA_SCALES, Page, Pixels, page_from_pixels

Floats = npt.NDArray[np.float64]
Histograms = npt.NDArray[np.float64]

SPACINGS_PX = (1, 2, 3, 4)
"""Distance of the grid's points, in parts of a writing that is ``WRITING_SIZE_PX`` high."""
MOST_ROOM_PX = 2 * SPACINGS_PX[-1]
"""From the first to the last row of the widest grid."""
PATTERNS_COUNT = 512
WRITING_SIZE_PX = 10.0
"""The writing is brought to this size: the typical smaller side of its components."""
LONGEST_COMPONENT_RATIO = 8
"""Components longer than this are rules. The same both ways: a page on its side has the same."""
TILE_PX = 256
LOOKS_TILES_COUNTS = (1, 2, 6)
"""Of the writing's own size: so many tiles with most writing are looked at by and by, which bounds
the time. Of most pages the first of them are enough."""
COUNTED_APART = 4
TOPHAT_SIDE_PX = 15
ROOM_FRACTION = 0.3
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


@dataclass(frozen=True, slots=True)
class _Writing:
    """Where the writing of a page is, and how it is brought to one size."""

    luma: Pixels
    factor: float
    """From the size of ``luma`` to that of the writing."""
    tiles: tuple[tuple[int, int, int, int], ...]
    """left, top, width, height in ``luma``; those with most writing first."""
    boxes: Floats
    """(N, 4) left, top, right, bottom in ``luma``, with room around each component."""
    limit: float
    """Ink is so much darker than its paper."""
    component_count: int


def looks(page: Page) -> Iterator[Patterns]:
    """The patterns of more and more of the page's writing, the places with most of it first.

    Nothing where there is hardly any. It takes time only as far as it is asked.
    """
    writing = page.derive(_writing)
    counts = np.zeros((len(SPACINGS_PX), PATTERNS_COUNT))
    for first, last in pairwise((0, *LOOKS_TILES_COUNTS)):
        if writing is None or not writing.tiles[first:last]:
            return
        counts = counts + _counts(writing, slice(first, last))
        found = _patterns(writing, counts)
        if found is not None:
            yield found


def stroke_patterns(page: Page) -> Patterns | None:
    """The last of the looks; None where there is hardly any writing."""
    found = None
    for each in looks(page):
        found = each
    return found


def _patterns(writing: _Writing, counts: Histograms) -> Patterns | None:
    if counts[0].sum() == 0.0:
        return None
    shares = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    return Patterns(shares, writing.component_count)


def _writing(page: Page) -> _Writing | None:
    page = _subject(page)
    found = page.derive(ink)
    boxes = _letters(found)
    if len(boxes) < LEAST_COMPONENTS_COUNT:
        return None
    size = _size_px(boxes)
    size_px = size * found.scale
    scale = max(s for s in LUMA_SCALES if s == 1 or size_px / s >= WRITING_SIZE_PX)
    luma = page.luma(scale)
    factor = WRITING_SIZE_PX / (size_px / scale)
    side = TILE_PX / factor * scale / found.scale
    rows, columns = (max(round(n / side), 1) for n in found.mask.shape)
    row = (boxes[:, 1] + boxes[:, 3] // 2) * rows // found.mask.shape[0]
    column = (boxes[:, 0] + boxes[:, 2] // 2) * columns // found.mask.shape[1]
    areas = (boxes[:, 2] * boxes[:, 3]).astype(np.float64)
    density = np.bincount(row * columns + column, areas, rows * columns)
    places = np.argsort(density, kind="stable")[::-1][: LOOKS_TILES_COUNTS[-1]]
    # All tiles are of one size, whatever is left over at the page's ends.
    height, width = luma.shape[0] // rows, luma.shape[1] // columns
    tiles = tuple(
        (
            place % columns * luma.shape[1] // columns,
            place // columns * luma.shape[0] // rows,
            width,
            height,
        )
        for place in places[density[places] > 0].tolist()
    )
    # Room around each box, so that no stroke is cut where the box is: cuts fall one way.
    room = max(round(ROOM_FRACTION * size), 2)
    ends = np.concatenate([boxes[:, :2] - room, boxes[:, :2] + boxes[:, 2:] + room], axis=1)
    limit = INK_CONTRAST_FRACTION * found.contrast_levels
    return _Writing(luma, factor, tiles, ends * (found.scale / scale), limit, len(boxes))


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


def _letters(found: Ink) -> Boxes:
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


def _counts(writing: _Writing, chosen: slice) -> Histograms:
    """(spacings, 512) how often each pattern occurs in some of the tiles."""
    counts = np.zeros((len(SPACINGS_PX), PATTERNS_COUNT))
    tiles = [_tile(writing, place) for place in writing.tiles[chosen]]
    if tiles:
        rows, ends = _inked_rows(np.stack(tiles))
        for row, spacing in enumerate(SPACINGS_PX):
            if min(tiles[0].shape) > 2 * spacing:
                counts[row] = _counted(rows, ends, spacing)
    counts[:, [0, PATTERNS_COUNT - 1]] = 0.0
    return counts


def _tile(writing: _Writing, place: tuple[int, int, int, int]) -> Pixels:
    """A tile of 0 and 1 at the writing's size: ink within the boxes."""
    left, top, width, height = place
    size = (max(round(width * writing.factor), 8), max(round(height * writing.factor), 8))
    grey = writing.luma[top : top + height, left : left + width]
    grey = cast("Pixels", cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR))
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (TOPHAT_SIDE_PX, TOPHAT_SIDE_PX))
    depth = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, element)
    dark = cast("Pixels", cv2.threshold(depth, writing.limit, 1, cv2.THRESH_BINARY)[1])
    corner, ratio = (left, top), (size[0] / width, size[1] / height)
    ends = (writing.boxes - np.array(corner * 2)) * np.array(ratio * 2)
    ends = np.clip(np.rint(ends), 0, np.array(size * 2)).astype(np.intp)
    seen = (ends[:, 0] < ends[:, 2]) & (ends[:, 1] < ends[:, 3])
    kept = np.zeros_like(dark)
    for left, top, right, bottom in ends[seen].tolist():
        kept[top:bottom, left:right] = dark[top:bottom, left:right]
    return kept


def _inked_rows(tiles: Pixels) -> tuple[Pixels, list[int]]:
    """(N, W) the rows of (tiles, H, W) without most of the bare paper, and where each tile ends.

    What is left of it is at the ends of the tiles and, between inked rows, as high as a grid.
    """
    inked = cv2.reduce(tiles.reshape(-1, tiles.shape[2]), 1, cv2.REDUCE_MAX)
    down = np.ones((1, MOST_ROOM_PX + 1), np.uint8)
    kept = cv2.dilate(inked.reshape(tiles.shape[:2]), down, anchor=(MOST_ROOM_PX, 0)) > 0
    kept[:, :MOST_ROOM_PX] = kept[:, -MOST_ROOM_PX:] = True
    return tiles[kept], np.cumsum(kept.sum(axis=1)).tolist()


def _counted(rows: Pixels, ends: list[int], spacing: int) -> Histograms:
    """How often each pattern occurs, (512,), but for the first, which is all paper.

    Args:
        rows: (N, W) of the tiles, 0 or 1.
        ends: the row behind the last one of each tile.
        spacing: of the grid's points in pixels.
    """
    width, room = rows.shape[1], 2 * spacing
    flat = rows.ravel()
    # NumPy is ten times slower to shift a byte than to multiply it.
    beside = flat[room:] * np.uint8(4)
    beside += flat[spacing:-spacing] * np.uint8(2)
    beside += flat[:-room]
    down, count = spacing * width, flat.size - room * width - room
    codes = np.zeros((2, *rows.shape), np.uint8)
    low, ninth = (each[:count] for each in codes.reshape(2, -1))
    # The ninth point falls off the end of a byte.
    np.multiply(beside[2 * down :][:count], np.uint8(64), out=low)
    low += beside[down:][:count] * np.uint8(8)
    low += beside[:count]
    ninth[:] = flat[-count:]
    # In the last places of a row or a tile the next one would be seen.
    codes[:, :, -room:] = 0
    for end in ends:
        codes[:, end - room : end] = 0
    # Neighbours are counted apart, or counting would wait for bare paper at nearly every pixel.
    ninth |= np.full(count // 4 + 1, _FOUR_NUMBERS, np.uint32).view(np.uint8)[:count]
    sizes = [2 * COUNTED_APART, PATTERNS_COUNT // 2]
    bins = [0, sizes[0], 0, sizes[1]]
    counts = cv2.calcHist([ninth, low], [0, 1], None, sizes, bins)
    return np.asarray(counts.reshape(COUNTED_APART, -1).sum(axis=0), np.float64)


_FOUR_NUMBERS = 0x06040200
"""For each of four neighbours, a bit left of the ninth point."""
