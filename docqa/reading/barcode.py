"""The PDF417 on the back of an identity card, and a QR code that says the same.

The PDF417 holds ``#``-separated parts in Windows-1256 without a marker of that encoding: given
name, family name, father, mother, "place D-M-YYYY", national number, then binary parts of unknown
meaning. Those may be biometric, so they are dropped unread as soon as the symbol is decoded. What
QR codes on Syrian documents hold is not known: one counts only where it holds these same parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import zxingcpp

from docqa.dates import split_date
from docqa.documents import BARCODE_PARTS, Kind
from docqa.page import Page, Pixels, Polygon
from docqa.reading.regions import Matrix

ENCODING = "cp1256"
"""Where the symbol names none and what it says is not UTF-8."""
PLACE_AND_DATE_PART = 4
NATIONAL_NUMBER_PART = 5

LOCATING_SIDE_PX = 700
"""A symbol is looked for at the smallest scale whose longer side is at least this: its modules
melt into one block there."""
LEAST_ASPECT = 1.3
LEAST_AREA_FRACTION = 0.003
"""Of the page: a card's symbol on an A4 bed covers about 0.02."""
MOST_BLOCKS = 4
MOST_CARDS = 4
"""Of one page whose symbols are read: more are no upload of one person's document."""
MARGIN_FRACTION = 0.12
"""Added around a block, in parts of its shorter side, for the quiet zone."""
UPRIGHT_WIDTHS_PX = (1500, 2400)
"""Widths to which an upright block is scaled: 3 to 5 pixels a module for the symbols in use."""

_PDF417 = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.PDF417])
_ANY = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.PDF417, zxingcpp.BarcodeFormat.QRCode])
_PLACE_AND_DATE = re.compile(r"(.*?)\s*(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})")
_ARABIC = re.compile("[\u0621-\u064a]")
_NATIONAL_NUMBER = re.compile(r"[0-9]{11}")


@dataclass(frozen=True, slots=True)
class IdBarcode:
    """What the barcode says. Personal data."""

    parts: tuple[str, ...]
    """The first six parts, 0 to 5."""
    polygon: Polygon
    """The symbol on the page."""

    def value(self, index: int, kind: Kind) -> str:
        """A part; of "place date" the half that a field of this kind wants.

        The place is "" where digits stand beside it that are no date: no name can be told from it.
        """
        whole = self.parts[index]
        if index != PLACE_AND_DATE_PART or kind not in ("place", "date"):
            return whole
        halves = _PLACE_AND_DATE.fullmatch(whole)
        place, date = (halves[1], halves[2]) if halves is not None else split_date(whole)
        if kind == "date":
            return date or whole
        return "" if not date and any(letter.isdigit() for letter in whole) else place


def read_barcode(page: Page) -> IdBarcode | None:
    """An identity card's barcode anywhere on the page; None when none is read."""
    return next(read_barcodes(page), None)


def read_barcodes(page: Page) -> Iterator[IdBarcode]:
    """The barcodes of different identity cards anywhere on the page, at any turn, MOST_CARDS of
    them at most. No more of the page is searched than is asked for.
    """
    found: list[IdBarcode] = []
    for at, (pixels, to_page) in enumerate(_views(page, found)):
        # A QR code needs no upright view.
        formats = _PDF417 if at else _ANY
        for symbol in zxingcpp.read_barcodes(pixels, formats=formats, try_invert=False):
            # Arabic in its text: the symbol itself names its encoding (an ECI).
            payload = symbol.text.encode() if _ARABIC.search(symbol.text) else symbol.bytes
            parts = parse_parts(payload)
            if parts is None or any(parts == barcode.parts for barcode in found):
                continue
            found.append(IdBarcode(parts, _polygon(symbol.position, to_page)))
            yield found[-1]
            if len(found) == MOST_CARDS:
                return


def parse_parts(data: bytes) -> tuple[str, ...] | None:
    """The six known parts of a payload; None when it is not an identity card's.

    Cards write Windows-1256; Arabic in that is hardly ever valid UTF-8, so what is, is UTF-8.
    """
    # Split no further than the known parts: the binary rest may hold the separator too.
    raw = data.split(b"#", BARCODE_PARTS)[:BARCODE_PARTS]
    encoding = "utf-8" if _is_utf8(b"#".join(raw)) else ENCODING
    parts = tuple(part.decode(encoding).strip() for part in raw)
    if len(parts) < BARCODE_PARTS or not _NATIONAL_NUMBER.fullmatch(parts[NATIONAL_NUMBER_PART]):
        return None
    return parts


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _views(page: Page, found: Sequence[IdBarcode]) -> Iterator[tuple[Pixels, Matrix]]:
    """The page as it is, then every block that looks like a symbol, upright, at two scales.

    A block of which the symbol has been found by then is left out.
    """
    yield page.luma(), np.eye(3)
    blocks = list(_blocks(page))
    for width_px in UPRIGHT_WIDTHS_PX:
        for block in blocks:
            if not any(_holds(block, barcode.polygon) for barcode in found):
                yield _upright(page, block, width_px)


def _holds(block: Matrix, symbol: Polygon) -> bool:
    x, y = np.mean(symbol, axis=0)
    return cv2.pointPolygonTest(block.astype(np.float32), (float(x), float(y)), False) >= 0


def _blocks(page: Page) -> Iterator[Matrix]:
    """(4, 2) corners, in page pixels, of blocks dense with edges in both directions, largest first.

    Found by the summed gradient, closed over the gaps between modules.
    """
    scale = next((s for s in (8, 4, 2) if max(page.luma(s).shape) >= LOCATING_SIDE_PX), 1)
    luma = page.luma(scale)
    gradient = cv2.morphologyEx(luma, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    side = max(luma.shape) // 60 * 2 + 1
    dense = cv2.threshold(
        cv2.blur(gradient, (side, side)), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU
    )[1]
    contours, _ = cv2.findContours(dense, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    least_area = LEAST_AREA_FRACTION * luma.size
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:MOST_BLOCKS]:
        centre, (first, second), angle_deg = cv2.minAreaRect(contour)
        longer, shorter = max(first, second), min(first, second)
        if shorter * longer < least_area or longer < LEAST_ASPECT * shorter:
            continue
        margin = 2 * MARGIN_FRACTION * shorter
        box = cv2.boxPoints((centre, (first + margin, second + margin), angle_deg))
        yield (box.astype(np.float64) + 0.5) * scale - 0.5


def _upright(page: Page, corners: Matrix, width_px: int) -> tuple[Pixels, Matrix]:
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    corners = corners if sides[0] >= sides[1] else np.roll(corners, -1, axis=0)
    height_px = max(round(width_px * float(sides.min() / sides.max())), 8)
    target = np.array([(0, 0), (width_px, 0), (width_px, height_px), (0, height_px)], np.float32)
    to_page = cast("Matrix", cv2.getPerspectiveTransform(target, corners.astype(np.float32)))
    pixels = cv2.warpPerspective(
        page.luma(), to_page, (width_px, height_px),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return cast("Pixels", pixels), to_page


def _polygon(position: Any, to_page: Matrix) -> Polygon:
    corners = (
        position.top_left, position.top_right, position.bottom_right, position.bottom_left
    )  # fmt: skip
    points = np.array([[(corner.x, corner.y) for corner in corners]], np.float64)
    moved = cv2.perspectiveTransform(points, to_page)[0]
    return tuple((float(x), float(y)) for x, y in moved)
