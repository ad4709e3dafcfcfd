"""The page of targets that are not reached."""

from __future__ import annotations

from pathlib import Path

from benchmarks.accuracy.reading import SHEET_NAME
from benchmarks.accuracy.worst_pictures import page

NOTES = [
    "Fronts: given_name: 79 equal, 1 unread. Read instead: ب→ت 2; ∅→ا 1",
    "Extracts: birth_date: 40 equal",
    "Recognised: passport as passport 36 of 36",
]


def test_what_is_misread_is_a_table_with_the_lines_beside_it(tmp_path: Path) -> None:
    results = {"parts": {"reading": {"figures": [], "worst": [], "notes": NOTES}}}
    out = tmp_path / "docs"
    (out / "accuracy").mkdir(parents=True)
    (tmp_path / SHEET_NAME).write_bytes(b"a picture")
    lines = page(results, tmp_path, out, None).splitlines()
    assert "| Fronts | given_name | 79 equal, 1 unread | ب→ت 2; ∅→ا 1 |" in lines
    assert "| Extracts | birth_date | 40 equal | – |" in lines
    assert not [line for line in lines if "Recognised" in line]
    assert (out / "accuracy" / SHEET_NAME).read_bytes() == b"a picture"
