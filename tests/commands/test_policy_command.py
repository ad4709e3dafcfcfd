"""``docqa policy``: what one policy says otherwise, and what people decided."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from docqa import wiring
from docqa.cli import cli
from docqa.ports import Ruling
from docqa.settings import Settings
from tests.commands.small_installation import RECEIVED, STRAIGHT, TURNED, filled, stricter


def policy(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["policy", *map(str, arguments)])


def test_a_moved_limit_is_all_that_differs(tmp_path: Path) -> None:
    told = policy("diff", Settings().policy, stricter(tmp_path))
    assert told.exit_code == 0
    assert told.output == "moved    [skew.angle_deg] accept 2.0 -> 1.5\n"


def test_a_policy_says_what_it_says_itself() -> None:
    told = policy("diff", Settings().policy, Settings().policy)
    assert (told.exit_code, told.output) == (0, "they say the same\n")


@pytest.fixture
def decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The straight sheet was accepted by a reviewer, the turned one a day later rejected."""
    home = filled(tmp_path / "home")
    for name in ("DOCQA_DATABASE_URL", "DOCQA_BLOBS_DIR"):
        monkeypatch.setenv(name, home.environment[name])
    stores = wiring.open_stores(Settings())
    stores.documents.rule(Ruling(STRAIGHT, "accept", "", "huda", RECEIVED))
    stores.documents.rule(Ruling(TURNED, "reject", "", "huda", RECEIVED + timedelta(days=1)))
    stores.documents.close()


def skew(found: dict[str, Any]) -> dict[str, Any]:
    [curve] = [curve for curve in found["rules"] if curve["rule"] == "skew.angle_deg"]
    return dict(curve)


@pytest.mark.usefixtures("decided")
def test_limits_are_held_against_what_people_decided(tmp_path: Path) -> None:
    out = tmp_path / "new/curves"
    told = policy("tune", "--out", out)
    assert told.exit_code == 0, told.output
    assert re.search(r"skew\.angle_deg\W+1\W+1\W+2\W+1\W+0\W", told.output)
    found = json.loads((out / "tune.json").read_text(encoding="utf-8"))
    assert (found["schema"], found["policy"]["id"]) == ("docqa.tune/1", Settings().policy)
    curve = skew(found)
    assert (curve["accepted"], curve["rejected"], curve["unmeasured"]) == (1, 1, 0)
    assert curve["at_accept"] == {"limit": 2.0, "false_accepts": 1, "false_rejects": 0}
    least = curve["least_error"]
    assert least["limit"] < 1.75 and (least["false_accepts"], least["false_rejects"]) == (0, 0)
    assert least in curve["points"]
    page = (out / "tune.html").read_text(encoding="utf-8")
    assert "skew.angle_deg" in page and page.count("<polyline") >= 1
    assert not re.search(r"(?:src|href)=|url\(|@import|<script", page)


@pytest.mark.usefixtures("decided")
def test_another_policy_and_only_the_latest_decisions_can_be_asked_for(tmp_path: Path) -> None:
    since = (RECEIVED + timedelta(hours=12)).strftime("%Y-%m-%dT%H:%M:%S")
    told = policy("tune", stricter(tmp_path), "--since", since, "--out", tmp_path / "curves")
    assert told.exit_code == 0, told.output
    curve = skew(json.loads((tmp_path / "curves/tune.json").read_text(encoding="utf-8")))
    assert (curve["accepted"], curve["rejected"]) == (0, 1)
    assert curve["at_accept"]["limit"] == 1.5
    assert curve["at_accept"]["false_accepts"] == 0
    assert curve["least_error"] is None


@pytest.mark.usefixtures("decided")
def test_nothing_decided_is_said_so() -> None:
    told = policy("tune", "--since", "2031-01-01")
    assert told.exit_code == 0
    assert told.output.endswith("no reviewer has decided on a measured document yet\n")
