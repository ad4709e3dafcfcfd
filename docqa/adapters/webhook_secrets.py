"""The secrets of webhook endpoints, each opened by itself: a lost key silences no other one."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from docqa.adapters.webhook_tables import SECRET, webhook_endpoints
from docqa.errors import DamagedData
from docqa.webhooks.signature import SECRET_BYTES, encode_secret

_OVERLAP = timedelta(hours=24)
"""How long the secret before the newest one still signs as well."""
_NEWEST = sa.type_coerce(webhook_endpoints.c.secret, sa.Text).label("newest")
_PREVIOUS = sa.type_coerce(webhook_endpoints.c.previous_secret, sa.Text).label("previous")


def new_secret() -> str:
    """One that nobody knows."""
    return encode_secret(secrets.token_bytes(SECRET_BYTES))


def rotated(
    connection: sa.Connection, endpoint_id: str, secret: str, now: datetime
) -> dict[str, Any]:
    """What the columns become when ``secret`` is the newest; one that does not open is dropped."""
    is_lost = endpoint_id in unopened(connection)
    return {
        "secret": secret,
        "previous_secret": None if is_lost else webhook_endpoints.c.secret,
        "previous_until": now + _OVERLAP,
    }


def unopened(connection: sa.Connection) -> list[str]:
    """Ids of the endpoints whose newest secret cannot be opened."""
    found = connection.execute(sa.select(webhook_endpoints.c.id, _NEWEST))
    return [row.id for row in found if _opened(connection, row.newest) is None]


def live_secrets(connection: sa.Connection, endpoint_id: str, now: datetime) -> tuple[str, ...]:
    """Those that sign, the newest first. Raises DamagedData when that one cannot be opened."""
    mine = webhook_endpoints.c.id == endpoint_id
    query = sa.select(
        webhook_endpoints.c.secret, _PREVIOUS, webhook_endpoints.c.previous_until
    ).where(mine)
    row = connection.execute(query).one()
    is_over = row.previous_until is None or row.previous_until <= now
    previous = None if is_over else _opened(connection, row.previous)
    return (row.secret,) if previous is None else (row.secret, previous)


def _opened(connection: sa.Connection, stored: str | None) -> str | None:
    try:
        return SECRET.process_result_value(stored, connection.dialect)
    except DamagedData:
        return None
