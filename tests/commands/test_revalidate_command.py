"""``docqa revalidate`` as operators and the service start it."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from docqa import wiring
from docqa.adapters.schema import documents
from docqa.commands.revalidate import new_run
from docqa.commands.speaking import EXIT_INTERRUPTED
from docqa.plan import Selection
from tests.batch.dask_cluster import BIN, Installation
from tests.batch.page import members_of_events
from tests.commands.small_installation import STRAIGHT, filled, stricter


@pytest.fixture
def home(tmp_path: Path) -> Installation:
    made = Installation(tmp_path)
    made.fill([b""], 0)
    return made


def begun(home: Installation, state: str) -> str:
    stores = wiring.open_stores(home.settings)
    engine = wiring.load_engine(home.settings)
    text = wiring.policy_text(wiring.models_dir(home.settings), home.settings.policy)
    wanted = new_run(engine, text, "report", Selection(datetime.now(UTC)))
    run = stores.revalidations.begin(wanted)
    stores.revalidations.move(run.id, state, allowed=("waiting",))
    stores.documents.close()
    return run.id


def revalidate(home: Installation, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "docqa", "revalidate", *options], env=home.environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("state", ["paused", "failed"])
def test_an_operator_goes_on_with_a_run_that_was_stopped(home: Installation, state: str) -> None:
    run_id = begun(home, state)
    done = revalidate(home, "--resume", run_id)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (lines[-1]["event"], lines[-1]["id"]) == ("done", run_id)
    for line in lines:
        assert set(line) == {"event", *members_of_events()[line["event"]]}


@pytest.mark.parametrize("state", ["paused", "cancelled"])
def test_what_the_service_starts_leaves_a_stopped_run_alone(home: Installation, state: str) -> None:
    done = revalidate(home, "--attended", "--resume", begun(home, state))
    assert done.returncode == EXIT_INTERRUPTED
    assert f"is {state}" in done.stderr


def test_the_same_command_goes_on_with_a_paused_run(home: Installation) -> None:
    run_id = begun(home, "paused")
    done = revalidate(home)
    assert json.loads(done.stdout.splitlines()[-1])["id"] == run_id, done.stderr


@pytest.mark.parametrize(
    "condition", ["document_type=a4-generic", "client_id=nobody", "booking_ref=b"]
)
def test_a_selection_of_nothing_is_told_to_be_one(home: Installation, condition: str) -> None:
    done = revalidate(home, "--dry-run", "--where", condition)
    assert (done.returncode, done.stderr) == (0, "no document is selected\n")


def test_documents_of_a_type_that_is_no_more_can_be_selected(tmp_path: Path) -> None:
    home = filled(tmp_path)
    stores = wiring.open_stores(home.settings)
    with stores.documents.engine.begin() as connection:
        connection.execute(sa.update(documents).values(document_type="sy-old"))
    stores.documents.close()
    done = revalidate(home, "--dry-run", "--where", "document_type=sy-old")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["documents"] == 2


def test_files_that_cannot_be_read_change_no_decision_and_are_told(tmp_path: Path) -> None:
    home = filled(tmp_path)
    stores = wiring.open_stores(home.settings)
    text = stricter(tmp_path).read_text(encoding="utf-8")
    measured = "\n[colour.area_fraction]\naccept = 0.0001\nreject = 0.0\nideal = 1.0\n"
    policy = tmp_path / "measuring_more.toml"
    policy.write_text(
        f'{text}{measured}reason = "quality.resolution"\nsource = "x"\n', encoding="utf-8"
    )
    blobs = tmp_path / "blobs"
    blobs.rename(tmp_path / "elsewhere")
    blobs.mkdir()
    arguments = ("--policy", str(policy), "--mode", "apply")
    told = revalidate(home, *arguments)
    assert told.returncode == EXIT_INTERRUPTED
    assert "2 documents keep their reports" in told.stderr
    assert {found.decision for found in stores.documents.scan()} == {"accept"}
    blobs.rmdir()
    (tmp_path / "elsewhere").rename(blobs)
    again = revalidate(home, *arguments)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["failed"] == 0
    found = stores.documents.get(STRAIGHT)
    assert found is not None and found.report_number == 2
    stores.documents.close()
