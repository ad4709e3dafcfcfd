"""Bringing a database to the newest schema, alone and with others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from docqa.adapters import schema
from docqa.adapters.schema import is_missing, migrate, open_engine
from docqa.adapters.store import SqlStore
from docqa.errors import InvalidModel
from tests.contracts import postgresql

_DOCUMENT = """
INSERT INTO documents (id, blob_key, file_name, document_type, claims, decision, report_number,
received_at) VALUES ('here', 'k', 'scan.pdf', 'a4-generic', '{}', 'review', 1, '2026-05-04')"""
_EVENT = """
INSERT INTO events (id, kind, occurred_at, body)
VALUES (:id, 'document.judged', '2026-05-04', '{}')"""

EMPTY: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder}/new/docqa.sqlite3",
    "postgresql": lambda folder: postgresql.server(),
}


@pytest.fixture(params=EMPTY)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return EMPTY[request.param](tmp_path)


def test_replicas_that_start_together_migrate_once_and_all_succeed(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrate(url), range(4)))
    store = SqlStore(url)
    try:
        assert store.problems() == []
        with store.engine.connect() as connection:
            versions = connection.execute(sa.text("SELECT version_num FROM alembic_version"))
            assert len(versions.all()) == 1
    finally:
        store.close()


def test_a_database_of_a_newer_version_is_named_and_left_alone(url: str) -> None:
    migrate(url)
    store = SqlStore(url)
    try:
        with store.engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        assert store.problems() == [schema.NEWER]
        with pytest.raises(InvalidModel, match="start the newer version"):
            migrate(url)
        with store.engine.connect() as connection:
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version"))
            assert found.scalar_one() == "9999"
    finally:
        store.close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(url: str) -> None:
    engine = open_engine(url) if not url.startswith("sqlite") else _sqlite_engine(url)
    try:
        with engine.begin() as connection:  # in the way of the first migration's last table
            connection.execute(sa.text("CREATE TABLE reservations (key INTEGER)"))
        with pytest.raises(sa.exc.SQLAlchemyError):
            migrate(url)
        assert "documents" not in sa.inspect(engine).get_table_names()
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Stepwise:
    """A database that is taken from one version of the schema to another."""

    url: str
    engine: sa.Engine

    @contextmanager
    def at(self, version: str, step: Callable[[Config, str], None]) -> Iterator[sa.Connection]:
        """A transaction that first takes the step (Alembic's up- or downgrade) to ``version``."""
        config = Config()
        folder = Path(schema.__file__).parent / "migrations"
        config.set_main_option("script_location", str(folder))
        with self.engine.begin() as connection:
            config.attributes["connection"] = connection
            step(config, version)
            yield connection


@pytest.fixture
def stepwise(url: str) -> Iterator[Stepwise]:
    engine = _sqlite_engine(url) if url.startswith("sqlite") else open_engine(url)
    try:
        yield Stepwise(url, engine)
    finally:
        engine.dispose()


_BOOKING = """
INSERT INTO bookings VALUES
('portal', 'B-7', 'sy-passport', '2026-05-01 08:00:00.250000', 'open', '', '[]', 1)"""
_DEADLINES = {  # Of documents received at 2026-05-04 12:00:00.5: in force, booking, is it its own.
    "default": ("2026-05-14 12:00:00.500000", None, False),
    "other number of days": ("2026-05-18 12:00:00.500000", None, False),
    "booking's": ("2026-05-11 08:00:00.250000", "B-7", False),
    "before the booking": ("2026-05-14 12:00:00.500000", "B-7", False),
    "own": ("2026-05-09 00:00:00.000000", None, True),
    "own, booked": ("2026-05-09 00:00:00.000000", "B-7", True),
    "another's booking": ("2026-05-11 08:00:00.250000", "B-8", True),
    "none": (None, "B-7", False),
}


def test_stored_deadlines_are_the_clients_own_where_nothing_else_explains_them(
    stepwise: Stepwise,
) -> None:
    with stepwise.at("0014", command.upgrade) as connection:
        connection.execute(sa.text(_BOOKING))
        for name, (deadline, ref, _) in _DEADLINES.items():
            connection.execute(sa.text(_DOCUMENT.replace("here", name.replace("'", "''"))))
            connection.execute(
                sa.text(
                    "UPDATE documents SET received_at = '2026-05-04 12:00:00.500000',"
                    " client_id = 'portal', booking_ref = :ref, deadline_at = :deadline"
                    " WHERE id = :id"
                ),
                {"id": name, "ref": ref, "deadline": deadline},
            )
    migrate(stepwise.url)
    with stepwise.engine.connect() as connection:
        kept = connection.execute(
            sa.text("SELECT id, own_deadline_at, deadline_at FROM documents")
        ).all()
    assert {row.id: row.own_deadline_at is not None for row in kept} == {
        name: is_own for name, (_, _, is_own) in _DEADLINES.items()
    }
    assert all(row.own_deadline_at in (None, row.deadline_at) for row in kept)
    with stepwise.at("0014", command.downgrade) as connection:
        columns = {column["name"] for column in sa.inspect(connection).get_columns("documents")}
    assert "deadline_at" in columns and "own_deadline_at" not in columns


def test_digests_of_requests_for_documents_that_are_gone_are_forgotten(stepwise: Stepwise) -> None:
    def digests(connection: sa.Connection) -> dict[str, str]:
        found = connection.execute(sa.text("SELECT key, payload_digest FROM reservations"))
        return {row.key: row.payload_digest for row in found}

    with stepwise.at("0013", command.upgrade) as connection:
        connection.execute(sa.text(_DOCUMENT))
        for row in ("('a', 'd', 'here', :now, :now)", "('b', 'd', 'gone', :now, :now)",
                    "('c', 'd', 'to come', :now, NULL)"):  # fmt: skip
            connection.execute(
                sa.text(f"INSERT INTO reservations VALUES {row}"), {"now": datetime.now(UTC)}
            )
    migrate(stepwise.url)
    with stepwise.engine.begin() as connection:
        assert digests(connection) == {"a": "d", "b": "", "c": "d"}
        sealed = f"('e', '{'s' * 200}', 'here', '2026-05-04', NULL)"
        connection.execute(sa.text(f"INSERT INTO reservations VALUES {sealed}"))
    with stepwise.at("0013", command.downgrade) as connection:
        assert digests(connection) == {"a": "d", "b": "", "c": "d", "e": ""}


def test_events_from_before_numbers_were_timed_count_as_old(stepwise: Stepwise) -> None:
    with stepwise.at("0014", command.upgrade) as connection:
        connection.execute(sa.text(_EVENT), {"id": "before"})
    migrate(stepwise.url)
    with stepwise.engine.begin() as connection:
        connection.execute(sa.text(_EVENT), {"id": "after"})
        timed = connection.execute(
            sa.text("SELECT id FROM events WHERE numbered_at IS NOT NULL")
        ).scalars()
        assert list(timed) == ([] if connection.dialect.name == "sqlite" else ["after"])
    with stepwise.at("0015", command.downgrade) as connection:
        columns = {column["name"] for column in sa.inspect(connection).get_columns("events")}
        assert "numbered_at" not in columns
        assert connection.execute(sa.text("SELECT COUNT(*) FROM events")).scalar_one() == 2


_TRAIL = """
INSERT INTO review_trail (document_id, reviewer, action, detail, recorded_at)
VALUES (:id, 'rana', 'revealed', 'typed', '2026-05-04')"""


def test_what_was_typed_about_documents_that_are_gone_is_forgotten(stepwise: Stepwise) -> None:
    with stepwise.at("0016", command.upgrade) as connection:
        connection.execute(sa.text(_DOCUMENT))
        connection.execute(sa.text(_TRAIL), [{"id": "here"}, {"id": "gone"}])
    migrate(stepwise.url)
    with stepwise.at("0016", command.downgrade) as connection:
        found = connection.execute(sa.text("SELECT document_id, detail FROM review_trail"))
        assert {row.document_id: row.detail for row in found} == {"here": "typed", "gone": ""}


def _sqlite_engine(url: str) -> sa.Engine:
    Path(str(sa.make_url(url).database)).parent.mkdir()
    return open_engine(url)


def test_looking_for_a_database_does_not_make_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/docqa.sqlite3"
    assert is_missing(url)
    assert list(tmp_path.iterdir()) == []
    migrate(url)
    assert not is_missing(url)
