"""What changed between two OpenAPI documents, and what of it breaks a client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

PROSE = frozenset({"description", "summary", "title", "example", "examples", "default"})
"""Worded for people: free to change, since no client may depend on it."""
LIMITS = frozenset({"pattern", "minLength", "maxLength", "minimum", "maximum"})
"""Of what clients send: free to go, since all they sent before still is taken."""


def breaking(old: Any, new: Any, at: str = "", *, is_sent: bool = False) -> Iterator[str]:
    """Every place where a client of ``old`` may fail with ``new``.

    Things may be added, but nothing may be removed, renamed or given another type, and nothing may
    become required of a client that it was not asked for before.

    Args:
        old: a part of the published document.
        new: the same part of the present one.
        at: where it is.
        is_sent: whether it describes what clients send.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in old:
            if name in PROSE and not isinstance(old[name], Mapping):
                continue
            if is_sent and name in LIMITS and name not in new:
                continue
            where = f"{at}/{name}"
            sent = is_sent or name in ("requestBody", "parameters")
            if name == "required" and isinstance(old[name], list):
                yield from _required(old[name], new.get(name, []), where, sent)
            elif name not in new:
                yield f"{where} is gone"
            else:
                yield from breaking(old[name], new[name], where, is_sent=sent)
        if is_sent:
            yield from _newly_asked(old, new, at)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, at, is_sent)
    elif old != new:
        yield f"{at} was {old!r} and is {new!r}"


def _newly_asked(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[str]:
    if "properties" in old and "required" not in old and new.get("required"):
        yield f"{at}/required asks for {new['required'][0]!r}"


def _required(old: list[str], new: list[str], at: str, is_sent: bool) -> Iterator[str]:
    for name in sorted(set(new) - set(old)) if is_sent else sorted(set(old) - set(new)):
        yield f"{at}: {name!r} is {'asked for now' if is_sent else 'no longer always there'}"


def _lists(old: list[Any], new: list[Any], at: str, is_sent: bool) -> Iterator[str]:
    if all(isinstance(item, Mapping) and "name" in item for item in [*old, *new]):
        before, after = ({item["name"]: item for item in items} for items in (old, new))
        yield from breaking(before, after, at, is_sent=is_sent)
        for name in after.keys() - before.keys():
            if after[name].get("required"):
                yield f"{at}: {name!r} is asked for now"
    else:
        for item in old:
            if item not in new:
                yield f"{at}: {item!r} is gone"
