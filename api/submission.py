"""One upload from its parts to a committed document."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from api.beside_others import beside_others, look_again
from api.json_body import read_json
from api.problems import Problem, validation_problem
from api.services import Inspected, Services
from api.upload import NO_FILE_NAME, Upload, display_name
from docqa.bookings import Booking
from docqa.errors import InvalidRequest
from docqa.fields import CLAIM_NAMES, parse_claims
from docqa.ports import StoredDocument

DEFAULT_DOCUMENT_TYPE = "a4-generic"
_ID_BYTES = 16
_DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:")
_FURTHEST = timedelta(days=5 * 366)
"""No appointment is made further ahead; what is kept until one would be kept for good."""
_RESERVATION_SLACK = timedelta(minutes=1)
"""Beyond the inspection itself: after so long whoever held an idempotency key must have died."""


def _visible(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has characters that cannot be shown")
    return text


def rfc3339(value: object) -> object:
    """The value, if it is written as a date and a time: pydantic takes counted seconds too."""
    if not isinstance(value, str) or not _DATE_AND_TIME.match(value):
        raise ValueError("must be a date and a time as RFC 3339 writes them")
    return value


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError when there is none."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is not a date that can come") from error


def refuse_far(moment: datetime | None, pointer: str, now: datetime) -> None:
    """Raises Problem where a moment lies further ahead than anybody books."""
    if moment is not None and moment - now > _FURTHEST:
        raise Problem(
            "http.invalid", errors=[{"pointer": pointer, "detail": "is more than 5 years from now"}]
        )


BookingRef = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(_visible)
]
"""The booking system's own reference."""
Moment = Annotated[AwareDatetime, BeforeValidator(rfc3339), AfterValidator(in_utc)]
"""In UTC."""


class _OutcomeUnknown(Exception):
    """The database went away while a document was committed, and cannot be asked."""


class SubmissionFields(BaseModel):
    """What a client says about the file it sends."""

    model_config = ConfigDict(extra="forbid")

    document_type: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        default=DEFAULT_DOCUMENT_TYPE, description="An id of /v1/document-types."
    )
    claims: str = Field(
        default="{}",
        description="What the citizen typed: JSON text, claim name to value. Names: "
        f"{', '.join(CLAIM_NAMES)}; /v1/document-types says which of them a document shows.",
    )
    booking_ref: BookingRef | None = Field(
        default=None, description="The booking the document belongs to."
    )
    deadline: Moment | None = Field(
        default=None,
        description="RFC 3339 with a time zone; if not given the booking's deadline, or"
        " DOCQA_DEADLINE_DAYS (10) from now. At most 5 years from now, and never after the"
        " booking's.",
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
        """Tells whether two requests ask for the same. Blocks while the file is digested."""
        deadline = self.deadline.isoformat() if self.deadline else None
        said = [self.document_type, self.claims, self.booking_ref, deadline, self.file_name]
        text = json.dumps([self.upload.sha256(), *said], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def parse_submission(upload: Upload, query: Mapping[str, str], now: datetime) -> Submission:
    """What came with ``upload``: its form's parts and the query.

    ``now`` is when it came.

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
    refuse_far(fields.deadline, "/deadline", now)
    return Submission(
        upload=upload,
        document_type=fields.document_type,
        claims=_claims(fields.claims, now.date()),
        booking_ref=fields.booking_ref,
        deadline=fields.deadline,
        file_name=display_name(fields.file_name or upload.file_name or NO_FILE_NAME),
    )


def inspect(services: Services, submission: Submission) -> Inspected:
    """Report and readings of the file; nothing is stored. Blocks."""
    return services.inspector.inspect_file(
        submission.upload.file,
        document_type=submission.document_type,
        claims=submission.claims,
        file_name=submission.file_name,
        sha256=submission.upload.sha256,
    )


def submit(
    services: Services,
    submission: Submission,
    client_id: str,
    idempotency_key: str,
    done: Callable[[], object],
) -> tuple[StoredDocument, bool]:
    """Inspect and commit; the document, and whether it was created earlier with the same key.

    Blocks. When it returns, bytes, report and event are durable; ``done`` is called as soon as
    the file has been inspected.

    Raises:
        Problem: the key belongs to another upload, to one that is being worked on, or to a
            document that was deleted since; or the booking was cancelled.
    """
    now = services.clock()
    lease = timedelta(seconds=services.settings.inspect_timeout_s) + _RESERVATION_SLACK
    key = _of_client(client_id, idempotency_key)
    reservation = services.reservations.reserve(
        key,
        submission.payload_digest,
        "doc_" + secrets.token_hex(_ID_BYTES),
        now=now,
        stale_before=now - lease,
    )
    existing = services.store.get(reservation.document_id)
    if existing is None and reservation.is_answered:
        raise Problem("http.idempotency.document_deleted")
    if reservation.payload_digest != submission.payload_digest:
        raise Problem("http.idempotency.reused")
    if existing is not None:
        return existing, True
    if not reservation.mine:
        raise Problem("http.idempotency.in_flight", retry_after_s=services.settings.retry_after_s)
    try:
        made, was_there = _create(services, submission, client_id, reservation.document_id, done)
    except _OutcomeUnknown:
        raise  # the key stays bound: a retry learns what became of the document
    except BaseException:
        services.reservations.release(key, reservation.document_id, reserved_at=now)
        raise
    look_again(services, made)
    return made, was_there


def refuse_cancelled(
    services: Services, client_id: str | None, booking_ref: str | None
) -> Booking | None:
    """The booking, None where it is not known. Raises Problem when it was cancelled."""
    if client_id is None or booking_ref is None:
        return None
    booking = services.portal.bookings.get(client_id, booking_ref)
    if booking is not None and booking.state == "cancelled":
        raise Problem("http.booking_cancelled")
    return booking


def _of_client(client_id: str, idempotency_key: str) -> str:
    """What a client's key is kept under: two clients may choose the same."""
    return hashlib.sha256(f"{client_id}\0{idempotency_key}".encode()).hexdigest()


def _create(
    services: Services,
    submission: Submission,
    client_id: str,
    document_id: str,
    done: Callable[[], object],
) -> tuple[StoredDocument, bool]:
    refuse_cancelled(services, client_id, submission.booking_ref)
    inspected = inspect(services, submission)
    done()
    received_at = services.clock()
    deadline = submission.deadline or received_at + timedelta(days=services.settings.deadline_days)
    booking = refuse_cancelled(services, client_id, submission.booking_ref)
    number = 0
    if submission.booking_ref is not None:  # one that is announced later has had its attempts
        number = services.portal.bookings.next_attempt(
            client_id, submission.booking_ref, submission.document_type
        )
    if booking is not None:
        service = services.portal.booked_services[booking.service]
        lapses = booking.deadline(service)
        deadline = min(submission.deadline or lapses, lapses)
        wanted = submission.document_type
        if (
            wanted in service.documents
            and number > service.most_attempts
            and not services.portal.bookings.assessment(booking).accepts(wanted)
        ):
            inspected = services.portal.judge.after_too_many_attempts(inspected)
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
        deadline_at=deadline,
        own_deadline_at=submission.deadline,
        client_id=client_id,
    )
    if booking is not None:
        document = beside_others(services, booking, document)
    with services.stage("store"):
        services.blobs.put(document.blob_key, submission.upload.file.read_bytes())
        try:
            services.store.add(document)
        except Exception as error:
            return _settled(services, document, error)
    return document, False


def checked_claims(typed: object, today: date) -> dict[str, str]:
    """The claims of a request. Raises InvalidRequest naming the field, never its value."""
    claims = parse_claims(typed, today)
    for name, value in claims.items():
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
            raise InvalidRequest("request.claims.invalid", field=name)
    return claims


def _settled(
    services: Services, document: StoredDocument, error: Exception
) -> tuple[StoredDocument, bool]:
    """What is kept under the id of ``document`` though adding it failed with ``error``.

    A connection that dies during the commit leaves open whether it was one, and another request
    with the same key may have been quicker. Bytes are deleted only once nobody can need them.
    """
    try:
        kept = services.store.get(document.id)
    except Exception as unknown:
        raise _OutcomeUnknown(type(error).__name__) from unknown
    if kept is None or kept.blob_key != document.blob_key:
        services.blobs.delete(document.blob_key)
    if kept is None:
        raise error
    return kept, kept.blob_key != document.blob_key


def _claims(text: str, today: date) -> dict[str, str]:
    try:
        typed = read_json(text, "/claims")
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("request.claims.not_json") from error
    return checked_claims(typed, today)
