"""Bookings and what each needs; when an upload was answered.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; keys used before belong to no client and are not replayed."""
    op.create_table(
        "bookings",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("ref", sa.String(100), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason_codes", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "ref", name="pk_bookings"),
    )
    op.create_table(
        "booking_attempts",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("booking_ref", sa.String(100), nullable=False),
        sa.Column("document_type", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint(
            "client_id", "booking_ref", "document_type", name="pk_booking_attempts"
        ),
    )
    op.create_index("ix_documents_booking", "documents", ["client_id", "booking_ref"])
    op.create_index("ix_documents_listed", "documents", ["client_id", "received_at", "id"])
    op.add_column("reservations", sa.Column("answered_at", sa.DateTime(timezone=True)))
    op.create_index("ix_reservations_document_id", "reservations", ["document_id"])


def downgrade() -> None:
    """Forget the bookings."""
    op.drop_index("ix_reservations_document_id", "reservations")
    op.drop_column("reservations", "answered_at")
    op.drop_index("ix_documents_listed", "documents")
    op.drop_index("ix_documents_booking", "documents")
    op.drop_table("booking_attempts")
    op.drop_table("bookings")
