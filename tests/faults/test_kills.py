"""Whatever is killed at whatever moment, nothing acknowledged is lost, nothing is done twice.

The long run is ``python -m benchmarks.load.kills``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.kills import ordeal

_SECONDS = 25


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_kills_under_load_lose_nothing_and_repeat_nothing(tmp_path: Path, database: str) -> None:
    found = ordeal(tmp_path, database=database, seconds=_SECONDS, clients=3, seed=7, drain=False)
    assert found.kills.total() >= 2
    assert len(found.uploads.acknowledged) >= 3
    assert found.uploads.wrong == []
    assert found.aftermath.broken == []
