"""What the reading part adds to docqa's own answers: memory, a table of confusions, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy import reading_sheet
from benchmarks.accuracy.inputs import SEED, Options
from benchmarks.accuracy.reading_answers import Miss, RememberingOcr, Tally, confusion_notes, edits
from benchmarks.accuracy.reading_samples import FIRST_SEEDS, fronts
from docqa.fields import Field
from docqa.page import Pixels


class CountingOcr:
    """Answers a picture's mean level, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def read_lines(
        self,
        lines: Sequence[Pixels],
        *,
        language: str,
        layout: Literal["line", "raw_line", "block"],
    ) -> list[str]:
        self.asked.append(len(lines))
        return [f"{language} {layout} {line.mean():.0f}" for line in lines]

    def version(self) -> str:
        return "counting 1"


def test_a_line_is_read_once_in_each_way_and_answers_keep_their_order() -> None:
    engine = CountingOcr()
    ocr = RememberingOcr(engine)
    dark, light = (np.full((4, 9), level, np.uint8) for level in (10, 200))
    first = ocr.read_lines([dark, light, dark], language="ara", layout="line")
    assert first == ["ara line 10", "ara line 200", "ara line 10"]
    assert ocr.read_lines([light, dark], language="ara", layout="line") == first[1:]
    assert ocr.read_lines([light], language="eng", layout="line") == ["eng line 200"]
    assert engine.asked == [2, 0, 1]
    ocr.forget()
    ocr.read_lines([dark], language="ara", layout="line")
    assert engine.asked[-1] == 1


@pytest.mark.parametrize(
    ("printed", "read", "expected"),
    [
        ("سمير", "سمبر", ["ي→ب"]),
        ("حسان", "سان", ["ح→∅"]),
        ("سمر", "سمير", ["∅→ي"]),
        ("دير الزور", "ديرالزور", ["␣→∅"]),
        ("سمير", "الكنية", ["something else"]),
    ],
)
def test_confusions_name_each_edit(printed: str, read: str, expected: list[str]) -> None:
    assert edits(printed, read) == expected


def field(read: str | None) -> Field:
    return Field("given_name", "near" if read else "unread", "ocr", 0.5, None, 1, read)


def miss(read: str | None, crop: Pixels | None = None) -> Miss:
    return Miss("front-1", "lines", "given_name", "سمير", field(read), crop)


def test_the_note_counts_how_claims_ended_and_what_was_read_instead() -> None:
    tally = Tally()
    tally.misses += [miss("سمبر"), miss("سمبر"), miss(None)]
    tally.matches["given_name"].update({"near": 2, "unread": 1, "equal": 7})
    (note,) = confusion_notes(tally)
    assert note == "given_name: 7 equal, 2 near, 1 unread. Read instead: ي→ب 2"


def test_the_contact_sheet_stays_small_however_noisy_its_lines(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noisy = [miss("سمبر", rng.integers(0, 256, (40, 300), np.uint8)) for _ in range(90)]
    path = tmp_path / "sheets" / "worst.jpg"
    reading_sheet.write(noisy, path)
    assert path.stat().st_size < reading_sheet.MOST_BYTES
    plain = [miss("سمبر", np.full((40, 300), 200, np.uint8)) for _ in range(90)]
    reading_sheet.write(plain, path)
    with Image.open(path) as picture:
        rows = reading_sheet.MOST_TILES // reading_sheet.COLUMNS
        assert picture.height == rows * reading_sheet.TILE_PX[1]


def test_without_a_miss_there_is_no_contact_sheet(tmp_path: Path) -> None:
    reading_sheet.write([miss("سمبر")], tmp_path / "worst.jpg")
    assert not list(tmp_path.iterdir())


def test_samples_are_of_judging_seeds_and_know_where_their_claims_are(tmp_path: Path) -> None:
    assert all(SEED + first >= 5000 for first in FIRST_SEEDS.values())
    one, other = fronts(Options(None, tmp_path, scale=0.01))
    assert one.layout != other.layout and one.owner != other.owner
    for sample in (one, other):
        assert sample.places.keys() == set(sample.printed)
        assert len(sample.printed) == 7
        height, width = sample.page.luma().shape
        for polygon in sample.places.values():
            assert all(0 < x < width and 0 < y < height for x, y in polygon)
        assert (tmp_path / f"{sample.name}.jpg").read_bytes() == sample.data
