from __future__ import annotations

import shutil
import traceback
from importlib import util
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from docqa.adapters.tesseract import TesseractEngine
from docqa.adapters.warm_tesseract import WarmTesseract
from docqa.engine_wiring import ocr_engine
from docqa.errors import EngineFault, MissingDependency
from docqa.page import Pixels
from fixtures.synthesize.documents import id_front
from fixtures.synthesize.people import varied_person

pytestmark = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="Tesseract is not installed"
)

BLANK: list[Pixels] = [np.full((40, 200), 255, np.uint8)]


def program(folder: Path, languages: Path) -> TesseractEngine:
    """A program that keeps its languages elsewhere."""
    path = folder / "tesseract"
    path.write_text(f'#!/bin/sh\nprintf "List in \\"{languages}/\\" (1):\\nara\\n"\n')
    path.chmod(0o700)
    return TesseractEngine(command=str(path))


def lines_of_a_card() -> list[Pixels]:
    picture = cv2.cvtColor(id_front(varied_person(5), seed=5).pixels, cv2.COLOR_RGB2GRAY)
    return [np.asarray(picture[top : top + 70], np.uint8) for top in range(60, 480, 60)]


@pytest.mark.parametrize("layout", ["line", "raw_line", "block"])
def test_it_reads_as_the_program_does(layout: Literal["line", "raw_line", "block"]) -> None:
    lines = lines_of_a_card()
    warm = WarmTesseract(TesseractEngine())
    read = TesseractEngine().read_lines(lines, language="ara", layout=layout)
    assert any(read)
    assert warm.read_lines(lines, language="ara", layout=layout) == read
    assert warm.read_lines(lines[::-1], language="ara", layout=layout) == read[::-1]


def test_it_says_nothing_on_the_way(capfd: pytest.CaptureFixture[str]) -> None:
    WarmTesseract(TesseractEngine()).read_lines(
        [*lines_of_a_card(), *BLANK], language="ara", layout="line"
    )
    assert capfd.readouterr() == ("", "")


def test_a_missing_language_names_its_package(tmp_path: Path) -> None:
    with pytest.raises(MissingDependency, match="tesseract-ocr-eng"):
        WarmTesseract(program(tmp_path, tmp_path)).read_lines(BLANK, language="eng", layout="line")


def test_a_missing_program_names_what_to_install(tmp_path: Path) -> None:
    engine = WarmTesseract(TesseractEngine(command=str(tmp_path / "none")))
    with pytest.raises(MissingDependency, match="apt-get install tesseract-ocr"):
        engine.read_lines(BLANK, language="ara", layout="line")


def test_damaged_languages_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / "ara.traineddata").write_bytes(b"no language")
    with pytest.raises(EngineFault) as raised:
        WarmTesseract(program(tmp_path, tmp_path)).read_lines(BLANK, language="ara", layout="line")
    assert "no language" not in "".join(traceback.format_exception(raised.value))


def test_a_line_that_takes_too_long_is_a_fault_and_the_next_is_read() -> None:
    engine = WarmTesseract(TesseractEngine(), timeout_s=0.001)
    long = np.hstack(lines_of_a_card())
    with pytest.raises(EngineFault, match="longer than 0.001 s"):
        engine.read_lines([long], language="ara", layout="line")
    engine.timeout_s = 30
    lines = lines_of_a_card()
    read = TesseractEngine().read_lines(lines, language="ara", layout="line")
    assert engine.read_lines(lines, language="ara", layout="line") == read


def test_without_the_binding_the_program_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(ocr_engine(), WarmTesseract)
    monkeypatch.setattr("docqa.engine_wiring.find_spec", lambda name: None)
    assert isinstance(ocr_engine(), TesseractEngine)
    assert util.find_spec("tesserocr") is not None
