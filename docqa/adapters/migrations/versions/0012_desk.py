"""The queue in one index, events that wait until nobody can take them back, deadlines noticed.

Revision: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns; documents of cancelled bookings are marked as such."""
    op.add_column(
        "documents",
        sa.Column(
            "is_withdrawn",
            sa.Boolean(create_constraint=False),
            nullable=False,
            server_default=sa.false(),
        ),
    )
    _withdraw()
    op.drop_index("ix_documents_queue", "documents")
    op.create_index(
        "ix_documents_waiting",
        "documents",
        ["decision", "is_withdrawn", "deadline_at", "received_at", "id", "document_type"],
    )
    op.drop_index("ix_review_claims_reviewer", "review_claims")
    op.create_index("ix_review_claims_held", "review_claims", ["reviewer", "until"])
    op.add_column("review_facts", sa.Column("deadline_near_at", _MOMENT))
    op.add_column("events", sa.Column("held_until", _MOMENT))
    op.create_index("ix_events_booking", "events", ["client_id", "booking_ref"])


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_events_booking", "events")
    op.drop_column("events", "held_until")
    op.drop_column("review_facts", "deadline_near_at")
    op.drop_index("ix_review_claims_held", "review_claims")
    op.create_index("ix_review_claims_reviewer", "review_claims", ["reviewer"])
    op.drop_index("ix_documents_waiting", "documents")
    op.create_index(
        "ix_documents_queue", "documents", ["decision", "deadline_at", "received_at", "id"]
    )
    op.drop_column("documents", "is_withdrawn")


def _withdraw() -> None:
    documents = sa.table(
        "documents",
        sa.column("client_id", sa.String),
        sa.column("booking_ref", sa.Text),
        sa.column("is_withdrawn", sa.Boolean),
    )
    bookings = sa.table(
        "bookings",
        sa.column("client_id", sa.String),
        sa.column("ref", sa.String),
        sa.column("state", sa.String),
    )
    cancelled = sa.exists().where(
        bookings.c.client_id == documents.c.client_id,
        bookings.c.ref == documents.c.booking_ref,
        bookings.c.state == "cancelled",
    )
    op.get_bind().execute(sa.update(documents).where(cancelled).values(is_withdrawn=True))
