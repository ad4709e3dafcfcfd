"""From measurements and matches to accept, review or reject: pure, and quick to do again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from docqa.documents import Mistake
from docqa.fields import EXACT_SOURCES, Field, agrees
from docqa.measures import Assessed, NotAssessed, PageAssessment
from docqa.page import Region
from docqa.policy import ACCEPT_SCORE, REJECT_SCORE, Finding, Policy, Rule

ATTEMPTS_EXHAUSTED = "system.attempts_exhausted"
"""Stands among the faults of a document that was uploaded more often than its booking allows."""
CONTRADICTS_ANOTHER = "system.documents_disagree"
"""Stands among the faults of a document that contradicts another one of its booking."""
OF_THE_BOOKING = frozenset({ATTEMPTS_EXHAUSTED, CONTRADICTS_ANOTHER})
"""Faults that no inspection of the document alone finds, or mends."""


class Decision(StrEnum):
    """What becomes of a document."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"

    @property
    def rank(self) -> int:
        """0 accept, 1 review, 2 reject: the worst wins."""
        return _RANKS[self]


_NOT_ASSESSED = "system.not_assessed"
_NO_DOCUMENT = ("page.blank", "page.not_document")
_FIRST = (
    (ATTEMPTS_EXHAUSTED,), (*_NO_DOCUMENT, "page.wrong_"), ("system.",), ("capture.",), ("field.",)
)  # fmt: skip
"""How the codes begin that people are told of first, each before what may follow from it."""
_RANKS = {decision: rank for rank, decision in enumerate(Decision)}
_NOT_TAKEN = NotAssessed("it was not taken")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a document is not simply accepted."""

    code: str
    """``area.subject`` or ``area.subject.state``; its sentences stand in models/reasons."""
    decision: Decision
    measure: str | None = None
    page: int | None = None
    value: float | None = None
    limit: float | None = None
    """The accept limit: what it would have taken."""
    unit: str = ""
    regions: tuple[Region, ...] = ()
    field: str | None = None
    """The claim it is about, for codes of the area ``field``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, with every reason at once, the weightiest first.

    What rejects stands before what a person has to look at, and a cause before what it causes.
    """

    decision: Decision
    score: int | None
    """0 to 100, higher is better; the worst of all measures. None where nothing was measured."""
    reasons: tuple[Reason, ...]
    scores: tuple[Mapping[str, int], ...]
    """Per page: measure -> the worst score of its rules. Only measures that were assessed."""


def decide(
    policy: Policy,
    document_type: str,
    pages: Sequence[PageAssessment],
    fields: Sequence[Field] = (),
    faults: Sequence[str] = (),
    mistake: Mistake | None = None,
) -> Verdict:
    """Judge a document.

    Args:
        policy: the limits.
        document_type: whose overrides apply.
        pages: what was measured. None at all is an unreadable document: review.
        fields: what was read against what was claimed. Unread ones are no reason on a document that
            the policy does not have read.
        faults: ``system.*`` codes of engines that failed: review. Under ATTEMPTS_EXHAUSTED nothing
            is accepted or rejected: a person decides.
        mistake: what was uploaded instead of the document type; its fields could not be read then,
            which is no reason of its own.
    """
    found: list[tuple[int, Reason]] = [
        (REJECT_SCORE, Reason(code, Decision.REVIEW)) for code in faults
    ]
    if not pages and not faults:
        found.append((REJECT_SCORE, Reason("system.unreadable", Decision.REVIEW)))
    scores = []
    rules = policy.rules_for(document_type)
    for page in pages:
        page_scores: dict[str, int] = {}
        for rule in rules:
            score, reason = _judge(rule, page)
            if score is not None and score < page_scores.get(rule.measure, 101):
                page_scores[rule.measure] = score
            if reason is not None:
                found.append((REJECT_SCORE if score is None else score, reason))
        scores.append(page_scores)
    if mistake is not None:
        finding = policy.findings[mistake]
        found.append((REJECT_SCORE, Reason(finding.reason, Decision(finding.decision))))
    every = [score for page_scores in scores for score in page_scores.values()]
    worst = min(every, default=None)
    if mistake is not None or not policy.is_worth_reading(worst):
        fields = [field for field in fields if field.match != "unread"]
    found.extend(_judge_fields(policy, fields))
    if ATTEMPTS_EXHAUSTED in faults:
        found = [(score, replace(reason, decision=Decision.REVIEW)) for score, reason in found]
    reasons = _ordered(found)
    decision = max((reason.decision for reason in reasons), key=_rank, default=Decision.ACCEPT)
    return Verdict(decision, worst, reasons, tuple(scores))


def _rank(decision: Decision) -> int:
    return decision.rank


def _judge(rule: Rule, page: PageAssessment) -> tuple[int | None, Reason | None]:
    assessment = page.measures.get(rule.measure, _NOT_TAKEN)
    found = None if isinstance(assessment, NotAssessed) else assessment.outputs.get(rule.output)
    if found is None or isinstance(assessment, NotAssessed):
        return None, Reason(
            _NOT_ASSESSED, Decision.REVIEW, rule.measure, page.index, limit=rule.accept
        )
    value = float(found)  # type: ignore[arg-type]  # parse_policy allows numbers only
    score = rule.score(value)
    if score >= ACCEPT_SCORE:
        return score, None
    decision = Decision.REJECT if score <= REJECT_SCORE else Decision.REVIEW
    reason = Reason(
        _code(rule, assessment),
        decision,
        rule.measure,
        page.index,
        value,
        rule.accept,
        rule.unit,
        assessment.regions,
    )
    return score, reason


def _code(rule: Rule, assessment: Assessed) -> str:
    if "{" not in rule.reason:
        return rule.reason
    return rule.reason.format_map({name: str(v) for name, v in assessment.outputs.items()})


def _judge_fields(policy: Policy, fields: Sequence[Field]) -> Iterable[tuple[int, Reason]]:
    disagreements = {field: _disagreement(policy, field) for field in fields}
    contradiction = next((reason.decision for reason in disagreements.values() if reason), None)
    for field in fields:
        if (disagreement := disagreements[field]) is not None:
            yield REJECT_SCORE, disagreement
        elif field.match != "equal":
            decision = Decision(policy.on_match(field.source, field.name, field.match))
            # Once the sides contradict each other, neither proves anything against the claims.
            if contradiction is not None and field.source in EXACT_SOURCES:
                decision = min(decision, contradiction, key=_rank)
            if decision is not Decision.ACCEPT:
                yield REJECT_SCORE, _about(field, f"field.{field.match}", decision, field)


def _disagreement(policy: Policy, field: Field) -> Reason | None:
    """That print and an exact source of one upload contradict each other, in place of a mismatch.

    Print proves what it says where it says what was typed: no reader makes that up. Print that
    differs while the exact source confirms the claim is mostly misread; it counts when it is sure
    and nowhere near.
    """
    if field.source not in EXACT_SOURCES:
        return None
    finding = policy.findings["sides_disagree"]
    for other in field.others:
        if other.source not in EXACT_SOURCES and _contradicts(field, other, finding):
            return _about(other, finding.reason, Decision(finding.decision), field)
    return None


def _contradicts(field: Field, other: Field, finding: Finding) -> bool:
    if agrees(other.match):
        return not agrees(field.match)
    is_sure = other.match == "different" and other.confidence >= finding.least_confidence
    return is_sure and agrees(field.match)


def _about(seen: Field, code: str, decision: Decision, field: Field) -> Reason:
    regions = (Region("field", seen.polygon),) if seen.polygon else ()
    return Reason(code, decision, page=seen.page, regions=regions, field=field.name)


@cache
def place_of(code: str) -> int:
    """Where a reason stands among those of the same decision: a cause before what it causes."""
    if code == _NOT_ASSESSED:
        return len(_FIRST) + 1
    places = (at for at, beginnings in enumerate(_FIRST) if code.startswith(beginnings))
    return next(places, len(_FIRST))


def _ordered(found: list[tuple[int, Reason]]) -> tuple[Reason, ...]:
    """Weightiest first; of the same code on the same page about the same thing only the worst.

    What could not be checked on a page without a document follows from that, and goes unsaid: that
    alone keeps the page from being accepted, so that the decision is the same.
    """
    empty = {reason.page for _, reason in found if reason.code in _NO_DOCUMENT}
    kept: dict[tuple[str, int | None, str | None, str | None], Reason] = {}
    for _, reason in sorted(found, key=_weight):
        about = reason.measure if reason.code == _NOT_ASSESSED else None
        if about is None or reason.page not in empty:
            kept.setdefault((reason.code, reason.page, reason.field, about), reason)
    return tuple(kept.values())


def _weight(found: tuple[int, Reason]) -> tuple[int, int, int]:
    score, reason = found
    return -reason.decision.rank, place_of(reason.code), score
