"""Who may review, in an SQL database: an account is there with its role, or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from docqa.adapters.clients import SqlClients
from docqa.adapters.sessions import SqlSessions
from docqa.adapters.store import SqlStore
from tests.contracts.stores import SQL_STORES, opened_sql

NAME = "amal@example.org"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(params=SQL_STORES)
def sql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from opened_sql(request.param, tmp_path)


def test_who_has_no_known_role_gets_no_account(sql: SqlStore) -> None:
    clients = SqlClients(sql.engine)
    with pytest.raises(ValueError, match="a role is one of"):
        clients.admit_reviewer(NAME, "root", unusable_hash="!")
    assert sql.password_hash(NAME) is None
    assert clients.admit_reviewer(NAME, "senior", unusable_hash="!")
    assert (clients.role(NAME), clients.vouched_by_provider(NAME)) == ("senior", True)


def test_a_crash_between_account_and_role_leaves_neither(sql: SqlStore) -> None:
    clients = SqlClients(sql.engine)

    def crash(_: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "INSERT INTO reviewer_roles" in statement:
            raise KeyboardInterrupt

    sa.event.listen(sql.engine, "before_cursor_execute", crash)
    with pytest.raises(KeyboardInterrupt):
        clients.admit_reviewer(NAME, "senior", unusable_hash="!")
    sa.event.remove(sql.engine, "before_cursor_execute", crash)
    assert clients.admit_reviewer(NAME, "senior", unusable_hash="!")
    assert clients.role(NAME) == "senior"


def test_a_role_follows_the_provider_and_a_local_account_stays_local(sql: SqlStore) -> None:
    clients = SqlClients(sql.engine)
    for role in ("senior", "auditor"):
        assert clients.admit_reviewer(NAME, role, unusable_hash="!")
        assert clients.role(NAME) == role
    sql.add_reviewer("huda", "hash")
    assert not clients.admit_reviewer("huda", "admin", unusable_hash="!")
    assert (clients.role("huda"), sql.password_hash("huda")) == ("reviewer", "hash")


def sessions_of(sql: SqlStore) -> SqlSessions:
    return SqlSessions(sql.engine, idle=timedelta(hours=1), lifetime=timedelta(hours=9))


def test_a_closed_account_is_signed_out_and_gets_in_neither_by_password_nor_by_provider(
    sql: SqlStore,
) -> None:
    clients, sessions = SqlClients(sql.engine), sessions_of(sql)
    sql.add_reviewer("huda", "hash")
    clients.set_role("huda", "auditor")
    assert clients.admit_reviewer(NAME, "senior", unusable_hash="!")
    for name, role in (("huda", "auditor"), (NAME, "senior")):
        token = sessions.start(name, now=NOON)
        assert clients.close_reviewer(name, unusable_hash="?")
        assert sessions.reviewer(token, now=NOON) is None
        assert (sql.password_hash(name), clients.role(name)) == ("?", role)
        assert not clients.admit_reviewer(name, "admin", unusable_hash="!")
    assert not clients.close_reviewer("nobody", unusable_hash="?")
    assert sql.password_hash("nobody") is None
    sql.add_reviewer("huda", "another hash")
    assert (sql.password_hash("huda"), clients.role("huda")) == ("another hash", "auditor")


def test_nobody_is_signed_in_whose_account_was_deleted_by_hand(tmp_path: Path) -> None:
    with ExitStack() as stack:
        sql = SQL_STORES["sqlite"](tmp_path, stack)
        sql.add_reviewer("huda", "hash")
        token = sessions_of(sql).start("huda", now=NOON)
        assert sql.engine.url.database is not None
        with sqlite3.connect(sql.engine.url.database) as plain:  # which checks no foreign keys
            plain.execute("DELETE FROM reviewers")
        assert sessions_of(sql).reviewer(token, now=NOON) is None
