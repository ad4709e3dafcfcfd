"""The client's own deadline is kept beside the one in force, which follows the booking.

Revision: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_DAY_S = 86_400


def upgrade() -> None:
    """Add the column; stored deadlines that nobody but the client can have set are its own."""
    op.add_column("documents", sa.Column("own_deadline_at", _MOMENT))
    documents = sa.table(
        "documents",
        sa.column("client_id", sa.String),
        sa.column("booking_ref", sa.Text),
        sa.column("received_at", _MOMENT),
        sa.column("deadline_at", _MOMENT),
        sa.column("own_deadline_at", _MOMENT),
    )
    bookings = sa.table(
        "bookings",
        sa.column("client_id", sa.String),
        sa.column("ref", sa.String),
        sa.column("booked_at", _MOMENT),
    )

    # The others come a whole number of days after the receipt or the booking. How many it was does
    # not stand in the database, and may have been another number then.
    def days_after(moment: sa.ColumnElement[object]) -> sa.ColumnElement[bool]:
        seconds = sa.extract("epoch", documents.c.deadline_at) - sa.extract("epoch", moment)
        return seconds % _DAY_S == 0

    of_booking = sa.exists().where(
        bookings.c.client_id == documents.c.client_id,
        bookings.c.ref == documents.c.booking_ref,
        days_after(bookings.c.booked_at),
    )
    op.get_bind().execute(
        sa.update(documents)
        .where(documents.c.deadline_at.is_not(None))
        .where(~days_after(documents.c.received_at), ~of_booking)
        .values(own_deadline_at=documents.c.deadline_at)
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_column("documents", "own_deadline_at")
