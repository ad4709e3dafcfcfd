"""What reviewers do with documents that wait, and the Protocol of whoever remembers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

Outcome = Literal["accept", "reject", "rescan", "escalate"]
"""``rescan`` is a rejection that asks for a new scan; ``escalate`` leaves the document waiting."""

ESCALATE_WITHIN = timedelta(hours=48)
"""A document whose booking lapses so soon is escalated."""

Position = tuple[datetime | None, datetime, str]
"""A place in the queue's order: deadline, received, id."""


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which of the waiting documents to list."""

    reason: str | None = None
    """A reason code."""
    document_type: str | None = None
    received_before: datetime | None = None
    holder: str | None = None
    """Only those this reviewer holds."""
    due_before: datetime | None = None
    escalated: bool = False


EVERYTHING = QueueFilter()


@dataclass(frozen=True, slots=True)
class Waiting:
    """One waiting document, as the queue lists it."""

    id: str
    document_type: str
    file_name: str
    booking_ref: str | None
    received_at: datetime
    deadline_at: datetime | None
    score: int | None
    codes: tuple[str, ...]
    """Of the report in force, the weightiest first."""
    holder: str | None
    """Who works on it at the moment."""
    escalated_by: str | None
    """The reviewer who passed it on to a supervisor."""
    deadline_near_at: datetime | None
    """When it was escalated because little time was left."""

    @property
    def position(self) -> Position:
        """Where it stands."""
        return self.deadline_at, self.received_at, self.id


@dataclass(frozen=True, slots=True)
class Counters:
    """How many documents wait."""

    waiting: int
    due_soon: int
    mine: int
    escalated: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Who works on a document."""

    document_id: str
    reviewer: str
    version: int
    """Goes up each time the document changes hands."""
    claimed_at: datetime
    """Since when it is held without a break."""
    until: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """A reviewer's decision, to be recorded."""

    document_id: str
    report_number: int
    """Of the report that the reviewer saw: a new one comes with every change of claims."""
    reviewer: str
    outcome: Outcome
    message: str
    """What the citizen is told."""
    note: str
    """For colleagues; the citizen never sees it."""
    given_codes: tuple[str, ...]
    decided_at: datetime
    undo_until: datetime | None = None
    """Nobody outside is told of it before then; at once if None."""


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """Who did what with a document."""

    document_id: str
    reviewer: str
    action: str
    """``claimed``, ``revealed``, ``accept``, ``reject``, ``rescan``, ``escalate``, ``undone``,
    ``deadline_near`` …"""
    detail: str
    """A reason in the reviewer's words; never a value of the document."""
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """Another document of the same booking."""

    id: str
    document_type: str
    decision: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened in a period, for the supervisor."""

    days: tuple[str, ...]
    """ISO dates, the oldest first, none left out."""
    per_reviewer: tuple[tuple[str, int, float | None], ...]
    """Reviewer, decisions, mean seconds from claim to decision."""
    per_day: tuple[int, ...]
    per_outcome: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, tuple[int, ...]], ...]
    """Code and how often it had been found, per day; the most frequent first."""
    overturned_reasons: tuple[tuple[str, int, int], ...]
    """Code, documents decided that had it, those of them a reviewer accepted."""
    overturned_captures: tuple[tuple[str, int, int], ...]
    """The same by capture class."""
    second_looks: tuple[int, int, int]
    """Sampled, decided a second time, of these with the same outcome."""


class ReviewDesk(Protocol):
    """Remembers who reviews what, and what came of it."""

    def queue(
        self, which: QueueFilter, *, after: Position | None, limit: int, now: datetime
    ) -> list[Waiting]:
        """At most ``limit`` waiting documents after a position, nearest deadline first."""
        ...

    def counters(self, reviewer: str, *, now: datetime, soon: timedelta) -> Counters:
        """How many wait, are due within ``soon``, are held by ``reviewer``, are escalated."""
        ...

    def claim(
        self,
        document_id: str,
        reviewer: str,
        *,
        now: datetime,
        lease: timedelta,
        take_over: bool = False,
    ) -> Claim | None:
        """Hold a waiting document, or hold it longer; None while another reviewer holds it.

        So is a document that the reviewer was given for a second look, and by nobody else.
        """
        ...

    def claim_next(
        self,
        reviewer: str,
        *,
        now: datetime,
        lease: timedelta,
        after: Position | None = None,
        which: QueueFilter = EVERYTHING,
        takes_escalated: bool = True,
    ) -> Claim | None:
        """Hold the first of ``which`` that nobody else holds; None when there is none.

        A document of the second-look sample may come instead of a waiting one; once the reviewer
        put it back, only when nothing waits. What the reviewer escalated is passed over, without
        ``takes_escalated`` everything that waits for a supervisor.
        """
        ...

    def holder(self, document_id: str, *, now: datetime) -> Claim | None:
        """Who holds it now."""
        ...

    def release(self, document_id: str, reviewer: str) -> None:
        """Let go of it; holding nothing is no error."""
        ...

    def decide(
        self, decided: Decided, *, claim_version: int | None, second_look: bool
    ) -> Literal["recorded", "lost", "changed", "closed"]:
        """Record a decision and put it in force.

        ``lost`` when somebody else holds the document, or the claim is not ``claim_version`` any
        more; ``changed`` when the document waits, for a decision or a second look, with another
        report than the reviewer saw; ``closed`` when it does not wait. ``second_look`` adds it to
        the sample.
        """
        ...

    def undo(self, document_id: str, reviewer: str, *, now: datetime, within: timedelta) -> bool:
        """Take the reviewer's own last decision back, and hold the document again.

        Nobody is ever told of a decision that was taken back before its ``undo_until``.
        """
        ...

    def is_second_look(self, document_id: str, reviewer: str) -> bool:
        """Whether the reviewer was the last to get the document for a second look, still undecided.

        They may hold it no longer: what the first reviewer said is kept from them all the same.
        """
        ...

    def escalate_due(self, *, now: datetime, within: timedelta) -> int:
        """Escalate documents that wait with a deadline within ``within``, each once ever.

        Recorded as an event ``document.escalated``, in the trail and in the audit trail.

        Returns:
            How many, at most a batch.
        """
        ...

    def escalated_by(self, document_id: str) -> str | None:
        """The reviewer who passed it on to a supervisor, for whom it still waits."""
        ...

    def is_withdrawn(self, document_id: str) -> bool:
        """Whether it was never decided and its booking is cancelled: nobody is to decide it."""
        ...

    def last_note(self, document_id: str) -> str:
        """The note of the last decision, taken back or not; "" when there is none."""
        ...

    def record(self, entry: TrailEntry) -> None:
        """Add to the trail."""
        ...

    def trail(self, document_id: str) -> list[TrailEntry]:
        """Everything that was done with a document, the newest first."""
        ...

    def attempts(self, client_id: str | None, booking_ref: str) -> list[Attempt]:
        """Every document of a client's booking, the newest first."""
        ...

    def figures(self, *, first_day: str, last_day: str) -> Figures:
        """What happened from one day to another, both ISO dates in UTC, both included."""
        ...

    def decisions(self, *, first_day: str, last_day: str) -> Iterator[dict[str, Any]]:
        """The decisions of a period as flat rows without personal data, for exports."""
        ...


def days_between(first_day: str, last_day: str) -> tuple[str, ...]:
    """Every ISO date from one to another, both included."""
    first, last = datetime.fromisoformat(first_day), datetime.fromisoformat(last_day)
    return tuple(
        (first + timedelta(days=number)).date().isoformat()
        for number in range((last - first).days + 1)
    )


def share(part: int, whole: int) -> float | None:
    """``part`` of ``whole``, 0 to 1; None of nothing."""
    return part / whole if whole else None
