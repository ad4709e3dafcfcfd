"""Rows of webhook endpoints, deliveries and events, as the core sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from docqa.adapters.webhook_tables import webhook_endpoints
from docqa.webhooks.payload import payload
from docqa.webhooks.records import Attempt, DeliveryRecord, Endpoint, EventRecord

_NAMES = ("id", "url", "kinds", "client_id", "enabled", "disabled_because", "created_at")
ENDPOINTS = sa.select(*(webhook_endpoints.c[name] for name in _NAMES))
"""All of them, without their secrets: those need a key."""


def endpoint_of(row: sa.Row[Any]) -> Endpoint:
    """One of ``ENDPOINTS``."""
    return Endpoint(**{**row._asdict(), "kinds": tuple(row.kinds)})


def attempt_of(
    held: sa.Row[Any], event: sa.Row[Any], url: str, secrets: tuple[str, ...]
) -> Attempt:
    """A delivery that was just claimed, of an event to an endpoint with these live secrets."""
    body = payload(
        event.kind,
        number=event.number,
        occurred_at=event.occurred_at,
        body=event.body,
        document_id=event.document_id,
        booking_ref=event.booking_ref,
    )
    return Attempt(
        delivery=held.number,
        fence=held.fence,
        number=held.attempts,
        until=held.until,
        endpoint_id=held.endpoint_id,
        url=url,
        secrets=secrets,
        event_id=event.id,
        body=body,
    )


def delivery_of(row: sa.Row[Any]) -> DeliveryRecord:
    """How a delivery stands."""
    due_at = row.due_at if row.state == "waiting" else None
    return DeliveryRecord(row.endpoint_id, row.state, row.attempts, due_at, row.status, row.error)


def event_of(row: sa.Row[Any], told: Sequence[DeliveryRecord]) -> EventRecord:
    """An event with its deliveries."""
    return EventRecord(
        number=row.number,
        id=row.id,
        kind=row.kind,
        occurred_at=row.occurred_at,
        document_id=row.document_id,
        booking_ref=row.booking_ref,
        body=row.body,
        deliveries=tuple(told),
    )
