"""OCR of a document's labelled lines, such as ``name: value``.

Reading a whole card blind finds half of it; finding the lines first, making each black on white and
giving it to Tesseract at the size its models were trained for reads nine of ten. Printed labels
stay in the picture: on a short name alone Tesseract often answers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import cv2
import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from docqa.analysis.components import component_boxes
from docqa.dates import split_date
from docqa.documents import FieldSpec
from docqa.page import Pixels, Polygon
from docqa.ports import OcrEngine
from docqa.reading.regions import Sheet
from docqa.text import canonical, loose

Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of the sheet"""
Binarisation = Literal["otsu", "sauvola"]

STROKE_PX = 21
"""Side of the element that finds dark strokes: wider than a stroke of a headline at 300 ppi."""
LONGEST_STROKE_PX = 130
"""A straight dark run longer than this at 300 ppi (11 mm) is a ruling, not writing."""
WORD_GAP_PX = 25
LEAST_WORD_PX = 10
"""Height and width under which a blob is a speck or a background line."""
LEAST_DOT_PX = 3
MOST_HEIGHT_PX = 110
MOST_PAIR_HEIGHT_PX = 180
"""Of two words that touch, one below the other, before they are parted."""
LEAST_ROW_OVERLAP_FRACTION = 0.36
"""A word of tails alone (رستم) beside one of heads alone (النسبة) shares no more with it."""
LEAST_HEIGHT_FRACTION = 0.65
"""Of the page's usual lines: a lower one is set smaller."""
MOST_HEIGHT_RATIO = 3.0
"""Of neighbours in a line: an edge of the portrait, taller still, would tie lines together."""
TALL = 1.6
"""Times as high as usual: two lines that touch, as a label under the tail of a name may."""
LEAST_PART_HEIGHT = 0.6
"""Of either line, in usual heights."""
LEAST_PART_INK = 0.35
"""Of the lighter line's darkest row, in that of the darker line."""
MOST_SEAM_INK = 0.25
"""Of the row between them, in the lighter line's darkest row."""
EDGE_HEIGHT = 2.0
"""Times as high as usual: what is so high and narrow is an edge of the card or of the portrait."""
MOST_EDGE_WIDTH = 0.5
"""Of its height; a word so high is wider."""
MOST_DOT_GAP_EM = 0.35
"""Between a dot and its word, the nearest above or below it."""
MOST_DOTS = 2000
"""More are the screen of a printed background."""
COLLAPSED_GAP_EM = 1.0
"""Wider gaps, as between the columns of a table, are closed to this: Tesseract would cut there."""
MARGIN_EM = 0.3
MARGIN_ABOVE_EM = 0.1
"""Above and below a line stand its neighbours."""
MOST_ROWS = 48
"""A page of print has about this many; more would cost seconds and hold no labels."""
SAUVOLA_WINDOW_PX = 31
SAUVOLA_K = 0.2
LEAST_LABEL_RATIO = 80.0
"""Likeness, 0 to 100, from which a line's start is taken for a label: one wrong letter of six
passes, another label does not."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One way to read a line."""

    binarisation: Binarisation
    em_px: int
    language: str
    layout: Literal["line", "raw_line"]


PASSES = (
    Pass("otsu", 24, "ara", "line"),
    Pass("otsu", 30, "ara", "line"),
    Pass("sauvola", 30, "ara", "line"),
    Pass("otsu", 64, "script/Arabic", "raw_line"),
)
"""In the order in which they are worth their time. Of 100 names of drawn cards the first reads 91,
the first three 95; the last reads 62 and no further ones, but knows the Arabic-Indic digits of
dates."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of print on a sheet."""

    words: tuple[Box, ...]
    """Its blobs of writing, from right to left."""
    em_px: float

    def box(self) -> Box:
        """The whole line."""
        lefts, tops, rights, bottoms = zip(*self.words, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


@dataclass(frozen=True, slots=True)
class LabelledText:
    """What followed a label in one reading of one line. Personal data."""

    value: str
    label_ratio: float
    polygon: Polygon


def find_rows(pixels: Pixels) -> list[Row]:
    """The lines of print of a sheet at about 300 ppi, top to bottom; at most MOST_ROWS."""
    element = np.ones((STROKE_PX, STROKE_PX), np.uint8)
    smooth = cv2.GaussianBlur(pixels, (3, 3), 0)
    depth = cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, element)
    ink = cast("Pixels", cv2.threshold(depth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])
    # Both kinds of ruling are looked for before either goes: a table's rows would cut its columns.
    across, down = (
        _straight_runs(ink, ruling) for ruling in ((1, LONGEST_STROKE_PX), (LONGEST_STROKE_PX, 1))
    )
    ink[cv2.dilate(cv2.bitwise_or(across, down), np.ones((5, 5), np.uint8)) > 0] = 0
    joined = cast(
        "Pixels", cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, WORD_GAP_PX), np.uint8))
    )
    words, dots = list[Box](), list[Box]()
    for left, top, width, height in component_boxes(joined):
        box = (left, top, left + width, top + height)
        if LEAST_WORD_PX < height < MOST_PAIR_HEIGHT_PX and width > LEAST_WORD_PX:
            words.append(box)
        elif LEAST_DOT_PX <= height <= LEAST_WORD_PX and width >= LEAST_DOT_PX:
            dots.append(box)
    parted = _parted(_without_edges(words), ink)
    low = [box for box in parted if box[3] - box[1] < MOST_HEIGHT_PX]
    return _with_dots(_rows(low)[:MOST_ROWS], dots)


def _without_edges(words: Sequence[Box]) -> list[Box]:
    """The words without what would tie two lines together, or stretch the one that it is beside."""
    typical = float(np.median([bottom - top for _, top, _, bottom in words])) if words else 0.0
    return [
        (left, top, right, bottom) for left, top, right, bottom in words
        if bottom - top <= EDGE_HEIGHT * typical or right - left > MOST_EDGE_WIDTH * (bottom - top)
    ]  # fmt: skip


def _parted(words: Sequence[Box], ink: Pixels) -> list[Box]:
    """The words, and in place of two that touch, one below the other, each of the two."""
    heights = [bottom - top for _, top, _, bottom in words]
    typical = float(np.median(heights)) if words else 0.0
    parted: list[Box] = []
    for box, height in zip(words, heights, strict=True):
        left, top, right, bottom = box
        seam = _seam(ink[top:bottom, left:right], typical) if height > TALL * typical else None
        parted += [box] if seam is None else [
            (left, top, right, top + seam), (left, top + seam, right, bottom)
        ]  # fmt: skip
    return parted


def _seam(ink: Pixels, typical: float) -> int | None:
    """The row between two lines of print; None where there is only one."""
    least = round(LEAST_PART_HEIGHT * typical)
    inked = np.count_nonzero(ink, axis=1)
    if len(inked) <= 2 * least:
        return None
    at = least + int(inked[least : len(inked) - least].argmin())
    lighter, darker = sorted((int(inked[:at].max()), int(inked[at:].max())))
    # Below the line of one word are its marks and tails, which are never as long as a line.
    is_print = lighter >= LEAST_PART_INK * darker
    return at if is_print and inked[at] <= MOST_SEAM_INK * lighter else None


def _straight_runs(ink: Pixels, size: tuple[int, int]) -> Pixels:
    """What of the ink lies under a rectangle of so many rows and columns that is all ink."""
    rectangle = np.ones(size, np.uint8)
    found = cv2.erode(ink, rectangle)
    # Most cards have none.
    return cast("Pixels", cv2.dilate(found, rectangle) if cv2.hasNonZero(found) else found)


def read_labelled(
    sheet: Sheet,
    specs: Sequence[FieldSpec],
    ocr: OcrEngine,
    is_settled: Callable[[FieldSpec, Sequence[str]], bool],
) -> list[tuple[FieldSpec, list[LabelledText]]]:
    """What follows the fields' labels on a sheet; empty when no label is found at a first look.

    Args:
        sheet: the document.
        specs: fields to read.
        ocr: the engine; one call a pass. Raises EngineFault and MissingDependency.
        is_settled: whether a field needs no further reading, given its values so far.

    Returns:
        The readings of each field that was found.
    """
    texts: dict[FieldSpec, list[LabelledText]] = {spec: [] for spec in specs}
    rows = find_rows(sheet.pixels)
    fields_of: dict[Row, set[FieldSpec]] = {row: set() for row in rows}
    for how in PASSES:
        pending = {
            spec for spec in specs if not is_settled(spec, [text.value for text in texts[spec]])
        }
        lost = any(not texts[spec] for spec in pending)
        wanted = [row for row, of in fields_of.items() if of & pending or (lost and not of)]
        pictures = [picture_of(sheet.pixels, row, how) for row in wanted]
        answers = ocr.read_lines(pictures, language=how.language, layout=how.layout)
        for row, answer in zip(wanted, answers, strict=True):
            for spec, value, ratio in labelled(answer, specs):
                fields_of[row].add(spec)
                texts[spec].append(LabelledText(value, ratio, sheet.polygon(*row.box())))
        if not any(texts.values()):
            break
    return [(spec, found) for spec, found in texts.items() if found]


def picture_of(pixels: Pixels, row: Row, how: Pass) -> Pixels:
    """(H, W) the row black on white, its em scaled to ``how.em_px``, wide gaps closed."""
    margin = round(MARGIN_EM * row.em_px)
    left, top, right, bottom = row.box()
    above = round(MARGIN_ABOVE_EM * row.em_px)
    upper, lower = max(top - above, 0), bottom + above
    columns = [pixels[upper:lower, max(start, 0) : end] for start, end in _spans(row, margin)]
    scale = how.em_px / row.em_px
    line = cast("Pixels", cv2.GaussianBlur(np.hstack(columns), (3, 3), 0))
    if scale > 1:
        line = _resized(line, scale, cv2.INTER_CUBIC)
    black = _binarised(line, how.binarisation, max(scale, 1.0))
    if scale < 1:
        black = _resized(black, scale, cv2.INTER_AREA)
    border = how.em_px // 2
    framed = cv2.copyMakeBorder(
        black, border, border, border, border, cv2.BORDER_CONSTANT, value=255.0
    )
    return cast("Pixels", framed)


def _resized(line: Pixels, scale: float, interpolation: int) -> Pixels:
    return cast("Pixels", cv2.resize(line, None, fx=scale, fy=scale, interpolation=interpolation))


def labelled(text: str, specs: Iterable[FieldSpec]) -> list[tuple[FieldSpec, str, float]]:
    """Fields whose label starts the line, each with what follows and how alike the label is.

    Several fields share a label where a line holds two, as "place and date of birth" does.
    """
    words = canonical(text.replace(":", " : ")).split()
    best: list[tuple[FieldSpec, str, float]] = []
    for spec in specs:
        ratio, value = max((_after_label(words, label) for label in spec.labels), default=(0.0, ""))
        if ratio >= LEAST_LABEL_RATIO and value:
            best.append((spec, _part_for(spec, value), ratio))
    highest = max((ratio for _, _, ratio in best), default=0.0)
    return [found for found in best if found[2] == highest]


def _after_label(words: Sequence[str], label: str) -> tuple[float, str]:
    """Likeness of the line's start to the label, and the rest of the line."""
    wanted = loose(label)
    best = (0.0, "")
    length = 0
    for count, word in enumerate(words[:-1], start=1):
        length += len(word)
        if length > 2 * len(wanted):
            break
        ratio = fuzz.ratio(loose(" ".join(words[:count]).strip(":")), wanted)
        best = max(best, (ratio, _bare(" ".join(words[count:]))))
    return best


def _part_for(spec: FieldSpec, value: str) -> str:
    """Of "place date" the half that the field wants; any other value whole."""
    if spec.kind in ("place", "date"):
        place, date = split_date(value)
        if date:
            return _bare(place) if spec.kind == "place" else date
    if spec.kind == "place":
        words = value.split()
        ends = (at for at, word in enumerate(words) if re.search(r"[\d/\-]", word))
        return _bare(" ".join(words[: next(ends, len(words))]))
    if spec.kind == "date":
        found = re.findall(r"\d[\d/.\-]*\d", value.replace(" ", ""))
        return max(found, key=len, default="")
    return value


def _bare(value: str) -> str:
    return re.sub(r"^[\W_]+|[\W_]+$", "", value)


def _rows(boxes: Sequence[Box]) -> list[Row]:
    lines: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: box[3] - box[1], reverse=True):
        for line in lines:
            nearest = min(line, key=lambda other: max(other[0] - box[2], box[0] - other[2]))
            tall = (nearest[3] - nearest[1]) / (box[3] - box[1])
            is_beside = _overlap_fraction(box, line[0]) >= LEAST_ROW_OVERLAP_FRACTION
            if is_beside and tall <= MOST_HEIGHT_RATIO:
                line.append(box)
                break
        else:
            lines.append([box])
    heights = [float(line[0][3] - line[0][1]) for line in lines]
    typical = float(np.median(heights)) if heights else 0.0
    rows = [
        Row(tuple(sorted(line, key=lambda box: box[2], reverse=True)), _em_px(height, typical))
        for line, height in zip(lines, heights, strict=True)
    ]
    return sorted(rows, key=lambda row: row.box()[1])


def _with_dots(rows: Sequence[Row], dots: Sequence[Box]) -> list[Row]:
    """The rows with words as high as their dots reach, each dot counted to the word nearest to it.

    Without them a line of low words would be cut below its letters, and الباب be read as الاب.
    """
    words = [(at, word) for at, row in enumerate(rows) for word in row.words]
    if not words or not 0 < len(dots) <= MOST_DOTS:
        return list(rows)
    left, top, right, bottom = np.array([word for _, word in words]).T
    em_px = np.array([rows[at].em_px for at, _ in words])
    dot_left, dot_top, dot_right, dot_bottom = np.array(dots).T[:, :, None]
    middle = (dot_left + dot_right) / 2
    gaps = np.maximum(top - dot_bottom, dot_top - bottom)
    gaps = np.where((left <= middle) & (middle <= right), gaps, np.inf)
    nearest = gaps.argmin(axis=1)
    near = gaps[np.arange(len(dots)), nearest] <= MOST_DOT_GAP_EM * em_px[nearest]
    upper, lower = top.copy(), bottom.copy()
    np.minimum.at(upper, nearest[near], dot_top[near, 0])
    np.maximum.at(lower, nearest[near], dot_bottom[near, 0])
    boxes = zip(left.tolist(), upper.tolist(), right.tolist(), lower.tolist(), strict=True)
    return [Row(tuple(next(boxes) for _ in row.words), row.em_px) for row in rows]


def _em_px(height: float, typical: float) -> float:
    """The em of a line of this height: its own, or the page's where it is a little lower.

    A line is lower without descenders; much lower, it is of another size.
    """
    return max(typical, height) if height / typical > LEAST_HEIGHT_FRACTION else height


def _overlap_fraction(box: Box, other: Box) -> float:
    shared = min(box[3], other[3]) - max(box[1], other[1])
    return shared / (box[3] - box[1])


def _spans(row: Row, margin: int) -> list[tuple[int, int]]:
    """Columns to keep, left to right: the words with the gaps between them, wide ones shortened."""
    half = max(round(COLLAPSED_GAP_EM * row.em_px / 2), 1)
    spans: list[tuple[int, int]] = []
    for left, _, right, _ in reversed(row.words):
        if spans and left - spans[-1][1] <= 2 * half:
            spans[-1] = (spans[-1][0], max(right, spans[-1][1]))
        else:
            spans.append((left, right))
    widened = [(left - half, right + half) for left, right in spans]
    widened[0] = (spans[0][0] - margin, widened[0][1])
    widened[-1] = (widened[-1][0], spans[-1][1] + margin)
    return widened


def _binarised(line: Pixels, how: Binarisation, enlarged: float) -> Pixels:
    if how == "otsu":
        return cast("Pixels", cv2.threshold(line, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])
    window = round(SAUVOLA_WINDOW_PX * enlarged) // 2 * 2 + 1
    # SciPy comes with it, 18 MB that a worker without a name in doubt never needs.
    from skimage.filters import threshold_sauvola

    # scikit-image has no types for this call.
    limit: npt.NDArray[np.float64] = threshold_sauvola(  # type: ignore[no-untyped-call]
        line, window_size=window, k=SAUVOLA_K
    )
    return np.where(line > limit, 255, 0).astype(np.uint8)
