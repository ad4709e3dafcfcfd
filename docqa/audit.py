"""The audit trail's hash chain: who did what when, so that no entry changes unnoticed.

Each entry's digest covers its content and the digest before it, so a changed, deleted, inserted or
moved entry breaks the chain from there on. Who may write everything can compute it anew, whole or
without its end, head and all: that is told by a head, the number and digest of an entry, which an
auditor kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

Fact: TypeAlias = str | int | bool | None
"""What an entry may say. Text is a code, an id or a digest: never a name, a number or free text."""

GENESIS = "0" * 64
"""What stands before the first entry, where others have the digest of the one before."""

_CODE = re.compile(r"[A-Za-z0-9_.:@/+-]{0,200}")
_PERSONAL_NUMBER = re.compile(r"[0-9]{9,12}")
_LARGEST_NUMBER = 99_999_999
_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did."""

    number: int
    """1 is the first; none is left out."""
    recorded_at: datetime
    """Aware."""
    kind: str
    """``document.added``, ``document.ruled``, ``document.viewed_unmasked`` …"""
    subject: str
    """Id of what it was done to."""
    actor: str
    """Id of the client, account name of the reviewer, or ``docqa``."""
    facts: Mapping[str, Fact]
    sha256: str
    """Over the digest before it and all of the above, lowercase hex."""

    @property
    def head(self) -> str:
        """``number:sha256``, to be kept elsewhere: :func:`examine` tells by it what was cut off."""
        return f"{self.number}:{self.sha256}"


@dataclass(frozen=True, slots=True)
class Examined:
    """What verifying the chain found."""

    entries: int
    """How many were there, up to and with the first broken one."""
    head: str
    """Of the newest good entry; ``0:000…`` when there is none."""
    broken: int | None = None
    """Number that the first broken entry has or should have; None when all is well."""
    problem: str = ""
    """What is wrong with it."""


def chained(
    previous: tuple[int, str],
    recorded_at: datetime,
    kind: str,
    subject: str,
    actor: str,
    facts: Mapping[str, Fact],
) -> AuditEntry:
    """The entry that comes after ``previous``.

    Args:
        previous: number and digest of the newest entry; ``(0, GENESIS)`` before the first.
        recorded_at: aware.
        kind: what was done.
        subject: id of what it was done to.
        actor: who did it.
        facts: codes, ids, digests, small whole numbers.

    Raises:
        ValueError: a fact may hold personal data, or ``recorded_at`` has no time zone.
    """
    if recorded_at.tzinfo is None:
        raise ValueError("an audit entry needs the time zone of its time")
    for name, value in facts.items():
        if not _is_impersonal(name) or not _is_impersonal(value):
            raise ValueError(f"audit fact {name[:40]!r} must be a code, an id or a digest")
    number, before = previous[0] + 1, previous[1]
    content = (number, recorded_at, kind, subject, actor, facts)
    return AuditEntry(*content, sha256=_digest(before, *content))


def examine(entries: Iterable[AuditEntry | None], head: str | None = None) -> Examined:
    """Verify the chain from its first entry; stops at the first broken one.

    Args:
        entries: in the order of their numbers, None for one that cannot be read.
        head: of an entry that was there once (:attr:`AuditEntry.head`), if one was kept.

    Raises:
        ValueError: ``head`` is not ``number:sha256``.
    """
    kept = parse_head(head) if head is not None else None
    number, before = 0, GENESIS
    if kept is not None and kept[0] == 0 and kept[1] != GENESIS:
        return Examined(0, f"0:{GENESIS}", 1, "the head that was kept is none of this trail")
    for entry in entries:
        good = f"{number}:{before}"
        expected = number + 1
        if entry is None:
            return Examined(expected, good, expected, "it cannot be read")
        if entry.number != expected:
            return Examined(expected, good, expected, f"number {entry.number} is in its place")
        if not _is_unchanged(before, entry):
            return Examined(expected, good, expected, "its digest does not match what it says")
        if kept is not None and kept[0] == expected and kept[1] != entry.sha256:
            return Examined(expected, good, expected, "it is not the entry whose head was kept")
        number, before = expected, entry.sha256
    if kept is not None and kept[0] > number:
        lost = f"it and all up to {kept[0]}, whose head was kept, are gone"
        return Examined(number, f"{number}:{before}", number + 1, lost)
    return Examined(number, f"{number}:{before}")


def parse_head(head: str) -> tuple[int, str]:
    """Number and digest of a head; ValueError when it is none."""
    found = _HEAD.fullmatch(head.strip())
    if found is None:
        raise ValueError("a head of the audit trail is NUMBER:SHA256, as verify-audit prints it")
    return int(found[1]), found[2]


def _is_impersonal(value: Fact) -> bool:
    if isinstance(value, str):
        return _CODE.fullmatch(value) is not None and _PERSONAL_NUMBER.fullmatch(value) is None
    return value is None or abs(value) <= _LARGEST_NUMBER


def _is_unchanged(before: str, entry: AuditEntry) -> bool:
    content = (
        entry.number, entry.recorded_at, entry.kind, entry.subject, entry.actor, entry.facts
    )  # fmt: skip
    try:
        return _digest(before, *content) == entry.sha256
    except (TypeError, ValueError, RecursionError):  # it says what none ever said: a NaN, bytes
        return False


def _digest(
    before: str,
    number: int,
    recorded_at: datetime,
    kind: str,
    subject: str,
    actor: str,
    facts: Mapping[str, Fact],
) -> str:
    content = {
        "number": number,
        "recorded_at": recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "kind": kind,
        "subject": subject,
        "actor": actor,
        "facts": dict(facts),
    }
    # One spelling only: sorted names, no spaces, ASCII, no NaN.
    text = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return hashlib.sha256(bytes.fromhex(before) + text.encode("ascii")).hexdigest()
