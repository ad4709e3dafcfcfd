"""A second opinion on names: Tesseract on the cells in which the network sees what was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from docqa.documents import FieldSpec
from docqa.ports import OcrEngine
from docqa.reading.lines import PASSES, LabelledText, Row, labelled, picture_of
from docqa.reading.regions import Sheet

FULL_RATIO = 100.0
"""Of a picture that holds the value alone, so that there is no label to read."""


def confirmed(
    sheet: Sheet,
    rows: Mapping[FieldSpec, Row],
    ocr: OcrEngine,
    agrees: Callable[[FieldSpec, str], bool],
) -> dict[FieldSpec, LabelledText]:
    """The fields that the engine reads as they were typed.

    Args:
        sheet: the document.
        rows: where each value stands, with its label where that is on the same line.
        ocr: the engine; one call a pass. Raises EngineFault and MissingDependency.
        agrees: whether a text is what was typed.
    """
    found: dict[FieldSpec, LabelledText] = {}
    for how in PASSES:
        pending = [spec for spec in rows if spec not in found]
        pictures = [picture_of(sheet.pixels, rows[spec], how) for spec in pending]
        answers = ocr.read_lines(pictures, language=how.language, layout=how.layout)
        for spec, answer in zip(pending, answers, strict=True):
            texts = [(value, ratio) for _, value, ratio in labelled(answer, [spec])]
            for value, ratio in [*texts, (answer.strip(), FULL_RATIO)]:
                if agrees(spec, value):
                    place = sheet.polygon(*rows[spec].box())
                    found[spec] = LabelledText(value, ratio, place)
                    break
        if len(found) == len(rows):
            break
    return found
