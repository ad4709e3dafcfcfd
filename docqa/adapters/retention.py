"""Erasing documents for good, with a receipt; legal holds; what has been kept long enough."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from docqa.adapters.audit_trail import append_entry
from docqa.adapters.events import record_event
from docqa.adapters.record_tables import deletion_receipts, legal_holds
from docqa.adapters.review_tables import review_trail
from docqa.adapters.schema import documents, reports, reservations, rulings
from docqa.errors import DamagedData, HeldDocument
from docqa.ports import BlobStore
from docqa.retention import Kept

_ID_BYTES = 16
_ROWS_AT_ONCE = 500
_ASKED_DOCUMENTS = 5
"""The bytes of one may be lost; of no database are all of them elsewhere by chance."""
_PATIENCE_MS = 10_000
_REASON = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """That a document was erased."""

    id: str
    document_id: str
    deleted_at: datetime
    reason: str
    """``requested``, ``retention_accepted``, ``retention_cancelled`` …"""
    file_sha256: str
    """Of the uploaded file, lowercase hex; "" when its report did not say."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: nobody and nothing may erase the document."""

    document_id: str
    held_by: str
    reason: str
    held_at: datetime


def _nothing(connection: sa.Connection, client_id: str | None, booking_ref: str | None) -> None:
    """Nobody else keeps anything about a document."""


class SqlRetention:
    """What ends a document's life, and what keeps it.

    Erasing takes two stores that know nothing of each other. First one transaction removes
    everything from the database and leaves a receipt that remembers the blob; then the blob goes,
    and the receipt forgets it. Whatever dies between the two, :meth:`resume` finishes.

    Args:
        engine: an open database at the newest schema.
        blobs: the documents' bytes.
        erased: called with client id and booking in the transaction that erases a document.
    """

    def __init__(
        self,
        engine: sa.Engine,
        blobs: BlobStore,
        erased: Callable[[sa.Connection, str | None, str | None], None] = _nothing,
    ) -> None:
        self._engine = engine
        self._blobs = blobs
        self._erased = erased

    def erase(self, document_id: str, reason: str, actor: str = "docqa") -> DeletionReceipt:
        """Erase a document's bytes, claims, readings, reports and rulings for good.

        Who did what with it stays, without a word of what was typed.

        Again for the same document gives the first receipt.

        Args:
            document_id: which.
            reason: a code of a-z and _.
            actor: id of the client or account name of the reviewer who wants it gone.

        Raises:
            KeyError: there is and was no such document.
            HeldDocument: a legal hold forbids it.
            OSError: the blob store failed. The document is gone from the database, and
                :meth:`resume` deletes the bytes.
        """
        if not _REASON.fullmatch(reason):
            raise ValueError("a reason to erase is a code of a-z and _")
        with self._engine.begin() as connection:
            self._erase_rows(connection, document_id, reason, actor)
        query = sa.select(deletion_receipts).where(deletion_receipts.c.document_id == document_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise KeyError(document_id)
        if row.blob_key is not None:
            self._delete_blob(row.blob_key)
        return _receipt(row)

    def resume(self) -> int:
        """Delete the bytes that a crash left of erased documents; how many there were.

        Raises:
            OSError: the blob store failed for one at least; all others are deleted.
        """
        query = sa.select(deletion_receipts.c.blob_key).where(
            deletion_receipts.c.blob_key.is_not(None)
        )
        with self._engine.connect() as connection:
            left = list(connection.execute(query).scalars())
        return _delete_each(left, self._delete_blob)

    def orphans(self, before: datetime, *, erases: bool) -> int:
        """Bytes of no document, such as a crash leaves: counted and, where asked, deleted.

        Args:
            before: younger ones may belong to a document that is being stored.
            erases: whether to delete them.

        Raises:
            OSError: the blob store failed; where for one only, all others are deleted.
        """
        found = self._orphans(before)
        return _delete_each(found, self._blobs.delete) if erases else sum(1 for _ in found)

    def knows_uploads(self) -> bool:
        """Whether the stored bytes are those of this database's documents.

        They are where one of the newest documents has its bytes there, and where every document
        that ever was has been erased. Raises OSError when the blob store does not answer.
        """
        query = (
            sa.select(documents.c.blob_key)
            .order_by(documents.c.received_at.desc(), documents.c.id.desc())
            .limit(_ASKED_DOCUMENTS)
        )
        with self._engine.connect() as connection:
            newest = list(connection.execute(query).scalars())
            if not newest:
                erased = sa.select(sa.exists(sa.select(deletion_receipts.c.id)))
                return bool(connection.execute(erased).scalar_one())
        return any(self._has(key) for key in newest)

    def receipt(self, document_id: str) -> DeletionReceipt | None:
        """The receipt of an erased document; None when it was not erased."""
        query = sa.select(deletion_receipts).where(deletion_receipts.c.document_id == document_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _receipt(row)

    def hold(self, document_id: str, reason: str, actor: str) -> None:
        """Forbid to erase a document. A hold that is there already stays as it is.

        Raises KeyError for an unknown document.
        """
        with self._engine.begin() as connection:
            _lock(connection, document_id)
            if _is_held(connection, document_id):
                return
            connection.execute(
                sa.insert(legal_holds).values(
                    document_id=document_id,
                    held_by=actor,
                    reason=reason,
                    held_at=datetime.now(UTC),
                )
            )
            append_entry(connection, "document.held", subject=document_id, actor=actor, facts={})

    def release(self, document_id: str, actor: str) -> None:
        """End a hold; a missing one is no error. Raises KeyError for an unknown document."""
        with self._engine.begin() as connection:
            _lock(connection, document_id)
            ended = connection.execute(
                sa.delete(legal_holds).where(legal_holds.c.document_id == document_id)
            )
            if ended.rowcount:
                append_entry(
                    connection, "document.released", subject=document_id, actor=actor, facts={}
                )

    def holds(self) -> list[Hold]:
        """Every hold, the oldest first."""
        query = sa.select(legal_holds).order_by(legal_holds.c.held_at, legal_holds.c.document_id)
        with self._engine.connect() as connection:
            return [Hold(**row._mapping) for row in connection.execute(query)]

    def kept(self, received_before: datetime) -> Iterator[Kept]:
        """Every document that was received before a moment and is not held."""
        last = (
            sa.select(rulings.c.document_id, sa.func.max(rulings.c.number).label("number"))
            .group_by(rulings.c.document_id)
            .subquery()
        )
        query = (
            sa.select(
                documents.c.id, documents.c.decision, documents.c.received_at,
                documents.c.deadline_at, rulings.c.ruled_at, documents.c.is_withdrawn,
            )
            .outerjoin(last, last.c.document_id == documents.c.id)
            .outerjoin(rulings, rulings.c.number == last.c.number)
            .where(documents.c.received_at < received_before)
            .where(~sa.exists().where(legal_holds.c.document_id == documents.c.id))
            .order_by(documents.c.received_at)
            .execution_options(yield_per=_ROWS_AT_ONCE)
        )  # fmt: skip
        with self._engine.connect() as connection, connection.execute(query) as rows:
            for row in rows:
                yield Kept(*row)

    def overwrite_deleted(self, patience_ms: int = _PATIENCE_MS) -> None:
        """Let nothing of what was erased stay in SQLite's log of changes.

        Who still reads what was there before is waited for so long, and meanwhile nobody can write;
        then it is left for the next time.
        """
        if self._engine.dialect.name != "sqlite":
            return
        with self._engine.connect() as connection:
            usual_ms = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience_ms}")
            try:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {usual_ms}")

    def _has(self, key: str) -> bool:
        try:
            self._blobs.get(key)
        except KeyError:
            return False
        except DamagedData:
            pass  # it is there, whatever became of it
        return True

    def _orphans(self, before: datetime) -> Iterator[str]:
        old = self._blobs.stored_before(before)
        while names := list(islice(old, _ROWS_AT_ONCE)):
            with self._engine.connect() as connection:
                known = set(connection.execute(_blob_keys(documents, names)).scalars())
                known.update(connection.execute(_blob_keys(deletion_receipts, names)).scalars())
            yield from (name for name in names if name not in known)

    def _erase_rows(
        self, connection: sa.Connection, document_id: str, reason: str, actor: str
    ) -> None:
        try:
            _lock(connection, document_id)
        except KeyError:
            return  # erased already, or never there
        if _is_held(connection, document_id):
            raise HeldDocument(f"{document_id} is held: release it before it can be erased")
        row = connection.execute(
            sa.select(documents, reports.c.report)
            .join(reports, reports.c.document_id == documents.c.id)
            .where(documents.c.id == document_id)
            .order_by(reports.c.number)
            .limit(1)
            .with_only_columns(
                documents.c.blob_key, documents.c.client_id, documents.c.booking_ref,
                reports.c.report,
            )
        ).one()  # fmt: skip
        now = datetime.now(UTC)
        receipt = DeletionReceipt(
            id="del_" + secrets.token_hex(_ID_BYTES),
            document_id=document_id,
            deleted_at=now,
            reason=reason,
            file_sha256=str(row.report.get("sha256", "")),
        )
        connection.execute(sa.delete(documents).where(documents.c.id == document_id))
        connection.execute(
            sa.update(reservations)
            .where(reservations.c.document_id == document_id)
            .values(payload_digest=sa.literal_column("''"))  # not sealed: it says nothing
        )
        connection.execute(
            sa.update(review_trail)
            .where(review_trail.c.document_id == document_id)
            .values(detail=sa.literal_column("''"))
        )
        connection.execute(
            sa.insert(deletion_receipts).values(
                id=receipt.id, document_id=document_id, reason=reason, deleted_at=now,
                file_sha256=receipt.file_sha256, client_id=row.client_id, blob_key=row.blob_key,
            )
        )  # fmt: skip
        record_event(
            connection,
            "document.deleted",
            occurred_at=now,
            body={"reason": reason, "receipt": receipt.id},
            client_id=row.client_id,
            document_id=document_id,
            booking_ref=row.booking_ref,
        )
        self._tell(connection, row.client_id, row.booking_ref)
        append_entry(
            connection, "document.deleted", subject=document_id, actor=actor, recorded_at=now,
            facts={"reason": reason, "receipt": receipt.id, "file_sha256": receipt.file_sha256},
        )  # fmt: skip

    def _tell(
        self, connection: sa.Connection, client_id: str | None, booking_ref: str | None
    ) -> None:
        try:
            with connection.begin_nested():
                self._erased(connection, client_id, booking_ref)
        except DamagedData:
            pass  # what is left of the booking cannot be opened: it stays as it was last judged

    def _delete_blob(self, blob_key: str) -> None:
        self._blobs.delete(blob_key)
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(deletion_receipts)
                .where(deletion_receipts.c.blob_key == blob_key)
                .values(blob_key=None)
            )


def _delete_each(keys: Iterable[str], delete: Callable[[str], None]) -> int:
    """How many there were. Whatever fails keeps none of the others; its OSError comes last."""
    number = 0
    failure: OSError | None = None
    for key in keys:
        number += 1
        try:
            delete(key)
        except OSError as error:
            failure = error
    if failure is not None:
        raise failure
    return number


def _lock(connection: sa.Connection, document_id: str) -> None:
    """Take the document's lock, so that holding and erasing wait for each other."""
    locked = connection.execute(
        sa.update(documents)
        .where(documents.c.id == document_id)
        .values(report_number=documents.c.report_number)
    )
    if locked.rowcount == 0:
        raise KeyError(document_id)


def _is_held(connection: sa.Connection, document_id: str) -> bool:
    query = sa.select(legal_holds.c.document_id).where(legal_holds.c.document_id == document_id)
    return connection.execute(query).one_or_none() is not None


def _receipt(row: sa.Row[tuple[object, ...]]) -> DeletionReceipt:
    return DeletionReceipt(row.id, row.document_id, row.deleted_at, row.reason, row.file_sha256)


def _blob_keys(table: sa.Table, among: list[str]) -> sa.Select[Any]:
    return sa.select(table.c.blob_key).where(table.c.blob_key.in_(among))
