"""The tables of reviewers at work: what waits and why, claims, decisions, the trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from docqa.adapters.schema import SealedText, UtcDateTime, documents, metadata
from docqa.adapters.upserting import upsert


def _document(**options: Any) -> sa.Column[str]:
    return sa.Column(
        "document_id", sa.ForeignKey(documents.c.id, ondelete="CASCADE"), nullable=False, **options
    )


review_facts = sa.Table(
    "review_facts",
    metadata,
    _document(primary_key=True),
    sa.Column("score", sa.Integer),
    sa.Column("capture_class", sa.String(32)),
    sa.Column("codes", sa.JSON, nullable=False),
    sa.Column("escalated_at", UtcDateTime, index=True),
    sa.Column("escalated_by", sa.String(200)),
    sa.Column("deadline_near_at", UtcDateTime),
)
"""What the queue shows of the report in force, so that no report is read to list documents.
``deadline_near_at`` is when it was recorded, once, that little time is left to decide."""

review_reasons = sa.Table(
    "review_reasons",
    metadata,
    sa.Column("code", sa.String(64), primary_key=True),
    _document(primary_key=True, index=True),
)
"""Which documents have a reason; the queue's filter."""

review_claims = sa.Table(
    "review_claims",
    metadata,
    _document(primary_key=True),
    sa.Column("reviewer", sa.String(200), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("claimed_at", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Index("ix_review_claims_held", "reviewer", "until"),
)
"""Who works on a document until when; ``version`` goes up each time it changes hands."""

review_decisions = sa.Table(
    "review_decisions",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    _document(index=True),
    sa.Column("ruling_number", sa.Integer),
    sa.Column("reviewer", sa.String(200), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("note", SealedText("review_decisions.note"), nullable=False),
    sa.Column("decided_at", UtcDateTime, nullable=False),
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("took_s", sa.Integer),
    sa.Column("document_type", sa.String(64), nullable=False),
    sa.Column("capture_class", sa.String(32)),
    sa.Column("score", sa.Integer),
    sa.Column("found_codes", sa.JSON, nullable=False),
    sa.Column("given_codes", sa.JSON, nullable=False),
    sa.Column("undone_at", UtcDateTime),
    sa.Index("ix_review_decisions_day", "day", "reviewer"),
)
"""Every decision, those taken back as well."""

review_decision_codes = sa.Table(
    "review_decision_codes",
    metadata,
    sa.Column(
        "decision_number",
        sa.ForeignKey(review_decisions.c.number, ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("code", sa.String(64), primary_key=True),
)
"""The reasons that had been found when a decision was made."""

second_looks = sa.Table(
    "review_second_looks",
    metadata,
    _document(primary_key=True),
    sa.Column("first_reviewer", sa.String(200), nullable=False),
    sa.Column("first_outcome", sa.String(16), nullable=False),
    sa.Column("first_at", UtcDateTime, nullable=False),
    sa.Column("first_day", sa.String(10), nullable=False),
    sa.Column("second_reviewer", sa.String(200)),
    sa.Column("second_until", UtcDateTime),
    sa.Column("second_outcome", sa.String(16)),
    sa.Column("second_at", UtcDateTime),
    sa.Index("ix_review_second_looks_open", "second_outcome", "first_at"),
)
"""The sample that a second reviewer decides without knowing of the first."""

review_trail = sa.Table(
    "review_trail",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("document_id", sa.String(64), nullable=False, index=True),
    sa.Column("reviewer", sa.String(200), nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("detail", SealedText("review_trail.detail"), nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
)
"""Who did what. Rows are only ever added; ``detail``, what was typed, is "" once the document is
erased."""

booking_index = sa.Index(
    "ix_documents_review_booking", documents.c.booking_ref, documents.c.received_at
)
"""Finds the attempts of one booking."""


_FORGET_REASONS = sa.delete(review_reasons).where(
    review_reasons.c.document_id == sa.bindparam("its_document")
)
_ADD_REASONS = sa.insert(review_reasons)


def facts_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """What the queue shows of a report: its score, its capture class, its codes by weight."""
    verdict = report["verdict"]
    codes = list(dict.fromkeys(reason["code"] for reason in verdict.get("reasons", ())))
    capture = None
    for page in report.get("pages", ())[:1]:
        capture = page["measures"].get("capture", {}).get("outputs", {}).get("source")
    return {"score": verdict.get("score"), "capture_class": capture, "codes": codes}


def note_facts(connection: sa.Connection, written: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Keep what the queue shows of reports that come into force.

    Args:
        connection: of the transaction that writes them.
        written: document id and JSON form of each.
    """
    if not written:
        return
    rows = [{"document_id": document_id, **facts_of(report)} for document_id, report in written]
    upsert(connection, review_facts, rows)
    connection.execute(_FORGET_REASONS, [{"its_document": row["document_id"]} for row in rows])
    reasons = [
        {"document_id": row["document_id"], "code": code} for row in rows for code in row["codes"]
    ]
    if reasons:
        connection.execute(_ADD_REASONS, reasons)
