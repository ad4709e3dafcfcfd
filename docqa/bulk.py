"""Judging stored reports by the million: from what a verdict needs of each, in a compact form.

A report's *facts* are its numbers without names, polygons and sentences; its *origin* says what
the numbers are called and by which code and models they were made. Few origins serve all reports.
The verdict itself is :func:`docqa.verdict.decide`'s, asked only about the rules that are not
plainly met.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from docqa import measures
from docqa.documents import DocumentType, mistake
from docqa.errors import InvalidModel
from docqa.fields import Field
from docqa.measures import Assessed, Assessment, NotAssessed, PageAssessment
from docqa.policy import ACCEPT_SCORE, REJECT_SCORE, Policy, Rule
from docqa.verdict import Decision, Reason, Verdict, decide, place_of

SPARED = "system.revalidated"
"""The reason that stands first where a document accepted so far would now be rejected."""
_MOST_REDUCED = 4096

Facts = list[Any]
"""``[pages, fields, faults, recognised, decision, reasons]``: JSON values."""
Signature = list[list[Any]]
"""Of each reason its code, decision, page, field, measure and limit: what people are told."""


@dataclass(frozen=True, slots=True)
class Origin:
    """By what a report's measurements were made, and in which order its facts hold them."""

    key: str
    """A digest of the rest."""
    engine: str
    measures: Mapping[str, str]
    """measure -> digest; empty for reports from before digests were kept."""
    reading: str
    layout: tuple[tuple[str, tuple[str, ...]], ...]
    """measure and outputs, in the order of a page's values."""

    def json(self) -> str:
        """What :func:`origin_from_json` reads."""
        return json.dumps([self.engine, dict(self.measures), self.reading, self.layout])


def origin_from_json(key: str, text: str) -> Origin:
    """The origin that :meth:`Origin.json` wrote."""
    engine, made_by, reading, layout = json.loads(text)
    return Origin(key, engine, made_by, reading, tuple((m, tuple(names)) for m, names in layout))


@dataclass(frozen=True, slots=True)
class Extract:
    """What is kept beside a report for judging it again."""

    origin: Origin
    facts: str
    is_read: bool
    """Whether claims were held against it."""
    is_measured: bool
    """Whether it has any page; a report on a failed inspection has none."""


def extract(report: Mapping[str, Any]) -> Extract:
    """The extract of a report in its JSON form."""
    taken: dict[str, None] = {}
    for page in report["pages"]:
        taken.update(dict.fromkeys(page["measures"]))
    layout = tuple((name, _output_names(name) or _seen(report, name)) for name in taken)
    engine = report["engine"]
    made_by, reading = engine.get("measures", {}), engine.get("reading", "")
    body = json.dumps([engine["digest"], made_by, reading, layout])
    key = hashlib.sha256(body.encode()).hexdigest()[:32]
    facts: Facts = [
        [_values(page, layout) for page in report["pages"]],
        [_packed(field) for field in report["fields"]],
        list(report["faults"]),
        report.get("recognised"),
        report["verdict"]["decision"],
        signature_of_json(report["verdict"]["reasons"]),
    ]
    is_read = bool(
        report["fields"]
        or report.get("recognised")
        or report.get("timings_ms", {}).get("reading", 0) > 0
    )
    return Extract(
        Origin(key, engine["digest"], made_by, reading, layout),
        json.dumps(facts, ensure_ascii=False, separators=(",", ":")),
        is_read,
        bool(report["pages"]),
    )


def judge_key(policy_digest: str, engine_digest: str) -> str:
    """Names a policy together with an engine."""
    return hashlib.sha256(f"{policy_digest} {engine_digest}".encode()).hexdigest()[:32]


def signature(reasons: Sequence[Reason]) -> Signature:
    """The signature of a verdict's reasons."""
    return [[r.code, r.decision.value, r.page, r.field, r.measure, r.limit] for r in reasons]


def signature_of_json(reasons: Sequence[Mapping[str, Any]]) -> Signature:
    """The signature of the reasons of a report in its JSON form."""
    return [
        [r["code"], r["decision"], r["page"], r["field"], r["measure"], r["limit"]] for r in reasons
    ]


def spare(before: str, was_spared: bool, verdict: Verdict) -> Verdict:
    """The verdict, but review where it would turn what was accepted into a rejection.

    Args:
        before: the decision so far.
        was_spared: whether that is itself the review of a document once accepted.
        verdict: what the policy says.
    """
    was_accepted = before == "accept" or (before == "review" and was_spared)
    if not was_accepted or verdict.decision is not Decision.REJECT:
        return verdict
    reasons = tuple(replace(reason, decision=Decision.REVIEW) for reason in verdict.reasons)
    spared = Reason(SPARED, Decision.REVIEW)
    return replace(verdict, decision=Decision.REVIEW, reasons=(spared, *reasons))


class BulkJudge:
    """Judges facts under one policy.

    Args:
        policy: the limits.
        document_types: by id, to tell the wrong side and the wrong document.
    """

    def __init__(self, policy: Policy, document_types: Mapping[str, DocumentType]) -> None:
        self._policy = policy
        self._types = document_types
        self._plans: dict[tuple[str, str], _Checks] = {}
        self._reduced: dict[tuple[str, frozenset[int]], Policy] = {}

    def judge(self, document_type: str, origin: Origin, facts: Facts) -> tuple[str, Signature]:
        """The decision and the signature of its reasons, with what was accepted spared."""
        checks = self._plans.get((document_type, origin.key))
        if checks is None:
            checks = _Checks(self._policy.rules_for(document_type), origin)
            self._plans[document_type, origin.key] = checks
        pages, fields, faults, recognised, before, reasons = facts
        unmet = checks.unmet(pages)
        # What agrees and was read in one place alone neither gives nor weighs a reason.
        telling = [field for field in fields if field[1] != "equal" or field[5]]
        asked = self._types.get(document_type)
        mistaken = mistake(asked, recognised) if asked else None
        was_spared = any(reason[0] == SPARED for reason in reasons)
        if pages and not (telling or faults or mistaken):
            if not unmet:
                return "accept", []
            if (told := checks.told(pages, unmet)) is not None:
                return _spared(before, was_spared, told)
        verdict = decide(
            self._only(document_type, checks.rules, unmet),
            document_type,
            [checks.page(page, unmet) for page in pages],
            [_unpacked(field) for field in telling],
            faults,
            mistaken,
        )
        verdict = spare(before, was_spared, verdict)
        return verdict.decision.value, signature(verdict.reasons)

    def _only(self, document_type: str, rules: tuple[Rule, ...], unmet: frozenset[int]) -> Policy:
        """The policy without the rules that are met on every page: they give no reasons."""
        known = self._reduced.get((document_type, unmet))
        if known is None:
            if len(self._reduced) >= _MOST_REDUCED:
                self._reduced.clear()
            left = tuple(rules[at] for at in sorted(unmet))
            known = replace(self._policy, rules=left, overrides={})
            self._reduced[document_type, unmet] = known
        return known


def _spared(before: str, was_spared: bool, told: Signature) -> tuple[str, Signature]:
    decision: str = told[0][1]
    was_accepted = before == "accept" or (before == "review" and was_spared)
    if decision == "reject" and was_accepted:
        told = [[code, "review", *rest] for code, _, *rest in told]
        return "review", [[SPARED, "review", None, None, None, None], *told]
    return decision, told


class _Checks:
    """The rules for one document type against one order of values."""

    def __init__(self, rules: tuple[Rule, ...], origin: Origin) -> None:
        self.rules = rules
        places: dict[tuple[str, str], int] = {}
        self._outputs: dict[str, list[tuple[str, int]]] = {}
        for measure, names in origin.layout:
            for name in names:
                places[measure, name] = len(places) + 1  # a page's first value is its number
                self._outputs.setdefault(measure, []).append((name, len(places)))
        self._lower: list[tuple[int, float, int]] = []
        self._higher: list[tuple[int, float, int]] = []
        self._missing: list[int] = []
        self._place = [places.get((rule.measure, rule.output)) for rule in rules]
        for at, rule in enumerate(rules):
            place = places.get((rule.measure, rule.output))
            if place is None:
                self._missing.append(at)
            else:
                checks = self._lower if rule.direction == "lower" else self._higher
                checks.append((place, rule.accept, at))

    def unmet(self, pages: list[list[Any]]) -> frozenset[int]:
        """Which rules are not plainly met on every page."""
        found = set(self._missing) if pages else set()
        for page in pages:
            for place, accept, at in self._lower:
                value = page[place]
                if value is None or value > accept or -value > accept:
                    found.add(at)
            for place, accept, at in self._higher:
                value = page[place]
                if value is None or value < accept:
                    found.add(at)
        return frozenset(found)

    def told(self, pages: list[list[Any]], unmet: frozenset[int]) -> Signature | None:
        """The signature of those rules' reasons, where every value is there: the common case.

        The same as :func:`docqa.verdict.decide` finds, in a tenth of its time.
        """
        found: list[tuple[int, int, int, list[Any]]] = []
        for page in pages:
            for at in sorted(unmet):
                rule, place = self.rules[at], self._place[at]
                if place is None or (value := page[place]) is None:
                    return None
                score = rule.score(float(value))
                if score < ACCEPT_SCORE:
                    is_reject = score <= REJECT_SCORE
                    decision = "reject" if is_reject else "review"
                    code = self._code(rule, page)
                    row = [code, decision, page[0], None, rule.measure, rule.accept]
                    found.append((-is_reject, place_of(code), score, row))
        found.sort(key=_weight)
        kept: dict[tuple[str, int], list[Any]] = {}
        for *_, row in found:
            kept.setdefault((row[0], row[2]), row)
        return list(kept.values())

    def _code(self, rule: Rule, page: list[Any]) -> str:
        if "{" not in rule.reason:
            return rule.reason
        outputs = self._outputs[rule.measure]
        return rule.reason.format_map({name: str(page[place]) for name, place in outputs})

    def page(self, values: list[Any], unmet: frozenset[int]) -> PageAssessment:
        """A page with the measures that those rules ask for."""
        taken = {self.rules[at].measure for at in unmet}
        return PageAssessment(values[0], 0, 0, {name: self._taken(values, name) for name in taken})

    def _taken(self, values: list[Any], measure: str) -> Assessment:
        outputs = {name: values[at] for name, at in self._outputs.get(measure, ())}
        if all(value is None for value in outputs.values()):
            return NotAssessed("")
        return Assessed(outputs)


def _weight(found: tuple[int, int, int, list[Any]]) -> tuple[int, int, int]:
    return found[:3]


@cache
def _output_names(measure: str) -> tuple[str, ...]:
    try:
        outputs = measures.resolve(measure).outputs
    except InvalidModel:  # a measure that ships no more
        return ()
    return tuple(name for name, output in outputs.items() if not output.is_list)


def _seen(report: Mapping[str, Any], measure: str) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for page in report["pages"]:
        outputs = page["measures"].get(measure, {"outputs": {}})["outputs"]
        names.update({name: None for name, v in outputs.items() if not isinstance(v, list)})
    return tuple(names)


def _values(page: Mapping[str, Any], layout: tuple[tuple[str, tuple[str, ...]], ...]) -> list[Any]:
    values = [page["index"]]
    for measure, names in layout:
        outputs = page["measures"].get(measure, {"outputs": {}})["outputs"]
        values.extend(outputs.get(name) for name in names)
    return values


def _packed(field: Mapping[str, Any]) -> list[Any]:
    others = [_packed({"name": field["name"], **other}) for other in field.get("others", ())]
    return [
        field["name"], field["match"], field["source"], field["confidence"], field["page"], others
    ]  # fmt: skip


def _unpacked(packed: list[Any]) -> Field:
    name, match, source, confidence, page, others = packed
    found = tuple(_unpacked(other) for other in others)
    return Field(name, match, source, confidence, None, page, None, found)
