from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from docqa.adapters.memory import ScriptedOcr
from docqa.adapters.tesseract import TesseractEngine
from docqa.adapters.warm_tesseract import WarmTesseract
from docqa.model_files import load_canary
from docqa.ports import OcrEngine
from docqa.reading.canary import CANARY_WORD, reads_arabic

MODELS = Path(__file__).parents[2] / "models"
BLANK = np.full((60, 200), 255, np.uint8)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
@pytest.mark.parametrize(
    "engine", [TesseractEngine(), WarmTesseract(TesseractEngine())], ids=["program", "warm"]
)
def test_the_canary_tells_whether_arabic_is_read(engine: OcrEngine) -> None:
    assert reads_arabic(engine, load_canary(MODELS))
    assert not reads_arabic(engine, BLANK)


@pytest.mark.parametrize(("answer", "passes"), [(CANARY_WORD, True), ("", False), ("فاطم", False)])
def test_nothing_but_the_word_will_do(answer: str, passes: bool) -> None:
    assert reads_arabic(ScriptedOcr([[answer]]), BLANK) == passes


def test_the_canary_is_a_line_of_print() -> None:
    picture = load_canary(MODELS)
    assert picture.ndim == 2 and picture.dtype == np.uint8
    assert cv2.minMaxLoc(picture)[:2] == (0, 255)
