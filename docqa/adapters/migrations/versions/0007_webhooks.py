"""Where events are delivered, and how far each delivery is.

Revision: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; what happened before is not told any more."""
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("client_id", sa.String(64)),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("previous_secret", sa.Text),
        sa.Column("previous_until", sa.DateTime(timezone=True)),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("disabled_because", sa.String(16)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
    )
    op.create_table(
        "deliveries",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("event_number", sa.Integer, nullable=False),
        sa.Column("endpoint_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.String(32)),
        sa.ForeignKeyConstraint(
            ["event_number"], ["events.number"], name="fk_deliveries_event_number", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoints.id"], name="fk_deliveries_endpoint_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_deliveries"),
    )
    op.create_index(
        "ix_deliveries_event_number_endpoint_id", "deliveries", ["event_number", "endpoint_id"], unique=True
    )
    op.create_index("ix_deliveries_endpoint_id", "deliveries", ["endpoint_id"])
    op.create_index("ix_deliveries_due", "deliveries", ["state", "due_at"])
    op.add_column("events", sa.Column("told_at", sa.DateTime(timezone=True)))
    op.create_index("ix_events_told_at", "events", ["told_at"])
    op.execute("UPDATE events SET told_at = occurred_at")


def downgrade() -> None:
    """Forget the endpoints and what was on its way."""
    op.drop_index("ix_events_told_at", "events")
    op.drop_column("events", "told_at")
    op.drop_table("deliveries")
    op.drop_table("webhook_endpoints")
