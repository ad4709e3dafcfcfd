"""The service does what /openapi.json says, for many requests of every kind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.synthesize.documents import id_back
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan
from tests.api.described import failures


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a service with a database of its own."""
    environment = {
        **os.environ,
        "DOCQA_DATABASE_URL": f"sqlite:///{tmp_path}/docqa.sqlite3",
        "DOCQA_BLOBS_DIR": str(tmp_path / "blobs"),
        "DOCQA_INCOMING_DIR": str(tmp_path / "incoming"),
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "docqa", "serve", "--dev", "--port", "0"],
            env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, (tmp_path / "log").read_text()
        yield found.group()
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@pytest.mark.long
def test_many_requests_of_every_kind_are_answered_as_described(
    address: str, tmp_path: Path
) -> None:
    back = scan(id_back(person(21), seed=21), seed=21).data
    found = failures(address, back, tmp_path, "--max-examples", "60")
    assert not found, found
