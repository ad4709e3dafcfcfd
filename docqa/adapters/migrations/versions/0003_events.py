"""What happened, for whoever wants to be told; whose a document is.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; documents from before belong to nobody in particular."""
    op.create_table(
        "events",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(64)),
        sa.Column("document_id", sa.String(64)),
        sa.Column("booking_ref", sa.Text),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
    )
    op.create_index("ix_events_id", "events", ["id"], unique=True)
    op.add_column("documents", sa.Column("client_id", sa.String(64)))


def downgrade() -> None:
    """Forget what happened."""
    op.drop_column("documents", "client_id")
    op.drop_table("events")
