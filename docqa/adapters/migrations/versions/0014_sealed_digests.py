"""Digests of requests are sealed, which takes room; those of erased documents are forgotten.

Revision: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the column, and empty it where the document is gone."""
    with op.batch_alter_table("reservations") as table:
        table.alter_column("payload_digest", type_=sa.Text, existing_nullable=False)
    op.execute(
        "UPDATE reservations SET payload_digest = '' WHERE answered_at IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM documents WHERE documents.id = reservations.document_id)"
    )


def downgrade() -> None:
    """Narrow it; a sealed digest has no place there."""
    op.execute("UPDATE reservations SET payload_digest = '' WHERE LENGTH(payload_digest) > 64")
    with op.batch_alter_table("reservations") as table:
        table.alter_column("payload_digest", type_=sa.String(64), existing_nullable=False)
