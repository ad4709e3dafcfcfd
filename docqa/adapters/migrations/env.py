"""Runs the migrations on the connection that ``docqa.adapters.schema.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from docqa.adapters import (
    booking_tables,  # noqa: F401  # its tables join the metadata
    client_tables,  # noqa: F401  (its tables belong to the metadata)
    record_tables,  # noqa: F401  # its tables join the metadata
    revalidation_tables,  # noqa: F401  # its tables belong to the schema
    review_tables,  # noqa: F401  # the comparison sees its tables
    webhook_tables,  # noqa: F401  # so that the metadata has its tables
)
from docqa.adapters.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
