"""A client's documents as lists, their past reports, and deleting them, in an SQL database."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from docqa.adapters.events import record_event
from docqa.adapters.schema import UtcDateTime, documents, reports
from docqa.adapters.store import SqlStore
from docqa.ports import BlobStore, PastReport, StoredDocument

_PLACE = (documents.c.received_at, documents.c.id)


class SqlRecords:
    """What a portal can ask about documents beyond one at a time.

    Args:
        store: the documents.
        blobs: their bytes.
    """

    def __init__(self, store: SqlStore, blobs: BlobStore) -> None:
        self._store = store
        self._blobs = blobs

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

    def erase(self, document: StoredDocument) -> None:
        """Delete a document: its bytes, reports and rulings. A missing one is no error.

        The bytes go first, so that a failure leaves a row by which to try again.
        """
        self._blobs.delete(document.blob_key)
        with self._store.engine.begin() as connection:
            deleted = connection.execute(sa.delete(documents).where(documents.c.id == document.id))
            if deleted.rowcount == 0:
                return
            record_event(
                connection,
                "document.deleted",
                occurred_at=datetime.now(UTC),
                body={},
                client_id=document.client_id,
                document_id=document.id,
                booking_ref=document.booking_ref,
            )
            self._store.booking_changed(connection, document.client_id, document.booking_ref)
