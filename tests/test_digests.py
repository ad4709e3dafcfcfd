"""What a change of the code or of a model makes stale: the measures it is part of, and no other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from docqa import engine_wiring, wiring
from docqa.settings import Settings

ROOT = Path(__file__).parent.parent
MEASURES = frozenset(wiring.load_engine(Settings()).policy.measures)
READING = "reading"
EVERYTHING = MEASURES | {READING}
DIGESTS = """
import json
from docqa import wiring
from docqa.settings import Settings
found = wiring.load_engine(Settings()).digests
print(json.dumps({**found.measures, "reading": found.reading}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house that may be changed."""
    house = tmp_path_factory.mktemp("house")
    for folder in ("docqa", "models"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("*.pyc"))
    return house


@pytest.fixture(scope="module")
def untouched(copy: Path) -> dict[str, str]:
    return digests(copy)


def digests(house: Path) -> dict[str, str]:
    """By measure, and of reading, as a process of its own has them."""
    environment = {**os.environ, "PYTHONPATH": str(house), "DOCQA_MODELS_DIR": f"{house}/models"}
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        cwd=house, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def test_each_measure_has_a_digest_of_its_own(untouched: dict[str, str]) -> None:
    assert set(untouched) == EVERYTHING
    assert len(set(untouched.values())) == len(EVERYTHING)


@pytest.mark.parametrize(
    ("changed", "makes_stale"),
    [
        ("docqa/measures/skew.py", {"skew"}),
        ("docqa/analysis/straight_edges.py", {"skew"}),
        ("docqa/analysis/letter_pairs.py", {"capture"}),  # at second hand
        ("docqa/analysis/text_angle.py", {"skew", "orientation", "blur", READING}),
        ("docqa/page.py", EVERYTHING),
        ("docqa/intake/jpeg.py", EVERYTHING),
        ("docqa/adapters/poppler.py", EVERYTHING),
        ("docqa/adapters/tesseract.py", {READING}),
        ("docqa/reading/strips.py", {READING}),
        ("models/blur/model.json", {"blur"}),
        ("models/digits/model.json", {READING}),
        ("models/places/sy.toml", {READING}),
        ("models/policy/sy-passport.toml", set()),
    ],
)
def test_a_change_makes_stale_what_is_made_of_it(
    copy: Path, untouched: dict[str, str], changed: str, makes_stale: set[str]
) -> None:
    path = copy / changed
    before = path.read_bytes()
    path.write_bytes(before + (b"\n" if path.suffix == ".json" else b"\n# changed\n"))
    try:
        after = digests(copy)
    finally:
        path.write_bytes(before)
    assert {name for name in untouched if after[name] != untouched[name]} == makes_stale


@pytest.mark.parametrize(
    ("library", "makes_stale"),
    [
        *((name, EVERYTHING) for name in engine_wiring.MEASURED_WITH),
        *((name, {READING}) for name in engine_wiring.READ_WITH),
        ("sqlalchemy", set()),
    ],
)
def test_another_version_of_a_library_makes_stale_what_it_may_change(
    monkeypatch: pytest.MonkeyPatch, library: str, makes_stale: set[str]
) -> None:
    def found() -> dict[str, str]:
        made_of = wiring.load_engine(Settings()).digests
        return {**made_of.measures, READING: made_of.reading}

    before = found()
    monkeypatch.setattr(
        engine_wiring, "version", lambda name: "0" if name == library else version(name)
    )
    after = found()
    assert {name for name in before if after[name] != before[name]} == makes_stale
