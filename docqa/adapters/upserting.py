"""Rows that may be there already, written in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keep: bool = False,
) -> None:
    """Insert the rows; those whose primary key is taken replace the old ones.

    Args:
        connection: of the caller's transaction.
        table: where.
        rows: all with the same columns.
        keep: leave the old rows as they are instead, whichever unique key is taken.
    """
    if rows:
        named = () if keep else tuple(rows[0])
        connection.execute(_upserting(connection.dialect.name, table, named), list(rows))


@cache
def _upserting(dialect_name: str, table: sa.Table, replaced: tuple[str, ...]) -> sa.Insert:
    """The statement; without ``replaced`` columns old rows stay as they are."""
    # Both dialects spell it alike; SQLAlchemy types each apart.
    is_postgresql = dialect_name == "postgresql"
    statement: Any = (postgresql.insert if is_postgresql else sqlite.insert)(table)
    if not replaced:
        return cast("sa.Insert", statement.on_conflict_do_nothing())
    keys = [column.name for column in table.primary_key]
    values = {name: statement.excluded[name] for name in replaced if name not in keys}
    return cast("sa.Insert", statement.on_conflict_do_update(index_elements=keys, set_=values))
