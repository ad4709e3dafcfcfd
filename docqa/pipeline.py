"""The whole way of one document, top to bottom."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from docqa.catalogue import Catalogue
from docqa.documents import DocumentType, mistake
from docqa.errors import InvalidRequest
from docqa.intake import Limits, open_document
from docqa.measures import Assessment, PageAssessment, assess
from docqa.page import Page
from docqa.places import NO_PLACES, Places
from docqa.policy import Policy
from docqa.ports import OcrEngine, PdfRenderer
from docqa.reading import Reading, left_unread, read_document
from docqa.reading.print_fields import Readers
from docqa.report import Digests, Report
from docqa.verdict import decide


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that judges: built once by wiring, used for every document."""

    policy: Policy
    document_types: Mapping[str, DocumentType]
    catalogue: Catalogue
    measures: Mapping[str, Callable[[Page], Any]]
    """The measures the policy asks for, bound to their trained models."""
    limits: Limits
    ocr: OcrEngine | None
    renderer: PdfRenderer | None
    version: str
    digest: str
    """Over the docqa version and every trained model, document type and list of places."""
    places: Places = NO_PLACES
    readers: Readers | None = None
    digests: Digests = Digests()


def inspect(
    data: bytes,
    *,
    engine: Engine,
    document_type: str = "a4-generic",
    claims: Mapping[str, str] | None = None,
    sha256: str | None = None,
) -> Report:
    """Judge one document in this process.

    Args:
        data: the bytes of a JPEG, PNG, TIFF or PDF.
        engine: what to judge with.
        document_type: what the citizen says it is; one of ``engine.document_types``.
        claims: what the citizen typed (see docqa.fields.parse_claims). Without any nothing is read.
        sha256: for the report, where the caller digests the bytes.

    Raises:
        InvalidDocument: the bytes cannot be a document.
        InvalidRequest: the document type is unknown.
    """
    check_type(engine, document_type)
    started = perf_counter()
    pages: list[Page] = []
    assessments: list[PageAssessment] = []
    timings = {"decode": 0.0, "measures": 0.0, "reading": 0.0}
    for page in open_document(data, limits=engine.limits, renderer=engine.renderer).pages:
        page.luma()
        decoded = perf_counter()
        measured = _measured(engine, page, timings)
        assessments.append(PageAssessment(page.index, page.width_px, page.height_px, measured))
        if claims:
            pages.append(page)
        timings["decode"] += (decoded - started) * 1000
        started = perf_counter()
        timings["measures"] += (started - decoded) * 1000
    reading = Reading((), ())
    if claims:
        reading = _read(engine, pages, assessments, document_type, claims)
        timings["reading"] = (perf_counter() - started) * 1000
    digest = hashlib.sha256(data).hexdigest() if sha256 is None else sha256
    return _report(engine, digest, document_type, tuple(assessments), reading, timings)


def _read(
    engine: Engine,
    pages: Sequence[Page],
    assessments: Sequence[PageAssessment],
    document_type: str,
    claims: Mapping[str, str],
) -> Reading:
    """Read the claims, unless the measures reject the document beyond doubt already."""
    asked = engine.document_types[document_type]
    if not engine.policy.is_worth_reading(decide(engine.policy, document_type, assessments).score):
        return left_unread(asked, claims)
    kinds = engine.document_types.values()
    return read_document(pages, asked, claims, engine.ocr, engine.places, engine.readers, kinds)


def _measured(engine: Engine, page: Page, timings: dict[str, float]) -> dict[str, Assessment]:
    """Every measure of a page; what several ask for counts for the first of them."""
    found = {}
    for name, take in engine.measures.items():
        started = perf_counter()
        found[name] = assess(take, page)
        stage = f"measures.{name}"
        timings[stage] = timings.get(stage, 0.0) + (perf_counter() - started) * 1000
    return found


def faulty_report(engine: Engine, sha256: str, document_type: str, fault: str) -> Report:
    """The report on a document whose inspection itself failed: review, with a ``system.*`` code."""
    return _report(engine, sha256, document_type, (), Reading((), (fault,)), {})


def check_type(engine: Engine, document_type: str) -> None:
    """Raises InvalidRequest when the engine does not know the document type."""
    if document_type not in engine.document_types:
        known = ", ".join(sorted(engine.document_types))
        raise InvalidRequest("request.document_type.unknown", name=document_type[:40], limit=known)


def _report(
    engine: Engine,
    sha256: str,
    document_type: str,
    pages: tuple[PageAssessment, ...],
    reading: Reading,
    timings: Mapping[str, float],
) -> Report:
    asked = engine.document_types[document_type]
    verdict = decide(
        engine.policy,
        document_type,
        pages,
        reading.fields,
        reading.faults,
        mistake(asked, reading.recognised),
    )
    return Report(
        sha256=sha256,
        document_type=document_type,
        pages=pages,
        fields=reading.fields,
        faults=reading.faults,
        verdict=verdict,
        policy_id=engine.policy.id,
        policy_digest=engine.policy.digest,
        engine_version=engine.version,
        engine_digest=engine.digest,
        timings_ms=timings,
        recognised=reading.recognised,
        digests=engine.digests,
    )
