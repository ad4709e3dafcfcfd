"""The tables, how a database is opened, and how it is brought to the newest schema.

Nothing here or in the stores is written for one database only: SQLite serves one process,
PostgreSQL any number of them.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, Dialect
from sqlalchemy.pool import ConnectionPoolEntry

from docqa.adapters.sealing import NO_KEYS, Keyring
from docqa.errors import InvalidModel

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_TIMEOUT_MS, _BUSY_PAUSE_S = 10_000, 0.01
_KEYRING = "docqa_keyring"
_MIGRATION_LOCK = 0x646F637161  # "docqa": any number that nothing else in the database uses
NEWER = (
    "the database is newer than this docqa: start the newer version, or put back the backup made"
    " before its `docqa migrate`"
)
OUT_OF_DATE = "the database schema is out of date: run `docqa migrate`"


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware datetime, kept in UTC on databases that forget time zones too."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses a naive datetime: nobody could tell later which hour it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime needs its time zone: use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware again, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SealedJson(sa.TypeDecorator[dict[str, Any]]):
    """A JSON object, sealed by the keyring of the engine it is read and written with.

    Whoever reads or writes the column gets and gives plain values.

    Args:
        place: name of the column, authenticated along: sealed text opens in no other column.
    """

    impl = sa.JSON
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> Any:
        """Sealed, where there is a key."""
        return None if value is None else _keyring(dialect).seal_json(value, self.place)

    def process_result_value(self, value: Any, dialect: Dialect) -> dict[str, Any] | None:
        """Plain again. Raises DamagedData when it was changed or its key is not here."""
        return None if value is None else _keyring(dialect).open_json(value, self.place)


class SealedText(sa.TypeDecorator[str]):
    """A text, sealed by the keyring of the engine it is read and written with.

    Args:
        place: name of the value, authenticated along: sealed text opens nowhere else.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Sealed, where there is a key."""
        return None if value is None else _keyring(dialect).seal_text(value, self.place)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Plain again. Raises DamagedData when it was changed or its key is not here."""
        return None if value is None else _keyring(dialect).open_text(value, self.place)


def _keyring(dialect: Dialect) -> Keyring:
    # A dialect belongs to one engine, and is all of it that a type gets to see.
    found = vars(dialect).get(_KEYRING)
    return found if isinstance(found, Keyring) else NO_KEYS


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("blob_key", sa.String(64), nullable=False, index=True),
    sa.Column("file_name", SealedText("documents.file_name"), nullable=False),
    sa.Column("document_type", sa.String(64), nullable=False),
    sa.Column("claims", SealedJson("documents.claims"), nullable=False),
    sa.Column("national_number_hmac", sa.String(64), index=True),
    sa.Column("decision", sa.String(16), nullable=False),
    sa.Column("report_number", sa.Integer, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("booking_ref", sa.Text),
    sa.Column("deadline_at", UtcDateTime),
    sa.Column("readings", SealedJson("documents.readings"), nullable=False, server_default="{}"),
    sa.Column("client_id", sa.String(64)),
    sa.Column("is_withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("own_deadline_at", UtcDateTime),
    sa.Index(
        "ix_documents_waiting",
        "decision",
        "is_withdrawn",
        "deadline_at",
        "received_at",
        "id",
        "document_type",
    ),  # fmt: skip
    sa.Index("ix_documents_booking", "client_id", "booking_ref"),
    sa.Index("ix_documents_listed", "client_id", "received_at", "id"),
)
"""``report_number`` points at the report in force; ``decision`` is its own or the ruling's.
``is_withdrawn`` says that the booking was cancelled; it is a column so that one index, in the order
of the reviewers' queue, holds all that is asked to list and to count what waits. ``deadline_at`` is
the booking's, or the client's ``own_deadline_at`` where that is earlier or nothing was booked."""

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("document_id", sa.ForeignKey(documents.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("report", sa.JSON, nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
)
"""Every report a document ever had, the first with number 1."""

reviewers = sa.Table(
    "reviewers",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("password_hash", sa.Text, nullable=False),
)

rulings = sa.Table(
    "rulings",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column(
        "document_id",
        sa.ForeignKey(documents.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("decision", sa.String(16), nullable=False),
    sa.Column("reason", SealedText("rulings.reason"), nullable=False),
    sa.Column("reviewer", sa.String(200), nullable=False),
    sa.Column("ruled_at", UtcDateTime, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("reviewer", sa.ForeignKey(reviewers.c.name, ondelete="CASCADE"), nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
    sa.Column("idle_until", UtcDateTime, nullable=False),
)
"""Signed-in reviewers. Only the digest of a token is kept: reading this table signs nobody in."""

reservations = sa.Table(
    "reservations",
    metadata,
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("payload_digest", SealedText("reservations.payload_digest"), nullable=False),
    sa.Column("document_id", sa.String(64), nullable=False, index=True),
    sa.Column("reserved_at", UtcDateTime, nullable=False),
    sa.Column("answered_at", UtcDateTime),
)
"""Idempotency keys, each with the id of the one document it may create. ``answered_at`` is set in
the transaction that creates it: a key is never used up twice, not even once it is deleted.
``payload_digest`` is sealed, and "" once the document is erased: whoever knows the rest of the
request could find the claims in it by trying."""


events = sa.Table(
    "events",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True, index=True),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("client_id", sa.String(64)),
    sa.Column("document_id", sa.String(64)),
    sa.Column("booking_ref", sa.Text),
    sa.Column("occurred_at", UtcDateTime, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("told_at", UtcDateTime, index=True),
    sa.Column("held_until", UtcDateTime),
    sa.Column("numbered_at", UtcDateTime, server_default=sa.FetchedValue()),
    sa.Index("ix_events_booking", "client_id", "booking_ref"),
)
"""What happened, written in the transaction in which it happened (outbox): nothing that was
committed goes untold. ``body`` is thin: a decision, reason codes, never what a citizen typed.
``told_at`` is when its deliveries were made; it is not read off the number, since a transaction
with a lower number may commit later. ``held_until`` is set where what happened can still be taken
back: nobody is told before then. ``numbered_at`` is when PostgreSQL gave the number, by its own
clock; None for events from before that was kept, and on SQLite, which has one writer at a time."""


def open_engine(url: str, keyring: Keyring = NO_KEYS) -> sa.Engine:
    """The database at ``url``, its parameters never shown in an error or a log line.

    SQLite commits are on the disk when they return, and readers do not wait for the writer.

    Args:
        url: an SQLAlchemy database URL.
        keyring: seals and opens the columns of type :class:`SealedJson` and :class:`SealedText`.
    """
    # A connection that died with its server, or that a proxy dropped, is replaced before its use.
    is_served = not url.startswith("sqlite")
    engine = sa.create_engine(url, hide_parameters=True, pool_pre_ping=is_served)
    setattr(engine.dialect, _KEYRING, keyring)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
    return engine


def migrate(url: str) -> None:
    """Bring the database at ``url`` to the newest schema; a new SQLite file is made if need be.

    Several may do so at once: one migrates, the others wait for it and find nothing left to do.

    Raises InvalidModel for a database that a newer version brought further.
    """
    path = _sqlite_path(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_engine(url)
    try:
        config = _alembic()
        with engine.begin() as connection:
            _wait_for_other_migrations(connection)
            if schema_problem(connection) == NEWER:
                raise InvalidModel(NEWER)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def schema_problem(connection: sa.Connection) -> str | None:
    """:data:`NEWER` or :data:`OUT_OF_DATE`; None where :func:`migrate` has nothing to do."""
    revision = MigrationContext.configure(connection).get_current_revision()
    known = _revisions()
    if revision == known[0]:
        return None
    return OUT_OF_DATE if revision is None or revision in known else NEWER


def is_missing(url: str) -> bool:
    """Whether ``url`` names an SQLite file that is not there; looking does not make it."""
    path = _sqlite_path(url)
    return path is not None and not path.exists()


def _sqlite_path(url: str) -> Path | None:
    parsed = sa.make_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (
        None,
        "",
        ":memory:",
    )
    return Path(str(parsed.database)) if is_file else None


def _wait_for_other_migrations(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # sqlite3 begins none before DDL by itself


@cache
def _revisions() -> tuple[str, ...]:
    """Of the scripts that this process began with, the newest first; to load them takes time."""
    scripts = ScriptDirectory.from_config(_alembic()).walk_revisions()
    return tuple(script.revision for script in scripts)


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    _use_write_ahead_log(cursor)
    for pragma in (
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",  # what is deleted is overwritten, not left in a free page
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_write_ahead_log(cursor: DBAPICursor) -> None:
    """SQLite itself does not wait for another process that is just turning the log on."""
    until = time.monotonic() + _BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_BUSY_PAUSE_S)
        else:
            return
