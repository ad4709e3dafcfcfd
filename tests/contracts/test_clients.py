"""Who may review, in an SQL database: an account is there with its role, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from docqa.adapters.clients import SqlClients
from docqa.adapters.store import SqlStore
from tests.contracts.stores import SQL_STORES, opened_sql

NAME = "amal@example.org"


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
