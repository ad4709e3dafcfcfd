"""What judging again would have to do, and the things its parts hand each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from docqa.bulk import Origin, judge_key
from docqa.pipeline import Engine

Mode = Literal["report", "apply"]
State = Literal["waiting", "running", "paused", "cancelled", "done", "failed"]
"""``failed``: the service tried to drive it some times, and something is wrong with the set-up."""
SELECTABLE = ("document_type", "decision", "booking_ref", "client_id")
"""Facts of a document by which some can be selected."""


class RunMoved(Exception):
    """What was read of a run or of its documents is no longer so; read again."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which documents a run covers."""

    until: datetime
    """Received before: what comes later is judged by whoever takes it in."""
    since: datetime | None = None
    where: tuple[tuple[str, str], ...] = ()
    """Names of SELECTABLE and the value each must have."""


@dataclass(frozen=True, slots=True)
class Run:
    """One judging again, as it is recorded."""

    id: str
    mode: Mode
    state: State
    policy_id: str
    policy_digest: str
    policy_text: str
    engine_digest: str
    selection: Selection
    total: int = 0
    decided: int = 0
    recomputed: int = 0
    failed: int = 0
    """Documents that could not be recomputed: they go to review, or stay as they are where their
    files could not be read."""
    decided_to: str = ""
    """Id of the last document decided."""


@dataclass(frozen=True, slots=True)
class Group:
    """Documents whose reports were made in the same way."""

    origin: Origin
    is_read: bool
    is_measured: bool
    judged_by: str
    number: int


@dataclass(frozen=True, slots=True)
class Stale:
    """What of a report has to be made anew."""

    measures: tuple[str, ...] = ()
    reading: bool = False

    def __bool__(self) -> bool:
        """Whether anything has."""
        return self.reading or bool(self.measures)


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker is asked to recompute of one document. Shows nothing that was typed."""

    document_id: str
    blob_key: str
    document_type: str
    stale: Stale
    pages: int
    """How many the report has; 0 for one on a failed inspection, of which all is made anew."""
    claims: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Pending:
    """Work, with the report it is for."""

    work: Work
    report_number: int
    report: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One document to decide, and then what came of it."""

    document_id: str
    document_type: str
    report_number: int
    origin: Origin
    facts: str
    recomputed: str | None = None
    """Its report made anew, as JSON text, where something was stale."""
    readings: str | None = None
    before: str = ""
    """Set with the next two where people are told anything new: the decision so far."""
    after: str = ""
    codes: tuple[str, ...] = ()
    """The codes of the new reasons, the weightiest first."""
    is_left: bool = False
    """Its file could not be read: it keeps its report, and is to be done by another run."""

    @property
    def is_changed(self) -> bool:
        """Whether it gets a new report."""
        return self.after != ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much there is to do."""

    documents: int
    decide: int
    """Only to be decided again, from what is stored."""
    measure: dict[str, int]
    """measure -> documents of which it has to be taken again"""
    read: int
    """Documents to be read again."""
    inspect: int
    """Documents of which nothing is stored, since their inspection failed."""
    decode: int
    """Documents whose pixels are needed for any of this."""


def stale(engine: Engine, group: Group) -> Stale:
    """What of the reports of ``group`` the engine would make differently."""
    if group.origin.engine == engine.digest:
        return Stale()
    reading = group.origin.reading != engine.digests.reading
    if not group.is_measured:
        return Stale(tuple(engine.measures), reading=True)
    made_by = group.origin.measures
    measures = tuple(
        name
        for name in engine.measures
        if made_by.get(name) is None or made_by[name] != engine.digests.measures.get(name)
    )
    return Stale(measures, reading and group.is_read)


def make_plan(engine: Engine, groups: Sequence[Group]) -> Plan:
    """The plan for documents counted by making."""
    judge = judge_key(engine.policy.digest, engine.digest)
    measure = dict.fromkeys(engine.measures, 0)
    decide = read = inspect = decode = 0
    for group in groups:
        needs = stale(engine, group)
        decode += group.number if needs else 0
        if not group.is_measured:
            inspect += group.number if needs else 0
        elif needs:
            read += group.number if needs.reading else 0
            for name in needs.measures:
                measure[name] += group.number
        elif group.judged_by != judge:
            decide += group.number
    total = sum(group.number for group in groups)
    return Plan(total, decide, {m: n for m, n in measure.items() if n}, read, inspect, decode)


def stale_groups(engine: Engine, groups: Collection[Group]) -> list[tuple[Group, Stale]]:
    """The groups of which anything has to be made anew, with what."""
    return [(group, needs) for group in groups if (needs := stale(engine, group))]
