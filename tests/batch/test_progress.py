"""How a run tells where it is: what is drawn for people stays out of what machines read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from docqa.batch.progress import Progress
from docqa.plan import Run, Selection


class Counted:
    """Stands in for the store: no transition yet."""

    def counts(self, run_id: str) -> list[dict[str, Any]]:
        return []


def test_a_bar_is_drawn_on_standard_error_alone(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run("rev_1", "report", "running", "p", "", "", "", Selection(datetime.now(UTC)), 3, 1)
    with Progress(run, Counted(), is_terminal=True) as progress:
        progress.tell(run)
    printed = capsys.readouterr()
    assert (printed.out, "rev_1" in printed.err) == ("", True)
