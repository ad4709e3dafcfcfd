"""Fresh databases of a PostgreSQL of the tests' own.

One cluster per test process (so one per xdist worker), started when first asked for and stopped
when the process ends. It is not durable: no test of durability may use it as it is.
"""

from __future__ import annotations

import atexit
import itertools
import os
from contextlib import ExitStack
from functools import cache

import sqlalchemy as sa

from tests.postgres_server import running

_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
}
_numbers = itertools.count(1)


def server(template: str | None = None) -> str:
    """The URL of a fresh database, for SQLAlchemy with psycopg 3.

    Args:
        template: URL of a database of this cluster to copy, to which nobody is connected; empty
            if None.
    """
    maintenance = sa.make_url(_cluster())
    copied = f" TEMPLATE {sa.make_url(template).database}" if template else ""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _execute(maintenance, f"CREATE DATABASE {name}{copied}")
    return maintenance.set(database=name).render_as_string(hide_password=False)


def drop(url: str) -> None:
    """Remove a database that :func:`server` made, whoever is still connected to it."""
    made = sa.make_url(url)
    _execute(made.set(database="postgres"), f"DROP DATABASE {made.database} WITH (FORCE)")


def _execute(maintenance: sa.URL, statement: str) -> None:
    engine = sa.create_engine(maintenance, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(statement))
    finally:
        engine.dispose()


@cache
def _cluster() -> str:
    """The URL of the database that this process's cluster always has."""
    held = ExitStack()
    made = held.enter_context(running(_FAST))
    atexit.register(_close, os.getpid(), held)
    return made.url


def _close(owner_pid: int, held: ExitStack) -> None:
    if os.getpid() == owner_pid:  # a fork of the tests ends without taking the server along
        held.close()
