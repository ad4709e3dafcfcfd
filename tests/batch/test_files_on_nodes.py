"""What a node says of a file that it does not see, and what becomes of it here."""

from __future__ import annotations

import os
from concurrent.futures import Future
from pathlib import Path

import pytest

from docqa import wiring
from docqa.batch.station import Order, inspect_on_node
from docqa.commands import check
from docqa.report import Report
from docqa.revalidate import ClusterLost
from docqa.settings import Settings


@pytest.fixture(scope="module")
def engine() -> wiring.Engine:
    return wiring.load_engine(Settings())


def on_a_node(path: Path) -> Future[Report]:
    """What comes of asking a node for a file that it has no chance to judge."""
    future: Future[Report] = Future()
    try:
        inspect_on_node(Order("", ""), "a4-generic", {}, path)
    except Exception as error:
        future.set_exception(error)
    return future


def test_a_file_that_nobody_sees_any_more_is_a_problem_of_its_own(
    engine: wiring.Engine, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "gone", Path("/dev/null"), tmp_path / "pipe"):
        found = check._from_node(engine, "a4-generic", path, on_a_node(path))
        assert found["problem"]["code"] == "check.unreadable"


def test_a_file_that_only_the_driver_sees_ends_the_run(
    engine: wiring.Engine, tmp_path: Path
) -> None:
    asked = on_a_node(tmp_path / "scan.png")
    (tmp_path / "scan.png").touch()
    with pytest.raises(ClusterLost, match="does not see the files"):
        check._from_node(engine, "a4-generic", tmp_path / "scan.png", asked)
