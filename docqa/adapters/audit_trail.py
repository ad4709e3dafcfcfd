"""The audit trail in an SQL database."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from docqa.adapters.record_tables import audit_entries, audit_head
from docqa.audit import AuditEntry, Examined, Fact, chained, examine

_ROWS_AT_ONCE = 500
_TAKE_HEAD = (
    sa.update(audit_head)
    .values(number=audit_head.c.number + 1)
    .returning(audit_head.c.number, audit_head.c.sha256)
)
_PUT_HEAD = sa.update(audit_head).values(sha256=sa.bindparam("newest"))
_ADD = sa.insert(audit_entries)


class SqlAuditTrail:
    """AuditTrail on SQLite or PostgreSQL.

    Args:
        engine: an open database at the newest schema.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def append(self, kind: str, subject: str, actor: str, facts: Mapping[str, Fact]) -> AuditEntry:
        """See :class:`docqa.ports.AuditTrail`."""
        with self._engine.begin() as connection:
            return append_entry(connection, kind, subject=subject, actor=actor, facts=facts)

    def verify(self, head: str | None = None) -> Examined:
        """See :class:`docqa.ports.AuditTrail`."""
        with self._engine.connect() as connection:
            # Of the moment at which it starts, on SQLite too: the head and all up to it.
            newest = connection.execute(sa.select(audit_head)).one_or_none()
            number = newest.number if newest is not None else 0
            with closing(_entries(connection, number)) as entries:
                found = examine(entries, head)
            after = connection.execute(
                sa.select(sa.func.count())
                .select_from(audit_entries)
                .where(audit_entries.c.number > number)
            ).scalar_one()
            now = connection.execute(sa.select(audit_head.c.number)).scalar_one_or_none()
        if found.broken is not None:
            return found
        if newest is None or found.head != f"{newest.number}:{newest.sha256}":
            return Examined(
                found.entries, found.head, found.entries + 1,
                "the trail's own head says that entries after the last one are gone",
            )  # fmt: skip
        if after and now == number:
            return Examined(
                found.entries, found.head, number + 1, "it was added without the trail's own head"
            )
        return found


def append_entry(
    connection: sa.Connection,
    kind: str,
    *,
    subject: str,
    actor: str,
    facts: Mapping[str, Fact],
    recorded_at: datetime | None = None,
) -> AuditEntry:
    """Append in the caller's transaction, as its last statement.

    Every transaction takes its locks in the same order: documents by their ids, what hangs on them,
    bookings by client and reference, this chain. Whoever appends holds the chain until the
    transaction ends, and everybody else waits: a row locked after this could be held by one of
    those who wait.

    Args:
        connection: of the transaction that does what the entry tells of.
        kind: what was done.
        subject: id of what it was done to.
        actor: who did it.
        facts: see :data:`docqa.audit.Fact`.
        recorded_at: aware; now if None.

    Raises:
        ValueError: a fact may hold personal data.
    """
    previous = connection.execute(_TAKE_HEAD).one()
    entry = chained(
        (previous.number - 1, previous.sha256),
        recorded_at or datetime.now(UTC),
        kind, subject, actor, facts,
    )  # fmt: skip
    connection.execute(_PUT_HEAD, {"newest": entry.sha256})
    connection.execute(_ADD, _columns(entry))
    return entry


def _columns(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in audit_entries.c.keys()} | {  # noqa: SIM118
        "facts": dict(entry.facts)
    }


def _entries(connection: sa.Connection, up_to: int) -> Generator[AuditEntry | None, None, None]:
    """Up to and with the first that cannot be read, for which there is None."""
    query = (
        sa.select(audit_entries)
        .where(audit_entries.c.number <= up_to)
        .order_by(audit_entries.c.number)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    with connection.execute(query) as rows:
        try:
            for row in rows:
                yield AuditEntry(**row._mapping)
        except (TypeError, ValueError, RecursionError):  # no time, or no JSON
            yield None
