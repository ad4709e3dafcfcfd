"""Which documents the pages show: told by independent signs that must not contradict each other.

A barcode or a machine-readable zone is proof. A heading is proof too: no two types share one. The
labels of a type are proof only where nothing else is there, for other documents print the same
ones: then they must nearly all be there, in the room that the type has. What is not proven is not
recognised, and a person decides; least of all is a document taken for another than it was handed in
as while anything on the pages may still be what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, Protocol, TypeVar, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.outline import Outline
from docqa.analysis.outline import sheets as outlines
from docqa.documents import DocumentType
from docqa.page import Page, Pixels, Polygon
from docqa.ports import OcrEngine
from docqa.reading.barcode import read_barcode
from docqa.reading.cells import Cell, heading_on, labels_on, read_cells
from docqa.reading.lines import find_rows
from docqa.reading.mrz import find_bands, read_mrz
from docqa.reading.regions import (
    MM_PER_INCH,
    WORKING_PPI,
    Sheet,
    has_room,
    is_of_type,
    rectified,
    sheets,
)
from docqa.reading.strips import StripReader
from docqa.text import loose

LEAST_LABELS_FRACTION = 0.8
LEAST_HALF_READ_RATIO = 72.0
"""Likeness, 0 to 100, of a heading where the labels say the same. Other lines reach 61."""
MOST_SHEETS = 6
"""Sheets of a page on which headings are looked for."""
LEAST_WHOLE_FRACTION = 0.95
"""Of the page: a smaller sheet is an outline on it."""
LARGER = 1.2
"""A sheet this many times as wide as the type is not it, though it may be a copy of it."""
NEAR_SPREADS = 0.85
"""The barcode is 0.9 as wide as its card: no print of the card is farther from its middle."""
MOST_BESIDE_COUNT = 5
"""Specks and edges beside a card that pass for words; the other face has at least twelve."""
ROOM = 1.1
"""A type's labels spread over no more than this, in parts of its height: fields are never higher
than the document."""

T = TypeVar("T")


class Ask(Protocol):
    """Puts a question to the OCR engine; the answer is None without one that works."""

    def __call__(self, question: Callable[[OcrEngine], T], /) -> T | None:
        """The answer."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What the print of one sheet says of document types."""

    sheet: Sheet
    heading_of: str | None
    """Id of the type whose heading is there."""
    labelled: frozenset[str] = frozenset()
    """Ids of the types of which nearly all labels are there, in the room that the type has."""
    hinted: frozenset[str] = frozenset()
    """Ids of the types of which a label is there."""
    places: tuple[Polygon, ...] = ()
    """Where headings and labels stand on the page."""

    @property
    def is_upright(self) -> bool:
        """Whether so much is read that the sheet cannot be upside down."""
        return bool(self.labelled)


@dataclass(slots=True)
class Signs:
    """All that was seen on the pages, as it is found."""

    traces: list[Trace] = field(default_factory=list)
    barcodes: dict[int, Polygon | None] = field(default_factory=dict)
    """Where the barcode is, by the number of the page; None where one was looked for in vain."""
    zones: dict[int, Polygon] = field(default_factory=dict)
    """Where a machine-readable zone is, by the number of the page."""

    def is_upright(self, sheet: Sheet) -> bool:
        """Whether a sheet that was read was seen to be upright."""
        return any(trace.sheet is sheet and trace.is_upright for trace in self.traces)

    def places(self, page: int) -> list[Polygon]:
        """Everything on the page by which some document is known."""
        found = [place for trace in self.traces if trace.sheet.page == page
                 for place in trace.places]  # fmt: skip
        exact = (self.barcodes.get(page), self.zones.get(page))
        return found + [place for place in exact if place is not None]

    @property
    def has_barcode(self) -> bool:
        """Whether there is a barcode on any page."""
        return any(place is not None for place in self.barcodes.values())


def trace_of(cells: Sequence[Cell], sheet: Sheet, types: Iterable[DocumentType]) -> Trace | None:
    """What the cells of a sheet say of the types; None where they say nothing."""
    types = list(types)
    labels = dict.fromkeys(label for kind in types for spec in kind.fields for label in spec.labels)
    found = {loose(label): cell for cell, label in labels_on(cells, labels)}
    shares = {kind.id: _label_share(kind, found) for kind in types}
    heights = [place for cell in found.values() for place in (cell.box[1], cell.box[3])]
    spread_mm = (max(heights) - min(heights)) / WORKING_PPI * MM_PER_INCH if heights else 0.0
    highest_mm = max((kind.height_mm for kind in types if shares[kind.id]), default=0.0)
    labelled = [
        kind for kind in types if shares[kind.id] >= LEAST_LABELS_FRACTION
        and _has_room(kind, spread_mm, highest_mm, sheet)
    ]  # fmt: skip
    heading = heading_on(cells, types) or heading_on(cells, labelled, LEAST_HALF_READ_RATIO)
    if heading is None and not found:
        return None
    places = [*([heading[1]] if heading else []), *found.values()]
    return Trace(
        sheet,
        heading[0] if heading else None,
        frozenset(kind.id for kind in labelled),
        frozenset(name for name, share in shares.items() if share),
        tuple(sheet.polygon(*cell.box) for cell in places),
    )


def _label_share(kind: DocumentType, found: Collection[str]) -> float:
    specs = [spec for spec in kind.fields if spec.labels]
    seen = [spec for spec in specs if any(loose(label) in found for label in spec.labels)]
    return len(seen) / len(specs) if specs else 0.0


def _has_room(kind: DocumentType, spread_mm: float, highest_mm: float, sheet: Sheet) -> bool:
    """Whether labels so far apart can be this type's.

    What has no size of its own is told from cards with the same labels by being larger.
    """
    if kind.height_mm:
        return spread_mm <= ROOM * kind.height_mm
    return not highest_mm or (sheet.has_scale and spread_mm > ROOM * highest_mm)


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Tells what the pages of one upload show.

    Args:
        pages: the upload.
        asked: what it was handed in as.
        types: every known type, the one asked for among them.
        reader: the network that reads headings and labels; without one there are none.
        ask: see :class:`Ask`.
    """

    pages: Sequence[Page]
    asked: DocumentType
    types: Mapping[str, DocumentType]
    reader: StripReader | None
    ask: Ask

    def recognised(self, signs: Signs) -> str | None:
        """Id of the type asked for if that is there, of another if only that is, else None."""
        asked = self.asked
        if not asked.fields:
            return None
        if self._is_proven(asked, signs) or any(
            asked.id in trace.labelled and self._is_alone(trace, asked, signs)
            for trace in signs.traces
        ):
            return asked.id
        other = self._other(signs)
        return None if other is None or self._may_be_asked(other, signs) else other

    def _is_proven(self, kind: DocumentType, signs: Signs) -> bool:
        return (
            (_is_barcode_only(kind) and signs.has_barcode)
            or (_has_zone(kind) and bool(signs.zones))
            or any(trace.heading_of == kind.id for trace in signs.traces)
        )

    def _other(self, signs: Signs) -> str | None:
        """The one type besides the one asked for that is proven."""
        others = [kind for kind in self.types.values() if kind.id != self.asked.id and kind.fields]
        for search in (self._search_barcodes, self._search_zones, self._search_headings):
            search(signs)
            proven = [kind for kind in others if self._is_proven(kind, signs)]
            if proven:
                first = proven[0]
                is_one = all(kind.id == first.other_side for kind in proven[1:])
                return first.id if is_one else None
        if not _is_barcode_only(self.asked):
            # Passports and extracts print the labels of cards, and of each other.
            return None
        labelled = {
            kind.id for trace in signs.traces for kind in others
            if kind.id in trace.labelled and trace.sheet.has_scale
            and self._is_alone(trace, kind, signs)
        }  # fmt: skip
        return labelled.pop() if len(labelled) == 1 else None

    def _is_alone(self, trace: Trace, kind: DocumentType, signs: Signs) -> bool:
        """Whether nothing speaks against the type of which a sheet has the labels."""
        page = next(page for page in self.pages if page.index == trace.sheet.page)
        if trace.heading_of or page.index in signs.zones or _is_larger(trace.sheet, page, kind):
            return False
        # An outline may leave out the zone, which lies at the edge.
        whole = rectified(page, None)
        return find_bands(trace.sheet.pixels) is None and find_bands(whole.pixels) is None

    def _search_barcodes(self, signs: Signs) -> None:
        if any(_is_barcode_only(kind) for kind in self.types.values()):
            for page in self.pages:
                if page.index not in signs.barcodes:
                    found = read_barcode(page)
                    signs.barcodes[page.index] = None if found is None else found.polygon

    def _search_zones(self, signs: Signs) -> None:
        sizes = {_size_mm(kind) for kind in self.types.values()
                 if _has_zone(kind) and kind.id != self.asked.id}  # fmt: skip
        for page in self.pages:
            for size_mm in sizes:
                zones = (self.ask(partial(read_mrz, sheet)) for sheet in sheets(page, size_mm))
                zone = next(filter(None, islice(zones, MOST_SHEETS)), None)
                if zone is not None:
                    signs.zones[page.index] = zone.polygon
                    break

    def _search_headings(self, signs: Signs) -> None:
        """Dark ones if no print was looked at yet, then light ones where there are labels."""
        if self.reader is None or any(trace.heading_of for trace in signs.traces):
            return
        if not any(spec.labels for spec in self.asked.fields):
            for page in self.pages:
                self._look_at_print(page, self.reader, signs)
        for at, trace in enumerate(signs.traces):
            if trace.heading_of is None and trace.labelled:
                pixels = cast("Pixels", cv2.bitwise_not(trace.sheet.pixels))
                negative = replace(trace.sheet, pixels=pixels)
                light = heading_on(read_cells(negative, self.reader), self.types.values())
                if light is not None:
                    signs.traces[at] = replace(trace, heading_of=light[0])

    def _look_at_print(self, page: Page, reader: StripReader, signs: Signs) -> None:
        """Until every sheet of the shape asked for is known to be something else."""
        printed = [kind for kind in self.types.values() if any(s.labels for s in kind.fields)]
        sizes = sorted({_size_mm(kind) for kind in printed}, reverse=True)
        for size_mm in sizes:
            for sheet in islice(sheets(page, size_mm, signs.is_upright), MOST_SHEETS):
                if sheet.has_scale and size_mm != sizes[0]:
                    return
                trace = trace_of(read_cells(sheet, reader), sheet, printed)
                if trace is not None:
                    signs.traces.append(trace)
                    if trace.is_upright and not self._is_unexplained(page, signs):
                        return

    def _may_be_asked(self, other: str, signs: Signs) -> bool:
        """Whether anything on the pages may still be the type asked for."""
        if other == self.asked.other_side and (
            any(self.asked.id in trace.hinted for trace in signs.traces)
            or any(self._has_print_beside(page, signs) for page in self.pages)
        ):
            return True
        if _has_zone(self.asked) and any(
            find_bands(trace.sheet.pixels) is not None for trace in signs.traces
        ):
            return True
        return any(self._is_unexplained(page, signs) for page in self.pages)

    def _has_print_beside(self, page: Page, signs: Signs) -> bool:
        """Whether so much is printed beside one face that the other may lie there unread."""
        places = signs.places(page.index)
        if not places or not has_room(page, _size_mm(self.asked)):
            return False
        points = np.concatenate([np.array(place, np.float32) for place in places])
        middle, spread = points.mean(axis=0), float(np.ptp(points, axis=0).max())
        known = [
            corners for each in page.derive(outlines) if not each.fills_frame
            for corners in [np.array(each.corners, np.float32)]
            if any(_is_within(corners, np.mean(place, axis=0)) for place in places)
        ]  # fmt: skip
        whole = rectified(page, None)
        beside = 0
        for left, top, right, bottom in (
            box for row in find_rows(whole.pixels) for box in row.words
        ):
            at = np.mean(whole.polygon(left, top, right, bottom), axis=0)
            is_near = float(np.hypot(*(at - middle))) < NEAR_SPREADS * spread
            beside += not (any(_is_within(corners, at) for corners in known) if known else is_near)
        return beside > MOST_BESIDE_COUNT

    def _may_be_of_asked_shape(self, page: Page, outline: Outline) -> bool:
        """Where the type asked for has no size of its own: whether no other type is so large."""
        if self.asked.width_mm:
            return is_of_type(page, outline, _size_mm(self.asked))
        sized = [_size_mm(kind) for kind in self.types.values() if kind.width_mm]
        return not any(is_of_type(page, outline, size_mm) for size_mm in sized)

    def _is_unexplained(self, page: Page, signs: Signs) -> bool:
        """Whether the page, or a sheet on it of the shape asked for, shows no known document."""
        middles = [np.mean(place, axis=0) for place in signs.places(page.index)]
        candidates = [
            np.array(each.corners, np.float32) for each in page.derive(outlines)
            if not each.fills_frame and self._may_be_of_asked_shape(page, each)
        ]  # fmt: skip
        return not middles or any(
            not any(_is_within(corners, middle) for middle in middles) for corners in candidates
        )


def _is_within(corners: npt.NDArray[np.float32], point: npt.NDArray[Any]) -> bool:
    return cv2.pointPolygonTest(corners, (float(point[0]), float(point[1])), False) >= 0


def _is_larger(sheet: Sheet, page: Page, kind: DocumentType) -> bool:
    """Whether the sheet has an outline of its own, and one too large for the type."""
    height, width = sheet.pixels.shape
    corners = np.array(sheet.polygon(0, 0, width, height), np.float32)
    is_outlined = cv2.contourArea(corners) < LEAST_WHOLE_FRACTION * page.width_px * page.height_px
    if not (is_outlined and sheet.has_scale and kind.width_mm):
        return False
    return bool(max(width, height) / WORKING_PPI * MM_PER_INCH > LARGER * kind.width_mm)


def _size_mm(kind: DocumentType) -> tuple[float, float]:
    return kind.width_mm, kind.height_mm


def _is_barcode_only(kind: DocumentType) -> bool:
    return bool(kind.fields) and all(spec.sources == ("barcode",) for spec in kind.fields)


def _has_zone(kind: DocumentType) -> bool:
    return any("mrz" in spec.sources for spec in kind.fields)
