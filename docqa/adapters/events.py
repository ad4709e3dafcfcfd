"""The outbox: what happened, recorded in the transaction that made it so."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from structlog.contextvars import get_contextvars

from docqa.adapters.schema import events

_ID_BYTES = 16
_RECORD = sa.insert(events)
_HELD_UNTIL: ContextVar[datetime | None] = ContextVar("held_until", default=None)


@contextmanager
def held(until: datetime | None) -> Iterator[None]:
    """Have nobody told before ``until`` of what is recorded meanwhile: it may be taken back.

    One within another never makes it sooner.
    """
    moments = [moment for moment in (until, _HELD_UNTIL.get()) if moment is not None]
    reset = _HELD_UNTIL.set(max(moments, default=None))
    try:
        yield
    finally:
        _HELD_UNTIL.reset(reset)


def retract(connection: sa.Connection, which: sa.ColumnElement[bool]) -> datetime | None:
    """Forget those events among ``which`` that are held and nobody was told of yet.

    Returns:
        Until when the last of them was held; None when there were none: what was told cannot be
        untold, only followed by another event.
    """
    forgotten = connection.execute(
        sa.delete(events)
        .where(which, events.c.told_at.is_(None), events.c.held_until.is_not(None))
        .returning(events.c.held_until)
    ).scalars()
    return max(forgotten, default=None)


def record_event(
    connection: sa.Connection,
    kind: str,
    *,
    occurred_at: datetime,
    body: dict[str, Any],
    client_id: str | None = None,
    document_id: str | None = None,
    booking_ref: str | None = None,
) -> str:
    """Record an event in the caller's transaction; its id. See :func:`held`.

    Args:
        connection: of the transaction that changes what the event tells of.
        kind: ``document.judged``, ``document.ruled``, ``document.deleted``, ``booking.changed`` …
        occurred_at: aware.
        body: thin: ids, decisions and reason codes, never what a citizen typed or a document says.
            The id of the request that is being answered is added.
        client_id: whose it is; None when no client owns it.
        document_id: what it is about.
        booking_ref: the booking it belongs to.
    """
    event_id = "evt_" + secrets.token_hex(_ID_BYTES)
    request_id = get_contextvars().get("request_id")
    if request_id is not None:
        body = {**body, "request_id": request_id}
    row = {
        "id": event_id,
        "kind": kind,
        "client_id": client_id,
        "document_id": document_id,
        "booking_ref": booking_ref,
        "occurred_at": occurred_at,
        "body": body,
        "held_until": _HELD_UNTIL.get(),
    }
    connection.execute(_RECORD, row)
    return event_id
