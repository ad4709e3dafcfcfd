"""A run that a client asks the service for is finished, whoever is killed meanwhile."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fixtures.synthesize.documents import letter
from fixtures.synthesize.scanner import scan
from tests.batch.dask_cluster import Installation, killed_at_last, until

DOCUMENTS = 60
pytestmark = pytest.mark.long


@contextmanager
def serving(home: Installation) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The service and what it started, killed at last; and a client of it."""
    with killed_at_last(home.started("docqa", "serve", "--dev", "--port", "0")) as process:
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address is not None
        with httpx.Client(base_url=address.group(), timeout=60) as client:
            yield process, client


def test_a_requested_run_is_finished_though_the_service_is_killed_with_all_its_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCQA_INSPECT_TIMEOUT_S", "5")  # so a dead driver is soon missed
    home = Installation(tmp_path)
    home.fill([scan(letter(script="latin", seed=1), ppi=100).data], DOCUMENTS)
    with serving(home) as (_, client):
        answer = client.post("/v1/revalidations", json={"mode": "apply"})
        assert answer.status_code == 202
        assert answer.json()["plan"]["inspect"] == DOCUMENTS
        route = answer.headers["Location"]
        until(lambda: home.recomputed() > 0)
    assert home.recomputed() < DOCUMENTS, "it was killed in the middle of its work"

    with serving(home) as (process, client):
        until(lambda: home.recomputed() == DOCUMENTS)
        # Ended in order, the service leaves it to the next one, which need not wait.
        process.terminate()
        process.wait(timeout=60)

    with serving(home) as (_, client):
        until(lambda: home.is_done())
        found = client.get(route).json()
    assert (found["state"], found["decided"], found["failed"]) == ("done", DOCUMENTS, 0)
    assert sum(found["matrix"]["review"].values()) == DOCUMENTS
    assert home.reports_of_each() == {2}
