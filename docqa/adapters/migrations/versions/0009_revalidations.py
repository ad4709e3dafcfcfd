"""Runs that judge stored documents again.

Revision: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NOW = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; the facts of reports from before are made by the first run."""
    op.create_table(
        "origins",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_origins"),
    )
    op.create_table(
        "report_facts",
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("report_number", sa.Integer, nullable=False),
        sa.Column("origin", sa.String(32), nullable=False),
        sa.Column("is_read", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("is_measured", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("judged_by", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name="pk_report_facts"),
        _of_document("report_facts"),
    )
    op.create_index("ix_report_facts_origin", "report_facts", ["origin"])
    _make_runs()


def _make_runs() -> None:
    op.create_table(
        "revalidations",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("policy_id", sa.String(200), nullable=False),
        sa.Column("policy_digest", sa.String(80), nullable=False),
        sa.Column("policy_text", sa.Text, nullable=False),
        sa.Column("engine_digest", sa.String(80), nullable=False),
        sa.Column("selection", sa.JSON, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("decided", sa.Integer, nullable=False),
        sa.Column("recomputed", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("decided_to", sa.String(64), nullable=False),
        sa.Column("created_at", _NOW, nullable=False),
        sa.Column("updated_at", _NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revalidations"),
    )
    op.create_table(
        "revalidation_counts",
        sa.Column("revalidation_id", sa.String(64), nullable=False),
        sa.Column("document_type", sa.String(64), nullable=False),
        sa.Column("before", sa.String(16), nullable=False),
        sa.Column("after", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("documents", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint(
            "revalidation_id", "document_type", "before", "after", "reason",
            name="pk_revalidation_counts",
        ),
        sa.ForeignKeyConstraint(
            ["revalidation_id"], ["revalidations.id"], ondelete="CASCADE",
            name="fk_revalidation_counts_revalidation_id",
        ),
    )
    op.create_table(
        "judgements",
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("policy_digest", sa.String(80), nullable=False),
        sa.Column("engine_digest", sa.String(80), nullable=False),
        sa.Column("report_number", sa.Integer, nullable=False),
        sa.Column("revalidation_id", sa.String(64)),
        sa.Column("before", sa.String(16)),
        sa.Column("after", sa.String(16)),
        sa.Column("reasons", sa.JSON),
        sa.Column("crashes", sa.Integer, nullable=False, server_default="0"),
        sa.Column("report", sa.Text),
        sa.Column("readings", sa.Text),
        sa.PrimaryKeyConstraint(
            "document_id", "policy_digest", "engine_digest", name="pk_judgements"
        ),
        _of_document("judgements"),
    )
    op.create_index("ix_judgements_revalidation_id", "judgements", ["revalidation_id"])


def downgrade() -> None:
    """Drop the tables: runs are forgotten, reports stay."""
    for table in ("judgements", "revalidation_counts", "revalidations", "report_facts", "origins"):
        op.drop_table(table)


def _of_document(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["document_id"], ["documents.id"], ondelete="CASCADE", name=f"fk_{table}_document_id"
    )
