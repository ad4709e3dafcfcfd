"""The machine-readable zone of a passport: two lines of 44 characters (TD3).

Layout and check digits follow ICAO Doc 9303 parts 3 and 4. Look-alikes are exchanged only where
the position allows a single kind of character; anything whose check digit fails is not reported.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from docqa.page import Pixels, Polygon
from docqa.ports import OcrEngine
from docqa.reading.regions import Sheet

LANGUAGE = "eng"
LINE_LENGTH = 44
CHECK_DIGITS = 5
LEAST_CHECK_DIGITS = 2
"""Fewer that hold are chance: one of ten wrong readings passes each."""
STROKE_PX = 25
"""Side of the element that finds dark strokes; print of the zone has strokes of about 5 px."""
GAP_PX = 55
"""Characters of the zone stand 30 px apart, and a filler leaves most of its cell white."""
LEAST_HEIGHT_PX = 14
MOST_HEIGHT_PX = 90
LEAST_LENGTH_TO_HEIGHT = 18.0
"""44 characters are about 38 times as long as high, less where the lines run together."""

_WEIGHTS = (7, 3, 1)
_DIGITS = str.maketrans("OQDUILZSGBTA/", "0000112568747")
_LETTERS = str.maketrans("0125868", "OIZSBGB")


@dataclass(frozen=True, slots=True)
class Mrz:
    """What the zone says. Personal data."""

    values: Mapping[str, tuple[str, ...]]
    """The different readings by key: passport_number, birth_date (ISO), given_names, surname.
    Numbers and dates hold their check digit; names have none."""
    valid_check_digits: int
    """0 to 5."""
    polygon: Polygon
    """Both lines, on the page."""


@dataclass(frozen=True, slots=True)
class _SecondLine:
    number: str
    birth_date: str
    valid_check_digits: int


def check_digit(characters: str) -> str:
    """Check digit of Doc 9303-3, 4.9: weights 7, 3, 1, modulo 10; A is 10, Z is 35, < is 0."""
    values = (0 if character == "<" else int(character, 36) for character in characters)
    return str(sum(value * _WEIGHTS[at % 3] for at, value in enumerate(values)) % 10)


def read_mrz(sheet: Sheet, ocr: OcrEngine) -> Mrz | None:
    """The zone of a passport page; None when none is found or none of it can be trusted.

    Raises EngineFault and MissingDependency as the engine does.
    """
    bands = find_bands(sheet.pixels)
    if bands is None:
        return None
    plain = [_crop(sheet.pixels, band) for band in bands]
    crops = [*plain, *(_binarised(crop) for crop in plain)]
    texts = ocr.read_lines(crops, language=LANGUAGE, layout="line")
    lefts, tops, widths, heights = zip(*bands, strict=True)
    right = max(left + width for left, width in zip(lefts, widths, strict=True))
    polygon = sheet.polygon(min(lefts), min(tops), right, max(tops) + heights[-1])
    return parse_zone(list(zip(texts[::2], texts[1::2], strict=True)), polygon)


def parse_zone(readings: Sequence[tuple[str, str]], polygon: Polygon) -> Mrz | None:
    """The zone of which ``readings`` are the two lines, read one or more times.

    None when fewer than LEAST_CHECK_DIGITS hold in every reading.
    """
    seconds = [_second_line(second) for _, second in readings]
    valid_check_digits = max(second.valid_check_digits for second in seconds)
    if valid_check_digits < LEAST_CHECK_DIGITS:
        return None
    names = [_names(first) for first, _ in readings]
    values = {
        "passport_number": _distinct(second.number for second in seconds),
        "birth_date": _distinct(second.birth_date for second in seconds),
        "surname": _distinct(surname for surname, _ in names),
        "given_names": _distinct(given_names for _, given_names in names),
    }
    return Mrz(values, valid_check_digits, polygon)


def find_bands(pixels: Pixels) -> tuple[tuple[int, int, int, int], ...] | None:
    """Boxes x, y, width, height of the zone's two lines, upper first; None without such a pair."""
    stroke = np.ones((STROKE_PX, STROKE_PX), np.uint8)
    depth = cv2.morphologyEx(pixels, cv2.MORPH_BLACKHAT, stroke)
    ink = cv2.threshold(depth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, GAP_PX), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    boxes = cv2.connectedComponentsWithStats(joined)[2][1:, :4].tolist()
    lines = sorted(
        (
            (x, y, width, height)
            for x, y, width, height in boxes
            if LEAST_HEIGHT_PX < height < MOST_HEIGHT_PX and width > LEAST_LENGTH_TO_HEIGHT * height
        ),
        key=lambda box: box[1],
    )
    pairs = [pair for pair in zip(lines, lines[1:], strict=False) if _are_neighbours(*pair)]
    return pairs[-1] if pairs else None


def _are_neighbours(upper: tuple[int, int, int, int], lower: tuple[int, int, int, int]) -> bool:
    same_left = abs(upper[0] - lower[0]) < 3 * lower[3]
    same_width = 0.9 < upper[2] / lower[2] < 1.1
    return same_left and same_width and lower[1] - upper[1] < 5 * lower[3]


def _crop(pixels: Pixels, band: tuple[int, int, int, int]) -> Pixels:
    x, y, width, height = band
    margin = height // 2
    crop = pixels[max(y - margin, 0) : y + height + margin, max(x - margin, 0) : x + width + margin]
    return cast("Pixels", cv2.copyMakeBorder(crop, 10, 10, 10, 10, cv2.BORDER_REPLICATE))


def _binarised(crop: Pixels) -> Pixels:
    smooth = cv2.GaussianBlur(crop, (3, 3), 0)
    return cast("Pixels", cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])


def _cleaned(text: str) -> str:
    """Only the zone's own characters: what comes out in lower case or as a sign was a filler."""
    return re.sub(r"[^A-Z0-9</]", "<", "".join(text.split()))


def _second_line(text: str) -> _SecondLine:
    line = _cleaned(text).ljust(LINE_LENGTH, "<")
    number, number_check = line[:9].replace("/", "<"), line[9].translate(_DIGITS)
    born, born_check = line[13:19].translate(_DIGITS), line[19].translate(_DIGITS)
    expires, expires_check = line[21:27].translate(_DIGITS), line[27].translate(_DIGITS)
    optional, optional_check = line[28:42].replace("/", "<"), line[42].translate(_DIGITS)
    composite = number + number_check + born + born_check + expires + expires_check
    composite += optional + optional_check
    number_holds = number.strip("<") != "" and _holds(number, number_check)
    born_holds = _holds(born, born_check)
    checks = (
        number_holds,
        born_holds,
        _holds(expires, expires_check),
        _holds(optional, optional_check) or (not optional.strip("<") and optional_check == "<"),
        # A line that lost or gained characters proves nothing beyond its first 28.
        len(_cleaned(text)) == LINE_LENGTH and _holds(composite, line[43].translate(_DIGITS)),
    )
    return _SecondLine(
        number=number.rstrip("<") if number_holds else "",
        birth_date=_birth_date(born, expires) if born_holds else "",
        valid_check_digits=sum(checks),
    )


def _holds(characters: str, digit: str) -> bool:
    return re.fullmatch("[A-Z0-9<]+", characters) is not None and digit == check_digit(characters)


def _birth_date(born: str, expires: str) -> str:
    """ISO date of YYMMDD. The century is the latest in which birth comes before expiry."""
    if not (born.isdigit() and expires.isdigit()):
        return ""
    year = 2000 + int(born[:2])
    if year > 2000 + int(expires[:2]):
        year -= 100
    try:
        return datetime.date(year, int(born[2:4]), int(born[4:])).isoformat()
    except ValueError:
        return ""


def _names(text: str) -> tuple[str, str]:
    """Surname and given names; "" for what is missing or may be cut off at the line's end."""
    line = _cleaned(text).replace("/", "<").translate(_LETTERS)
    field = line[5:]
    surname, separator, given_names = field.partition("<<")
    given_names, ends, _ = given_names.partition("<<")
    if not separator:
        return "", ""
    complete = bool(ends) or len(field) < LINE_LENGTH - 5
    return surname.replace("<", " ").strip(), given_names.replace("<", " ").strip() * complete


def _distinct(readings: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reading for reading in readings if reading))
