"""A client's documents as lists, their past reports, and deleting them, in an SQL database."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import sqlalchemy as sa

from docqa.adapters.retention import SqlRetention
from docqa.adapters.schema import UtcDateTime, documents, reports
from docqa.adapters.store import SqlStore
from docqa.ports import PastReport, StoredDocument

_PATIENCE_MS = 200
"""Shorter than a client notices; purging has more."""
_PLACE = (documents.c.received_at, documents.c.id)


class SqlRecords:
    """What a portal can ask about documents beyond one at a time.

    Args:
        store: the documents.
        retention: what erases them.
    """

    def __init__(self, store: SqlStore, retention: SqlRetention) -> None:
        self._store = store
        self._retention = retention

    def page(
        self,
        client_id: str,
        *,
        after: tuple[datetime, str] | None,
        limit: int,
        booking_ref: str | None = None,
        decision: str | None = None,
    ) -> list[StoredDocument]:
        """At most ``limit`` documents of a client after ``(received_at, id)``, the oldest first."""

        def narrowed(query: sa.Select[tuple[object, ...]]) -> sa.Select[tuple[object, ...]]:
            query = query.where(documents.c.client_id == client_id)
            if after is not None:
                bound = sa.literal(after[0], UtcDateTime), sa.literal(after[1])
                query = query.where(sa.tuple_(*_PLACE) > sa.tuple_(*bound))
            if booking_ref is not None:
                query = query.where(documents.c.booking_ref == booking_ref)
            if decision is not None:
                query = query.where(documents.c.decision == decision)
            return query.order_by(*_PLACE).limit(limit)

        return self._store.find(narrowed)

    def history(self, document_id: str) -> list[PastReport]:
        """Every report of a document, the first one first; [] for an unknown document."""
        query = (
            sa.select(reports)
            .where(reports.c.document_id == document_id)
            .order_by(reports.c.number)
        )
        with self._store.engine.connect() as connection:
            return [
                PastReport(row.number, row.recorded_at, row.report)
                for row in connection.execute(query)
            ]

    def erase(self, document: StoredDocument, actor: str) -> None:
        """Delete a document for good, as its client asks. A missing one is no error.

        Raises HeldDocument where a legal hold forbids it.
        """
        with suppress(KeyError):
            self._retention.erase(document.id, "requested", actor)
        self._retention.overwrite_deleted(_PATIENCE_MS)
