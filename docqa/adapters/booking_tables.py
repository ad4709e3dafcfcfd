"""The tables of bookings."""

from __future__ import annotations

import sqlalchemy as sa

from docqa.adapters.schema import UtcDateTime, metadata

bookings = sa.Table(
    "bookings",
    metadata,
    sa.Column("client_id", sa.String(64), primary_key=True),
    sa.Column("ref", sa.String(100), primary_key=True),
    sa.Column("service", sa.String(64), nullable=False),
    sa.Column("booked_at", UtcDateTime, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("reason_codes", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
"""``outcome`` and ``reason_codes`` are as last told in an event ``booking.changed``. ``version`` is
counted up first by whoever changes a booking or one of its documents: they wait for each other."""

booking_attempts = sa.Table(
    "booking_attempts",
    metadata,
    sa.Column("client_id", sa.String(64), primary_key=True),
    sa.Column("booking_ref", sa.String(100), primary_key=True),
    sa.Column("document_type", sa.String(64), primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
)
"""Uploads so far; deleting a document gives no attempt back."""
