"""What was read from a document, for its reviewers.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; documents from before have no readings."""
    column = sa.Column("readings", sa.JSON, nullable=False, server_default="{}")
    op.add_column("documents", column)


def downgrade() -> None:
    """Drop the column, and with it what was read."""
    op.drop_column("documents", "readings")
