"""The tables of the audit trail, legal holds and deletion receipts.

None of them refers to ``documents`` by a foreign key: they outlive what they tell of.
"""

from __future__ import annotations

import sqlalchemy as sa

from docqa.adapters.schema import SealedText, UtcDateTime, metadata

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False, index=True),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)
"""The hash chain of docqa.audit. Rows are only ever added."""

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)
"""One row: the newest entry. Updating it is the lock that lets one writer append at a time."""

legal_holds = sa.Table(
    "legal_holds",
    metadata,
    sa.Column("document_id", sa.String(64), primary_key=True),
    sa.Column("held_by", sa.String(200), nullable=False),
    sa.Column("reason", SealedText("legal_holds.reason"), nullable=False),
    sa.Column("held_at", UtcDateTime, nullable=False),
)
"""Documents that nobody and nothing may erase."""

deletion_receipts = sa.Table(
    "deletion_receipts",
    metadata,
    sa.Column("document_id", sa.String(64), primary_key=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True, index=True),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("deleted_at", UtcDateTime, nullable=False),
    sa.Column("file_sha256", sa.String(64), nullable=False),
    sa.Column("client_id", sa.String(64)),
    sa.Column("blob_key", sa.String(64), index=True),
)
"""That a document was erased. ``blob_key`` is there while its bytes may still be: whoever comes
after a crash deletes them."""
