"""docs/api.md names every address, scope, claim, event, role and problem code there is."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.problems import status_of
from api.scopes import SCOPE_OF
from docqa.adapters.clients import ROLES
from docqa.documents import parse_document_type
from docqa.webhooks.records import EVENT_KINDS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def _rows() -> list[list[str]]:
    """The cells of every row of every table."""
    lines = (line for line in PAGE.splitlines() if line.startswith("| "))
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def _codes(name: str) -> set[str]:
    return set(tomllib.loads((ROOT / name).read_text(encoding="utf-8")))


def test_every_address_stands_with_its_scope_and_no_other() -> None:
    shown = {row[0].strip("`"): row[1].strip("`") for row in _rows() if "/" in row[0]}
    assert shown == {name: scope or "no key" for name, scope in SCOPE_OF.items()}


def test_every_problem_stands_with_its_status_and_no_other() -> None:
    shown = {row[1].strip("`"): int(row[0]) for row in _rows() if row[0].isdigit()}
    refused = {code for code in _codes("models/reasons/en.toml")
               if code.startswith(("file.", "request."))}  # fmt: skip
    codes = refused | _codes("api/problems.toml")
    assert shown == {code: status_of(code) for code in codes}


@pytest.mark.parametrize("path", sorted((ROOT / "models" / "documents").glob("*.toml")), ids=str)
def test_every_document_type_stands_with_its_claims(path: Path) -> None:
    kind = parse_document_type(path.read_text(encoding="utf-8"))
    (row,) = (row for row in _rows() if f"`{kind.id}`" in row[0])
    assert set(re.findall(r"`(\w+)`", row[1])) == {spec.name for spec in kind.fields}


def _recorded(path: Path) -> Iterator[str]:
    """The kinds of the events that a module records."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            is_event = call.func.id in ("record_event", "record_change")
            kinds = [each.value for each in call.args[1:2] if isinstance(each, ast.Constant)]
            yield from (str(kind) for kind in kinds if is_event)


def test_every_event_that_is_recorded_stands_and_no_other() -> None:
    shown = {row[0].strip("`") for row in _rows() if row[0].startswith(("`document.", "`booking."))}
    modules = (ROOT / "docqa" / "adapters").glob("*.py")
    assert shown == set(EVENT_KINDS)
    assert shown == {kind for module in modules for kind in _recorded(module)}


def test_every_role_stands() -> None:
    roles = PAGE.partition("## Roles")[2].partition("\n## ")[0]
    assert set(ROLES) <= set(re.findall(r"`(\w+)`", roles))
