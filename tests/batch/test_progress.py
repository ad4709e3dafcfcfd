"""How a run tells where it is: what is drawn for people stays out of what machines read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from docqa.batch import progress as shown
from docqa.batch.progress import Progress
from docqa.plan import Run, Selection
from tests.batch.page import members_of_events

MEMBERS = members_of_events()


class Counted:
    """Stands in for the store: no transition yet."""

    def counts(self, run_id: str) -> list[dict[str, Any]]:
        return []


RUN = Run("rev_1", "report", "running", "p", "", "", "", Selection(datetime.now(UTC)), 3, 1)


def test_a_bar_is_drawn_on_standard_error_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(RUN, Counted(), is_terminal=True) as progress:
        progress.tell(RUN)
    printed = capsys.readouterr()
    assert (printed.out, "rev_1" in printed.err) == ("", True)


def test_elsewhere_a_line_on_standard_output_says_where_a_run_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "_LINE_EVERY_S", 0.0)
    with Progress(RUN, Counted(), is_terminal=False) as progress:
        progress.tell(RUN)
    printed = capsys.readouterr()
    line = json.loads(printed.out)
    assert (line["event"], line["id"], line["total"], printed.err) == ("progress", "rev_1", 3, "")
    assert set(line) == MEMBERS["progress"] | {"event"}
