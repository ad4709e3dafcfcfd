"""What is written and read of a document within somebody's transaction.

Statements of every upload are made once: SQLAlchemy takes as long to make one as to run it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from docqa.adapters.audit_trail import append_entry
from docqa.adapters.events import record_event
from docqa.adapters.report_facts import record_facts
from docqa.adapters.review_tables import note_facts
from docqa.adapters.schema import documents, reports, rulings
from docqa.ports import Ruling, StoredDocument

IN_FORCE = sa.select(documents, reports.c.report).join_from(
    documents,
    reports,
    (reports.c.document_id == documents.c.id) & (reports.c.number == documents.c.report_number),
)
"""Documents with their report in force."""

ONE_IN_FORCE = IN_FORCE.where(documents.c.id == sa.bindparam("document_id"))
"""One of them; takes its ``document_id``."""
_ADD_REPORT = sa.insert(reports)


def document_of(row: sa.Row[Any]) -> StoredDocument:
    """A row of ``documents`` with the report in force."""
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
        report_number=row.report_number,
        own_deadline_at=row.own_deadline_at,
    )


def in_force(connection: sa.Connection, document_id: str) -> StoredDocument:
    """A document that is known to be there, as it now stands."""
    return document_of(connection.execute(ONE_IN_FORCE, {"document_id": document_id}).one())


def add_report(
    connection: sa.Connection, document_id: str, number: int, report: dict[str, Any]
) -> None:
    """Keep a report, and beside it what is asked of many reports at once."""
    row = {
        "document_id": document_id,
        "number": number,
        "report": report,
        "recorded_at": datetime.now(UTC),
    }
    connection.execute(_ADD_REPORT, row)
    record_facts(connection, [(document_id, number, report)])
    note_facts(connection, [(document_id, report)])


def append_ruled(connection: sa.Connection, ruling: Ruling) -> None:
    """Have the trail remember a ruling, as the last statement of its transaction."""
    append_entry(
        connection,
        "document.ruled",
        subject=ruling.document_id,
        actor=ruling.reviewer,
        facts={"decision": ruling.decision},
        recorded_at=ruling.ruled_at,
    )


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
    ruled = in_force(connection, ruling.document_id)
    record_change(connection, "document.ruled", ruled, ruling.ruled_at)
    return True


def record_change(
    connection: sa.Connection, kind: str, document: StoredDocument, occurred_at: datetime
) -> None:
    """Record an event about a document, given as it now stands."""
    reasons = document.report["verdict"].get("reasons", ())
    record_event(
        connection,
        kind,
        occurred_at=occurred_at,
        body={
            "decision": document.decision,
            "reason_codes": sorted({reason["code"] for reason in reasons}),
        },
        client_id=document.client_id,
        document_id=document.id,
        booking_ref=document.booking_ref,
    )
