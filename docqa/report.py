"""A report, and its JSON form ``docqa.report/1`` that the CLI, the API and the store share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from docqa.catalogue import LANGUAGES, Catalogue
from docqa.fields import Field
from docqa.measures import Assessed, Assessment, NotAssessed, PageAssessment
from docqa.page import Polygon, Region
from docqa.verdict import Decision, Reason, Verdict

SCHEMA = "docqa.report/1"
_POLYGON_DECIMALS = 1


@dataclass(frozen=True, slots=True)
class Digests:
    """What made a report's measurements, so that only what a change made stale is made anew."""

    measures: Mapping[str, str] = field(default_factory=dict)
    """measure -> digest of its code and its model; empty where nobody asked."""
    reading: str = ""
    """Of the code, the models, the document types and the engines that read."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything docqa found out about one document.

    Same bytes, same digests: the same report, timings apart.
    """

    sha256: str
    document_type: str
    pages: tuple[PageAssessment, ...]
    fields: tuple[Field, ...]
    faults: tuple[str, ...]
    """``system.*`` codes of engines that failed on this document."""
    verdict: Verdict
    policy_id: str
    policy_digest: str
    engine_version: str
    engine_digest: str
    timings_ms: Mapping[str, float]
    recognised: str | None = None
    """Id of the document type that was seen; None when nothing was read or it is not sure."""
    digests: Digests = Digests()


def to_json(report: Report, catalogue: Catalogue, *, is_kept: bool = True) -> dict[str, Any]:
    """The report as JSON values, with every sentence in every language.

    What was read from the document is not in it: only how it matches. Of a document that is not
    kept no person is promised, who could not look at it.
    """
    scores = report.verdict.scores or ({},) * len(report.pages)
    return {
        "schema": SCHEMA,
        "sha256": report.sha256,
        "document_type": report.document_type,
        "verdict": verdict_json(report.verdict, catalogue, is_kept=is_kept),
        "pages": [
            _page_json(page, page_scores, catalogue)
            for page, page_scores in zip(report.pages, scores, strict=True)
        ],
        "recognised": report.recognised,
        "fields": fields_json(report.fields, catalogue),
        "faults": list(report.faults),
        "policy": {"id": report.policy_id, "digest": report.policy_digest},
        "engine": _engine_json(report),
        "timings_ms": {stage: round(ms, 1) for stage, ms in report.timings_ms.items()},
    }


def fields_json(fields: Iterable[Field], catalogue: Catalogue) -> list[dict[str, Any]]:
    """How what was read matches, as JSON values, without what was read."""
    return [_field_json(field, catalogue) for field in fields]


def readings_json(report: Report) -> dict[str, dict[str, str]]:
    """What was read: claim name -> source -> text. Personal data, for reviewers alone."""
    return {
        field.name: {
            reading.source: reading.read
            for reading in (field, *field.others)
            if reading.source is not None and reading.read is not None
        }
        for field in report.fields
    }


def verdict_json(verdict: Verdict, catalogue: Catalogue, *, is_kept: bool = True) -> dict[str, Any]:
    """The verdict as JSON values; a person is promised only where one is going to look."""
    is_pending = is_kept and verdict.decision is Decision.REVIEW
    return {
        "decision": verdict.decision.value,
        "score": verdict.score,
        "reasons": [_reason_json(reason, catalogue, is_pending) for reason in verdict.reasons],
    }


def digits_apart(value: float | None, limit: float | None) -> int:
    """Significant digits to show both in: three, up to six where they would read the same."""
    if value is None or limit is None:
        return 3
    apart = (n for n in (3, 4, 5) if f"{abs(value):.{n}g}" != f"{abs(limit):.{n}g}")
    return next(apart, 6)


def rejudge_json(
    report: Mapping[str, Any], verdict: Verdict, catalogue: Catalogue, policy: tuple[str, str]
) -> dict[str, Any]:
    """A stored report with a new verdict under the policy ``(id, digest)``; nothing re-measured."""
    pages = []
    for page, scores in zip(report["pages"], verdict.scores, strict=True):
        measures = {
            name: {**measure, "score": scores.get(name)}
            for name, measure in page["measures"].items()
        }
        pages.append({**page, "measures": measures})
    return {
        **report,
        "verdict": verdict_json(verdict, catalogue),
        "pages": pages,
        "policy": {"id": policy[0], "digest": policy[1]},
    }


def measurements_from_json(
    report: Mapping[str, Any],
) -> tuple[tuple[PageAssessment, ...], tuple[Field, ...], tuple[str, ...]]:
    """Pages, fields and faults of a stored report: all that :func:`docqa.verdict.decide` needs.

    Raises:
        ValueError: it is not a ``docqa.report/1``.
    """
    if report.get("schema") != SCHEMA:
        raise ValueError(f"expected {SCHEMA}, not {report.get('schema')!r}")
    pages = tuple(
        PageAssessment(
            page["index"],
            page["width_px"],
            page["height_px"],
            {name: _assessment(measure) for name, measure in page["measures"].items()},
        )
        for page in report["pages"]
    )
    fields = tuple(_field(field["name"], field) for field in report["fields"])
    return pages, fields, tuple(report["faults"])


def fields_with_readings(
    report: Mapping[str, Any], readings: Mapping[str, Mapping[str, str]]
) -> tuple[Field, ...]:
    """The fields of a stored report with what was read, as :func:`readings_json` kept it."""

    def filled(field: Field) -> Field:
        read = readings.get(field.name, {}).get(field.source or "")
        return replace(field, read=read, others=tuple(filled(other) for other in field.others))

    return tuple(filled(_field(written["name"], written)) for written in report.get("fields", ()))


def recognised_from_json(report: Mapping[str, Any]) -> str | None:
    """The document type that was seen; None for reports from before it was looked for."""
    recognised: str | None = report.get("recognised")
    return recognised


def _engine_json(report: Report) -> dict[str, Any]:
    written: dict[str, Any] = {"version": report.engine_version, "digest": report.engine_digest}
    if report.digests.measures:
        written["measures"] = dict(report.digests.measures)
        written["reading"] = report.digests.reading
    return written


def _reason_json(reason: Reason, catalogue: Catalogue, is_pending: bool) -> dict[str, Any]:
    facts: dict[str, int | float | str] = {}
    digits = digits_apart(reason.value, reason.limit)
    if reason.value is not None:
        facts["value"] = float(f"{reason.value:.{digits}g}")
    if reason.limit is not None:
        facts["limit"] = float(f"{reason.limit:.{digits}g}")
    if reason.field is not None:
        facts["field"] = reason.field
    if reason.measure is not None:
        facts["name"] = reason.measure
    said = {language: catalogue.say(reason.code, language, facts) for language in LANGUAGES}
    return {
        "code": reason.code,
        "decision": reason.decision.value,
        "measure": reason.measure,
        "field": reason.field,
        "page": reason.page,
        "value": reason.value,
        "limit": reason.limit,
        "unit": reason.unit,
        "regions": [_region_json(region) for region in reason.regions],
        "message": {language: text.message for language, text in said.items()},
        "advice": {
            language: text.pending if is_pending else text.advice for language, text in said.items()
        },
    }


def _page_json(
    page: PageAssessment, scores: Mapping[str, int], catalogue: Catalogue
) -> dict[str, Any]:
    return {
        "index": page.index,
        "width_px": page.width_px,
        "height_px": page.height_px,
        "measures": {
            name: _assessment_json(assessment, scores.get(name), catalogue)
            for name, assessment in page.measures.items()
        },
    }


def _assessment_json(
    assessment: Assessment, score: int | None, catalogue: Catalogue
) -> dict[str, Any]:
    if isinstance(assessment, NotAssessed):
        return {"status": "not_assessed", "score": None, "outputs": {}, "why": assessment.why}
    outputs = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in assessment.outputs.items()
    }
    written = {
        "status": "assessed",
        "score": score,
        "outputs": outputs,
        "regions": [_region_json(region) for region in assessment.regions],
    }
    evidence = assessment.outputs.get("evidence")
    if isinstance(evidence, tuple):
        written["evidence"] = [
            {language: catalogue.tell(code, language, assessment.outputs) for language in LANGUAGES}
            for code in evidence
        ]
    return written


def _assessment(measure: Mapping[str, Any]) -> Assessment:
    if measure["status"] != "assessed":
        return NotAssessed(measure["why"])
    outputs = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in measure["outputs"].items()
    }
    regions = tuple(Region(r["kind"], _polygon(r["polygon"])) for r in measure["regions"])
    return Assessed(outputs, regions)


def _region_json(region: Region) -> dict[str, Any]:
    return {"kind": region.kind, "polygon": _polygon_json(region.polygon)}


def _field_json(field: Field, catalogue: Catalogue) -> dict[str, Any]:
    facts = {"field": field.name}
    note = None
    if field.match == "variant":
        note = {
            language: catalogue.say("field.variant", language, facts).message
            for language in LANGUAGES
        }
    return {
        "name": field.name,
        **_reading_json(field),
        "note": note,
        "others": [_reading_json(other) for other in field.others],
    }


def _reading_json(field: Field) -> dict[str, Any]:
    return {
        "match": field.match,
        "source": field.source,
        "confidence": round(field.confidence, 3),
        "page": field.page,
        "polygon": _polygon_json(field.polygon) if field.polygon else None,
    }


def _field(name: str, written: Mapping[str, Any]) -> Field:
    return Field(
        name=name,
        match=written["match"],
        source=written["source"],
        confidence=written["confidence"],
        polygon=_polygon(written["polygon"]) if written["polygon"] else None,
        page=written["page"],
        read=None,
        others=tuple(_field(name, other) for other in written.get("others", ())),
    )


def _polygon_json(polygon: Polygon) -> list[list[float]]:
    return [
        [round(float(x), _POLYGON_DECIMALS), round(float(y), _POLYGON_DECIMALS)] for x, y in polygon
    ]


def _polygon(points: Sequence[Sequence[float]]) -> Polygon:
    return cast("Polygon", tuple((float(x), float(y)) for x, y in points))
