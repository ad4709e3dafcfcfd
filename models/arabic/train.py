"""Remake ``model.onnx`` and ``model.json``: the reader of lines of Arabic print.

    python -m models.arabic.train

It draws lines in every installed font that has Arabic letters (``models/strips``), holds whole
families back, trains, prints how well each of those is read, then goes on with all fonts, at last
with lines as scanners give them, and writes the result. ``--settle`` does only the last, from the
file that is there. All of it takes some five hours on two cores and needs
``requirements-train.txt``; the lines are the same every time with the same fonts.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from models.arabic.examples import CLASSES, SCANS, example
from models.strips.course import Course, Settling, Stretch, run
from models.strips.network import Size

COURSE = Course(
    name="lines of Arabic print",
    example=example,
    classes=CLASSES,
    direction="right_to_left",
    size=Size(picture=(24, 64, 96), line=160, dilations=(1, 2, 4), fine=96),
    known=Stretch(lines=54_000, strips=250_000, highest_rate=0.004),
    further=Stretch(lines=14_000, strips=448_000, highest_rate=0.0015),
    judged_lines=1_600,
    seed=20_264,
    settling=Settling(
        example=partial(example, mix=SCANS),
        stretch=Stretch(lines=240_000, strips=1_280_000, highest_rate=0.0009),
    ),
)

if __name__ == "__main__":
    run(COURSE, Path(__file__).parent)
