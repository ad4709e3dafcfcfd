"""``docqa revalidations``: an operator looks at runs, stops them and lets them go on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from docqa import wiring
from docqa.cli import cli
from docqa.commands.speaking import EXIT_BAD_INPUT
from docqa.plan import Run, Selection
from docqa.settings import Settings


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCQA_DATABASE_URL", f"sqlite:///{tmp_path}/docqa.sqlite3")
    monkeypatch.setenv("DOCQA_BLOBS_DIR", str(tmp_path / "blobs"))
    wiring.migrate_database(Settings())


def revalidations(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["revalidations", *arguments])


def begun(state: str) -> str:
    stores = wiring.open_stores(Settings())
    wanted = Run(
        "", "apply", "waiting", "stricter", "sha256:p", "", "sha256:e", Selection(datetime.now(UTC))
    )
    run = stores.revalidations.begin(wanted)
    stores.revalidations.move(run.id, state, allowed=("waiting",))
    stores.documents.close()
    return run.id


def state(run_id: str) -> str:
    stores = wiring.open_stores(Settings())
    run = stores.revalidations.get(run_id)
    stores.documents.close()
    assert run is not None
    return run.state


def test_every_run_is_listed_with_how_far_it_is() -> None:
    first, second = begun("paused"), begun("done")
    listed = revalidations("list")
    assert listed.exit_code == 0
    lines = {
        run: line for run in (first, second) for line in listed.output.splitlines() if run in line
    }
    for run, its_state in ((first, "paused"), (second, "done")):
        assert all(cell in lines[run] for cell in ("apply", its_state, "stricter", "0 of 0"))


MOVES = {
    "pause": ("paused", {"waiting", "running"}),
    "resume": ("waiting", {"paused", "failed"}),
    "cancel": ("cancelled", {"waiting", "running", "paused", "failed"}),
}
STATES = ("waiting", "running", "paused", "failed", "done", "cancelled")


@pytest.mark.parametrize("command", MOVES)
@pytest.mark.parametrize("before", STATES)
def test_a_run_is_stopped_and_goes_on_where_it_can(command: str, before: str) -> None:
    after, allowed = MOVES[command]
    run = begun(before)
    moved = revalidations(command, run)
    if before in allowed:
        assert (moved.exit_code, moved.output) == (0, f"{run} is {after}\n")
        assert state(run) == after
    else:
        assert moved.exit_code == EXIT_BAD_INPUT
        assert f"cannot be {after} now" in moved.output
        assert state(run) == before


@pytest.mark.parametrize("command", MOVES)
def test_an_unknown_run_is_told_to_be_unknown(command: str) -> None:
    moved = revalidations(command, "rev_unknown")
    assert moved.exit_code == EXIT_BAD_INPUT
    assert "rev_unknown: there is no such run" in moved.output
