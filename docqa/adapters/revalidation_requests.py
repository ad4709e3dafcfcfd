"""Runs that clients asked the service for, in an SQL database."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from docqa.adapters.audit_trail import append_entry
from docqa.adapters.revalidation_tables import revalidation_requests, revalidations
from docqa.adapters.upserting import upsert
from docqa.plan import Run


class SqlRequests:
    """Remembers which runs the service is to drive.

    Args:
        engine: of the database that holds the runs.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def ask(self, run: Run, client_id: str, *, now: datetime) -> None:
        """Have the service drive a run; asking again changes nothing."""
        row = {"revalidation_id": run.id, "client_id": client_id, "requested_at": now}
        with self._engine.begin() as connection:
            upsert(connection, revalidation_requests, [row], keep=True)
            append_entry(
                connection,
                "revalidation.requested",
                subject=run.id,
                actor=client_id,
                facts={"mode": run.mode},
            )

    def take(self, *, now: datetime, quiet: timedelta) -> str | None:
        """The oldest run that waits for somebody to drive it, marked as being driven; its id.

        Args:
            now: the time.
            quiet: a run that says it is driven but has not moved for so long is not.
        """
        table = revalidations.c
        free = (table.state == "waiting") | (
            (table.state == "running") & (table.updated_at <= now - quiet)
        )
        query = (
            sa.select(table.id)
            .join(revalidation_requests, revalidation_requests.c.revalidation_id == table.id)
            .where(free)
            .order_by(revalidation_requests.c.requested_at, table.id)
        )
        with self._engine.connect() as connection:
            found: list[str] = list(connection.scalars(query))
        for run_id in found:
            with self._engine.begin() as connection:
                taken = connection.execute(
                    sa.update(revalidations)
                    .where(table.id == run_id, free)
                    .values(state="running", updated_at=now)
                )
            if taken.rowcount:
                return run_id
        return None
