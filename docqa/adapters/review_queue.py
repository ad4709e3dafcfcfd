"""The reviewers' queue: which documents of it, in which order, and how many.

A page is found in two steps: first the ids, from one index that holds all that is asked; then what
is shown of these few. A filter that few documents pass is followed from its own small table, any
other along the queue, so that neither walks through what it does not show.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from docqa.adapters.review_tables import (
    review_claims,
    review_facts,
    review_reasons,
    second_looks,
)
from docqa.adapters.review_writing import WAITS
from docqa.adapters.schema import documents
from docqa.reviewing import Counters, Position, QueueFilter, Waiting

_FEW = 2000
"""So many documents are fetched and put in order one by one sooner than the queue is walked."""
_ORDER = (documents.c.deadline_at.nulls_last(), documents.c.received_at, documents.c.id)
_EVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Before everything: ``> _EVER`` is an index range, where ``IS NOT NULL`` need not be one."""
_WAITS_OF_FEW = (sa.func.coalesce(documents.c.decision, "") == "review") & ~documents.c.is_withdrawn
"""The same as WAITS, in a form that no index can answer: a database that knows nothing yet of how
the decisions are spread would walk the whole queue for a handful of documents."""


def page(
    connection: sa.Connection,
    which: QueueFilter,
    after: Position | None,
    limit: int,
    now: datetime,
) -> list[Waiting]:
    """See :meth:`docqa.reviewing.ReviewDesk.queue`."""
    asked, are_few = passing(connection, which, now)
    waits = _WAITS_OF_FEW if are_few else WAITS
    if which.holder is not None:
        waits |= documents.c.id.in_(_looked_at_again_by(which.holder, now))
    query = sa.select(documents.c.id).where(waits, *asked).order_by(*_ORDER)
    ids: list[str] = []
    for part in _beyond(after):
        ids += connection.execute(query.where(part).limit(limit - len(ids))).scalars()
        if len(ids) == limit:
            break
    return _shown(connection, ids, now)


def counters(connection: sa.Connection, reviewer: str, now: datetime, soon: timedelta) -> Counters:
    """See :meth:`docqa.reviewing.ReviewDesk.counters`."""
    of = sa.select(sa.func.count()).select_from(documents).where(WAITS)
    waits = sa.exists().where(documents.c.id == review_claims.c.document_id, WAITS)
    mine = sa.select(sa.func.count()).where(*_held_by(reviewer, now), waits)
    again = _looked_at_again_by(reviewer, now).with_only_columns(sa.func.count())
    waits = sa.exists().where(documents.c.id == review_facts.c.document_id, WAITS)
    escalated = sa.select(sa.func.count()).where(review_facts.c.escalated_at > _EVER, waits)
    counts = sa.select(
        of.scalar_subquery(),
        of.where(documents.c.deadline_at <= now + soon).scalar_subquery(),
        mine.scalar_subquery() + again.scalar_subquery(),
        escalated.scalar_subquery(),
    )
    return Counters(*connection.execute(counts).one())


def _shown(connection: sa.Connection, ids: list[str], now: datetime) -> list[Waiting]:
    held = (review_claims.c.document_id == documents.c.id) & (review_claims.c.until > now)
    again = (second_looks.c.document_id == documents.c.id) & _is_looked_at_again(now)
    query = (
        sa.select(
            documents.c.id,
            documents.c.document_type,
            documents.c.file_name,
            documents.c.booking_ref,
            documents.c.received_at,
            documents.c.deadline_at,
            review_facts.c.score,
            review_facts.c.codes,
            review_facts.c.escalated_by,
            review_facts.c.deadline_near_at,
            sa.func.coalesce(review_claims.c.reviewer, second_looks.c.second_reviewer).label(
                "holder"
            ),
        )
        .outerjoin(review_facts, review_facts.c.document_id == documents.c.id)
        .outerjoin(review_claims, held)
        .outerjoin(second_looks, again)
        .where(documents.c.id.in_(ids))
    )
    rows = {row.id: _waiting(row) for row in connection.execute(query)}
    return [rows[one] for one in ids if one in rows]  # one may be erased in between


def _beyond(after: Position | None) -> Iterator[sa.ColumnElement[bool]]:
    """That a document comes after a position: one condition after the other, each an index range.

    One condition for all would have the database walk the whole queue up to the position.
    """
    if after is None:
        yield sa.true()
        return
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


def passing(
    connection: sa.Connection, which: QueueFilter, now: datetime
) -> tuple[list[sa.ColumnElement[bool]], bool]:
    """What a filter asks of a document besides that it waits, and whether few can pass."""
    few: list[sa.Select[tuple[str]] | sa.CompoundSelect[tuple[str]]] = []
    asked: list[sa.ColumnElement[bool]] = []
    if which.holder is not None:
        claimed = sa.select(review_claims.c.document_id).where(*_held_by(which.holder, now))
        again = _looked_at_again_by(which.holder, now)
        few.append(sa.union_all(claimed, again))
    if which.escalated:
        few.append(sa.select(review_facts.c.document_id).where(review_facts.c.escalated_at > _EVER))
    if which.reason is not None:
        has_reason = review_reasons.c.code == which.reason
        having = sa.select(review_reasons.c.document_id).where(has_reason)
        if _is_short(connection, having):
            few.append(having)
        else:
            of_document = review_reasons.c.document_id == documents.c.id
            asked.append(sa.exists().where(of_document, has_reason))
    asked += [documents.c.id.in_(ids) for ids in few]
    if which.document_type is not None:
        asked.append(documents.c.document_type == which.document_type)
    if which.received_before is not None:
        asked.append(documents.c.received_at < which.received_before)
    if which.due_before is not None:
        asked.append(documents.c.deadline_at <= which.due_before)
    return asked, bool(few)


def _is_short(connection: sa.Connection, ids: sa.Select[tuple[str]]) -> bool:
    some = ids.limit(_FEW + 1).subquery()
    count = connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
    return bool(count <= _FEW)


def _held_by(reviewer: str, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return review_claims.c.reviewer == reviewer, review_claims.c.until > now


def _looked_at_again_by(reviewer: str, now: datetime) -> sa.Select[tuple[str]]:
    """What the reviewer holds for a second look: to them it waits as anything else does."""
    return sa.select(second_looks.c.document_id).where(
        second_looks.c.second_reviewer == reviewer, _is_looked_at_again(now)
    )


def _is_looked_at_again(now: datetime) -> sa.ColumnElement[bool]:
    return second_looks.c.second_outcome.is_(None) & (second_looks.c.second_until > now)


def _waiting(row: Any) -> Waiting:
    return Waiting(
        id=row.id,
        document_type=row.document_type,
        file_name=row.file_name,
        booking_ref=row.booking_ref,
        received_at=row.received_at,
        deadline_at=row.deadline_at,
        score=row.score,
        codes=tuple(row.codes or ()),
        holder=row.holder,
        escalated_by=row.escalated_by,
        deadline_near_at=row.deadline_near_at,
    )
