"""docs/batch.md names every field of a report, and every exit code of docqa check."""

from __future__ import annotations

import re
from pathlib import Path

from docqa import wiring
from docqa.commands import speaking
from docqa.pipeline import faulty_report
from docqa.report import to_json
from docqa.settings import Settings

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
SECTION = PAGE.split("### What a line says")[1].split("\n##")[0]


def test_every_field_of_a_report_stands_and_no_other() -> None:
    engine = wiring.load_engine(Settings())
    report = faulty_report(engine, "0" * 64, "a4-generic", "system.failed")
    shown = re.findall(r"^\| `(\w+)` \|", SECTION, re.MULTILINE)
    assert shown == list(to_json(report, engine.catalogue))


def test_every_exit_code_stands_and_no_other() -> None:
    said = SECTION.split("ends with")[1]
    codes = {code for name, code in vars(speaking).items() if name.startswith("EXIT_")
             and isinstance(code, int)}  # fmt: skip
    assert {int(number) for number in re.findall(r"\d+", said)} == codes | set(
        speaking.EXIT_BY_DECISION.values()
    )
