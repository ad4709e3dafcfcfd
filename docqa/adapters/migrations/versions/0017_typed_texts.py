"""What reviewers typed about documents that are gone is forgotten.

Revision: 0017
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty the trail's column where the document is gone."""
    op.execute(
        "UPDATE review_trail SET detail = '' WHERE detail <> ''"
        " AND NOT EXISTS (SELECT 1 FROM documents WHERE documents.id = review_trail.document_id)"
    )


def downgrade() -> None:
    """Nothing: what is forgotten does not come back."""
