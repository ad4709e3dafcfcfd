"""Documents whose booking soon lapses, each told of once."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from docqa.adapters.audit_trail import append_entry
from docqa.adapters.events import record_event
from docqa.adapters.review_tables import review_facts
from docqa.adapters.review_writing import WAITS, record
from docqa.adapters.schema import documents
from docqa.reviewing import TrailEntry

_ACTOR = "docqa"
_AT_ONCE = 100


def due(now: datetime, within: timedelta) -> sa.Select[tuple[str]]:
    """Some of the documents that are to be told of, the nearest deadline first."""
    return (
        sa.select(review_facts.c.document_id)
        .join(documents, documents.c.id == review_facts.c.document_id)
        .where(WAITS, documents.c.deadline_at <= now + within)
        .where(review_facts.c.deadline_near_at.is_(None))
        .order_by(documents.c.deadline_at, documents.c.received_at, documents.c.id)
        .limit(_AT_ONCE)
    )


def escalate(connection: sa.Connection, now: datetime, within: timedelta) -> int:
    """Tell of some of them in the caller's transaction: event, trail and audit entry; how many.

    Of several that do so at the same moment each tells of others.
    """
    mine = due(now, within).with_for_update(of=review_facts, skip_locked=True)
    noted = (
        sa.update(review_facts)
        .where(review_facts.c.document_id.in_(mine), review_facts.c.deadline_near_at.is_(None))
        .values(deadline_near_at=now)
        .returning(review_facts.c.document_id)
    )
    ids = sorted(connection.execute(noted).scalars())
    query = sa.select(documents).where(documents.c.id.in_(ids)).order_by(documents.c.id)
    for row in connection.execute(query).all():
        record_event(
            connection,
            "document.escalated",
            occurred_at=now,
            body={"decision": "review", "because": "deadline"},
            client_id=row.client_id,
            document_id=row.id,
            booking_ref=row.booking_ref,
        )
        record(connection, TrailEntry(row.id, _ACTOR, "deadline_near", "", now))
    for document_id in ids:  # last: whoever appends holds the chain
        append_entry(
            connection,
            "document.escalated",
            subject=document_id,
            actor=_ACTOR,
            facts={"because": "deadline"},
            recorded_at=now,
        )
    return len(ids)
