"""Runs that clients ask the service for.

Revision: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "revalidation_requests",
        sa.Column("revalidation_id", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("revalidation_id", name="pk_revalidation_requests"),
        sa.ForeignKeyConstraint(
            ["revalidation_id"],
            ["revalidations.id"],
            name="fk_revalidation_requests_revalidation_id_revalidations",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    """Forget who asked."""
    op.drop_table("revalidation_requests")
