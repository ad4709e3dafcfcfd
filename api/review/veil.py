"""What of a page's picture a reviewer is not shown before revealing the national number.

A page is shown sharp only where it is known what to cover:

- A document type without a national number hides nothing.
- Where the number was read so that its place is sure, that place is covered, and every barcode that
  holds it; everything else stays sharp, so blur, skew and glare are judged as before. Of several
  sheets on the page that holds where each bears such a place: the other side of the card bears the
  barcode, another card a number of its own.
- Otherwise the number may stand anywhere: the page comes so coarse that no digit can be read, but
  for the lines that were read as something else. These show how sharp the page is and what stands
  there; outlines, skew and glare can be seen on a coarse page too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from api.review.claims import MASKED
from api.review.viewer import box_of
from api.services import Services
from docqa.fields import agrees
from docqa.overlay import Box, Veil
from docqa.ports import StoredDocument
from docqa.reviewing import TrailEntry

COARSE_SIDE_PX = 64
"""Digits as high as 3.5 of the 85.6 mm of an identity card have less than 3 pixels then."""
_MOST_DIGITS = 8
"""Of a line that is shown sharp: a date has no more, a national number does."""
_REVEALED_FOR = timedelta(minutes=10)
_PRINT = ("ocr", "digits")
_AROUND_NUMBER, _AROUND_BARCODE, _AROUND_LINE = 1.0, 0.3, 0.1
"""Margins in parts of the height: of a number a digit may have been missed, and of a barcode less
than the whole is enough to read it."""
_MOST_ACROSS = 0.3
"""The same across the line: the lines above and below stay legible."""
_BARCODE_HEIGHT = 0.3
"""In parts of its width, a little more than a card's has. Its place may be that of a few of its
rows, of which it is not known how many are missing on which side."""
_Reading = Mapping[str, Any]


def is_revealed(services: Services, trail: list[TrailEntry], reviewer: str) -> bool:
    """Whether the reviewer gave a reason to see the number a short while ago."""
    since = services.clock() - _REVEALED_FOR
    return any(
        entry.action == "revealed" and entry.reviewer == reviewer and entry.recorded_at > since
        for entry in trail
    )


def veil_of(services: Services, document: StoredDocument, index: int) -> Veil | None:
    """What is to be hidden of page ``index``; None where there is nothing to hide."""
    known = services.document_types.get(document.document_type)
    if known is None:
        return Veil(coarse_side_px=COARSE_SIDE_PX)
    spec = next((spec for spec in known.fields if spec.name == MASKED), None)
    if spec is None:
        return None
    page = next((page for page in document.report["pages"] if page["index"] == index), None)
    numbers = list(_numbers(document.report))
    is_printed = any(source in _PRINT for source in spec.sources)
    is_placed = any(number["source"] in _PRINT for number in numbers) or not is_printed
    is_here = any((number.get("page") or 1) == index for number in numbers)
    if page is None:
        return Veil(coarse_side_px=COARSE_SIDE_PX)
    printed = [number for number in numbers if number["source"] in _PRINT]
    barcodes = list(_barcodes(document.report))
    covered = (
        *_boxes(printed, page, _AROUND_NUMBER),
        *_boxes(barcodes, page, _AROUND_BARCODE, _BARCODE_HEIGHT),
    )
    if is_placed and is_here and _is_on_every_sheet([*printed, *barcodes], page):
        return Veil(covered)
    return Veil(covered, COARSE_SIDE_PX, _boxes(_other_lines(document), page, _AROUND_LINE))


def _readings(report: Mapping[str, Any]) -> Iterator[tuple[str, _Reading]]:
    for field in report["fields"]:
        for reading in (field, *field.get("others", ())):
            if reading.get("polygon"):
                yield field["name"], reading


def _numbers(report: Mapping[str, Any]) -> Iterator[_Reading]:
    """Where the number stands for sure: print that says something else may be another line."""
    for name, reading in _readings(report):
        is_sure = agrees(reading["match"]) or reading["match"] == "near"
        if name == MASKED and (is_sure or reading["source"] not in _PRINT):
            yield reading


def _barcodes(report: Mapping[str, Any]) -> Iterator[_Reading]:
    return (reading for _, reading in _readings(report) if reading["source"] not in _PRINT)


def _other_lines(document: StoredDocument) -> Iterator[_Reading]:
    """Printed lines that are no national number, whatever else they are."""
    for name, reading in _readings(document.report):
        read = document.readings.get(name, {}).get(reading["source"], "")
        digits = sum(character.isdecimal() for character in read)
        if name != MASKED and reading["source"] in _PRINT and read and digits <= _MOST_DIGITS:
            yield reading


def _is_on_every_sheet(readings: Iterable[_Reading], page: Mapping[str, Any]) -> bool:
    """Whether every sheet of several on the page bears one of the readings."""
    here = [box_of(reading["polygon"]) for reading in _on_page(readings, page)]
    middles = [(x + width / 2, y + height / 2) for x, y, width, height in here]
    sheets = (
        region["polygon"]
        for region in page["measures"].get("framing", {}).get("regions", ())
        if region["kind"] == "sheet"
    )
    return all(any(_is_within(middle, sheet) for middle in middles) for sheet in sheets)


def _is_within(point: tuple[float, float], corners: Sequence[Sequence[float]]) -> bool:
    """Whether a point lies in a convex polygon of clockwise corners."""
    x, y = point
    return all(
        (right - left) * (y - top) >= (bottom - top) * (x - left)
        for (left, top), (right, bottom) in zip(corners, [*corners[1:], corners[0]], strict=True)
    )


def _on_page(readings: Iterable[_Reading], page: Mapping[str, Any]) -> Iterator[_Reading]:
    return (reading for reading in readings if (reading.get("page") or 1) == page["index"])


def _boxes(
    readings: Iterable[_Reading],
    page: Mapping[str, Any],
    margin_fraction: float,
    least_height: float = 0.0,
) -> tuple[Box, ...]:
    """The places of readings on a page with a margin around each, none of them twice.

    What is lower than ``least_height``, in parts of its width, may be so much higher either way.
    """
    wide, high = page["width_px"], page["height_px"]
    boxes: dict[Box, None] = {}
    for reading in _on_page(readings, page):
        x, y, width, height = box_of(reading["polygon"])
        along = margin_fraction * min(width, height)
        missing = least_height * max(width, height) - min(width, height)
        across = max(min(along, _MOST_ACROSS * min(width, height)), missing)
        beside, above = (along, across) if width > height else (across, along)
        box = (
            max(0.0, (x - beside) / wide),
            max(0.0, (y - above) / high),
            min(1.0, (x + width + beside) / wide),
            min(1.0, (y + height + above) / high),
        )
        boxes[box] = None
    return tuple(boxes)
