"""Documents, their reports and what reviewers ruled, in an SQL database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from docqa.adapters.audit_trail import append_entry
from docqa.adapters.document_rows import (
    IN_FORCE,
    ONE_IN_FORCE,
    add_report,
    append_ruled,
    document_of,
    in_force,
    put_in_force,
    record_change,
)
from docqa.adapters.schema import (
    documents,
    open_engine,
    reservations,
    reviewers,
    rulings,
    schema_problem,
    sessions,
)
from docqa.adapters.sealing import NO_KEYS, TEXT_MAGIC, Keyring
from docqa.fields import normal_national_number
from docqa.ports import Ruling, StoredDocument

Watcher = Callable[[sa.Connection, str, str, str | None], None]
"""Called with client id, booking and, where it is one that is still there, the document."""

_ROWS_AT_ONCE = 100
_ADD = sa.insert(documents)
_CLAIMS = sa.type_coerce(documents.c.claims, sa.JSON)
"""As they are stored, sealed or not."""
_KEYS_LOOKED_FOR_EVERY_S = 60.0
"""That goes through all documents: too much for each of a probe's questions."""
_ANSWER = (
    sa.update(reservations)
    .where(reservations.c.document_id == sa.bindparam("its_document"))
    .values(answered_at=sa.bindparam("moment"))
)


class SqlStore:
    """ReportStore and RulingStore on SQLite or PostgreSQL.

    Every write begins with the statement that takes the lock, so that writers wait for each other
    instead of failing half-way.

    Args:
        url: an SQLAlchemy database URL, at the newest schema (``docqa.adapters.schema.migrate``).
        keyring: seals claims and readings, and makes the index of national numbers.
    """

    def __init__(self, url: str, keyring: Keyring = NO_KEYS) -> None:
        self.engine = open_engine(url, keyring)
        self.keyring = keyring
        self._watchers: list[Watcher] = []
        self._missing_key: str | None = None
        self._keys_due_at = 0.0

    def watch(self, watcher: Watcher) -> None:
        """Have ``watcher`` called whenever a document of a booking changes, in the transaction
        that changes it. Others may hold the booking's other documents and wait for the booking:
        who has it must not wait for those.
        """
        self._watchers.append(watcher)

    def changed(self, connection: sa.Connection, document_id: str) -> None:
        """Call the watchers for the booking of a document, if it belongs to one."""
        row = connection.execute(
            sa.select(documents.c.client_id, documents.c.booking_ref).where(
                documents.c.id == document_id
            )
        ).one()
        self.booking_changed(connection, row.client_id, row.booking_ref, document_id)

    def booking_changed(
        self,
        connection: sa.Connection,
        client_id: str | None,
        booking_ref: str | None,
        document_id: str | None = None,
    ) -> None:
        """Call the watchers for a booking, of which this document changed if one is given."""
        if client_id is not None and booking_ref is not None:
            for watcher in self._watchers:
                watcher(connection, client_id, booking_ref, document_id)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def problems(self) -> list[str]:
        """Why the database cannot be used, for ``/readyz`` and ``docqa doctor``; [] if it can."""
        return self.schema_problems() or self._key_problems()

    def schema_problems(self) -> list[str]:
        """The same, but for documents that need a key that is not here."""
        try:
            with self.engine.connect() as connection:
                if problem := schema_problem(connection):
                    return [problem]
        except sa.exc.SQLAlchemyError as error:
            return [_silent(error)]
        return []

    def _key_problems(self) -> list[str]:
        try:
            if time.monotonic() >= self._keys_due_at:
                with self.engine.connect() as connection:
                    self._missing_key = self._look_for_keys(connection)
                self._keys_due_at = time.monotonic() + _KEYS_LOOKED_FOR_EVERY_S
        except sa.exc.SQLAlchemyError as error:
            return [_silent(error)]
        if self._missing_key is not None:
            return [
                f"documents are sealed by the key {self._missing_key}: give it in"
                " DOCQA_ENCRYPTION_KEYS as well, and start every service anew"
            ]
        return []

    def _look_for_keys(self, connection: sa.Connection) -> str | None:
        """The id of a key that sealed a document's claims and is not here."""
        text = sa.cast(_CLAIMS, sa.Text)
        known: dict[int, list[str]] = {}
        for start in self.keyring.text_starts():
            known.setdefault(len(start) + 1, []).append(f'"{start}')
        query = sa.select(_CLAIMS).where(text.startswith(f'"{TEXT_MAGIC}'))
        for length, starts in known.items():
            query = query.where(sa.func.substr(text, 1, length).not_in(starts))
        found = connection.execute(query.limit(_ROWS_AT_ONCE)).scalars()  # some may be damaged
        return next(filter(None, map(self.keyring.missing_key, found)), None)

    # ReportStore

    def add(self, document: StoredDocument) -> None:
        """Commit a new document with its first report. Raises ValueError when the id is taken."""
        row = {
            "id": document.id,
            "blob_key": document.blob_key,
            "file_name": document.file_name,
            "document_type": document.document_type,
            "claims": document.claims,
            "national_number_hmac": self.number_index(document.claims),
            "decision": document.decision,
            "report_number": 1,
            "received_at": document.received_at,
            "booking_ref": document.booking_ref,
            "deadline_at": document.deadline_at,
            "own_deadline_at": document.own_deadline_at,
            "readings": document.readings,
            "client_id": document.client_id,
        }
        answered = {"its_document": document.id, "moment": document.received_at}
        try:
            with self.engine.begin() as connection:
                connection.execute(_ADD, row)
                add_report(connection, document.id, 1, document.report)
                connection.execute(_ANSWER, answered)
                record_change(connection, "document.judged", document, document.received_at)
                self.booking_changed(
                    connection, document.client_id, document.booking_ref, document.id
                )
                append_entry(
                    connection,
                    "document.added",
                    subject=document.id,
                    actor=document.client_id or "anonymous",
                    facts={"decision": document.decision, "report_number": 1},
                    recorded_at=document.received_at,
                )
        except sa.exc.IntegrityError as error:
            raise ValueError(f"there is a document {document.id} already") from error

    def number_index(self, claims: Mapping[str, str]) -> str | None:
        """The keyed digest of the national number in ``claims``, for the column beside them.

        None without one, or without a key.
        """
        number = claims.get("national_number")
        digests = self.keyring.digests(normal_national_number(number)) if number else []
        return digests[0] if digests else None

    def by_national_number(self, number: str) -> list[str]:
        """Ids of the documents for which this national number was typed, the oldest first.

        However its digits and separators are written, now or then.

        Raises:
            ValueError: there is no encryption key, so no index was kept.
        """
        digests = self.keyring.digests(normal_national_number(number))
        if not digests:
            raise ValueError("documents are found by number only where encryption keys are set")
        query = (
            sa.select(documents.c.id)
            .where(documents.c.national_number_hmac.in_(digests))
            .order_by(documents.c.received_at, documents.c.id)
        )
        with self.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def count(self) -> int:
        """How many documents there are, for a progress bar."""
        with self.engine.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(documents)
            ).scalar_one()

    def get(self, document_id: str) -> StoredDocument | None:
        """The document with the report in force."""
        with self.engine.connect() as connection:
            row = connection.execute(ONE_IN_FORCE, {"document_id": document_id}).one_or_none()
        return None if row is None else document_of(row)

    def scan(self, *, decision: str | None = None) -> Iterator[StoredDocument]:
        """All documents, or those whose decision in force is ``decision``, nearest deadline first.

        Those without a deadline come last, the longest waiting first; what belongs to a cancelled
        booking does not wait for review any more. Rows stream: the whole never is in memory, and
        the reader may stop early by closing the iterator.
        """
        query = IN_FORCE.order_by(
            documents.c.deadline_at.nulls_last(), documents.c.received_at, documents.c.id
        )
        if decision is not None:
            query = query.where(documents.c.decision == decision)
        if decision == "review":
            query = query.where(~documents.c.is_withdrawn)
        with self.engine.connect() as connection:
            streaming = connection.execution_options(yield_per=_ROWS_AT_ONCE)
            with streaming.execute(query) as rows:
                for row in rows:
                    yield document_of(row)

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
            add_report(connection, document_id, number, report)
            decision = report["verdict"]["decision"]
            changed = connection.execute(
                sa.update(documents)
                .where(documents.c.id == document_id, documents.c.decision != decision, ~ruled)
                .values(decision=decision)
            )
            if changed.rowcount:
                now_stands = in_force(connection, document_id)
                record_change(connection, "document.rejudged", now_stands, datetime.now(UTC))
            self.changed(connection, document_id)
            append_entry(
                connection,
                "document.superseded",
                subject=document_id,
                actor="docqa",
                facts={"decision": decision, "report_number": number},
            )

    def find(
        self,
        narrowed: Callable[[sa.Select[Any]], sa.Select[Any]],
        connection: sa.Connection | None = None,
    ) -> list[StoredDocument]:
        """Documents with the report in force, as seen within ``connection`` if one is given.

        Args:
            narrowed: adds conditions, an order and a limit to the query for all of them.
            connection: of a transaction that is under way.
        """
        with nullcontext(connection) if connection else self.engine.connect() as asked:
            return [document_of(row) for row in asked.execute(narrowed(IN_FORCE))]

    def correct(
        self,
        before: StoredDocument,
        *,
        claims: dict[str, str],
        readings: dict[str, dict[str, str]],
        report: dict[str, Any],
    ) -> bool:
        """Put other claims in force, with what was read for them and the report on them.

        False, and nothing changes, when the document is not as ``before`` any more, or a reviewer
        has decided on it: what a person decided was decided on other claims.
        """
        ruled = sa.exists().where(rulings.c.document_id == before.id)
        decision = report["verdict"]["decision"]
        with self.engine.begin() as connection:
            number = connection.execute(
                sa.update(documents)
                .where(documents.c.id == before.id, ~ruled)
                .where(documents.c.report_number == before.report_number)
                .values(
                    report_number=before.report_number + 1,
                    claims=claims, readings=readings, decision=decision,
                    national_number_hmac=self.number_index(claims),
                )
                .returning(documents.c.report_number)
            ).scalar_one_or_none()  # fmt: skip
            if number is None:
                return False
            add_report(connection, before.id, number, report)
            now_stands = in_force(connection, before.id)
            record_change(connection, "document.rejudged", now_stands, datetime.now(UTC))
            self.changed(connection, before.id)
            append_entry(
                connection,
                "document.corrected",
                subject=before.id,
                actor=before.client_id or "anonymous",
                facts={"decision": decision, "report_number": number},
            )
        return True

    # RulingStore

    def rule(self, ruling: Ruling) -> None:
        """Record a ruling and put it in force. Raises KeyError for an unknown document."""
        with self.engine.begin() as connection:
            if not put_in_force(connection, ruling, documents.c.id == ruling.document_id):
                raise KeyError(ruling.document_id)
            self.changed(connection, ruling.document_id)
            append_ruled(connection, ruling)

    def rule_if_open(self, ruling: Ruling) -> bool:
        """Record a ruling only while the document waits for review; False when it does not.

        Of several at the same moment exactly one gets True.
        """
        open_document = (documents.c.id == ruling.document_id) & (documents.c.decision == "review")
        with self.engine.begin() as connection:
            if not put_in_force(connection, ruling, open_document & ~documents.c.is_withdrawn):
                return False
            self.changed(connection, ruling.document_id)
            append_ruled(connection, ruling)
            return True

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


def _silent(error: sa.exc.SQLAlchemyError) -> str:
    return f"the database does not answer ({type(error).__name__})"
