"""The part that looks at every name which one network confirms alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.accuracy.inputs import Options
from benchmarks.accuracy.reading_samples import front
from benchmarks.accuracy.sure_names import Seen, _look
from docqa.settings import Settings
from docqa.wiring import load_engine


def test_a_sure_reading_that_is_not_what_is_printed_counts_as_misread(tmp_path: Path) -> None:
    engine = load_engine(Settings())
    assert engine.readers is not None
    sample = front(Options(None, tmp_path), 300_000, 0, ppis=(300,))
    right, wrong = Seen(), Seen()
    _look(sample, engine, engine.readers, right)
    assert right.names == 5
    assert right.sure >= 2
    assert not right.misread
    assert sum(right.matches.values()) == right.sure
    owner = replace(sample.owner, given_name="ضرغام", family_name="شيخو", father_name="بثينة",
                    mother_name="لؤلؤة قطيش", birth_place="عفرين")  # fmt: skip
    _look(replace(sample, owner=owner), engine, engine.readers, wrong)
    assert len(wrong.misread) == wrong.sure >= 2
