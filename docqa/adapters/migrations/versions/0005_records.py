"""The audit trail, legal holds and deletion receipts; documents found by their national number.

Revision: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Begin an empty trail; documents from before are not found by their number."""
    op.create_table(
        "audit_entries",
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entries"),
    )
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "sha256": "0" * 64}])
    op.create_table(
        "legal_holds",
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("held_by", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name="pk_legal_holds"),
    )
    op.create_table(
        "deletion_receipts",
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_sha256", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(64)),
        sa.Column("blob_key", sa.String(64)),
        sa.PrimaryKeyConstraint("document_id", name="pk_deletion_receipts"),
    )
    op.create_index("ix_deletion_receipts_id", "deletion_receipts", ["id"], unique=True)
    op.create_index("ix_deletion_receipts_blob_key", "deletion_receipts", ["blob_key"])
    op.add_column("documents", sa.Column("national_number_hmac", sa.String(64)))
    op.create_index("ix_documents_national_number_hmac", "documents", ["national_number_hmac"])


def downgrade() -> None:
    """Drop them, and with them who did what."""
    op.drop_index("ix_documents_national_number_hmac", "documents")
    op.drop_column("documents", "national_number_hmac")
    for table in ("deletion_receipts", "legal_holds", "audit_head", "audit_entries"):
        op.drop_table(table)
