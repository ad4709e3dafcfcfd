"""What judging again needs of every report in force, kept beside it in a compact form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from docqa.adapters.revalidation_tables import origins, report_facts
from docqa.adapters.schema import documents, reports
from docqa.adapters.upserting import upsert
from docqa.bulk import extract, judge_key

_ROWS_AT_ONCE = 1000
_KNOWN = sa.select(origins.c.key).where(origins.c.key.in_(sa.bindparam("keys", expanding=True)))


def record_facts(
    connection: sa.Connection, written: Sequence[tuple[str, int, Mapping[str, Any]]]
) -> None:
    """Keep the facts of reports that come into force in this transaction.

    Args:
        connection: of the transaction that writes the reports.
        written: document id, number and JSON form of each report. One without pages or engine,
            from before ``docqa.report/1`` had them, is passed over.
    """
    found, rows = {}, []
    for document_id, number, report in written:
        if not {"pages", "fields", "faults", "engine", "policy"} <= report.keys():
            continue
        made = extract(report)
        found[made.origin.key] = made.origin
        rows.append(
            {
                "document_id": document_id,
                "report_number": number,
                "origin": made.origin.key,
                "is_read": made.is_read,
                "is_measured": made.is_measured,
                "facts": made.facts,
                "judged_by": judge_key(report["policy"]["digest"], report["engine"]["digest"]),
            }
        )
    known = set(connection.scalars(_KNOWN, {"keys": list(found)}))
    new = [{"key": key, "body": found[key].json()} for key in sorted(found.keys() - known)]
    upsert(connection, origins, new, keep=True)
    upsert(connection, report_facts, rows)


def fill_facts(engine: sa.Engine) -> int:
    """Make the facts of every report in force that lacks them; how many were made.

    Reports from before facts were kept, or written past :func:`record_facts`, get theirs here.
    """
    made, after = 0, ""
    fits = (report_facts.c.document_id == documents.c.id) & (
        report_facts.c.report_number == documents.c.report_number
    )
    lacking = (
        sa.select(documents.c.id, reports.c.number, reports.c.report)
        .join_from(
            documents,
            reports,
            (reports.c.document_id == documents.c.id)
            & (reports.c.number == documents.c.report_number),
        )
        .outerjoin(report_facts, fits)
        .where(report_facts.c.document_id.is_(None))
        .order_by(documents.c.id)
        .limit(_ROWS_AT_ONCE)
        # Until they have their facts, nobody erases them or puts another report in force.
        .with_for_update(read=True, of=documents)
    )
    while True:
        with engine.begin() as connection:
            rows = connection.execute(lacking.where(documents.c.id > after)).all()
            if not rows:
                return made
            record_facts(connection, [(row.id, row.number, row.report) for row in rows])
            made += len(rows)
            after = rows[-1].id
