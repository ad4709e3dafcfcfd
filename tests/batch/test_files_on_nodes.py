"""What a node says of a file that it does not see, and what becomes of it here."""

from __future__ import annotations

import os
from concurrent.futures import Future
from pathlib import Path

import pytest
from PIL import Image

from docqa import wiring
from docqa.batch import station
from docqa.batch.station import Order, inspect_on_node
from docqa.commands import check
from docqa.errors import InvalidDocument
from docqa.intake.limits import Limits
from docqa.pipeline import Engine
from docqa.report import Report
from docqa.revalidate import ClusterLost
from docqa.settings import Settings


@pytest.fixture(scope="module")
def engine() -> Engine:
    return wiring.load_engine(Settings())


def on_a_node(path: Path) -> Future[Report]:
    """What comes of asking a node for a file that it has no chance to judge."""
    future: Future[Report] = Future()
    try:
        inspect_on_node(Order("", "", Limits()), "a4-generic", {}, path)
    except Exception as error:
        future.set_exception(error)
    return future


def test_a_file_that_nobody_sees_any_more_is_a_problem_of_its_own(
    engine: Engine, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "gone", Path("/dev/null"), tmp_path / "pipe"):
        found = check._from_node(engine, "a4-generic", path, on_a_node(path))
        assert found["problem"]["code"] == "check.unreadable"


def test_a_file_that_only_the_driver_sees_ends_the_run(engine: Engine, tmp_path: Path) -> None:
    asked = on_a_node(tmp_path / "scan.png")
    (tmp_path / "scan.png").touch()
    with pytest.raises(ClusterLost, match="does not see the files"):
        check._from_node(engine, "a4-generic", tmp_path / "scan.png", asked)


def test_a_node_holds_to_the_limits_of_the_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCQA_BLOBS_DIR", str(tmp_path / "blobs"))
    limits = Limits(max_bytes=50_000, max_pixels=40_000, max_side_px=900, max_pages=3,
                    max_jpeg_scans=7)  # fmt: skip
    text = wiring.policy_text(wiring.models_dir(Settings()), Settings().policy)
    digest = wiring.load_engine(Settings()).digest
    opened = station._open_station(Order(text, digest, limits))
    try:
        assert opened.worker.engine.limits == limits
        Image.new("L", (300, 300)).save(tmp_path / "a.png")
        with pytest.raises(InvalidDocument, match=r"file\.too_many_pixels"):
            opened.worker.inspect_file(tmp_path / "a.png", document_type="a4-generic")
    finally:
        opened.worker.close()
        opened.files.close()
