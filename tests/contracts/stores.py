"""Every store that keeps documents, each one empty."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TypeAlias

from docqa.adapters.memory import MemoryStore
from docqa.adapters.schema import migrate
from docqa.adapters.store import SqlStore
from tests.contracts import postgresql

Store: TypeAlias = MemoryStore | SqlStore


def url_of(store: SqlStore) -> str:
    return store.engine.url.render_as_string(hide_password=False)


def sqlite_store(folder: Path, stack: ExitStack) -> SqlStore:
    path = folder / "new/docqa.sqlite3"
    path.parent.mkdir()
    path.write_bytes(_migrated_sqlite())
    return _opened(f"sqlite:///{path}", stack)


def postgresql_store(folder: Path, stack: ExitStack) -> SqlStore:
    url = postgresql.server(_migrated_postgresql())
    stack.callback(postgresql.drop, url)
    return _opened(url, stack)


@cache
def _migrated_sqlite() -> bytes:
    """Migrated once: a copy is there sooner."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "docqa.sqlite3")
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


@cache
def _migrated_postgresql() -> str:
    url = postgresql.server()
    migrate(url)
    return url


def _opened(url: str, stack: ExitStack) -> SqlStore:
    store = SqlStore(url)
    stack.callback(store.close)
    return store


SQL_STORES: dict[str, Callable[[Path, ExitStack], SqlStore]] = {
    "sqlite": sqlite_store,
    "postgresql": postgresql_store,
}
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
