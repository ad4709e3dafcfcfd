"""One correction of what was typed, from the request to a committed report."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.beside_others import beside_others
from api.portal import Portal
from api.problems import Problem
from api.routes.examples import CORRECTION
from api.services import Inspected, Services
from api.submission import checked_claims, refuse_cancelled
from docqa.bookings import Booking
from docqa.errors import InvalidDocument
from docqa.fields import LONGEST_CLAIM_CHARACTERS
from docqa.ports import StoredDocument

_UNREADABLE = "system.failed"


class Correction(BaseModel):
    """What the citizen typed instead."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [CORRECTION]})

    claims: dict[str, Annotated[str, Field(max_length=LONGEST_CLAIM_CHARACTERS)]] = Field(
        description="Claim name to value. Claims that are not named stay as they are.",
        min_length=1,
    )


def correct(services: Services, document: StoredDocument, correction: Correction) -> StoredDocument:
    """The document with the corrected claims and a new report. Blocks.

    From what is stored where that is enough; otherwise the stored bytes are read again in a child,
    and the pages' measurements stay (see :mod:`docqa.corrections`).

    Raises:
        InvalidRequest: a claim is wrong.
        Problem: its booking was cancelled, a reviewer has decided on it, or it has changed.
    """
    portal = services.portal
    claims = {**document.claims, **checked_claims(dict(correction.claims), services.clock().date())}
    booking = refuse_cancelled(services, document.client_id, document.booking_ref)
    if services.rulings.rulings(document.id):
        raise Problem("http.document_ruled")
    if claims == document.claims:
        return document
    found = portal.judge.from_stored(document, claims) or _read_again(
        services, portal, document, claims
    )
    if booking is not None:
        found = _beside_others(services, booking, document, claims, found)
    if not portal.corrections.correct(
        document, claims=claims, readings=found.readings, report=found.report
    ):
        raise Problem("http.document_changed")
    corrected = services.store.get(document.id)
    if corrected is None:
        raise Problem("http.document_not_found")
    return corrected


def _beside_others(
    services: Services,
    booking: Booking,
    document: StoredDocument,
    claims: dict[str, str],
    found: Inspected,
) -> Inspected:
    changed = replace(
        document,
        claims=claims,
        report=found.report,
        readings=found.readings,
        decision=found.report["verdict"]["decision"],
    )
    return Inspected(beside_others(services, booking, changed).report, found.readings)


def _read_again(
    services: Services, portal: Portal, document: StoredDocument, claims: dict[str, str]
) -> Inspected:
    try:
        data = services.blobs.get(document.blob_key)
        with services.files.holding(data) as path:
            fresh = services.inspector.inspect_file(
                path,
                document_type=document.document_type,
                claims=claims,
                file_name=document.file_name,
            )
    except (KeyError, InvalidDocument):
        return portal.judge.unreadable(document, claims, _UNREADABLE)
    return portal.judge.from_reading(document, claims, fresh)
