"""Reviewers at work: what waits and why, claims, decisions, second looks, the trail.

Revision: 0008
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = (
    "review_trail",
    "review_second_looks",
    "review_decision_codes",
    "review_decisions",
    "review_claims",
    "review_reasons",
    "review_facts",
)


def upgrade() -> None:
    """Add the tables; documents from before are listed with what their report says."""
    _create_queue()
    _create_decisions()
    _create_sample_and_trail()
    op.create_index("ix_documents_review_booking", "documents", ["booking_ref", "received_at"])
    _list_what_is_there()


def downgrade() -> None:
    """Forget who reviewed what; rulings stay."""
    op.drop_index("ix_documents_review_booking", "documents")
    for table in _TABLES:
        op.drop_table(table)


def _moment(name: str, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_document(table: str, *primary: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=f"fk_{table}_document_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*primary, name=f"pk_{table}"),
    )


def _create_queue() -> None:
    op.create_table(
        "review_facts",
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("score", sa.Integer),
        sa.Column("capture_class", sa.String(32)),
        sa.Column("codes", sa.JSON, nullable=False),
        _moment("escalated_at", nullable=True),
        sa.Column("escalated_by", sa.String(200)),
        *_of_document("review_facts", "document_id"),
    )
    op.create_index("ix_review_facts_escalated_at", "review_facts", ["escalated_at"])
    op.create_table(
        "review_reasons",
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("document_id", sa.String(64), nullable=False),
        *_of_document("review_reasons", "code", "document_id"),
    )
    op.create_index("ix_review_reasons_document_id", "review_reasons", ["document_id"])
    op.create_table(
        "review_claims",
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("reviewer", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        _moment("claimed_at"),
        _moment("until"),
        *_of_document("review_claims", "document_id"),
    )
    op.create_index("ix_review_claims_reviewer", "review_claims", ["reviewer"])


def _create_decisions() -> None:
    op.create_table(
        "review_decisions",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("ruling_number", sa.Integer),
        sa.Column("reviewer", sa.String(200), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        _moment("decided_at"),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("took_s", sa.Integer),
        sa.Column("document_type", sa.String(64), nullable=False),
        sa.Column("capture_class", sa.String(32)),
        sa.Column("score", sa.Integer),
        sa.Column("found_codes", sa.JSON, nullable=False),
        sa.Column("given_codes", sa.JSON, nullable=False),
        _moment("undone_at", nullable=True),
        *_of_document("review_decisions", "number"),
    )
    op.create_index("ix_review_decisions_document_id", "review_decisions", ["document_id"])
    op.create_index("ix_review_decisions_day", "review_decisions", ["day", "reviewer"])
    op.create_table(
        "review_decision_codes",
        sa.Column("decision_number", sa.Integer, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_number"],
            ["review_decisions.number"],
            name="fk_review_decision_codes_decision_number",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("decision_number", "code", name="pk_review_decision_codes"),
    )


def _create_sample_and_trail() -> None:
    op.create_table(
        "review_second_looks",
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("first_reviewer", sa.String(200), nullable=False),
        sa.Column("first_outcome", sa.String(16), nullable=False),
        _moment("first_at"),
        sa.Column("first_day", sa.String(10), nullable=False),
        sa.Column("second_reviewer", sa.String(200)),
        _moment("second_until", nullable=True),
        sa.Column("second_outcome", sa.String(16)),
        _moment("second_at", nullable=True),
        *_of_document("review_second_looks", "document_id"),
    )
    op.create_index(
        "ix_review_second_looks_open", "review_second_looks", ["second_outcome", "first_at"]
    )
    op.create_table(
        "review_trail",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("reviewer", sa.String(200), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        _moment("recorded_at"),
        sa.PrimaryKeyConstraint("number", name="pk_review_trail"),
    )
    op.create_index("ix_review_trail_document_id", "review_trail", ["document_id"])


def _list_what_is_there() -> None:
    connection = op.get_bind()
    documents = sa.table(
        "documents", sa.column("id", sa.String), sa.column("report_number", sa.Integer)
    )
    reports = sa.table(
        "reports",
        sa.column("document_id", sa.String),
        sa.column("number", sa.Integer),
        sa.column("report", sa.JSON),
    )
    facts = sa.table(
        "review_facts",
        sa.column("document_id", sa.String),
        sa.column("score", sa.Integer),
        sa.column("capture_class", sa.String),
        sa.column("codes", sa.JSON),
    )
    reasons = sa.table(
        "review_reasons", sa.column("code", sa.String), sa.column("document_id", sa.String)
    )
    of_report = (reports.c.document_id == documents.c.id) & (
        reports.c.number == documents.c.report_number
    )
    for document_id in connection.execute(sa.select(documents.c.id)).scalars().all():
        report = connection.execute(
            sa.select(reports.c.report)
            .join_from(documents, reports, of_report)
            .where(documents.c.id == document_id)
        ).scalar_one()
        codes = list(dict.fromkeys(r["code"] for r in report["verdict"].get("reasons", ())))
        pages = report.get("pages") or [{"measures": {}}]
        capture = pages[0]["measures"].get("capture", {}).get("outputs", {}).get("source")
        connection.execute(
            sa.insert(facts).values(
                document_id=document_id,
                score=report["verdict"].get("score"),
                capture_class=capture,
                codes=codes,
            )
        )
        if codes:
            connection.execute(
                sa.insert(reasons),
                [{"code": code, "document_id": document_id} for code in codes],
            )
