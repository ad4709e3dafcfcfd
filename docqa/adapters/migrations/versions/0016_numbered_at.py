"""When events got their numbers, which says how long a missing one may still come.

Revision: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; it stays empty for events from before, and on SQLite."""
    op.add_column("events", sa.Column("numbered_at", sa.DateTime(timezone=True)))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE events ALTER COLUMN numbered_at SET DEFAULT clock_timestamp()")


def downgrade() -> None:
    """Take it away."""
    op.drop_column("events", "numbered_at")
