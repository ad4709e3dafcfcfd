"""Judge stored reports again under another policy, from their measurements: no pixel is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from docqa.documents import mistake
from docqa.pipeline import Engine
from docqa.ports import ReportStore, StoredDocument
from docqa.report import measurements_from_json, recognised_from_json, rejudge_json
from docqa.verdict import Decision, Reason, Verdict, decide


@dataclass(frozen=True, slots=True)
class Transition:
    """What a policy makes of one stored document."""

    document_id: str
    document_type: str
    before: Decision
    after: Decision
    report: Mapping[str, Any]
    """The report as it would stand, in its JSON form."""


def rejudge(store: ReportStore, engine: Engine) -> Iterator[Transition]:
    """Judge every stored report under ``engine.policy``; nothing is written.

    A document accepted so far is never turned to reject here: it goes to review, so that a person
    decides (the citizen did what the rules of the day asked).
    """
    for document in store.scan():
        before = Decision(document.report["verdict"]["decision"])
        verdict = _spare(before, _verdict(document, engine))
        policy = (engine.policy.id, engine.policy.digest)
        report = rejudge_json(document.report, verdict, engine.catalogue, policy)
        yield Transition(document.id, document.document_type, before, verdict.decision, report)


def apply(
    store: ReportStore, transitions: Iterator[Transition], each: Callable[[], None]
) -> Counter[tuple[Decision, Decision]]:
    """Put every changed report in force and count the transitions.

    Args:
        store: where the reports are.
        transitions: made by :func:`rejudge`. They are gathered first: a store need not allow
            writing while it is being read.
        each: called after each document, for a progress bar.
    """
    counts: Counter[tuple[Decision, Decision]] = Counter()
    for transition in list(transitions):
        store.supersede(transition.document_id, dict(transition.report))
        counts[transition.before, transition.after] += 1
        each()
    return counts


def _verdict(document: StoredDocument, engine: Engine) -> Verdict:
    pages, fields, faults = measurements_from_json(document.report)
    asked = engine.document_types.get(document.document_type)
    mistaken = mistake(asked, recognised_from_json(document.report)) if asked else None
    return decide(engine.policy, document.document_type, pages, fields, faults, mistaken)


def _spare(before: Decision, verdict: Verdict) -> Verdict:
    if before is not Decision.ACCEPT or verdict.decision is not Decision.REJECT:
        return verdict
    reasons = tuple(replace(reason, decision=Decision.REVIEW) for reason in verdict.reasons)
    spared = Reason("system.revalidated", Decision.REVIEW)
    return replace(verdict, decision=Decision.REVIEW, reasons=(spared, *reasons))
