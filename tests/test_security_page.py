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


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_row_names_tests_that_exist(row: str) -> None:
    shown = row.split("|")[3]
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown)
    assert named and len(named) == shown.count("`") // 2
    for path, name in named:
        assert name in functions_of(path), f"{path}::{name}"


def test_the_tables_are_there() -> None:
    assert len(ROWS) > 25
