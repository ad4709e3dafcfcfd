"""Whether an OCR engine reads Arabic at all: some builds answer nothing to short words."""

from __future__ import annotations

from docqa.page import Pixels
from docqa.ports import OcrEngine

CANARY_WORD = "فاطمة"
"""What ``models/canary/ar.png`` shows. Of the builds that were tried, Tesseract 5.5 reads nothing
there."""


def reads_arabic(engine: OcrEngine, picture: Pixels) -> bool:
    """Whether the engine reads what the picture shows.

    Args:
        engine: may raise EngineFault and MissingDependency, which are passed on.
        picture: (H, W) uint8 of one line, dark on light, that shows CANARY_WORD.
    """
    return engine.read_lines([picture], language="ara", layout="line") == [CANARY_WORD]
