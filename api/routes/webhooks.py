"""Webhook endpoints, what happened, and telling it again. For administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.problems import Problem
from api.query import heed_all
from api.routes.examples import problem_responses
from api.services import Services
from docqa.webhooks.addresses import LONGEST_URL_CHARACTERS, UnusableAddress, check_url
from docqa.webhooks.records import Endpoint, EventKind, EventRecord

_PAGE, _MOST_ON_A_PAGE = 50, 200
_NO_NUL = r"^[^\x00]*$"
"""PostgreSQL cannot be asked for one."""
ENDPOINT: dict[str, Any] = {
    "id": "whe_5d41402abc4b2a76b9719d911017c592",
    "url": "https://booking.example/docqa",
    "kinds": ["document.judged", "document.ruled"],
    "client_id": None,
    "enabled": True,
    "disabled_because": None,
    "created_at": "2026-05-04T12:00:00Z",
}
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
EVENT: dict[str, Any] = {
    "id": "evt_9f86d081884c7d659a2feaa0c55ad015",
    "sequence": 7,
    "kind": "document.judged",
    "occurred_at": "2026-05-04T12:00:00Z",
    "document_id": "doc_5d41402abc4b2a76b9719d911017c592",
    "booking_ref": "B-2026-000123",
    "data": {"decision": "reject", "reason_codes": ["capture.camera"]},
    "deliveries": [
        {
            "endpoint_id": ENDPOINT["id"],
            "state": "delivered",
            "attempts": 1,
            "next_attempt_at": None,
            "status": 204,
            "error": None,
        }
    ],
}
Kinds = Annotated[list[EventKind], Field(max_length=50)]


class NewEndpoint(BaseModel):
    """Where events are to be delivered."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": ENDPOINT["url"], "kinds": ENDPOINT["kinds"]}]},
    )

    url: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL_CHARACTERS)] = Field(
        description="https, on the public internet or in a network the operator allowed."
    )
    kinds: Kinds = Field(default=[], description="Kinds of events it wants; none for all.")
    client_id: (
        Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)] | None
    ) = Field(default=None, description="Only events of this client; everybody's if not given.")


class EndpointChange(BaseModel):
    """What to change; what is not given stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"enabled": False}]})

    enabled: bool | None = None
    kinds: Kinds | None = None


class EndpointAnswer(BaseModel):
    """Where events are delivered."""

    id: str
    url: str
    kinds: list[str]
    client_id: str | None
    enabled: bool
    disabled_because: str | None = Field(description="operator, or gone: it answered 410.")
    created_at: datetime


class NewEndpointAnswer(EndpointAnswer):
    """A new endpoint with its secret, which is shown this once."""

    secret: str


class EndpointList(BaseModel):
    """Every endpoint."""

    items: list[EndpointAnswer]


class SecretAnswer(BaseModel):
    """A new secret, shown this once. The one before stays valid for a day."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"secret": SECRET}]})

    secret: str


class DeliveryAnswer(BaseModel):
    """How the delivery of an event to one endpoint stands."""

    endpoint_id: str
    state: str = Field(description="waiting, delivered or given_up.")
    attempts: int
    next_attempt_at: datetime | None
    status: int | None = Field(description="HTTP status of the last answer.")
    error: str | None


class EventAnswer(BaseModel):
    """Something that happened."""

    id: str
    sequence: int = Field(description="Grows with every event.")
    kind: str
    occurred_at: datetime
    document_id: str | None
    booking_ref: str | None
    data: dict[str, Any]
    deliveries: list[DeliveryAnswer]


class EventPage(BaseModel):
    """Some events, the oldest first."""

    items: list[EventAnswer]
    next: str | None = Field(description="Address of the page after this one.")


class Redelivery(BaseModel):
    """To whom an event is to be told again."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"endpoint_id": ENDPOINT["id"]}]}
    )

    endpoint_id: Annotated[str, StringConstraints(pattern=_NO_NUL)] | None = Field(
        default=None, description="All that want it if not given."
    )


class RedeliveryAnswer(BaseModel):
    """How many endpoints are told again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"deliveries": 1}]})

    deliveries: int


def webhook_routes(services: Services) -> APIRouter:
    """The routes under ``/v1/webhook-endpoints`` and ``/v1/events``."""
    router = APIRouter(prefix="/v1", tags=["webhooks"])
    _add_endpoints(router, services)
    _add_changes(router, services)
    _add_events(router, services)
    return router


def _add_endpoints(router: APIRouter, services: Services) -> None:
    @router.post(
        "/webhook-endpoints",
        status_code=201,
        response_model=NewEndpointAnswer,
        summary="Have events delivered",
        responses=problem_responses("http.not_json", "http.body_too_large", "http.invalid"),
    )
    def add_endpoint(new: NewEndpoint) -> dict[str, Any]:
        """Tells it what happens from now on, signed as Standard Webhooks describes."""
        try:
            check_url(new.url, services.settings.webhook_allowed_networks)
        except UnusableAddress as error:
            errors = [{"pointer": "/url", "detail": str(error)}]
            raise Problem("http.invalid", errors=errors) from error
        endpoint, secret = services.webhooks.add_endpoint(
            new.url, kinds=new.kinds, client_id=new.client_id, now=services.clock()
        )
        return {**_endpoint(endpoint), "secret": secret}

    @router.get(
        "/webhook-endpoints",
        response_model=EndpointList,
        summary="Where events are delivered",
    )
    def list_endpoints() -> dict[str, Any]:
        """All of them, the oldest first."""
        return {"items": [_endpoint(one) for one in services.webhooks.endpoints()]}

    @router.get(
        "/webhook-endpoints/{endpoint_id}",
        response_model=EndpointAnswer,
        summary="One endpoint",
        responses=problem_responses("http.webhook_endpoint_not_found", "http.invalid"),
    )
    def show_endpoint(endpoint_id: str) -> dict[str, Any]:
        """Without its secret."""
        try:
            return _endpoint(services.webhooks.endpoint(endpoint_id))
        except KeyError:
            raise Problem("http.webhook_endpoint_not_found") from None


def _add_changes(router: APIRouter, services: Services) -> None:
    @router.patch(
        "/webhook-endpoints/{endpoint_id}",
        response_model=EndpointAnswer,
        summary="Switch an endpoint on or off, or change what it wants",
        responses=problem_responses(
            "http.not_json",
            "http.webhook_endpoint_not_found",
            "http.body_too_large",
            "http.invalid",
        ),
    )
    def change_endpoint(endpoint_id: str, change: EndpointChange) -> dict[str, Any]:
        """What is on its way waits while it is off; what happens meanwhile is not kept for it."""
        try:
            return _endpoint(
                services.webhooks.change_endpoint(
                    endpoint_id, enabled=change.enabled, kinds=change.kinds
                )
            )
        except KeyError:
            raise Problem("http.webhook_endpoint_not_found") from None

    @router.post(
        "/webhook-endpoints/{endpoint_id}/rotations",
        status_code=201,
        response_model=SecretAnswer,
        summary="Give an endpoint a new secret",
        responses=problem_responses("http.webhook_endpoint_not_found", "http.invalid"),
    )
    def rotate_secret(endpoint_id: str) -> dict[str, str]:
        """For a day every webhook carries a signature by the new one and one by the old one."""
        try:
            secret = services.webhooks.rotate_secret(endpoint_id, now=services.clock())
        except KeyError:
            raise Problem("http.webhook_endpoint_not_found") from None
        return {"secret": secret}


def _add_events(router: APIRouter, services: Services) -> None:
    @router.get(
        "/events",
        response_model=EventPage,
        summary="What happened",
        dependencies=[Depends(heed_all)],
        responses=problem_responses("http.invalid"),
    )
    def list_events(
        after: Annotated[int, Query(ge=0, le=2**31 - 1, description="A sequence.")] = 0,
        limit: Annotated[int, Query(ge=1, le=_MOST_ON_A_PAGE)] = _PAGE,
    ) -> dict[str, Any]:
        """And how far each delivery of it is."""
        found = services.webhooks.events(after=after, limit=limit, now=services.clock())
        more = f"/v1/events?after={found[-1].number}&limit={limit}" if len(found) == limit else None
        return {"items": [_event(one) for one in found], "next": more}

    @router.post(
        "/events/{event_id}/redeliveries",
        status_code=202,
        response_model=RedeliveryAnswer,
        summary="Tell an event again",
        responses=problem_responses(
            "http.not_json", "http.event_not_found", "http.body_too_large", "http.invalid"
        ),
    )
    def redeliver(event_id: str, redelivery: Redelivery | None = None) -> dict[str, int]:
        """With the same webhook-id as before, and all attempts anew."""
        endpoint_id = redelivery.endpoint_id if redelivery else None
        try:
            count = services.webhooks.redeliver(
                event_id, endpoint_id=endpoint_id, now=services.clock()
            )
        except KeyError as error:
            missing = "event" if error.args[0] == event_id else "webhook_endpoint"
            raise Problem(f"http.{missing}_not_found") from None
        except ValueError as error:
            errors = [{"pointer": "/endpoint_id", "detail": str(error)}]
            raise Problem("http.invalid", errors=errors) from None
        return {"deliveries": count}


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "kinds": list(endpoint.kinds),
        "client_id": endpoint.client_id,
        "enabled": endpoint.enabled,
        "disabled_because": endpoint.disabled_because,
        "created_at": endpoint.created_at,
    }


def _event(event: EventRecord) -> dict[str, Any]:
    return {
        "id": event.id,
        "sequence": event.number,
        "kind": event.kind,
        "occurred_at": event.occurred_at,
        "document_id": event.document_id,
        "booking_ref": event.booking_ref,
        "data": event.body,
        "deliveries": [
            {
                "endpoint_id": one.endpoint_id,
                "state": one.state,
                "attempts": one.attempts,
                "next_attempt_at": one.due_at,
                "status": one.status,
                "error": one.error,
            }
            for one in event.deliveries
        ],
    }
