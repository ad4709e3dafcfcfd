"""What every OcrEngine keeps to."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from docqa.adapters.memory import ScriptedOcr
from docqa.adapters.tesseract import TesseractEngine
from docqa.adapters.warm_tesseract import WarmTesseract
from docqa.errors import EngineFault
from docqa.page import Pixels
from docqa.ports import OcrEngine

WORDS = ["DAMASCUS", "ALEPPO 1990", "HOMS"]


def picture(text: str) -> Pixels:
    """A dark line on light; read-only, as the views of a page are."""
    line = np.full((80, 40 + 32 * len(text)), 255, np.uint8)
    cv2.putText(line, text, (20, 55), cv2.FONT_HERSHEY_DUPLEX, 1.4, 0, 2, cv2.LINE_AA)
    line.flags.writeable = False
    return line


def tesseract() -> TesseractEngine:
    if shutil.which("tesseract") is None:
        pytest.skip("Tesseract is not installed")
    return TesseractEngine()


@pytest.fixture(
    params=[tesseract, lambda: WarmTesseract(tesseract()), lambda: ScriptedOcr([WORDS])],
    ids=["program", "warm", "scripted"],
)
def engine(request: pytest.FixtureRequest) -> OcrEngine:
    make: Callable[[], OcrEngine] = request.param
    return make()


def test_each_line_is_read_in_its_place(engine: OcrEngine) -> None:
    read = engine.read_lines([picture(word) for word in WORDS], language="eng", layout="line")
    assert read == WORDS


def test_no_lines_are_no_answers(engine: OcrEngine) -> None:
    assert engine.read_lines([], language="eng", layout="line") == []


def test_one_line_is_one_answer_even_where_little_is_to_be_read(engine: OcrEngine) -> None:
    blank = np.full((4, 4), 255, np.uint8)
    assert len(engine.read_lines([blank], language="eng", layout="raw_line")) == 1


def test_the_version_is_one_stable_line(engine: OcrEngine) -> None:
    assert engine.version()
    assert "\n" not in engine.version()
    assert engine.version() == engine.version()


def test_the_script_raises_the_faults_it_holds() -> None:
    engine = ScriptedOcr([EngineFault("broken"), ["text"]])
    with pytest.raises(EngineFault):
        engine.read_lines([picture("A")], language="eng", layout="line")
    assert engine.read_lines([picture("A")], language="eng", layout="line") == ["text"]
    assert engine.calls == [("eng", "line", 1), ("eng", "line", 1)]
