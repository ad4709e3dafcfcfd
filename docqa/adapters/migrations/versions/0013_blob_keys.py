"""Documents are found by their bytes: what belongs to none of them is swept away.

Revision: 0013
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index documents by the key of their bytes."""
    op.create_index("ix_documents_blob_key", "documents", ["blob_key"])
