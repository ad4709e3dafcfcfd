"""The shipped policy against the result that its limits name as their source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from docqa.policy import Policy, Rule
from docqa.settings import Settings
from docqa.wiring import load_engine

ROOT = Path(__file__).parents[2]
RESULT = "benchmarks/results/limits.json"
MOST_CLEAN_SCANS_REJECTED = 0.02
"""Those few are truly too coarse."""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_engine(Settings()).policy


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, Any]]:
    return dict(json.loads((ROOT / RESULT).read_text("utf-8")))


def sourced(policy: Policy) -> list[tuple[str, Rule]]:
    return [(f"{r.measure}.{r.output}", r) for r in policy.rules if r.source == RESULT]


def test_most_limits_are_measured_and_no_general_one_is_provisional(policy: Policy) -> None:
    assert len(sourced(policy)) >= 20
    by_eye = [rule for rule in policy.rules if rule.source == "provisional"]
    assert not by_eye, (
        "measure it: make bench-limits CORPUS=DIR; then name the result as its source"
    )


def test_every_measured_limit_is_the_one_in_force(
    policy: Policy, measured: dict[str, dict[str, Any]]
) -> None:
    for name, rule in sourced(policy):
        assert measured[name]["accept"] == rule.accept, name
        assert measured[name]["reject"] == rule.reject, name


def test_what_is_accepted_is_still_read_as_well_as_clean_print(
    policy: Policy, measured: dict[str, dict[str, Any]]
) -> None:
    for name, rule in sourced(policy):
        read_until = (measured[name]["reading"] or {}).get("read_until")
        if read_until is None:
            continue
        if rule.direction == "lower":
            assert rule.accept <= read_until, name
        else:
            assert rule.accept >= read_until, name


def test_hardly_any_clean_scan_is_rejected_by_one_limit(
    policy: Policy, measured: dict[str, dict[str, Any]]
) -> None:
    for name, _ in sourced(policy):
        scans = measured[name]["clean scans"]
        assert scans["n"] > 90, name
        assert scans["rejected_fraction"] <= MOST_CLEAN_SCANS_REJECTED, name
