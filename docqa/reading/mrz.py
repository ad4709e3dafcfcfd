"""The machine-readable zone of a passport: two lines of 44 characters (TD3).

Its two lines are found by their length, their fillers by their shape (see ``mrz_cells``), and what
is read of the rest is set into its cells and proven by check digits (see ``mrz_text``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from docqa.analysis.components import component_boxes
from docqa.page import Pixels, Polygon
from docqa.ports import OcrEngine
from docqa.reading.mrz_cells import Box, Cells, Flags, cells_of, depth_of, fillers_of
from docqa.reading.mrz_text import (
    CHECK_DIGITS,
    LINE_LENGTH,
    check_digit,
    is_of_visa,
    line_as_read,
    line_in_cells,
    lines_as_read,
    lines_in_cells,
    names,
    second_line,
)
from docqa.reading.regions import Sheet

__all__ = ["CHECK_DIGITS", "Mrz", "check_digit", "find_bands", "lies_on", "parse_zone", "read_mrz"]

LANGUAGE = "eng"
LEAST_CHECK_DIGITS = 2
"""Fewer that hold are chance: one of ten wrong readings passes each."""
GAP_PX = 55
"""Characters of the zone stand 30 px apart, and a filler leaves most of its cell white."""
LEAST_HEIGHT_PX = 14
MOST_HEIGHT_PX = 90
LEAST_LENGTH_TO_HEIGHT = 18.0
"""44 characters are about 38 times as long as high, less where the lines run together."""
PAPER_PERCENTILE = 80
"""Of a line's brightness: its ink covers about a quarter."""


@dataclass(frozen=True, slots=True)
class Mrz:
    """What the zone says. Personal data."""

    values: Mapping[str, tuple[str, ...]]
    """The different readings by key: passport_number, birth_date (ISO), given_names, surname.
    Numbers and dates hold their check digit; names have none. A birth date of which both
    centuries are possible is there twice."""
    valid_check_digits: int
    """0 to 5."""
    polygon: Polygon
    """Both lines, on the page."""
    agreed: frozenset[str]
    """Keys whose value every reading gives alike, and of number and dates those that stand in a
    line as it was read, all of whose check digits hold, and that needed no exchange of
    look-alikes. Only these speak against a claim."""

    @property
    def is_proven(self) -> bool:
        """Whether every check digit holds."""
        return self.valid_check_digits == CHECK_DIGITS


def read_mrz(sheet: Sheet, ocr: OcrEngine, known: Sequence[Polygon] = ()) -> Mrz | None:
    """The zone of a passport page; None when none is found or none of it can be trusted.

    Args:
        sheet: the page, or a passport on it.
        ocr: reads the lines.
        known: zones of the page that are not to be read again.

    Raises EngineFault and MissingDependency as the engine does.
    """
    pairs = [bands for bands in _pairs(sheet.pixels)
             if not any(lies_on(_polygon(sheet, bands), place) for place in known)]  # fmt: skip
    if not pairs:
        return None
    bands = pairs[-1]
    depth = depth_of(sheet.pixels)
    cells = cells_of(depth, bands[0]), cells_of(depth, bands[1])
    fillers = fillers_of(depth, cells)
    without = None if fillers is None else _read(sheet, bands, ocr, cells, fillers)
    if without is not None and without.is_proven:
        return without
    # On a line that is bent or askew, fillers far from the sample pass for letters.
    whole = _read(sheet, bands, ocr)
    found = [zone for zone in (without, whole) if zone is not None]
    return max(found, key=lambda zone: zone.valid_check_digits, default=None)


def _read(
    sheet: Sheet,
    bands: tuple[Box, Box],
    ocr: OcrEngine,
    cells: tuple[Cells, Cells] | None = None,
    fillers: Flags | None = None,
) -> Mrz | None:
    """The zone as the engine reads it, whole, or without the fillers."""
    pixels, boxes = sheet.pixels, list(bands)
    if cells is not None and fillers is not None:
        pixels = _without(pixels, cells, fillers)
        boxes = [_up_to_fillers(*each) for each in zip(bands, cells, fillers, strict=True)]
    plain = [_crop(pixels, box) for box in boxes]
    crops = [*plain, *(_binarised(crop) for crop in plain)]
    texts = ocr.read_lines(crops, language=LANGUAGE, layout="line")
    readings = list(zip(texts[::2], texts[1::2], strict=True))
    return parse_zone(readings, _polygon(sheet, bands), fillers)


def _polygon(sheet: Sheet, bands: tuple[Box, Box]) -> Polygon:
    lefts, tops, widths, heights = zip(*bands, strict=True)
    right = max(left + width for left, width in zip(lefts, widths, strict=True))
    return sheet.polygon(min(lefts), min(tops), right, max(tops) + heights[-1])


def lies_on(zone: Polygon, other: Polygon) -> bool:
    """Whether two places on a page are those of one zone."""
    x, y = np.mean(zone, axis=0)
    within = np.array(other, np.float32)
    return cv2.pointPolygonTest(within, (float(x), float(y)), False) >= 0


def parse_zone(
    readings: Sequence[tuple[str, str]], polygon: Polygon, fillers: Flags | None = None
) -> Mrz | None:
    """The zone of which ``readings`` are the two lines, read one or more times.

    None when fewer than LEAST_CHECK_DIGITS hold in every reading, and for a visa.

    Args:
        readings: texts of the upper and lower line.
        polygon: where they stand on the page.
        fillers: (2, 44) which cells are fillers, left out of the readings; None: not known.
    """
    if is_of_visa(first for first, _ in readings):
        return None
    if fillers is None:
        upper = [[line_as_read(first).ljust(LINE_LENGTH, "<")] for first, _ in readings]
        seconds = [second_line(lines_as_read(text), line_as_read(text)) for _, text in readings]
    else:
        above, below = fillers.tolist()
        upper = [lines_in_cells(first, above) for first, _ in readings]
        seconds = [
            second_line(lines_in_cells(text, below), line_in_cells(text, below))
            for _, text in readings
        ]
    valid_check_digits = max(second.valid_check_digits for second in seconds)
    if valid_check_digits < LEAST_CHECK_DIGITS:
        return None
    best = [second for second in seconds if second.valid_check_digits == valid_check_digits]
    named = [names(lines) for lines in upper]
    found: dict[str, list[tuple[str, ...]]] = {
        "passport_number": [(second.number,) for second in best],
        "birth_date": [second.birth_dates for second in best],
        "surname": [(surname,) for surname, _ in named],
        "given_names": [(given_names,) for _, given_names in named],
    }
    values = {key: _distinct(value for each in found[key] for value in each) for key in found}
    agreed = {key for key in found if values[key] and len(set(found[key])) == 1}
    # A line whose characters moved may hold by chance, and one misread number in ten does.
    if valid_check_digits < CHECK_DIGITS or all(second.is_shifted for second in best):
        agreed -= {"passport_number", "birth_date"}
    if any(second.is_mended for second in best):
        agreed.discard("passport_number")
    return Mrz(values, valid_check_digits, polygon, frozenset(agreed))


def find_bands(pixels: Pixels) -> tuple[Box, Box] | None:
    """Boxes x, y, width, height of the zone's two lines, upper first; None without such a pair."""
    pairs = _pairs(pixels)
    return pairs[-1] if pairs else None


def _pairs(pixels: Pixels) -> list[tuple[Box, Box]]:
    """What may be the two lines of a zone, from the top down."""
    ink = cv2.threshold(depth_of(pixels), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, GAP_PX), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    lines = sorted(
        (
            (x, y, width, height)
            for x, y, width, height in component_boxes(cast("Pixels", joined))
            if LEAST_HEIGHT_PX < height < MOST_HEIGHT_PX and width > LEAST_LENGTH_TO_HEIGHT * height
        ),
        key=lambda box: box[1],
    )
    return [pair for pair in zip(lines, lines[1:], strict=False) if _are_neighbours(*pair)]


def _are_neighbours(upper: Box, lower: Box) -> bool:
    same_left = abs(upper[0] - lower[0]) < 3 * lower[3]
    same_width = 0.9 < upper[2] / lower[2] < 1.1
    return same_left and same_width and lower[1] - upper[1] < 5 * lower[3]


def _crop(pixels: Pixels, band: Box) -> Pixels:
    x, y, width, height = band
    margin = height // 2
    crop = pixels[max(y - margin, 0) : y + height + margin, max(x - margin, 0) : x + width + margin]
    return cast("Pixels", cv2.copyMakeBorder(crop, 10, 10, 10, 10, cv2.BORDER_REPLICATE))


def _binarised(crop: Pixels) -> Pixels:
    smooth = cv2.GaussianBlur(crop, (3, 3), 0)
    return cast("Pixels", cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])


def _without(pixels: Pixels, cells: tuple[Cells, Cells], fillers: Flags) -> Pixels:
    """The sheet with its fillers painted over in the colour of the paper around the zone."""
    cleared = pixels.copy()
    for line, flags in zip(cells, fillers, strict=True):
        within = pixels[line.top : line.bottom, max(line.border(0), 0) : line.border(44)]
        paper = int(np.percentile(within, PAPER_PERCENTILE))
        for at in np.flatnonzero(flags):
            left, right = max(line.border(int(at)), 0), max(line.border(int(at) + 1), 0)
            cleared[line.top : line.bottom, left:right] = paper
    return cleared


def _up_to_fillers(band: Box, cells: Cells, fillers: Flags) -> Box:
    """The box of a line up to its last character that is no filler."""
    x, y, width, height = band
    last = int(np.flatnonzero(~fillers)[-1])
    return x, y, min(max(cells.border(last + 1) - x, height), width), height


def _distinct(readings: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reading for reading in readings if reading))
