"""What of a page's picture a reviewer is not shown before revealing the national number.

A page is shown sharp only where it is known what to cover:

- A document type without a national number hides nothing.
- Where the number was read so that its place is sure, that place is covered, and every barcode that
  holds it; everything else stays sharp, so blur, skew and glare are judged as before.
- Otherwise the number may stand anywhere: the page comes so coarse that no digit can be read.
  Outlines, glare and the numbers that were measured are still there to judge by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.review.claims import MASKED
from api.review.viewer import box_of
from api.services import Services
from docqa.fields import agrees
from docqa.overlay import Box
from docqa.ports import StoredDocument
from docqa.reviewing import TrailEntry

COARSE_SIDE_PX = 120
"""The digits of an identity card, 2.5 mm of 85.6, are less than 4 pixels high then."""
_REVEALED_FOR = timedelta(minutes=10)
_PRINT = ("ocr", "digits")
_Reading = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Veil:
    """What is hidden of one page."""

    boxes: tuple[Box, ...]
    is_coarse: bool
    """Whether the whole page is shown coarse, because nobody knows where the number stands."""


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
        return Veil((), is_coarse=True)
    spec = next((spec for spec in known.fields if spec.name == MASKED), None)
    if spec is None:
        return None
    page = next((page for page in document.report["pages"] if page["index"] == index), None)
    numbers = list(_numbers(document.report))
    is_printed = any(source in _PRINT for source in spec.sources)
    is_placed = any(number["source"] in _PRINT for number in numbers) or not is_printed
    is_here = any((number.get("page") or 1) == index for number in numbers)
    if page is None or not (is_placed and is_here):
        return Veil((), is_coarse=True)
    hiding = [*numbers, *_barcodes(document.report)]
    return Veil(
        tuple(_box(one, page) for one in hiding if (one.get("page") or 1) == index),
        is_coarse=False,
    )


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
    return (reading for _, reading in _readings(report) if reading["source"] == "barcode")


def _box(reading: _Reading, page: Mapping[str, Any]) -> Box:
    """The reading's place with a digit's height around it, within the page."""
    x, y, width, height = box_of(reading["polygon"])
    margin = min(width, height) if reading["source"] in _PRINT else 0.1 * min(width, height)
    wide, high = page["width_px"], page["height_px"]
    return (
        max(0.0, (x - margin) / wide),
        max(0.0, (y - margin) / high),
        min(1.0, (x + width + margin) / wide),
        min(1.0, (y + height + margin) / high),
    )
