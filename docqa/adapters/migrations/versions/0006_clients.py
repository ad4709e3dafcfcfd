"""Clients and their keys; what a reviewer may do.

Revision: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; there is no key yet, and every account is a local reviewer's."""
    op.create_table(
        "client_keys",
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("key_id", name="pk_client_keys"),
    )
    op.create_index("ix_client_keys_client_id", "client_keys", ["client_id"])
    op.create_table(
        "reviewer_roles",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_reviewer_roles"),
        sa.ForeignKeyConstraint(
            ["name"], ["reviewers.name"], name="fk_reviewer_roles_name", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Forget who may call."""
    op.drop_table("reviewer_roles")
    op.drop_table("client_keys")
