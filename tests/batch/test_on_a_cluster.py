"""Real documents, real children, a real Dask scheduler with workers of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from docqa import wiring
from docqa.ports import StoredDocument
from docqa.settings import Settings
from fixtures.synthesize.documents import letter
from fixtures.synthesize.scanner import scan

BIN = Path(sys.executable).parent
DEADLINE_S = 120.0
pytestmark = pytest.mark.long


Home = tuple[dict[str, str], Path]
"""The environment and the folder of an installation."""


def installed(folder: Path) -> Home:
    """An installation with eight documents of which the inspection failed long ago."""
    environment = {
        **os.environ,
        "DOCQA_DATABASE_URL": f"sqlite:///{folder}/d.sqlite3",
        "DOCQA_BLOBS_DIR": str(folder / "blobs"),
        "DOCQA_WORKERS": "1",
        "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
    }
    settings = Settings(database_url=environment["DOCQA_DATABASE_URL"], blobs_dir=folder / "blobs")
    stores = wiring.open_stores(settings)
    for seed in range(8):
        data = scan(letter(script="latin", seed=seed), ppi=100).data
        stores.blobs.put(f"{seed:032x}", data)
        report = {
            "schema": "docqa.report/1", "sha256": f"{seed:064x}", "document_type": "a4-generic",
            "verdict": {"decision": "review", "score": None, "reasons": []},
            "pages": [], "fields": [], "faults": ["system.crashed"],
            "policy": {"id": "old", "digest": "sha256:old"},
            "engine": {"version": "0", "digest": "sha256:old"}, "timings_ms": {},
        }  # fmt: skip
        stores.documents.add(
            StoredDocument(
                id=f"doc_{seed}", blob_key=f"{seed:032x}", file_name="x.jpg",
                document_type="a4-generic", claims={}, report=report, decision="review",
                received_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )  # fmt: skip
    stores.documents.close()
    return environment, folder


def started(environment: dict[str, str], *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [BIN / arguments[0], *arguments[1:]], env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def cluster(
    environment: dict[str, str], folder: Path, workers: int
) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    place = folder / "scheduler.json"
    running = [
        started(environment, "dask", "scheduler", "--port", "0", "--host", "127.0.0.1",
                "--no-dashboard", "--scheduler-file", place)
    ]  # fmt: skip
    try:
        deadline = time.monotonic() + DEADLINE_S
        while not place.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        address = json.loads(place.read_text())["address"]
        running += [
            started(environment, "dask", "worker", address, "--nthreads", "1", "--no-dashboard",
                    "--local-directory", folder / f"worker{at}")
            for at in range(workers)
        ]  # fmt: skip
        yield address, running
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def reports(home: Home) -> list[dict[str, Any]]:
    """The reports in force, timings apart."""
    environment, folder = home
    settings = Settings(database_url=environment["DOCQA_DATABASE_URL"], blobs_dir=folder / "blobs")
    stores = wiring.open_stores(settings)
    found = [document.report for document in stores.documents.scan()]
    stores.documents.close()
    return [{k: v for k, v in report.items() if k != "timings_ms"} for report in found]


def revalidated(home: Home, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [BIN / "docqa", "revalidate", "--mode", "apply", *options],
        env=home[0], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


def test_a_cluster_makes_the_reports_that_the_local_pool_makes_whoever_dies_meanwhile(
    tmp_path: Path,
) -> None:
    home, local = installed(tmp_path / "cluster"), installed(tmp_path / "local")
    environment, folder = home
    with cluster(environment, folder, 2) as (address, processes):
        driver = started(
            environment, "docqa", "revalidate", "--mode", "apply", "--cluster", address
        )
        assert driver.stdout is not None
        driver.stdout.readline()  # the plan: it is at work
        os.killpg(driver.pid, signal.SIGKILL)
        driver.communicate()
        os.killpg(processes[-1].pid, signal.SIGKILL)
        assert revalidated(home, "--cluster", address)["failed"] == 0
    from_cluster = reports(home)
    assert [len(report["pages"]) for report in from_cluster] == [1] * 8
    assert {report["faults"] == [] for report in from_cluster} == {True}
    engine = wiring.load_engine(Settings())
    assert {report["engine"]["digest"] for report in from_cluster} == {engine.digest}
    assert revalidated(local)["failed"] == 0
    assert reports(local) == from_cluster
