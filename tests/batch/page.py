"""What docs/batch.md says of the lines that a run prints."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "batch.md"


def members_of_events() -> dict[str, set[str]]:
    """The members that each event is said to have, ``event`` itself aside."""
    section = PAGE.read_text(encoding="utf-8").split("### What a run prints")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE)
    members = {event: set(re.findall(r"`(\w+)`", said)) for event, said in rows}
    members["done"] -= {"document_type", "before", "after", "reason", "documents"}  # of transitions
    return members
