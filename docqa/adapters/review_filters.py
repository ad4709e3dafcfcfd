"""Which documents of the queue, as conditions of a query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from docqa.adapters.review_tables import review_claims, review_facts, review_reasons
from docqa.adapters.schema import documents
from docqa.reviewing import Position, QueueFilter


def beyond(after: Position) -> Iterator[sa.ColumnElement[bool]]:
    """That a document comes after a position: one condition after the other, each an index range.

    One condition for all would have the database walk the whole queue up to the position.
    """
    deadline, received, document_id = after
    later = sa.tuple_(documents.c.received_at, documents.c.id) > sa.tuple_(
        sa.literal(received, documents.c.received_at.type), sa.literal(document_id)
    )
    if deadline is None:
        yield documents.c.deadline_at.is_(None) & later
        return
    yield (documents.c.deadline_at == deadline) & later
    yield documents.c.deadline_at > deadline
    yield documents.c.deadline_at.is_(None)


def conditions(which: QueueFilter, now: datetime) -> Iterator[sa.ColumnElement[bool]]:
    """What a filter of the queue asks of a document."""
    if which.reason is not None:
        yield documents.c.id.in_(
            sa.select(review_reasons.c.document_id).where(review_reasons.c.code == which.reason)
        )
    if which.document_type is not None:
        yield documents.c.document_type == which.document_type
    if which.received_before is not None:
        yield documents.c.received_at < which.received_before
    if which.due_before is not None:
        yield documents.c.deadline_at <= which.due_before
    if which.holder is not None:
        yield sa.and_(*held_by(which.holder, now))
    if which.escalated:
        yield review_facts.c.escalated_at.is_not(None)


def held_by(reviewer: str, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """That a reviewer holds the claim on a document."""
    return review_claims.c.reviewer == reviewer, review_claims.c.until > now
