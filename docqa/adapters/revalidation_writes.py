"""What a batch of judging again writes, in the transaction that moves its run forward."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from docqa.adapters.audit_trail import append_entry
from docqa.adapters.document_rows import document_of, record_change
from docqa.adapters.report_facts import record_facts
from docqa.adapters.revalidation_tables import (
    judgements,
    report_facts,
    revalidation_counts,
    revalidations,
)
from docqa.adapters.review_tables import note_facts
from docqa.adapters.schema import documents, reports, rulings
from docqa.adapters.upserting import upsert
from docqa.bulk import judge_key
from docqa.plan import Judgement, Run, RunMoved

Changed = Callable[[sa.Connection, str | None, str | None], None]
"""Called with client id and booking in the transaction that changes one of its documents."""


def nobody_to_tell(
    connection: sa.Connection, client_id: str | None, booking_ref: str | None
) -> None:
    """No booking depends on the documents."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What a batch put in force, of documents that nobody erased meanwhile."""

    written: tuple[tuple[str, int, dict[str, Any]], ...]
    """Of each its id, and the number and JSON form of its new report."""
    bookings: tuple[tuple[str, str], ...]
    """Client id and booking of each, "" for none; in order, each once."""

    @property
    def ids(self) -> set[str]:
        """Of the documents."""
        return {document_id for document_id, _, _ in self.written}


def still_there(connection: sa.Connection, ids: Collection[str]) -> set[str]:
    """Those of the documents that nobody erased meanwhile; they stay until the transaction ends.

    To be called after the transaction's first write: on SQLite that keeps all others out.
    """
    query = sa.select(documents.c.id).where(documents.c.id.in_(ids)).order_by(documents.c.id)
    return set(connection.scalars(query.with_for_update(read=True, key_share=True)))


def put_in_force(
    connection: sa.Connection,
    changed: Sequence[Judgement],
    rewrite: Callable[[Judgement, dict[str, Any]], dict[str, Any]],
) -> InForce:
    """Give every document its new report; a reviewer's ruling stays in force.

    An event is recorded where the decision in force changes. :func:`tell_of` is to follow at the
    end of the transaction. Raises RunMoved when a document got another report since it was read.
    """
    by_id = {one.document_id: one for one in changed}
    ruled = sa.exists().where(rulings.c.document_id == documents.c.id).label("ruled")
    in_force = (reports.c.document_id == documents.c.id) & (
        reports.c.number == documents.c.report_number
    )
    rows = connection.execute(
        sa.select(documents, reports.c.report, ruled)
        .join_from(documents, reports, in_force)
        .where(documents.c.id.in_(by_id))
        .order_by(documents.c.id)
        .with_for_update(of=documents)
    ).all()
    now = datetime.now(UTC)
    written = []
    for row in rows:
        one = by_id[row.id]
        if row.report_number != one.report_number:
            raise RunMoved(f"the document {row.id} was judged meanwhile")
        report = rewrite(one, row.report)
        decision = row.decision if row.ruled else report["verdict"]["decision"]
        readings = row.readings if one.readings is None else json.loads(one.readings)
        connection.execute(
            sa.update(documents)
            .where(documents.c.id == row.id)
            .values(report_number=row.report_number + 1, decision=decision, readings=readings)
        )
        written.append((row.id, row.report_number + 1, report))
        if decision != row.decision:
            now_stands = replace(document_of(row), decision=decision, report=report)
            record_change(connection, "document.rejudged", now_stands, now)
    _keep(connection, written, now)
    bookings = {(row.client_id or "", row.booking_ref or "") for row in rows}
    return InForce(tuple(written), tuple(sorted(bookings)))


def tell_of(connection: sa.Connection, put: InForce, tell: Changed) -> None:
    """Tell the bookings and, as the last statements of the transaction, the audit trail."""
    for client_id, booking_ref in put.bookings:
        tell(connection, client_id or None, booking_ref or None)
    for name, number, report in put.written:
        append_entry(
            connection,
            "document.superseded",
            subject=name,
            actor="docqa",
            facts={"decision": report["verdict"]["decision"], "report_number": number},
        )


def _keep(
    connection: sa.Connection, written: Sequence[tuple[str, int, dict[str, Any]]], now: datetime
) -> None:
    if written:
        connection.execute(
            sa.insert(reports),
            [
                {"document_id": name, "number": number, "report": report, "recorded_at": now}
                for name, number, report in written
            ],
        )
    record_facts(connection, written)
    note_facts(connection, [(name, report) for name, _, report in written])


def attest(connection: sa.Connection, run: Run, same: Sequence[Judgement]) -> None:
    """Note that the reports in force say what the run's policy and engine say.

    To follow :func:`put_in_force`. These documents are not locked, so to wait for their facts would
    be out of order: what somebody else is just writing is passed over, and most likely another
    report comes into force, or none.
    """
    numbers = {one.document_id: one.report_number for one in same}
    free = (
        sa.select(report_facts.c.document_id, report_facts.c.report_number)
        .where(report_facts.c.document_id.in_(numbers))
        .with_for_update(key_share=True, skip_locked=True)
    )
    fitting = [
        row.document_id
        for row in connection.execute(free)
        if row.report_number == numbers[row.document_id]
    ]
    connection.execute(
        sa.update(report_facts)
        .where(report_facts.c.document_id.in_(fitting))
        .values(judged_by=judge_key(run.policy_digest, run.engine_digest))
    )


def keep_recomputed(
    connection: sa.Connection,
    run: Run,
    rows: Sequence[dict[str, Any]],
    *,
    recomputed: int,
    failed: int,
) -> None:
    """Record reports made anew, or that a child was lost, of documents that are still there.

    Args:
        connection: of a transaction that this begins.
        run: what for.
        rows: of ``judgements``.
        recomputed: how many to count.
        failed: how many of them as failed.
    """
    connection.execute(
        sa.update(revalidations)
        .where(revalidations.c.id == run.id)
        .values(
            recomputed=revalidations.c.recomputed + recomputed,
            failed=revalidations.c.failed + failed,
            updated_at=datetime.now(UTC),
        )
    )
    there = still_there(connection, [row["document_id"] for row in rows])
    upsert(connection, judgements, [row for row in rows if row["document_id"] in there])


def keep_judgements(connection: sa.Connection, run: Run, changed: Sequence[Judgement]) -> None:
    """Record what changes, once per document, policy and engine.

    Reports made anew are dropped once they are in force.
    """
    rows = [
        {
            "document_id": one.document_id,
            "policy_digest": run.policy_digest,
            "engine_digest": run.engine_digest,
            "report_number": one.report_number,
            "revalidation_id": run.id,
            "before": one.before,
            "after": one.after,
            "reasons": list(one.codes),
            **({"report": None, "readings": None} if run.mode == "apply" else {}),
        }
        for one in changed
        if one.before != one.after or one.recomputed is not None
    ]
    upsert(connection, judgements, rows)


def add_count(
    connection: sa.Connection, run_id: str, key: tuple[str, str, str, str], number: int
) -> None:
    """Add to the run's transitions; ``key`` is document type, before, after and reason."""
    names = ("document_type", "before", "after", "reason")
    values = {"revalidation_id": run_id, **dict(zip(names, key, strict=True))}
    table = revalidation_counts
    added = connection.execute(
        sa.update(table)
        .where(*(table.c[name] == value for name, value in values.items()))
        .values(documents=table.c.documents + number)
    )
    if added.rowcount == 0:
        connection.execute(sa.insert(table).values(**values, documents=number))
