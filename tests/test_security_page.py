"""SECURITY.md promises nothing that no test shows."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = [
    line
    for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.endswith("| shown by |")
]

LONG = "pytest.mark.long"


@cache
def functions_of(path: str) -> dict[str, bool]:
    """The functions of a file, and whether all that a push runs is without them."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    all_long = any(
        isinstance(node, ast.Assign)
        and "pytestmark" in map(ast.unparse, node.targets)
        and LONG in ast.unparse(node.value)
        for node in tree.body
    )
    return {
        node.name: all_long or LONG in map(ast.unparse, node.decorator_list)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_row_names_tests_that_exist_and_one_that_every_push_runs(row: str) -> None:
    shown = row.split("|")[3]
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown)
    assert named and len(named) == shown.count("`") // 2
    for path, name in named:
        assert name in functions_of(path), f"{path}::{name}"
    assert not all(functions_of(path)[name] for path, name in named)


def test_the_tables_are_there() -> None:
    assert len(ROWS) > 25


def test_what_takes_minutes_is_told_by_its_mark_or_its_files() -> None:
    for path in ("tests/faults/test_kills.py", "tests/batch/test_requested_runs.py"):
        assert {name for name, is_long in functions_of(path).items() if is_long}
    assert not any(functions_of("tests/test_security_page.py").values())
