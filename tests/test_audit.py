"""The chain of digests: whatever is done to it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.audit import GENESIS, AuditEntry, Fact, chained, examine, parse_head

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LENGTH = 9


def trail(length: int = LENGTH, seed: str = "") -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    previous = (0, GENESIS)
    for number in range(length):
        moment = NOON + timedelta(seconds=number)
        facts: dict[str, Fact] = {"decision": "accept", "report_number": number, "seed": seed}
        entry = chained(previous, moment, "document.added", f"doc_{number}", "portal", facts)
        entries.append(entry)
        previous = (entry.number, entry.sha256)
    return entries


def test_an_untouched_trail_is_whole() -> None:
    entries = trail()
    found = examine(entries, entries[4].head)
    assert (found.broken, found.entries, found.head) == (None, LENGTH, entries[-1].head)


def test_an_empty_trail_is_whole() -> None:
    assert examine([]).broken is None
    assert examine([], examine([]).head).broken is None


EDITS: dict[str, Callable[[AuditEntry], AuditEntry]] = {
    "time": lambda entry: replace(entry, recorded_at=entry.recorded_at + timedelta(microseconds=1)),
    "kind": lambda entry: replace(entry, kind="document.deleted"),
    "subject": lambda entry: replace(entry, subject="doc_x"),
    "actor": lambda entry: replace(entry, actor="huda"),
    "facts": lambda entry: replace(entry, facts={**entry.facts, "decision": "reject"}),
    "fact kind": lambda entry: replace(
        entry, facts={**entry.facts, "report_number": str(entry.facts["report_number"])}
    ),
    "digest": lambda entry: replace(entry, sha256="f" * 64),
}


@pytest.mark.parametrize("edit", EDITS)
@given(at=st.integers(0, LENGTH - 1))
def test_every_edit_is_told_with_its_place(edit: str, at: int) -> None:
    entries = trail()
    entries[at] = EDITS[edit](entries[at])
    assert examine(entries).broken == at + 1


@given(at=st.integers(0, LENGTH - 2))
def test_a_deleted_entry_is_told(at: int) -> None:
    entries = trail()
    del entries[at]
    assert examine(entries).broken == at + 1


@given(at=st.integers(0, LENGTH - 2))
def test_a_deleted_entry_is_told_even_when_the_rest_is_numbered_anew(at: int) -> None:
    entries = trail()
    del entries[at]
    entries = [replace(entry, number=number) for number, entry in enumerate(entries, 1)]
    assert examine(entries).broken == at + 1


@given(at=st.integers(0, LENGTH - 1))
def test_an_inserted_entry_is_told(at: int) -> None:
    entries = trail()
    entries.insert(at, replace(entries[at], actor="huda"))
    assert examine(entries).broken == at + 1


@given(st.permutations(range(LENGTH)))
def test_moved_entries_are_told(order: list[int]) -> None:
    entries = trail()
    moved = [replace(entries[place], number=number) for number, place in enumerate(order, 1)]
    first = next((n for n, place in enumerate(order, 1) if place != n - 1), None)
    assert examine(moved).broken == first


@given(kept=st.integers(1, LENGTH), left=st.integers(0, LENGTH))
def test_a_cut_off_tail_is_told_by_a_head_that_was_kept(kept: int, left: int) -> None:
    entries = trail()
    found = examine(entries[:left], entries[kept - 1].head)
    assert found.broken == (left + 1 if left < kept else None)


@given(kept=st.integers(1, LENGTH))
def test_a_trail_written_anew_is_told_by_a_head_that_was_kept(kept: int) -> None:
    assert examine(trail(seed="other"), trail()[kept - 1].head).broken == kept


def test_the_same_moment_in_another_zone_is_the_same_entry() -> None:
    damascus = timezone(timedelta(hours=3))
    entries = [
        chained((0, GENESIS), moment, "document.added", "doc", "portal", {"a": 1, "b": 2})
        for moment in (NOON, NOON.astimezone(damascus))
    ]
    assert entries[0].sha256 == entries[1].sha256


@pytest.mark.parametrize(
    "value", ["Amina Khalil", "آمنة", "01020304050", "1020304050", "٠١٢٣", 1020304050, "a" * 201]
)
def test_what_may_be_personal_is_no_fact_and_not_in_the_error(value: Fact) -> None:
    with pytest.raises(ValueError, match="must be a code") as raised:
        chained((0, GENESIS), NOON, "document.added", "doc", "portal", {"said": value})
    assert str(value) not in str(raised.value)


@pytest.mark.parametrize("head", ["", "3", "3:xyz", f"-1:{GENESIS}", GENESIS])
def test_a_head_that_is_none_is_refused(head: str) -> None:
    with pytest.raises(ValueError, match="verify-audit"):
        parse_head(head)


def test_an_entry_needs_the_zone_of_its_time() -> None:
    with pytest.raises(ValueError, match="time zone"):
        chained((0, GENESIS), NOON.replace(tzinfo=None), "document.added", "doc", "portal", {})
