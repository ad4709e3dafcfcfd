from __future__ import annotations

import os
import traceback
from pathlib import Path

import numpy as np
import pytest

from docqa.adapters.tesseract import TesseractEngine
from docqa.errors import EngineFault, MissingDependency
from docqa.page import Pixels
from tests.faults.engines import SECRET, Fault, fake_tesseract

LINES: list[Pixels] = [np.full((40, 200), 255, np.uint8)] * 2


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("crash", "status"),
        ("hang", "longer than 0.5 s"),
        ("bad-utf8", "UTF-8"),
        ("empty", "1 lines of 2"),
        ("too-many", "4 lines of 2"),
        ("no-output", "no answer"),
        ("hang-at-start", "--list-langs"),
    ],
)
def test_a_failing_engine_is_a_fault_that_tells_nothing_of_the_document(
    tmp_path: Path, fault: Fault, said: str
) -> None:
    engine = TesseractEngine(command=fake_tesseract(tmp_path, fault), timeout_s=60)
    if fault == "hang":
        engine.languages()  # it hangs afterwards
    if fault in ("hang", "hang-at-start"):
        engine.timeout_s = 0.5
    with pytest.raises(EngineFault, match=said) as raised:
        engine.read_lines(LINES, language="ara", layout="line")
    assert SECRET not in "".join(traceback.format_exception(raised.value))


def test_a_missing_program_names_what_to_install(tmp_path: Path) -> None:
    engine = TesseractEngine(command=str(tmp_path / "none"))
    with pytest.raises(MissingDependency, match="apt-get install tesseract-ocr"):
        engine.read_lines(LINES, language="ara", layout="line")
    with pytest.raises(MissingDependency):
        engine.version()


def test_a_missing_language_names_its_package(tmp_path: Path) -> None:
    engine = TesseractEngine(command=fake_tesseract(tmp_path, "empty"))
    with pytest.raises(MissingDependency, match="tesseract-ocr-script-arab"):
        engine.read_lines(LINES, language="script/Arabic", layout="line")


def test_the_version_tells_program_and_languages(tmp_path: Path) -> None:
    engine = TesseractEngine(command=fake_tesseract(tmp_path, "empty"))
    assert engine.version() == "tesseract 0.0-fake (ara, eng)"


def test_nothing_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spool))
    engine = TesseractEngine(command=fake_tesseract(tmp_path, "bad-utf8"))
    with pytest.raises(EngineFault):
        engine.read_lines(LINES, language="ara", layout="line")
    assert list(spool.iterdir()) == []


def test_tesseract_runs_on_one_thread_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_THREAD_LIMIT", "3")
    TesseractEngine()
    assert os.environ["OMP_THREAD_LIMIT"] == "3"
    monkeypatch.delenv("OMP_THREAD_LIMIT")
    TesseractEngine()
    assert os.environ["OMP_THREAD_LIMIT"] == "1"
