"""One upload from its parts to a committed document."""

from __future__ import annotations

import hashlib
import json
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from api.problems import Problem, validation_problem
from api.services import Inspected, Services
from api.upload import NO_FILE_NAME, Upload, display_name
from docqa.errors import InvalidRequest
from docqa.fields import parse_claims
from docqa.ports import StoredDocument

DEFAULT_DOCUMENT_TYPE = "a4-generic"
_ID_BYTES = 16
_RESERVATION_SLACK = timedelta(minutes=1)
"""Beyond the inspection itself: after so long whoever held an idempotency key must have died."""


def _visible(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has characters that cannot be shown")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is not a date that can come") from error


class SubmissionFields(BaseModel):
    """What a client says about the file it sends."""

    model_config = ConfigDict(extra="forbid")

    document_type: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        default=DEFAULT_DOCUMENT_TYPE, description="An id of /v1/document-types."
    )
    claims: str = Field(
        default="{}", description="What the citizen typed: JSON text, claim name to value."
    )
    booking_ref: (
        Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_visible)]
        | None
    ) = Field(default=None, description="The booking the document belongs to.")
    deadline: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = Field(
        default=None, description="RFC 3339 with a time zone; ten days from now if not given."
    )
    file_name: str | None = Field(
        default=None,
        max_length=1000,
        description="For display only; raw uploads have no other name.",
    )


@dataclass(frozen=True, slots=True)
class Submission:
    """An upload and everything its client said about it, checked."""

    upload: Upload
    document_type: str
    claims: dict[str, str]
    booking_ref: str | None
    deadline: datetime | None
    file_name: str

    @property
    def payload_digest(self) -> str:
        """Tells whether two requests ask for the same."""
        deadline = self.deadline.isoformat() if self.deadline else None
        said = [self.document_type, self.claims, self.booking_ref, deadline, self.file_name]
        text = json.dumps([self.upload.sha256, *said], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def parse_submission(upload: Upload, query: Mapping[str, str]) -> Submission:
    """What came with ``upload``: its form's parts and the query.

    Raises:
        InvalidRequest: the claims are wrong.
        Problem: another value is wrong, unknown, or given in the form and in the query.
    """
    twice = sorted(set(upload.fields) & set(query))
    if twice:
        raise Problem(
            "http.invalid", errors=[{"pointer": f"/{twice[0]}", "detail": "is given twice"}]
        )
    try:
        fields = SubmissionFields.model_validate({**query, **upload.fields})
    except ValidationError as error:
        raise validation_problem(error.errors(include_input=False)) from None
    return Submission(
        upload=upload,
        document_type=fields.document_type,
        claims=_claims(fields.claims),
        booking_ref=fields.booking_ref,
        deadline=fields.deadline,
        file_name=display_name(fields.file_name or upload.file_name or NO_FILE_NAME),
    )


def inspect(services: Services, submission: Submission) -> Inspected:
    """Report and readings of the file; nothing is stored. Blocks."""
    return services.inspector.inspect_file(
        submission.upload.path,
        document_type=submission.document_type,
        claims=submission.claims,
        file_name=submission.file_name,
    )


def submit(
    services: Services, submission: Submission, idempotency_key: str | None, client_id: str
) -> tuple[StoredDocument, bool]:
    """Inspect and commit; the document, and whether it was created earlier with the same key.

    Blocks. When it returns, bytes and report are durable.

    Raises:
        Problem: the key belongs to another upload, or to one that is being worked on.
    """
    document_id = "doc_" + secrets.token_hex(_ID_BYTES)
    if idempotency_key is None:
        return _create(services, submission, document_id, client_id), False
    now = services.clock()
    lease = timedelta(seconds=services.settings.inspect_timeout_s) + _RESERVATION_SLACK
    reservation = services.reservations.reserve(
        idempotency_key,
        submission.payload_digest,
        document_id,
        now=now,
        stale_before=now - lease,
    )
    if reservation.payload_digest != submission.payload_digest:
        raise Problem("http.idempotency.reused")
    existing = services.store.get(reservation.document_id)
    if existing is not None:
        return existing, True
    if not reservation.mine:
        raise Problem("http.idempotency.in_flight", retry_after_s=services.settings.retry_after_s)
    try:
        return _create(services, submission, reservation.document_id, client_id), False
    except BaseException:
        services.reservations.release(idempotency_key, reservation.document_id)
        raise


def _create(
    services: Services, submission: Submission, document_id: str, client_id: str
) -> StoredDocument:
    inspected = inspect(services, submission)
    received_at = services.clock()
    document = StoredDocument(
        id=document_id,
        blob_key=secrets.token_hex(_ID_BYTES),
        file_name=submission.file_name,
        document_type=submission.document_type,
        claims=submission.claims,
        report=inspected.report,
        readings=inspected.readings,
        decision=inspected.report["verdict"]["decision"],
        received_at=received_at,
        booking_ref=submission.booking_ref,
        deadline_at=submission.deadline
        or received_at + timedelta(days=services.settings.deadline_days),
        client_id=client_id,
    )
    with services.stage("store"):
        services.blobs.put(document.blob_key, submission.upload.path.read_bytes())
        try:
            services.store.add(document)
        except BaseException:
            services.blobs.delete(document.blob_key)
            raise
    return document


def _claims(text: str) -> dict[str, str]:
    try:
        typed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("request.claims.not_json") from error
    claims = parse_claims(typed)
    for name, value in claims.items():
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
            raise InvalidRequest("request.claims.invalid", field=name)
    return claims
