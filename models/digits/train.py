"""Remake ``model.onnx`` and ``model.json``: the reader of digits.

    python -m models.digits.train

It draws lines in every installed font (``models/strips``), holds whole families back, trains,
prints how well each of those is read, then goes on with all fonts, at last with lines as
scanners give them, and writes the result. ``--settle`` does only the last. It takes some 45
minutes on two cores, needs ``requirements-train.txt``, and draws the same lines every
time with the same fonts.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from models.digits.examples import CLASSES, SCANS, example
from models.strips.course import Course, Settling, Stretch, run
from models.strips.network import Size

COURSE = Course(
    name="digits",
    example=example,
    classes=CLASSES,
    direction="left_to_right",
    size=Size(picture=(16, 48, 64), line=96, dilations=(1, 2, 4)),
    known=Stretch(lines=26_400, strips=340_000, highest_rate=0.004),
    further=Stretch(lines=9_000, strips=270_000, highest_rate=0.0015),
    judged_lines=1_600,
    seed=20_263,
    settling=Settling(
        example=partial(example, mix=SCANS),
        stretch=Stretch(lines=60_000, strips=320_000, highest_rate=0.0009),
    ),
)

if __name__ == "__main__":
    run(COURSE, Path(__file__).parent)
