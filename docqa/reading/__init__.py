"""What a document says, held against what the citizen typed.

Barcodes and machine-readable zones are exact. Print is read by trained networks, and by Tesseract
where they are not sure: where print says something else, that is as likely a misreading as the
citizen's mistake, so the policy sends it to a person. Every source that a field declares is read,
so that front and back of one upload can be held against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

from docqa.documents import DocumentType, FieldSpec, Source
from docqa.errors import EngineFault, MissingDependency
from docqa.fields import MATCHES, Field, agrees, settled
from docqa.page import Page
from docqa.places import NO_PLACES, Places
from docqa.ports import OcrEngine
from docqa.reading.barcode import IdBarcode, read_barcodes
from docqa.reading.cells import Cell
from docqa.reading.lines import LabelledText, read_labelled
from docqa.reading.mrz_fields import read_zone
from docqa.reading.print_fields import Claimed, Print, Readers, read_print
from docqa.reading.recognition import (
    LEAST_LABELS_FRACTION,
    Recogniser,
    Signs,
    Trace,
    trace_of,
)
from docqa.reading.regions import Sheet, has_room, sheets
from docqa.reading.second_look import Agreed, Candidate, look_again
from docqa.text import loose

OCR_FAILED = "system.ocr_failed"
BARCODE_CONFIDENCE = 1.0
"""Its error correction gives the printed data or nothing."""
MOST_BLIND_SHEETS = 1
"""On which the engine looks for labels where the networks have found none at all. It then reads
every line, 2 s for a page of prose that is not what it was handed in as, and as much again for the
page upside down; for 48 fronts under a camera, at 100 to 150 ppi or turned it was never needed."""
PRINT_SOURCES: tuple[Source, ...] = ("ocr", "digits")

T = TypeVar("T")
Readings = dict[tuple[str, Source, int | None], Field]
"""The best reading so far by claim name, source and page."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of the claims, and what failed meanwhile."""

    fields: tuple[Field, ...]
    """A field for every claim that the document type declares, in the order of the claims."""
    faults: tuple[str, ...]
    """``system.*`` reason codes."""
    recognised: str | None = None
    """Id of the document type that was seen; None when that is not certain."""


def read_document(
    pages: Sequence[Page],
    document_type: DocumentType,
    claims: Mapping[str, str],
    ocr: OcrEngine | None,
    places: Places = NO_PLACES,
    readers: Readers | None = None,
    types: Collection[DocumentType] = (),
) -> Reading:
    """Read what was claimed, and nothing else, from the pages.

    Args:
        pages: the document.
        document_type: where its fields are to be read.
        claims: what the citizen typed, by claim name; names the type does not declare are left out.
        ocr: the OCR engine; without one the fields that need it are ``unread``.
        places: spellings of places.
        readers: the trained networks; without them print is the OCR engine's alone.
        types: every type that the document may be instead.
    """
    specs = {spec.name: spec for spec in document_type.fields if spec.name in claims}
    claimed = Claimed(claims, places)
    best: Readings = {}
    size_mm = (document_type.width_mm, document_type.height_mm)
    known = {kind.id: kind for kind in (*types, document_type)}
    signs = Signs()
    engine = _Watched(ocr)
    for page in pages:
        zone = read_zone(page, size_mm, _with(specs, "mrz"), claimed, engine.ask)
        if zone is not None:
            signs.zones[page.index] = zone.polygon
            for field in zone.fields:
                _keep(best, field)
            continue
        _read_print(page, document_type, specs, claimed, engine, readers, known, best, signs)
    printed = {trace.sheet.page for trace in signs.traces if document_type.id in trace.hinted}
    printed |= signs.zones.keys()
    unsearched = [page for page in pages if page.index not in printed or has_room(page, size_mm)]
    _read_barcodes(unsearched, _with(specs, "barcode"), claimed, best, signs)
    reader = None if readers is None else readers.arabic
    recogniser = Recogniser(pages, document_type, known, reader, engine.ask)
    recognised = recogniser.recognised(signs) if claims else None
    chosen = _of_one_page_each(best)
    fields = []
    for name in (name for name in claims if name in specs):
        readings = [field for field in chosen if field.name == name]
        fields.append(settled(readings) if readings else _unread(name))
    faults = (OCR_FAILED,) if engine.has_failed else ()
    return Reading(tuple(fields), faults, None if faults else recognised)


def left_unread(document_type: DocumentType, claims: Mapping[str, str]) -> Reading:
    """What is said of a document that is not read: every claim that its type declares is unread."""
    declared = {spec.name for spec in document_type.fields}
    return Reading(tuple(_unread(name) for name in claims if name in declared), ())


class _Watched:
    """An OCR engine, or none, that is not asked again once it has failed."""

    def __init__(self, engine: OcrEngine | None) -> None:
        self.engine = engine
        self.has_failed = False

    def ask(self, question: Callable[[OcrEngine], T]) -> T | None:
        """The answer; None without an engine that works."""
        if self.engine is None or self.has_failed:
            return None
        try:
            return question(self.engine)
        except (EngineFault, MissingDependency):
            self.has_failed = True
            return None


def _with(specs: Mapping[str, FieldSpec], source: Source) -> list[FieldSpec]:
    return [spec for spec in specs.values() if source in spec.sources]


def _read_barcodes(
    pages: Iterable[Page],
    specs: Sequence[FieldSpec],
    claimed: Claimed,
    best: Readings,
    signs: Signs,
) -> None:
    """Keep of each page what one card says, the one that confirms most.

    Once a card confirms everything no other is looked for.
    """
    for page in pages if specs else ():
        signs.barcodes[page.index] = None
        cards: list[list[Field]] = []
        for barcode in read_barcodes(page):
            if signs.barcodes[page.index] is None:
                signs.barcodes[page.index] = barcode.polygon
            cards.append(list(_said(barcode, specs, claimed, page.index)))
            if len(_confirmed(cards[-1])) == len(specs):
                break
        for field in max(cards, key=_agreement, default=[]):
            _keep(best, field)


def _said(
    barcode: IdBarcode, specs: Iterable[FieldSpec], claimed: Claimed, page: int
) -> Iterator[Field]:
    for spec in specs:
        if spec.barcode_index is None:
            continue
        value = barcode.value(spec.barcode_index, spec.kind)
        match = claimed.match(spec, value)
        if match != "unread":
            polygon = barcode.polygon
            yield Field(spec.name, match, "barcode", BARCODE_CONFIDENCE, polygon, page, value)


def _read_print(
    page: Page,
    document_type: DocumentType,
    all_specs: Mapping[str, FieldSpec],
    claimed: Claimed,
    engine: _Watched,
    readers: Readers | None,
    types: Mapping[str, DocumentType],
    best: Readings,
    signs: Signs,
) -> None:
    size_mm = (document_type.width_mm, document_type.height_mm)
    specs = [spec for spec in all_specs.values() if spec.labels]
    if _is_confirmed(best, specs):
        specs = []

    def see(cells: Sequence[Cell], sheet: Sheet) -> None:
        signs.traces += filter(None, [trace_of(cells, sheet, types.values())])

    seen = None
    if readers is not None and specs:
        candidates = sheets(page, size_mm, signs.is_upright)
        every = document_type.fields
        seen = read_print(candidates, every, specs, claimed, readers, see)
    if seen is None:
        asked = [spec for spec in specs if "ocr" in spec.sources]
        unread = islice(sheets(page, size_mm), None if readers is None else MOST_BLIND_SHEETS)
        _read_lines(unread, document_type, asked, claimed, engine, best, signs)
        return
    for field in seen.fields:
        _keep(best, field)
    for spec, candidate, agreed in _looked_again(seen, engine):
        matched = claimed.match(spec, agreed.text, may_be_cut=True)
        polygon = candidate.printed.polygon
        _keep(best, Field(
            spec.name, matched, "ocr", agreed.share, polygon, seen.sheet.page, agreed.text
        ))  # fmt: skip


def _looked_again(seen: Print, engine: _Watched) -> Iterator[tuple[FieldSpec, Candidate, Agreed]]:
    def look(ocr: OcrEngine) -> dict[FieldSpec, Agreed]:
        return look_again(seen.sheet, seen.open, ocr)

    agreed = engine.ask(look) if seen.open else None
    for spec, found in (agreed or {}).items():
        yield spec, seen.open[spec], found


def _read_lines(
    candidates: Iterable[Sheet],
    document_type: DocumentType,
    specs: Sequence[FieldSpec],
    claimed: Claimed,
    engine: _Watched,
    best: Readings,
    signs: Signs,
) -> None:
    """The fields as the OCR engine alone reads them, on the first sheet with any of the labels."""

    def is_settled(spec: FieldSpec, values: Sequence[str]) -> bool:
        return any(agrees(claimed.match(spec, value, may_be_cut=True)) for value in values)

    for sheet in candidates if specs else ():
        found = engine.ask(partial(_labelled, sheet, specs, is_settled))
        for spec, texts in found or ():
            _keep(best, _best_text(spec, claimed, texts, sheet.page))
        if found:
            seen = frozenset({document_type.id})
            is_labelled = len(found) >= LEAST_LABELS_FRACTION * len(specs)
            places = tuple(text.polygon for _, texts in found for text in texts)
            signs.traces.append(
                Trace(sheet, None, seen if is_labelled else frozenset(), seen, places)
            )
        if found or found is None:
            return


def _labelled(
    sheet: Sheet,
    specs: Sequence[FieldSpec],
    is_settled: Callable[[FieldSpec, Sequence[str]], bool],
    ocr: OcrEngine,
) -> list[tuple[FieldSpec, list[LabelledText]]]:
    return read_labelled(sheet, specs, ocr, is_settled)


def _best_text(
    spec: FieldSpec, claimed: Claimed, texts: Sequence[LabelledText], page: int
) -> Field | None:
    matches = [claimed.match(spec, text.value, may_be_cut=True) for text in texts]
    at = min(range(len(matches)), key=lambda at: MATCHES.index(matches[at]))
    # Tesseract guesses at Arabic-Indic digits: a date that is not the one typed proves nothing.
    if matches[at] == "unread" or (spec.kind == "date" and not agrees(matches[at])):
        return None
    alike = sum(loose(text.value) == loose(texts[at].value) for text in texts)
    confidence = texts[at].label_ratio / 100 * alike / len(texts)
    return Field(
        spec.name, matches[at], "ocr", confidence, texts[at].polygon, page, texts[at].value
    )


def _keep(best: Readings, field: Field | None) -> None:
    """Keep the field if it is the best of its source and page."""
    if field is None or field.source is None:
        return
    place = field.name, field.source, field.page
    kept = best.get(place)
    if kept is None or MATCHES.index(field.match) < MATCHES.index(kept.match):
        best[place] = field


def _by_page(best: Readings, sources: Collection[Source]) -> list[list[Field]]:
    pages: dict[int | None, list[Field]] = {}
    for (_, source, page), field in best.items():
        if source in sources:
            pages.setdefault(page, []).append(field)
    return list(pages.values())


def _is_confirmed(best: Readings, specs: Sequence[FieldSpec]) -> bool:
    """Whether the print of one page says all that is asked for."""
    asked = {spec.name for spec in specs}
    return any(asked <= _confirmed(fields) for fields in _by_page(best, PRINT_SOURCES))


def _confirmed(fields: Iterable[Field]) -> set[str]:
    return {field.name for field in fields if agrees(field.match)}


def _of_one_page_each(best: Readings) -> list[Field]:
    """Of each kind of source what one page says, the page that says most of what was typed.

    Two people's cards in one upload must not confirm what neither of them bears.
    """
    chosen: list[Field] = []
    for sources in (("barcode",), ("mrz",), PRINT_SOURCES):
        if pages := _by_page(best, sources):
            fullest = max(pages, key=_agreement)
            chosen += fullest
    return chosen


def _agreement(fields: Sequence[Field]) -> tuple[int, int]:
    """More and fewer: claims that a page confirms, readings that say something else."""
    return len(_confirmed(fields)), -sum(field.match == "different" for field in fields)


def _unread(name: str) -> Field:
    return Field(name, "unread", None, 0.0, None, None, None)
