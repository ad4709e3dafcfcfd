"""The tables of webhook endpoints and of what is on its way to them."""

from __future__ import annotations

import sqlalchemy as sa

from docqa.adapters.schema import SealedText, UtcDateTime, events, metadata

SECRET = SealedText("webhook_endpoints.secret")
"""One place for both: the newest secret becomes the previous one as it is stored."""

webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kinds", sa.JSON, nullable=False),
    sa.Column("client_id", sa.String(64)),
    sa.Column("secret", SECRET, nullable=False),
    sa.Column("previous_secret", SECRET),
    sa.Column("previous_until", UtcDateTime),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("disabled_because", sa.String(16)),
    sa.Column("created_at", UtcDateTime, nullable=False),
)
"""Where events are delivered; ``kinds`` is [] for all of them."""

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("event_number", sa.ForeignKey(events.c.number, ondelete="CASCADE"), nullable=False),
    sa.Column(
        "endpoint_id",
        sa.ForeignKey(webhook_endpoints.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.String(32)),
    sa.Index("ix_deliveries_event_number_endpoint_id", "event_number", "endpoint_id", unique=True),
    sa.Index("ix_deliveries_due", "state", "due_at"),
)
"""An event on its way to an endpoint. Who tries it holds a lease, and its ``fence`` for so long."""
