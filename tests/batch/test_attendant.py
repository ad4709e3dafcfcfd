"""Whoever looks after requested runs: each is driven, none is lost, none is tried for ever."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from docqa.adapters.revalidation_requests import SqlRequests
from docqa.adapters.revalidations import SqlRevalidations
from docqa.adapters.store import SqlStore
from docqa.batch.attendant import Attendant, Requested
from docqa.plan import Run, Selection
from tests.batch.dask_cluster import until
from tests.contracts.stores import SQL_STORES, opened_sql

QUIET = timedelta(minutes=2)


@pytest.fixture(params=SQL_STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    yield from opened_sql(request.param, tmp_path)


def asked(store: SqlStore, policy: str = "p") -> str:
    runs = SqlRevalidations(store.engine)
    run = Run("", "report", "waiting", policy, policy, "", "e", Selection(datetime.now(UTC)))
    begun = runs.begin(run)
    SqlRequests(store.engine).ask(begun, "portal", now=datetime.now(UTC))
    return begun.id


def attendant(store: SqlStore, script: str, requested: Requested | None = None) -> Attendant:
    """One that starts Python with ``script``, the id of the run as its argument."""
    return Attendant(
        requested or SqlRequests(store.engine), SqlRevalidations(store.engine), quiet=QUIET,
        command=lambda run_id: [sys.executable, "-S", "-c", script, run_id],
    )  # fmt: skip


def state(store: SqlStore, run_id: str) -> str:
    found = SqlRevalidations(store.engine).get(run_id)
    assert found is not None
    return found.state


def attended(
    store: SqlStore,
    script: str,
    condition: Callable[[], bool],
    requested: Requested | None = None,
) -> float:
    """Seconds that closing took, after the condition came to hold."""
    made = attendant(store, script, requested)
    made.start()
    try:
        until(condition)
    finally:
        begun = time.monotonic()
        made.close()
    return time.monotonic() - begun


def test_a_run_is_taken_once_and_again_when_its_driver_has_been_quiet(store: SqlStore) -> None:
    requests, now = SqlRequests(store.engine), datetime.now(UTC)
    first, second = asked(store, "p"), asked(store, "q")
    assert [requests.take(now=now, quiet=QUIET) for _ in range(3)] == [first, second, None]
    assert requests.take(now=now + QUIET / 2, quiet=QUIET) is None
    later = now + QUIET + timedelta(seconds=1)
    assert [requests.take(now=later, quiet=QUIET) for _ in range(3)] == [first, second, None]


@pytest.mark.parametrize("state_", ["paused", "cancelled", "done", "failed"])
def test_what_was_stopped_or_is_done_is_not_taken(store: SqlStore, state_: str) -> None:
    SqlRevalidations(store.engine).move(asked(store), state_, allowed=("waiting",))
    later = datetime.now(UTC) + 2 * QUIET
    assert SqlRequests(store.engine).take(now=later, quiet=QUIET) is None


def test_a_run_of_the_command_line_is_left_alone(store: SqlStore) -> None:
    run = Run("", "report", "waiting", "p", "p", "", "e", Selection(datetime.now(UTC)))
    SqlRevalidations(store.engine).begin(run)
    later = datetime.now(UTC) + 2 * QUIET
    assert SqlRequests(store.engine).take(now=later, quiet=QUIET) is None


def test_every_requested_run_is_driven(store: SqlStore, tmp_path: Path) -> None:
    runs = {asked(store, "p"), asked(store, "q")}
    script = f"import sys; open({str(tmp_path)!r} + '/' + sys.argv[1], 'x')"
    attended(store, script, lambda: all((tmp_path / run).exists() for run in runs))


def test_a_driver_that_fails_three_times_is_given_up(store: SqlStore, tmp_path: Path) -> None:
    run, tries = asked(store), tmp_path / "tries"
    script = f"open({str(tries)!r}, 'ab').write(b'.')\nraise SystemExit(7)"
    attended(store, script, lambda: state(store, run) == "failed")
    assert tries.stat().st_size == 3


def test_where_the_database_is_away_for_a_while_runs_are_looked_after_later(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docqa.batch.attendant._LOOK_EVERY_S", 0)
    asked(store)
    done = tmp_path / "done"
    looks = iter([OSError("away"), sa.exc.OperationalError("", {}, OSError("away"))])

    class Away:
        def take(self, *, now: datetime, quiet: timedelta) -> str | None:
            for error in looks:
                raise error
            return SqlRequests(store.engine).take(now=now, quiet=quiet)

    script = f"open({str(done)!r}, 'x')"
    attended(store, script, done.exists, Away())


def test_one_that_was_paused_or_cancelled_meanwhile_is_left_as_it_is(
    store: SqlStore, tmp_path: Path
) -> None:
    run, go = asked(store), tmp_path / "go"
    script = f"import pathlib\nwhile not pathlib.Path({str(go)!r}).exists(): pass\nexit(7)"

    def stopped_and_gone() -> bool:
        moved = SqlRevalidations(store.engine).move(run, "cancelled", allowed=("running",))
        if moved:  # not before: a driver that ends too early is started again
            go.touch()
        return moved

    attended(store, script, stopped_and_gone)
    assert state(store, run) == "cancelled"


def test_a_driver_outlives_a_service_that_is_killed(store: SqlStore, tmp_path: Path) -> None:
    run, begun, go, done = asked(store), *(tmp_path / name for name in ("begun", "go", "done"))
    script = (
        f"import pathlib; pathlib.Path({str(begun)!r}).touch()\n"
        f"while not pathlib.Path({str(go)!r}).exists(): pass\n"
        f"pathlib.Path({str(done)!r}).touch()"
    )
    url = store.engine.url.render_as_string(hide_password=False)
    service = f"""
import sys, threading
from datetime import timedelta
import sqlalchemy as sa
from docqa.adapters.revalidation_requests import SqlRequests
from docqa.adapters.revalidations import SqlRevalidations
from docqa.batch.attendant import Attendant
engine = sa.create_engine({url!r})
command = [sys.executable, "-S", "-c", {script!r}]
Attendant(SqlRequests(engine), SqlRevalidations(engine), quiet=timedelta(hours=1),
          command=lambda run_id: command).start()
threading.Event().wait()
"""
    with subprocess.Popen(
        [sys.executable, "-c", service], cwd=Path(__file__).parents[2]
    ) as process:
        try:
            until(begun.exists)
        finally:
            process.kill()
    go.touch()
    until(done.exists)
    assert state(store, run) == "running"


def test_closing_ends_the_driver_and_leaves_the_run_to_the_next(store: SqlStore) -> None:
    run = asked(store)
    script = "import time; time.sleep(600)"
    closing_s = attended(store, script, lambda: state(store, run) == "running")
    assert closing_s < 20
    assert state(store, run) == "waiting"
    assert SqlRequests(store.engine).take(now=datetime.now(UTC), quiet=QUIET) == run
