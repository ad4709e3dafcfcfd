"""A diff of policies names what was added, removed and moved, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from docqa import wiring
from docqa.batch.policy_diff import differences
from docqa.settings import Settings

POLICY = wiring.load_engine(Settings()).policy


def test_a_policy_does_not_differ_from_itself() -> None:
    assert differences(POLICY, replace(POLICY, id="another", digest="another")) == []


def test_a_moved_limit_is_named_with_both_values() -> None:
    first, *rest = POLICY.rules
    moved = replace(POLICY, rules=(replace(first, accept=first.accept + 0.01), *rest))
    (line,) = differences(POLICY, moved)
    assert line.startswith(f"moved    [{first.measure}.{first.output}] accept {first.accept} -> ")
    assert "reject" not in line


def test_a_rule_that_only_one_has_is_added_or_removed() -> None:
    first, *rest = POLICY.rules
    less = replace(POLICY, rules=tuple(rest))
    assert differences(POLICY, less) == [f"removed  [{first.measure}.{first.output}]"]
    (line,) = differences(less, POLICY)
    assert line.startswith(f"added    [{first.measure}.{first.output}] accept = {first.accept}")


def test_a_finding_and_a_match_count_too() -> None:
    finding = replace(POLICY.findings["wrong_side"], decision="reject")
    other = replace(
        POLICY,
        findings={**POLICY.findings, "wrong_side": finding},
        matches={**POLICY.matches, "ocr": {**POLICY.matches["ocr"], "near": "reject"}},
    )
    assert differences(POLICY, other) == [
        "moved    [field.ocr] near review -> reject",
        "moved    [finding.wrong_side] decision review -> reject",
    ]


def test_what_is_not_read_counts_too() -> None:
    every = replace(POLICY, least_score_read=0)
    assert differences(POLICY, every) == ["moved    [reading] least_score 20 -> 0"]
