"""Every store that keeps documents, each one empty."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import sqlalchemy as sa

from docqa.adapters.memory import MemoryStore
from docqa.adapters.schema import migrate, open_engine
from docqa.adapters.store import SqlStore

Store: TypeAlias = MemoryStore | SqlStore

POSTGRESQL_URL = os.environ.get("DOCQA_TEST_POSTGRESQL_URL", "")
"""A PostgreSQL database to run the SQL suites on as well. Its tables are dropped."""


def url_of(store: SqlStore) -> str:
    return store.engine.url.render_as_string(hide_password=False)


def sqlite_store(folder: Path, stack: ExitStack) -> SqlStore:
    return _migrated(f"sqlite:///{folder}/new/docqa.sqlite3", stack)


def postgresql_store(folder: Path, stack: ExitStack) -> SqlStore:
    engine = open_engine(POSTGRESQL_URL)
    with engine.begin() as connection:
        found = sa.MetaData()
        found.reflect(connection)
        found.drop_all(connection)
    engine.dispose()
    return _migrated(POSTGRESQL_URL, stack)


def _migrated(url: str, stack: ExitStack) -> SqlStore:
    migrate(url)
    store = SqlStore(url)
    stack.callback(store.close)
    return store


SQL_STORES: dict[str, Callable[[Path, ExitStack], SqlStore]] = {"sqlite": sqlite_store}
if POSTGRESQL_URL:
    SQL_STORES["postgresql"] = postgresql_store
STORES: dict[str, Callable[[Path, ExitStack], Store]] = {
    "memory": lambda folder, stack: MemoryStore(),
    **SQL_STORES,
}


def opened(name: str, folder: Path) -> Iterator[Store]:
    """For a fixture: the store called ``name``, closed afterwards."""
    with ExitStack() as stack:
        yield STORES[name](folder, stack)


def opened_sql(name: str, folder: Path) -> Iterator[SqlStore]:
    """For a fixture: the SQL store called ``name``, closed afterwards."""
    with ExitStack() as stack:
        yield SQL_STORES[name](folder, stack)
