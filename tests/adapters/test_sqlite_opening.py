"""Two processes that open a new SQLite database at the same moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from docqa.adapters import schema


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another process's connection, at work before the write-ahead log is turned on."""
    with closing(sqlite3.connect(tmp_path / "docqa.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def journal_mode(folder: Path) -> str:
    engine = schema.open_engine(f"sqlite:///{folder}/docqa.sqlite3")
    try:
        with engine.connect() as connection:
            return str(connection.execute(sa.text("PRAGMA journal_mode")).scalar_one())
    finally:
        engine.dispose()


def test_the_second_waits_until_the_first_is_done(
    tmp_path: Path, busy: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            busy.execute("COMMIT")

    monkeypatch.setattr("docqa.adapters.schema.time.sleep", pause)
    assert journal_mode(tmp_path) == "wal"
    assert len(pauses) == 3


def test_it_does_not_wait_for_ever(
    tmp_path: Path, busy: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_BUSY_TIMEOUT_MS", -1)
    with pytest.raises(sa.exc.OperationalError, match="locked"):
        journal_mode(tmp_path)
