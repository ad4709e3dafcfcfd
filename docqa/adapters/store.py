"""Documents, their reports and what reviewers ruled, in an SQL database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from docqa.adapters.events import record_event
from docqa.adapters.review_tables import note_facts
from docqa.adapters.schema import (
    documents,
    open_engine,
    reports,
    reviewers,
    rulings,
    schema_is_current,
    sessions,
)
from docqa.ports import Ruling, StoredDocument

_ROWS_AT_ONCE = 100
_IN_FORCE = sa.select(documents, reports.c.report).join_from(
    documents,
    reports,
    (reports.c.document_id == documents.c.id) & (reports.c.number == documents.c.report_number),
)


class SqlStore:
    """ReportStore and RulingStore on SQLite or PostgreSQL.

    Every write begins with the statement that takes the lock, so that writers wait for each other
    instead of failing half-way.

    Args:
        url: an SQLAlchemy database URL, at the newest schema (``docqa.adapters.schema.migrate``).
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def problems(self) -> list[str]:
        """Why the database cannot be used, for ``/readyz`` and ``docqa doctor``; [] if it can."""
        try:
            with self.engine.connect() as connection:
                if not schema_is_current(connection):
                    return ["the database schema is out of date: run `docqa migrate`"]
        except sa.exc.SQLAlchemyError as error:
            return [f"the database does not answer ({type(error).__name__})"]
        return []

    # ReportStore

    def add(self, document: StoredDocument) -> None:
        """Commit a new document with its first report. Raises ValueError when the id is taken."""
        try:
            with self.engine.begin() as connection:
                connection.execute(
                    sa.insert(documents).values(
                        id=document.id,
                        blob_key=document.blob_key,
                        file_name=document.file_name,
                        document_type=document.document_type,
                        claims=document.claims,
                        decision=document.decision,
                        report_number=1,
                        received_at=document.received_at,
                        booking_ref=document.booking_ref,
                        deadline_at=document.deadline_at,
                        readings=document.readings,
                        client_id=document.client_id,
                    )
                )
                _add_report(connection, document.id, 1, document.report)
                _tell(connection, "document.judged", document.id, document.received_at)
        except sa.exc.IntegrityError as error:
            raise ValueError(f"there is a document {document.id} already") from error

    def count(self) -> int:
        """How many documents there are, for a progress bar."""
        with self.engine.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(documents)
            ).scalar_one()

    def get(self, document_id: str) -> StoredDocument | None:
        """The document with the report in force."""
        with self.engine.connect() as connection:
            row = connection.execute(_IN_FORCE.where(documents.c.id == document_id)).one_or_none()
        return None if row is None else _document(row)

    def scan(self, *, decision: str | None = None) -> Iterator[StoredDocument]:
        """All documents, or those whose decision in force is ``decision``, nearest deadline first.

        Those without a deadline come last, the longest waiting first. Rows stream: the whole never
        is in memory, and the reader may stop early by closing the iterator.
        """
        query = _IN_FORCE.order_by(
            documents.c.deadline_at.nulls_last(), documents.c.received_at, documents.c.id
        )
        if decision is not None:
            query = query.where(documents.c.decision == decision)
        with self.engine.connect() as connection:
            streaming = connection.execution_options(yield_per=_ROWS_AT_ONCE)
            for row in streaming.execute(query):
                yield _document(row)

    def supersede(self, document_id: str, report: dict[str, Any]) -> None:
        """Put a new report in force, keeping the old one. A reviewer's ruling stays in force.

        Raises KeyError for an unknown document.
        """
        ruled = sa.exists().where(rulings.c.document_id == document_id)
        with self.engine.begin() as connection:
            number = connection.execute(
                sa.update(documents)
                .where(documents.c.id == document_id)
                .values(report_number=documents.c.report_number + 1)
                .returning(documents.c.report_number)
            ).scalar_one_or_none()
            if number is None:
                raise KeyError(document_id)
            _add_report(connection, document_id, number, report)
            decision = report["verdict"]["decision"]
            changed = connection.execute(
                sa.update(documents)
                .where(documents.c.id == document_id, documents.c.decision != decision, ~ruled)
                .values(decision=decision)
            )
            if changed.rowcount:
                _tell(connection, "document.rejudged", document_id, datetime.now(UTC))

    # RulingStore

    def rule(self, ruling: Ruling) -> None:
        """Record a ruling and put it in force. Raises KeyError for an unknown document."""
        with self.engine.begin() as connection:
            if not put_in_force(connection, ruling, documents.c.id == ruling.document_id):
                raise KeyError(ruling.document_id)

    def rule_if_open(self, ruling: Ruling) -> bool:
        """Record a ruling only while the document waits for review; False when it does not.

        Of several at the same moment exactly one gets True.
        """
        open_document = (documents.c.id == ruling.document_id) & (documents.c.decision == "review")
        with self.engine.begin() as connection:
            return put_in_force(connection, ruling, open_document)

    def rulings(self, document_id: str) -> list[Ruling]:
        """All rulings on a document, oldest first."""
        query = (
            sa.select(rulings)
            .where(rulings.c.document_id == document_id)
            .order_by(rulings.c.number)
        )
        with self.engine.connect() as connection:
            return [
                Ruling(row.document_id, row.decision, row.reason, row.reviewer, row.ruled_at)
                for row in connection.execute(query)
            ]

    def add_reviewer(self, name: str, password_hash: str) -> None:
        """Create the account, or give it a new password and sign it out everywhere."""
        with self.engine.begin() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.reviewer == name))
            changed = connection.execute(
                sa.update(reviewers)
                .where(reviewers.c.name == name)
                .values(password_hash=password_hash)
            )
            if changed.rowcount == 0:
                connection.execute(
                    sa.insert(reviewers).values(name=name, password_hash=password_hash)
                )

    def password_hash(self, name: str) -> str | None:
        """None when there is no such reviewer."""
        query = sa.select(reviewers.c.password_hash).where(reviewers.c.name == name)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none()


def _document(row: sa.Row[Any]) -> StoredDocument:
    return StoredDocument(
        id=row.id,
        blob_key=row.blob_key,
        file_name=row.file_name,
        document_type=row.document_type,
        claims=row.claims,
        report=row.report,
        decision=row.decision,
        received_at=row.received_at,
        booking_ref=row.booking_ref,
        deadline_at=row.deadline_at,
        readings=row.readings,
        client_id=row.client_id,
    )


def _add_report(
    connection: sa.Connection, document_id: str, number: int, report: dict[str, Any]
) -> None:
    connection.execute(
        sa.insert(reports).values(
            document_id=document_id, number=number, report=report, recorded_at=datetime.now(UTC)
        )
    )
    note_facts(connection, document_id, report)


def put_in_force(connection: sa.Connection, ruling: Ruling, which: sa.ColumnElement[bool]) -> bool:
    """Rule in the caller's transaction, if the document is among ``which``; whether it was."""
    changed = connection.execute(sa.update(documents).where(which).values(decision=ruling.decision))
    if changed.rowcount == 0:
        return False
    connection.execute(
        sa.insert(rulings).values(
            document_id=ruling.document_id,
            decision=ruling.decision,
            reason=ruling.reason,
            reviewer=ruling.reviewer,
            ruled_at=ruling.ruled_at,
        )
    )
    _tell(connection, "document.ruled", ruling.document_id, ruling.ruled_at)
    return True


def _tell(connection: sa.Connection, kind: str, document_id: str, occurred_at: datetime) -> None:
    row = connection.execute(
        sa.select(documents.c.client_id, documents.c.booking_ref, documents.c.decision).where(
            documents.c.id == document_id
        )
    ).one()
    record_event(
        connection,
        kind,
        occurred_at=occurred_at,
        body={"decision": row.decision},
        client_id=row.client_id,
        document_id=document_id,
        booking_ref=row.booking_ref,
    )
