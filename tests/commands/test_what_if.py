"""``docqa revalidate --out``: what would change, for people and for machines."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from PIL import Image

from docqa import wiring
from docqa.batch.whatif import write_outcome
from docqa.commands.speaking import EXIT_BAD_INPUT, EXIT_MISSING, EXIT_USAGE
from docqa.errors import DamagedData
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


@pytest.mark.parametrize("place", ["file", "file/below", "/proc", "/proc/zz"])
def test_a_folder_that_cannot_be_written_is_named_before_anything_is_judged(
    home: Installation, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / place
    done = revalidate(home, "--mode", "apply", "--out", out)
    assert done.returncode in (EXIT_USAGE, EXIT_BAD_INPUT)
    assert str(out) in done.stderr and "Traceback" not in done.stderr
    stores = wiring.open_stores(home.settings)
    assert stores.revalidations.runs() == []
    stores.documents.close()


def test_what_is_in_force_is_told_and_written_later_where_the_tables_could_not_be(
    home: Installation, tmp_path: Path
) -> None:
    out = tmp_path / "what-if"
    (out / "changes.csv").mkdir(parents=True)
    done = revalidate(home, "--mode", "apply", "--out", out)
    assert done.returncode == EXIT_BAD_INPUT
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["event"], last["decided"], last["changed"]) == ("done", 2, 1)
    again = f"docqa revalidate --resume {last['id']} --out"
    assert again in done.stderr and "changes.csv: Is a directory" in done.stderr
    (out / "changes.csv").rmdir()
    later = subprocess.run(
        [BIN / "docqa", *again.split()[1:], out], env=home.environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert later.returncode == 0, later.stderr
    assert rows(out / "changes.csv") == [CHANGE]


@pytest.mark.parametrize(
    "error", [KeyError("k"), OSError("S3 does not answer"), DamagedData("cut")], ids=str
)
def test_a_picture_that_cannot_be_had_is_left_out_of_the_page(
    home: Installation, tmp_path: Path, error: Exception
) -> None:
    assert revalidate(home).returncode == 0
    stores = wiring.open_stores(home.settings)

    class Failing:
        def get(self, key: str) -> bytes:
            raise error

    [run] = stores.revalidations.runs()
    blobs: Any = Failing()
    drawer: Any = None  # is never reached
    engine = wiring.load_engine(home.settings)
    write_outcome(tmp_path, run, replace(stores, blobs=blobs), drawer, engine, 12)
    page = (tmp_path / "what-if.html").read_text(encoding="utf-8")
    assert TURNED in page and addresses(page) == []
    stores.documents.close()
