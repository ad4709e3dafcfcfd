"""Reviewers at work, in an SQL database: queue, claims, decisions, second looks, trail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from docqa.adapters import review_escalation, review_figures, review_queue
from docqa.adapters import review_writing as writing
from docqa.adapters.audit_trail import append_entry
from docqa.adapters.events import held
from docqa.adapters.review_tables import (
    review_claims,
    review_decisions,
    review_facts,
    review_trail,
    second_looks,
)
from docqa.adapters.schema import documents
from docqa.adapters.store import SqlStore
from docqa.reviewing import (
    EVERYTHING,
    Attempt,
    Claim,
    Counters,
    Decided,
    Figures,
    Position,
    QueueFilter,
    TrailEntry,
    Waiting,
)

_TRIED_AT_ONCE = 20
"""Documents that are tried in turn when several reviewers ask for the next at the same moment."""


class SqlDesk:
    """ReviewDesk on SQLite or PostgreSQL.

    Every write begins with the statement that takes the lock on the document, so that of two
    reviewers at the same moment one waits for the other.

    Args:
        store: the documents.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._engine = store.engine

    # The queue

    def queue(
        self, which: QueueFilter, *, after: Position | None, limit: int, now: datetime
    ) -> list[Waiting]:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        with self._engine.connect() as connection:
            return review_queue.page(connection, which, after, limit, now)

    def counters(self, reviewer: str, *, now: datetime, soon: timedelta) -> Counters:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        with self._engine.connect() as connection:
            return review_queue.counters(connection, reviewer, now, soon)

    def attempts(self, client_id: str | None, booking_ref: str) -> list[Attempt]:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        query = (
            sa.select(
                documents.c.id,
                documents.c.document_type,
                documents.c.decision,
                documents.c.received_at,
            )
            .where(documents.c.booking_ref == booking_ref, documents.c.client_id == client_id)
            .order_by(documents.c.received_at.desc(), documents.c.id)
            .limit(_TRIED_AT_ONCE)
        )
        with self._engine.connect() as connection:
            return [Attempt(*row) for row in connection.execute(query)]

    # Claims

    def claim(
        self,
        document_id: str,
        reviewer: str,
        *,
        now: datetime,
        lease: timedelta,
        take_over: bool = False,
    ) -> Claim | None:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        with self._engine.begin() as connection:
            if writing.hold_second_look(connection, document_id, reviewer, now + lease):
                return writing.second_look_claim(connection, document_id)
            if not writing.lock(connection, document_id, writing.WAITS):
                return None
            held = writing.claim_of(connection, document_id)
            mine = held is not None and held.reviewer == reviewer
            if held is not None and not mine and held.until > now and not take_over:
                return None
            goes_on = held is not None and mine and held.until > now
            claim = Claim(
                document_id=document_id,
                reviewer=reviewer,
                version=1 if held is None else held.version + (not mine),
                claimed_at=held.claimed_at if held is not None and goes_on else now,
                until=now + lease,
            )
            writing.write_claim(connection, claim, is_new=held is None)
        return claim

    def claim_next(
        self,
        reviewer: str,
        *,
        now: datetime,
        lease: timedelta,
        after: Position | None = None,
        which: QueueFilter = EVERYTHING,
        takes_escalated: bool = True,
    ) -> Claim | None:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        second = self._claim_second_look(which, reviewer, now, lease)
        if second is not None:
            return second
        start = after
        while True:
            batch = self.queue(which, after=after, limit=_TRIED_AT_ONCE, now=now)
            for waiting in batch:
                if waiting.holder not in (None, reviewer):
                    continue
                by = waiting.escalated_by
                if by is not None and (by == reviewer or not takes_escalated):
                    continue
                claim = self.claim(waiting.id, reviewer, now=now, lease=lease)
                if claim is not None:
                    return claim
            if len(batch) < _TRIED_AT_ONCE:
                break
            after = batch[-1].position
        if start is not None:
            return None
        return self._claim_second_look(which, reviewer, now, lease, put_back=True)

    def holder(self, document_id: str, *, now: datetime) -> Claim | None:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        with self._engine.connect() as connection:
            claims = (
                writing.claim_of(connection, document_id),
                writing.second_look_claim(connection, document_id),
            )
        return next((held for held in claims if held is not None and held.until > now), None)

    def release(self, document_id: str, reviewer: str) -> None:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(review_claims)
                .where(
                    review_claims.c.document_id == document_id,
                    review_claims.c.reviewer == reviewer,
                )
                .values(until=review_claims.c.claimed_at)
            )
            connection.execute(
                sa.update(second_looks)
                .where(*writing.second_look_of(document_id, reviewer))
                .values(second_until=writing.PUT_BACK)
            )

    # Decisions

    def decide(
        self, decided: Decided, *, claim_version: int | None, second_look: bool
    ) -> Literal["recorded", "lost", "changed", "closed"]:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        with held(decided.undo_until), self._engine.begin() as connection:
            second = writing.decide_second_look(connection, decided)
            if second == "recorded":
                facts = {"outcome": decided.outcome}
                append_entry(
                    connection, "document.looked_at_again",
                    subject=decided.document_id, actor=decided.reviewer, facts=facts,
                )  # fmt: skip
            if second is not None:
                return second
            if not writing.lock(connection, decided.document_id, sa.true()):
                return "closed"
            claim = writing.claim_of(connection, decided.document_id)
            if writing.is_lost(claim, decided, claim_version):
                return "lost"
            if writing.is_changed(connection, decided):
                return "changed"
            ruling_number = None
            if decided.outcome == "escalate":
                if not writing.lock(connection, decided.document_id, writing.WAITS):
                    return "closed"
            else:
                ruling_number = writing.rule(connection, decided)
                if ruling_number is None:
                    return "closed"
            writing.write_decision(connection, decided, ruling_number, claim)
            connection.execute(
                sa.update(review_claims)
                .where(review_claims.c.document_id == decided.document_id)
                .values(until=decided.decided_at)
            )
            if second_look and decided.outcome != "escalate":
                writing.sample(connection, decided)
            self._remember(connection, decided.document_id, decided.reviewer, decided.outcome)
        return "recorded"

    def undo(self, document_id: str, reviewer: str, *, now: datetime, within: timedelta) -> bool:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        last = (
            sa.select(review_decisions)
            .where(review_decisions.c.document_id == document_id)
            .order_by(review_decisions.c.number.desc())
            .limit(1)
        )
        with self._engine.begin() as connection:
            writing.lock(connection, document_id, sa.true())
            row = connection.execute(last).one_or_none()
            if (
                row is None
                or row.reviewer != reviewer
                or row.undone_at is not None
                or row.decided_at < now - within
            ):
                return False
            writing.take_back(connection, row, now)
            self._remember(connection, document_id, reviewer, "undone")
        return True

    def _remember(
        self, connection: sa.Connection, document_id: str, reviewer: str, outcome: str
    ) -> None:
        """Tell the booking and, as the last statement of the transaction, the audit trail."""
        self._store.changed(connection, document_id)
        facts = {"outcome": outcome}
        append_entry(
            connection, "document.reviewed", subject=document_id, actor=reviewer, facts=facts
        )

    def escalate_due(self, *, now: datetime, within: timedelta) -> int:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        with self._engine.connect() as connection:  # an idle look takes no lock
            if connection.execute(review_escalation.due(now, within)).first() is None:
                return 0
        with self._engine.begin() as connection:
            return review_escalation.escalate(connection, now, within)

    def escalated_by(self, document_id: str) -> str | None:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        query = (
            sa.select(review_facts.c.escalated_by)
            .join(documents, documents.c.id == review_facts.c.document_id)
            .where(documents.c.id == document_id, writing.WAITS)
        )
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def is_withdrawn(self, document_id: str) -> bool:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        query = sa.select(documents.c.id).where(
            documents.c.id == document_id,
            documents.c.decision == "review",
            documents.c.is_withdrawn,
        )
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def last_note(self, document_id: str) -> str:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        query = (
            sa.select(review_decisions.c.note)
            .where(review_decisions.c.document_id == document_id)
            .order_by(review_decisions.c.number.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none() or ""

    # The second look

    def is_second_look(self, document_id: str, reviewer: str) -> bool:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        query = sa.select(sa.func.count()).where(*writing.second_look_of(document_id, reviewer))
        with self._engine.connect() as connection:
            return bool(connection.execute(query).scalar_one())

    def _claim_second_look(
        self,
        which: QueueFilter,
        reviewer: str,
        now: datetime,
        lease: timedelta,
        *,
        put_back: bool = False,
    ) -> Claim | None:
        """Hold a second look that nobody else holds, one the reviewer put back only if asked."""
        until, last = second_looks.c.second_until, second_looks.c.second_reviewer
        kept = until.is_(None) | (until > writing.PUT_BACK) | (last != reviewer)
        free = (
            second_looks.c.second_outcome.is_(None),
            second_looks.c.first_reviewer != reviewer,
            until.is_(None) | (until <= now) | (last == reviewer),
            sa.true() if put_back else kept,
        )
        query = (
            sa.select(second_looks.c.document_id, last, until, second_looks.c.first_at)
            .join(documents, documents.c.id == second_looks.c.document_id)
            .order_by(second_looks.c.first_at)
            .limit(1)
        )
        with self._engine.begin() as connection:
            asked, _ = review_queue.passing(connection, which, now)
            found = connection.execute(query.where(*free, *asked)).one_or_none()
            if found is None:
                return None
            taken = connection.execute(
                sa.update(second_looks)
                .where(second_looks.c.document_id == found.document_id, *free)
                .values(second_reviewer=reviewer, second_until=now + lease)
            )
        goes_on = found.second_reviewer == reviewer and found.second_until > now
        since = found.first_at if goes_on else now
        held = Claim(found.document_id, reviewer, writing.ONLY_VERSION, since, now + lease)
        return held if taken.rowcount else None

    # The trail and the figures

    def record(self, entry: TrailEntry) -> None:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        with self._engine.begin() as connection:
            if entry.detail and not writing.lock(connection, entry.document_id, sa.true()):
                entry = replace(entry, detail="")  # erased meanwhile, and what was typed with it
            writing.record(connection, entry)
            append_entry(
                connection,
                "document.viewed_unmasked" if entry.action == "revealed" else "document.viewed",
                subject=entry.document_id,
                actor=entry.reviewer,
                facts={"action": entry.action},
            )

    def trail(self, document_id: str) -> list[TrailEntry]:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        query = (
            sa.select(review_trail)
            .where(review_trail.c.document_id == document_id)
            .order_by(review_trail.c.number.desc())
        )
        with self._engine.connect() as connection:
            return [
                TrailEntry(row.document_id, row.reviewer, row.action, row.detail, row.recorded_at)
                for row in connection.execute(query)
            ]

    def figures(self, *, first_day: str, last_day: str) -> Figures:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        with self._engine.connect() as connection:
            return review_figures.figures(connection, first_day, last_day)

    def decisions(self, *, first_day: str, last_day: str) -> Iterator[dict[str, Any]]:
        """See :class:`docqa.reviewing.ReviewDesk`."""
        with self._engine.connect() as connection:
            yield from review_figures.decisions(connection, first_day, last_day)
