"""The document cut out of its page, upright to its own edges, at about 300 pixels per inch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.outline import LEAST_SCANNER_PPI, Outline
from docqa.analysis.outline import sheets as outlines
from docqa.analysis.print_direction import print_direction
from docqa.page import LUMA_SCALES, Page, Pixels, Polygon

Matrix = npt.NDArray[np.float64]

WORKING_PPI = 300.0
MM_PER_INCH = 25.4
LONGEST_SIDE_PX = 4200
"""A4 at WORKING_PPI is 3508 px long; more costs time and reads no better."""
LEAST_PPI = 72.0
MOST_PPI = 2400.0
LEAST_SIDE_PX = 32
MOST_SHEETS = 4
"""Sheets of one page that are read: what lies there besides is not the document."""
LIKE_SIZE = 0.1
"""A sheet this far off the document's size, in parts of it, is another or is cut off."""
SAME_SHAPE_FRACTION = 0.08
"""A page whose sides are in a card's proportion to this much is the card. A4 is 0.11 from it."""
MOST_STRETCH = 1.25
"""A sheet is brought to the document's size only where that changes its shape by less."""
MOST_SKEW_DEG = 8.0
LEAST_SKEW_DEG = 0.2
"""Less tilts a line of a card by under a tenth of its height."""
SKEW_STEPS_DEG = (0.5, 0.25)
"""Of a first search, and beside what it finds best."""
LEAST_PERSPECTIVE = 1e-9
"""Change of scale along a side, in parts, under which there is none."""
LEAST_GAIN = 1.1
SKEW_SCALE = 4
"""Skew is looked for at a quarter of the size: a line of print is still 8 px high there."""
STROKE_PX = 7
"""Side of the element that finds dark strokes at that scale."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document, or a page taken for one, ready to be read."""

    pixels: Pixels
    """(H, W) uint8 luma at about WORKING_PPI."""
    to_page: Matrix
    """(3, 3) homography from pixels of the sheet to pixels of the page."""
    page: int
    has_scale: bool = False
    """Whether the file states a scanner's resolution, so that lengths on the sheet are known."""

    def polygon(self, left: float, top: float, right: float, bottom: float) -> Polygon:
        """A rectangle of the sheet as a polygon on the page."""
        corners = [[(left, top), (right, top), (right, bottom), (left, bottom)]]
        moved = cv2.perspectiveTransform(np.array(corners, np.float64), self.to_page)[0]
        return tuple((float(x), float(y)) for x, y in moved)


def sheets(
    page: Page,
    size_mm: tuple[float, float],
    is_upright: Callable[[Sheet], bool] = lambda sheet: False,
) -> Iterator[Sheet]:
    """Everything on the page that may be the document, upright, the likeliest first.

    Every sheet or card that lies on the page, those of the document's shape first, then all of
    them upside down; then the whole page, where that is something else. A page that is of the
    document's size by its scanner's word comes first, before any outline is sought on it. A sheet
    that lies across is first turned to its type's shape, or by its lines where that is unknown.

    Args:
        page: the page.
        size_mm: width and height of the document, 0 where unknown.
        is_upright: whether the reader has found a sheet to be upright, asked once it has been
            handed out; it is not turned upside down then.
    """
    whole = (None,)
    is_document = _is_document_alone(page, size_mm)
    for is_whole in (is_document, not is_document):
        group = whole if is_whole else _outlined(page, size_mm)
        first_turns = [1 if _lies_across(page, each, size_mm) else 0 for each in group]
        settled = set()
        for turn in _turns(page, size_mm):
            for at, (each, first) in enumerate(zip(group, first_turns, strict=True)):
                if at in settled:
                    continue
                sheet = rectified(page, each, size_mm, quarter_turns=first + turn)
                yield sheet
                if is_upright(sheet):
                    settled.add(at)


def _turns(page: Page, size_mm: tuple[float, float]) -> tuple[int, ...]:
    """Quarter turns by which the document is turned further, the likeliest first."""
    if not all(size_mm):
        lines = page.derive(print_direction)
        if lines is not None and lines.down_prominence > lines.across_prominence:
            # The columns of a table are lines as well, so the page may be upright nevertheless.
            return 1, 3, 0, 2
    return 0, 2


def _outlined(page: Page, size_mm: tuple[float, float]) -> Sequence[Outline]:
    found = [each for each in page.derive(outlines) if not each.fills_frame]
    found.sort(key=lambda each: not is_of_type(page, each, size_mm))
    return found[:MOST_SHEETS]


def _is_document_alone(page: Page, size_mm: tuple[float, float]) -> bool:
    """Whether the file states a scanner's resolution, at which the page has the document's size."""
    ppi = _stated_ppi(page)
    if not all(size_mm) or ppi is None or ppi < LEAST_SCANNER_PPI:
        return False
    sides_px, sides_mm = sorted((page.width_px, page.height_px)), sorted(size_mm)
    return all(
        _is_alike(side_px / ppi * MM_PER_INCH, side_mm)
        for side_px, side_mm in zip(sides_px, sides_mm, strict=True)
    )


def has_room(page: Page, size_mm: tuple[float, float]) -> bool:
    """Whether another face may lie beside one of this size: a page of just its shape has none."""
    if not all(size_mm):
        return True
    shape = max(page.width_px, page.height_px) / min(page.width_px, page.height_px)
    return abs(shape * min(size_mm) / max(size_mm) - 1) > SAME_SHAPE_FRACTION


def rectified(
    page: Page,
    within: Outline | None,
    size_mm: tuple[float, float] = (0.0, 0.0),
    *,
    quarter_turns: int = 0,
) -> Sheet:
    """The document within an outline, or the whole page, without perspective and skew.

    Args:
        page: the page.
        within: outline of the document; None, or one that fills the frame, is the whole page.
        size_mm: width and height of the document as it is read, 0 where unknown.
        quarter_turns: by how much the content is turned clockwise, 0 to 3.
    """
    corners = _corners(page, within)
    width, height = _target_px(page, corners, size_mm, across=quarter_turns % 2 == 1)
    # Naming another corner the first turns the content.
    corners = np.roll(corners, quarter_turns, axis=0)
    if quarter_turns % 2:
        width, height = height, width
    target = [(-0.5, -0.5), (width - 0.5, -0.5), (width - 0.5, height - 0.5), (-0.5, height - 0.5)]
    to_page = cast("Matrix", cv2.getPerspectiveTransform(
        np.array(target, np.float32), corners.astype(np.float32)
    ))  # fmt: skip
    pixels = _warped(page, to_page, (width, height))
    skew_deg = text_skew_deg(pixels)
    if abs(skew_deg) >= LEAST_SKEW_DEG:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), -skew_deg, 1.0)
        to_page = to_page @ np.vstack([turn, (0.0, 0.0, 1.0)])
        pixels = _warped(page, to_page, (width, height))
    ppi = _stated_ppi(page)
    is_whole = max(pixels.shape) < LONGEST_SIDE_PX
    has_scale = ppi is not None and ppi >= LEAST_SCANNER_PPI and is_whole
    return Sheet(pixels, to_page, page.index, has_scale)


def text_skew_deg(pixels: Pixels) -> float:
    """By how much lines of print are turned clockwise, -MOST_SKEW_DEG to MOST_SKEW_DEG degrees.

    The turn at which the row sums of the dark strokes vary most (Postl 1986). 0.0 without print.
    """
    height, width = (max(side // SKEW_SCALE, 1) for side in pixels.shape)
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (STROKE_PX, STROKE_PX))
    depth = cv2.morphologyEx(small, cv2.MORPH_BLACKHAT, element)
    strokes = cv2.threshold(depth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    rows, columns = np.nonzero(strokes)
    if len(rows) < width // 2:
        return 0.0
    columns_right = columns - width / 2
    coarse_deg, fine_deg = SKEW_STEPS_DEG
    steps = round(MOST_SKEW_DEG / coarse_deg)
    scores = {
        angle_deg: _row_contrast(rows, columns_right, angle_deg)
        for angle_deg in (step * coarse_deg for step in range(-steps, steps + 1))
    }
    best_deg = max(scores, key=scores.__getitem__)
    beside_deg = np.clip((best_deg - fine_deg, best_deg + fine_deg), -MOST_SKEW_DEG, MOST_SKEW_DEG)
    for angle_deg in beside_deg.tolist():
        scores[angle_deg] = _row_contrast(rows, columns_right, angle_deg)
    best_deg = max(scores, key=scores.__getitem__)
    # The pattern behind a few upright lines can favour a slight turn by a hair.
    return best_deg if scores[best_deg] > LEAST_GAIN * scores[0.0] else 0.0


def _row_contrast(
    rows: npt.NDArray[np.int64], columns: npt.NDArray[np.float64], angle_deg: float
) -> float:
    shifted = rows - columns * np.tan(np.radians(angle_deg))
    # A turn moves print off the sheet; were it all counted to the last row, it would look level.
    counts = np.bincount(np.round(shifted - shifted.min() + 1).astype(np.intp))
    return float(np.square(np.diff(counts.astype(np.float64))).sum())


def is_of_type(page: Page, found: Outline, size_mm: tuple[float, float]) -> bool:
    """Whether a sheet has the document's shape, and its size where the file states one."""
    if not all(size_mm):
        return True
    sides_px, sides_mm = sorted(_sides_px(_corners(page, found))), sorted(size_mm)
    if not _is_alike(sides_px[1] / sides_px[0], sides_mm[1] / sides_mm[0]):
        return False
    ppi = _stated_ppi(page)
    return (
        ppi is None
        or ppi < LEAST_SCANNER_PPI
        or _is_alike(sides_px[1] / ppi * MM_PER_INCH, sides_mm[1])
    )


def _is_alike(size: float, expected: float) -> bool:
    return abs(size / expected - 1) < LIKE_SIZE


def _stated_ppi(page: Page) -> float | None:
    tag = page.origin.ppi_tag
    return tag if tag and LEAST_PPI < tag < MOST_PPI else None


def _corners(page: Page, within: Outline | None) -> Matrix:
    if within is not None and not within.fills_frame:
        return np.array(within.corners, np.float64)
    right, bottom = page.width_px - 0.5, page.height_px - 0.5
    return np.array([(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)])


def _sides_px(corners: Matrix) -> tuple[float, float]:
    top, right, bottom, left = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    return float(max(top, bottom)), float(max(left, right))


def _lies_across(page: Page, within: Outline | None, size_mm: tuple[float, float]) -> bool:
    if not all(size_mm):
        return False
    across_px, down_px = _sides_px(_corners(page, within))
    width_mm, height_mm = size_mm
    # A whole page may be the bed of the scanner, whose shape says nothing of the document's.
    if within is None and not _is_document(page, across_px, down_px, (height_mm, width_mm)):
        return False
    return (across_px > down_px) != (width_mm > height_mm)


def _target_px(
    page: Page, corners: Matrix, size_mm: tuple[float, float], *, across: bool
) -> tuple[int, int]:
    """Size of the sheet as it lies on the page, before any turn."""
    across_px, down_px = _sides_px(corners)
    width_mm, height_mm = reversed(size_mm) if across else size_mm
    if all(size_mm) and _is_document(page, across_px, down_px, (width_mm, height_mm)):
        scale_x = width_mm / MM_PER_INCH * WORKING_PPI / across_px
        scale_y = height_mm / MM_PER_INCH * WORKING_PPI / down_px
    else:
        ppi = _stated_ppi(page)
        scale_x = scale_y = WORKING_PPI / ppi if ppi else 1.0
    limit = min(LONGEST_SIDE_PX / max(across_px * scale_x, down_px * scale_y), 1.0)
    return (
        max(round(across_px * scale_x * limit), LEAST_SIDE_PX),
        max(round(down_px * scale_y * limit), LEAST_SIDE_PX),
    )


def _is_document(
    page: Page, across_px: float, down_px: float, size_mm: tuple[float, float]
) -> bool:
    """Whether sides are the document's by their shape; A4 has the shape of a passport across."""
    width_mm, height_mm = size_mm
    if not 1 / MOST_STRETCH < across_px / down_px / (width_mm / height_mm) < MOST_STRETCH:
        return False
    ppi = _stated_ppi(page)
    if ppi is None or ppi < LEAST_SCANNER_PPI:
        return True
    stated = max(across_px, down_px) / ppi * MM_PER_INCH / max(size_mm)
    return 1 / MOST_STRETCH < stated < MOST_STRETCH


def _warped(page: Page, to_page: Matrix, size: tuple[int, int]) -> Pixels:
    # Shrinking by more than two without averaging would drop thin strokes.
    shrink = float(np.sqrt(abs(np.linalg.det(to_page[:2, :2]))))
    scale = max(scale for scale in LUMA_SCALES if scale == 1 or scale <= shrink)
    to_level = np.array([(1 / scale, 0, 0.5 / scale - 0.5), (0, 1 / scale, 0.5 / scale - 0.5),
                         (0, 0, 1)])  # fmt: skip
    # A scanned sheet's sides are parallel, and an affine map costs less than half as much.
    to_side = to_page[2, :2] / to_page[2, 2] * size
    is_affine = bool(np.abs(to_side).max() < LEAST_PERSPECTIVE)
    warp = cv2.warpAffine if is_affine else cv2.warpPerspective
    matrix = to_level @ to_page / to_page[2, 2]
    return cast("Pixels", warp(
        page.luma(scale), matrix[:2] if is_affine else matrix, size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    ))  # fmt: skip
