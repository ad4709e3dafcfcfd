"""docs/batch.md says about ten million documents what the measured unit costs say."""

from __future__ import annotations

from benchmarks.load.scaling import PAGE, measured, section, written


def test_the_page_says_what_is_reckoned_from_the_latest_results() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert section(measured()) in text, "run python -m benchmarks.load.scaling --write"
    assert written(text) == text
