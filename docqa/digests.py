"""What each measure, and reading, is made of: the digests by which a stored report tells what of
it a change of the code or of a model has made stale.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_DIGITS = 16
"""Hexadecimal, of SHA-256: told apart are the few versions one installation ever ran."""


def code_digest(module: str, parts: Iterable[bytes] = ()) -> str:
    """A digest over a module's source, every docqa module it imports, however deep, and ``parts``.

    A changed comment changes it too: that costs a needless recomputation, never a missed one.

    Args:
        module: such as ``docqa.measures.skew``.
        parts: what else it depends on, such as the bytes of its model.
    """
    content = hashlib.sha256()
    for name in sorted(_closure(module)):
        content.update(name.encode() + b"\0" + _source(name))
    for part in parts:
        content.update(hashlib.sha256(part).digest())
    return content.hexdigest()[:_DIGITS]


def _closure(module: str) -> set[str]:
    found: set[str] = set()
    open_names = [module]
    while open_names:
        name = open_names.pop()
        if name not in found:
            found.add(name)
            open_names.extend(_imports(name))
    return found


@cache
def _source(module: str) -> bytes:
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).read_bytes()


@cache
def _imports(module: str) -> frozenset[str]:
    """The docqa modules that the top level of ``module`` imports."""
    found = set()
    for node in ast.parse(_source(module)).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "docqa":
            assert node.module is not None
            found.add(node.module)
            found.update(
                inner for alias in node.names if _is_module(inner := f"{node.module}.{alias.name}")
            )
        elif isinstance(node, ast.Import):
            found.update(a.name for a in node.names if a.name.split(".")[0] == "docqa")
    return frozenset(found)


@cache
def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
