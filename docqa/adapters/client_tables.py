"""The tables of those who may call the service: portals by key, reviewers by account."""

from __future__ import annotations

import sqlalchemy as sa

from docqa.adapters.schema import UtcDateTime, metadata, reviewers

client_keys = sa.Table(
    "client_keys",
    metadata,
    sa.Column("key_id", sa.String(32), primary_key=True),
    sa.Column("client_id", sa.String(64), nullable=False, index=True),
    sa.Column("secret_sha256", sa.String(64), nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("last_used_at", UtcDateTime),
)
"""API keys. Only the digest of a secret is kept: reading this table opens nothing."""

reviewer_roles = sa.Table(
    "reviewer_roles",
    metadata,
    sa.Column("name", sa.ForeignKey(reviewers.c.name, ondelete="CASCADE"), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("origin", sa.String(16), nullable=False),
)
"""What a reviewer may do, and who vouches for them: ``local`` a password, ``oidc`` the provider.
An account without a row is a local reviewer."""
