"""``docqa revalidate --out``: what would change, for people and for machines."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import subprocess
from pathlib import Path

import pyarrow.parquet
import pytest
from PIL import Image

from docqa import wiring
from docqa.commands.speaking import EXIT_MISSING
from tests.batch.dask_cluster import BIN, Installation
from tests.commands.small_installation import STRAIGHT, TURNED, filled, stricter

CHANGE = {
    "document_id": TURNED, "document_type": "a4-generic", "before": "accept", "after": "review",
    "reasons": "geometry.skew",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Installation:
    return filled(tmp_path / "home")


def revalidate(
    home: Installation, *options: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    command = [BIN / "docqa", "revalidate", "--policy", stricter(home.folder), *options]
    return subprocess.run(
        command, env=home.environment | environment, capture_output=True, text=True, check=False
    )


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def addresses(page: str) -> list[str]:
    """Everything that a browser would load, or follow."""
    return re.findall(r"(?:src|href)\s*=\s*[\"']?([^\"'\s>]+)", page)


def test_what_would_change_is_told_to_people_and_to_machines(
    home: Installation, tmp_path: Path
) -> None:
    out = tmp_path / "what-if"
    done = revalidate(home, "--out", out)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["decided"], last["changed"], last["mode"]) == (2, 1, "report")
    names = ["changes.csv", "changes.parquet", "transitions.csv", "what-if.html"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert out.stat().st_mode & 0o777 == 0o700
    assert rows(out / "changes.csv") == [CHANGE]
    assert pyarrow.parquet.read_table(out / "changes.parquet").to_pylist() == [CHANGE]
    moves = {
        (row["before"], row["after"], row["documents"]) for row in rows(out / "transitions.csv")
    }
    assert moves == {("accept", "accept", "1"), ("accept", "review", "1")}
    page = (out / "what-if.html").read_text(encoding="utf-8")
    assert TURNED in page and STRAIGHT not in page and "geometry.skew" in page
    [picture] = addresses(page)
    kind, _, data = picture.partition(",")
    assert kind == "data:image/png;base64"
    assert max(Image.open(io.BytesIO(base64.b64decode(data))).size) == 700
    assert not re.search(r"url\(|@import|<script", page)


def test_without_pictures_the_page_shows_no_document(home: Installation, tmp_path: Path) -> None:
    out = tmp_path / "what-if"
    done = revalidate(home, "--out", out, "--pictures", "0")
    assert done.returncode == 0, done.stderr
    page = (out / "what-if.html").read_text(encoding="utf-8")
    assert TURNED in page
    assert addresses(page) == [] and "<img" not in page and "base64" not in page


def test_what_is_missing_for_the_tables_is_said_before_anything_is_judged(
    home: Installation, tmp_path: Path
) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError('not here')")
    without = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    out = tmp_path / "what-if"
    done = revalidate(home, "--mode", "apply", "--out", out, PYTHONPATH=without)
    assert done.returncode == EXIT_MISSING
    assert "pyarrow" in done.stderr and "docqa[batch]" in done.stderr
    assert not out.exists()
    stores = wiring.open_stores(home.settings)
    assert stores.revalidations.runs() == []
    assert {document.decision for document in stores.documents.scan()} == {"accept"}
    stores.documents.close()
    plain = revalidate(home, "--mode", "apply", PYTHONPATH=without)
    assert plain.returncode == 0, plain.stderr
