"""Bookings: what they need, what is there, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.json_body import json_body, json_request
from api.principal import client_id_of
from api.problems import Problem
from api.routes.examples import BOOKING_CHANGE, problem_responses
from api.services import Services
from api.submission import BookingRef, Moment, refuse_far
from docqa.bookings import Assessment, Booking, BookingReason, Slot, days_left


def _in_utf8(ref: str) -> str:
    if "\ufffd" in ref:  # what the server makes of other bytes
        raise ValueError("is not UTF-8")
    return ref


Ref = Annotated[
    BookingRef,
    AfterValidator(_in_utf8),
    Path(
        description="The booking system's own reference: any text that can be shown and has no /;"
        " the booking_ref of its documents."
    ),
]


def _without_default(schema: dict[str, Any]) -> None:
    """What is not given is not always that."""
    schema.pop("default")


class BookingChange(BaseModel):
    """What the booking system says about a booking."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [BOOKING_CHANGE]})

    service: str = Field(min_length=1, max_length=64, description="An id of /v1/services.")
    booked_at: Moment | None = Field(
        default=None,
        description="RFC 3339 with a time zone, at most 5 years from now. If not given: as it was,"
        " or now for a new booking.",
    )
    state: Literal["open", "cancelled"] = Field(
        default="open",
        description="For a cancelled booking nothing is taken or reviewed any more. If not given:"
        " as it was, or open for a new booking.",
        json_schema_extra=_without_default,
    )


class SlotAnswer(BaseModel):
    """One document that is asked for, and the upload that counts for it."""

    document_type: str
    title: dict[str, str]
    state: str = Field(
        description="missing, accept, review or reject. An accepted upload is in review while"
        " claims came with an earlier one and none with it."
    )
    document_id: str | None
    reason_codes: list[str] = Field(description="Of the report in force of that upload.")
    attempts: int = Field(description="Uploads so far.")
    attempts_left: int = Field(
        description="Those that are judged automatically; while an upload is accepted all are."
    )


class BookingReasonAnswer(BaseModel):
    """Why a booking is not simply accepted."""

    code: str
    decision: str
    document_types: list[str]
    field: str | None
    message: dict[str, str]
    advice: dict[str, str]


class BookingAnswer(BaseModel):
    """A booking with its checklist."""

    ref: str
    service: str
    state: str = Field(description="open or cancelled.")
    booked_at: datetime
    deadline_at: datetime
    days_left: int = Field(description="A begun day included; 0 when the deadline has passed.")
    is_overdue: bool
    outcome: str = Field(
        description="reject: a document must be brought again; incomplete: one is missing; "
        "review: a person looks, or claims that came before are wanted again; accept: all is well."
    )
    documents: list[SlotAnswer]
    reasons: list[BookingReasonAnswer]
    agreeing_fields: list[str] = Field(
        description="Claims of which two of the documents say the same; others were not compared."
    )


def booking_routes(services: Services) -> APIRouter:
    """The routes under ``/v1/bookings``."""
    router = APIRouter(prefix="/v1", tags=["bookings"])

    @router.get(
        "/bookings/{ref}",
        response_model=BookingAnswer,
        summary="What a booking still needs",
        responses=problem_responses("http.booking_not_found", "http.invalid"),
    )
    def show_booking(request: Request, ref: Ref) -> BookingAnswer:
        """The checklist, the outcome of all documents together, and the days that are left."""
        booking = services.portal.bookings.get(client_id_of(request), ref)
        if booking is None:
            raise Problem("http.booking_not_found")
        return _answer(services, booking)

    @router.put(
        "/bookings/{ref}",
        response_model=BookingAnswer,
        summary="Announce, change or cancel a booking",
        openapi_extra=json_request(BookingChange),
        responses={
            201: {"model": BookingAnswer, "description": "It is new."},
            **problem_responses("http.not_json", "http.body_too_large", "http.invalid"),
        },
    )
    async def put_booking(request: Request, response: Response, ref: Ref) -> BookingAnswer:
        """The same request may be repeated; documents may be there already."""
        change = await json_body(request, BookingChange)
        client_id = client_id_of(request)

        def work() -> tuple[BookingAnswer, bool]:
            booking = _booking(services, client_id, ref, change)
            is_new = services.portal.bookings.put(booking, now=services.clock())
            return _answer(services, booking), is_new

        answer, is_new = await run_in_threadpool(work)
        response.status_code = 201 if is_new else 200
        return answer

    return router


def _booking(services: Services, client_id: str, ref: str, change: BookingChange) -> Booking:
    if change.service not in services.portal.booked_services:
        raise _wrong("/service", "is not an id of /v1/services")
    before = services.portal.bookings.get(client_id, ref)
    booked_at = change.booked_at or (before.booked_at if before else services.clock())
    is_said = "state" in change.model_fields_set
    state = change.state if is_said or before is None else before.state
    refuse_far(booked_at, "/booked_at", services.clock())
    return Booking(client_id, ref, change.service, booked_at, state)


def _wrong(pointer: str, detail: str) -> Problem:
    return Problem("http.invalid", errors=[{"pointer": pointer, "detail": detail}])


def _answer(services: Services, booking: Booking) -> BookingAnswer:
    service = services.portal.booked_services[booking.service]
    found: Assessment = services.portal.bookings.assessment(booking)
    attempts = services.portal.bookings.attempts(booking.client_id, booking.ref)
    deadline, now = booking.deadline(service), services.clock()
    slots = []
    for slot in found.slots:
        made = attempts.get(slot.document_type, 0)
        slots.append(_slot(services, slot, made, max(0, service.most_attempts - made)))
    return BookingAnswer(
        ref=booking.ref,
        service=booking.service,
        state=booking.state,
        booked_at=booking.booked_at,
        deadline_at=deadline,
        days_left=days_left(deadline, now),
        is_overdue=now > deadline,
        outcome=found.outcome,
        documents=slots,
        reasons=[_reason(services, reason) for reason in found.reasons],
        agreeing_fields=list(found.agreeing_fields),
    )


def _slot(services: Services, slot: Slot, attempts: int, attempts_left: int) -> SlotAnswer:
    return SlotAnswer(
        document_type=slot.document_type,
        title=_title(services, slot.document_type),
        state=slot.state,
        document_id=slot.document_id,
        reason_codes=list(slot.reason_codes),
        attempts=attempts,
        attempts_left=attempts_left,
    )


def _reason(services: Services, reason: BookingReason) -> BookingReasonAnswer:
    names = [_title(services, name) for name in reason.document_types]
    said: dict[str, dict[str, str]] = {"message": {}, "advice": {}}
    for language, comma in (("ar", "، "), ("en", ", ")):
        facts = {"name": comma.join(name[language] for name in names)}
        if reason.claim is not None:
            facts["field"] = reason.claim
        text = services.problem_text(reason.code, facts)[language]
        said["message"][language], said["advice"][language] = text["title"], text["detail"]
    return BookingReasonAnswer(
        code=reason.code,
        decision=reason.decision,
        document_types=list(reason.document_types),
        field=reason.claim,
        **said,
    )


def _title(services: Services, document_type: str) -> dict[str, str]:
    known = services.document_types[document_type]
    return {"ar": known.title_ar, "en": known.title_en}
