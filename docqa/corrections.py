"""Corrected typing: a stored document judged again with other claims, its pages not measured anew.

A re-match needs no picture only where what is stored is what a fresh reading would see, whatever
was typed:

- A barcode's data does not depend on the claim. Stored, it decides alone where the document type
  reads the field from exact sources only.
- A machine-readable zone may offer several readings of which the one nearest the claim was kept. If
  that one agrees with the new claim, so would a fresh reading; if not, another one might.
- Print is read by weighing the claim and its neighbours against the picture. What was read with
  another claim in mind proves nothing for the new one, so the picture has to be read again.

Where any changed claim needs the picture, all are read again from the stored bytes, in a child; the
pages' measurements stay. Where even that fails, the fields are ``unread``: a person looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from docqa.documents import FieldSpec, mistake
from docqa.fields import EXACT_SOURCES, Field, agrees, compare
from docqa.pipeline import Engine
from docqa.report import (
    fields_json,
    fields_with_readings,
    measurements_from_json,
    recognised_from_json,
    rejudge_json,
)
from docqa.verdict import decide


def rematched(
    report: Mapping[str, Any],
    readings: Mapping[str, Mapping[str, str]],
    before: Mapping[str, str],
    claims: Mapping[str, str],
    engine: Engine,
) -> tuple[Field, ...] | None:
    """A field for every claim that the document type declares, from what is stored alone.

    Args:
        report: the stored report.
        readings: what was read: claim name -> source -> text.
        before: the claims it was read with.
        claims: those that are to be held against it.
        engine: whose document types and places count.

    Returns:
        None when the picture has to be read again.
    """
    if not before:  # then nothing was read at all
        return None
    stored = {field.name: field for field in fields_with_readings(report, readings)}
    specs = {spec.name: spec for spec in engine.document_types[report["document_type"]].fields}
    fields = []
    for name in (name for name in claims if name in specs):
        kept = stored.get(name)
        if kept is None or claims[name] != before.get(name):
            kept = _matched(specs[name], kept, claims[name], engine)
        if kept is None:
            return None
        fields.append(kept)
    return tuple(fields)


def unread(claims: Mapping[str, str], document_type: str, engine: Engine) -> tuple[Field, ...]:
    """A field for every claim, none of them read."""
    known = {spec.name for spec in engine.document_types[document_type].fields}
    return tuple(_unread(name) for name in claims if name in known)


def judged_again(
    report: Mapping[str, Any],
    engine: Engine,
    *,
    fields: Sequence[Field] | None = None,
    faults: Sequence[str] | None = None,
    recognised: str | None = None,
) -> dict[str, Any]:
    """A stored report under ``engine.policy``, with other fields or faults if any are given.

    Args:
        report: the stored report.
        engine: judges.
        fields: in place of the stored ones, with what was seen of the document type then.
        faults: ``system.*`` codes in place of the stored ones.
        recognised: document type that was seen when ``fields`` were read.
    """
    pages, stored_fields, stored_faults = measurements_from_json(report)
    faults = stored_faults if faults is None else tuple(faults)
    if fields is None:
        fields, recognised = stored_fields, recognised_from_json(report)
    asked = engine.document_types[report["document_type"]]
    verdict = decide(engine.policy, asked.id, pages, fields, faults, mistake(asked, recognised))
    changed = {
        **report,
        "fields": fields_json(fields, engine.catalogue),
        "faults": list(faults),
        "recognised": recognised,
    }
    policy = (engine.policy.id, engine.policy.digest)
    return rejudge_json(changed, verdict, engine.catalogue, policy)


def _matched(spec: FieldSpec, kept: Field | None, claim: str, engine: Engine) -> Field | None:
    if kept is None or kept.read is None or not set(spec.sources) <= set(EXACT_SOURCES):
        return None
    if kept.source not in EXACT_SOURCES or kept.others:
        return None
    match = compare(spec.kind, claim, kept.read, engine.places)
    if kept.source == "mrz" and not agrees(match):
        return None
    return _unread(spec.name) if match == "unread" else replace(kept, match=match)


def _unread(name: str) -> Field:
    return Field(name, "unread", None, 0.0, None, None, None)
