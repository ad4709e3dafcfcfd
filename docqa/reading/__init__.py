"""What a document says, held against what the citizen typed.

Barcodes and machine-readable zones first: they are exact. Tesseract only confirms: where it reads
something else, that is as likely its own mistake as the citizen's, so the policy sends it to a
person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from docqa.documents import DocumentType, FieldSpec, Source
from docqa.errors import EngineFault, MissingDependency
from docqa.fields import MATCHES, Field, Match, compare
from docqa.page import Page
from docqa.ports import OcrEngine
from docqa.reading.barcode import read_barcode
from docqa.reading.lines import LabelledText, read_labelled
from docqa.reading.mrz import CHECK_DIGITS, read_mrz
from docqa.reading.regions import sheets
from docqa.text import loose

OCR_FAILED = "system.ocr_failed"
BARCODE_CONFIDENCE = 1.0
"""Its error correction gives the printed data or nothing."""
MRZ_NAME_CONFIDENCE = 0.9
"""For names, which have no check digit."""

Readings = dict[str, Field]
"""The best reading so far by claim name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of the claims, and what failed meanwhile."""

    fields: tuple[Field, ...]
    """A field for every claim that the document type declares, in the order of the claims."""
    faults: tuple[str, ...]
    """``system.*`` reason codes."""


def read_document(
    pages: Sequence[Page],
    document_type: DocumentType,
    claims: Mapping[str, str],
    ocr: OcrEngine | None,
) -> Reading:
    """Read what was claimed, and nothing else, from the pages.

    Args:
        pages: the document.
        document_type: where its fields are to be read.
        claims: what the citizen typed, by claim name; names the type does not declare are left out.
        ocr: the OCR engine; without one the fields that need it are ``unread``.
    """
    specs = {spec.name: spec for spec in document_type.fields if spec.name in claims}
    best: Readings = {}
    faults: tuple[str, ...] = ()
    _read_barcodes(pages, _with(specs, "barcode"), claims, best)
    if ocr is not None:
        size_mm = (document_type.width_mm, document_type.height_mm)
        try:
            for page in pages:
                _read_zone(page, size_mm, _with(specs, "mrz"), claims, ocr, best)
                _read_lines(page, size_mm, _with(specs, "ocr"), claims, ocr, best)
        except (EngineFault, MissingDependency):
            faults = (OCR_FAILED,)
    names = (name for name in claims if name in specs)
    return Reading(tuple(best.get(name) or _unread(name) for name in names), faults)


def _with(specs: Mapping[str, FieldSpec], source: Source) -> list[FieldSpec]:
    return [spec for spec in specs.values() if source in spec.sources]


def _read_barcodes(
    pages: Iterable[Page], specs: Sequence[FieldSpec], claims: Mapping[str, str], best: Readings
) -> None:
    for page in pages if specs else ():
        if (barcode := read_barcode(page)) is None:
            continue
        for spec in specs:
            if spec.barcode_index is None:
                continue
            value = barcode.value(spec.barcode_index, spec.kind)
            match = compare(spec.kind, claims[spec.name], value)
            if match == "unread":
                continue
            _keep(best, Field(
                spec.name, match, "barcode", BARCODE_CONFIDENCE, barcode.polygon, page.index, value
            ))  # fmt: skip


def _read_zone(
    page: Page,
    size_mm: tuple[float, float],
    specs: Sequence[FieldSpec],
    claims: Mapping[str, str],
    ocr: OcrEngine,
    best: Readings,
) -> None:
    if not specs:
        return
    zones = (read_mrz(sheet, ocr) for sheet in sheets(page, size_mm))
    zone = next(filter(None, zones), None)
    if zone is None:
        return
    for spec in specs:
        values = zone.values.get(spec.mrz_key or "", ())
        matches = [compare(spec.kind, claims[spec.name], value) for value in values]
        if not matches:
            continue
        at = min(range(len(matches)), key=lambda at: MATCHES.index(matches[at]))
        if matches[at] == "unread":
            continue
        # Readings that differ from each other say nothing against what was typed.
        if len(matches) > 1 and not _agrees(matches[at]):
            continue
        confidence = zone.valid_check_digits / CHECK_DIGITS
        if spec.kind not in ("date", "number"):
            confidence *= MRZ_NAME_CONFIDENCE
        _keep(best, Field(
            spec.name, matches[at], "mrz", confidence, zone.polygon, page.index, values[at]
        ))  # fmt: skip


def _read_lines(
    page: Page,
    size_mm: tuple[float, float],
    specs: Sequence[FieldSpec],
    claims: Mapping[str, str],
    ocr: OcrEngine,
    best: Readings,
) -> None:
    specs = [spec for spec in specs if spec.name not in best or best[spec.name].source == "ocr"]

    def is_settled(spec: FieldSpec, values: Sequence[str]) -> bool:
        return any(_agrees(compare(spec.kind, claims[spec.name], value)) for value in values)

    for sheet in sheets(page, size_mm) if specs else ():
        found = read_labelled(sheet, specs, ocr, is_settled)
        for spec, texts in found:
            _keep(best, _best_text(spec, claims[spec.name], texts, page.index))
        if found:
            return


def _best_text(
    spec: FieldSpec, claimed: str, texts: Sequence[LabelledText], page: int
) -> Field | None:
    matches = [compare(spec.kind, claimed, text.value) for text in texts]
    at = min(range(len(matches)), key=lambda at: MATCHES.index(matches[at]))
    # Tesseract guesses at Arabic-Indic digits: a date that is not the one typed proves nothing.
    if matches[at] == "unread" or (spec.kind == "date" and not _agrees(matches[at])):
        return None
    alike = sum(loose(text.value) == loose(texts[at].value) for text in texts)
    confidence = texts[at].label_ratio / 100 * alike / len(texts)
    return Field(
        spec.name, matches[at], "ocr", confidence, texts[at].polygon, page, texts[at].value
    )


def _agrees(match: Match) -> bool:
    return match in ("equal", "variant")


def _keep(best: Readings, field: Field | None) -> None:
    """Keep the field if it is better than the one kept; exact sources are better than OCR."""
    if field is None:
        return
    kept = best.get(field.name)
    if kept is None or _rank(field) < _rank(kept):
        best[field.name] = field


def _rank(field: Field) -> tuple[bool, int]:
    return field.source == "ocr", MATCHES.index(field.match)


def _unread(name: str) -> Field:
    return Field(name, "unread", None, 0.0, None, None, None)
