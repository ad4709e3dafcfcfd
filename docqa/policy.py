"""The limits a document is judged by. They are data: ``models/policy/*.toml``.

A table ``[measure.output]`` is a :class:`Rule`; ``[type.<document type>.<measure>.<output>]``
replaces it for one document type; ``[field.<source>]`` says what a match means by where it was
read, ``[field.<source>.<claim>]`` replaces parts of that for one claim; ``[finding.<name>]`` is a
:class:`Finding`; ``[reading]`` says which documents are not worth reading. Every name is checked
when the policy is read, so an unknown one stops the start.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from docqa.documents import CLAIM_NAMES, Source
from docqa.errors import InvalidModel
from docqa.measures import Measure
from docqa.toml_text import tables_of

ACCEPT_SCORE = 70
REJECT_SCORE = 40
MATCHES = ("variant", "near", "different", "unread")
SOURCES = (*get_args(Source), "none")
DECISIONS = ("accept", "review", "reject")
FINDINGS = ("wrong_side", "wrong_document", "sides_disagree")
"""What can be wrong with a document as a whole: the other face of what was asked for, another
document, and faces or copies of one upload that contradict each other."""

_FINDING_KEYS = {"reason", "decision", "source"}
_RULE_KEYS = {"reason", "accept", "reject", "ideal", "source"}


@dataclass(frozen=True, slots=True)
class Rule:
    """How one output of one measure is judged.

    ``accept < reject`` means lower is better and the output is taken by magnitude; ``accept >
    reject`` means higher is better. At or better than ``accept`` is accept, at or worse than
    ``reject`` is reject, between the two is review.
    """

    measure: str
    output: str
    unit: str
    reason: str
    """A reason code; ``{other_output}`` in it is replaced by that text output's value."""
    accept: float
    reject: float
    ideal: float
    """Where the score is 100."""
    source: str
    """A benchmark result, a standard, or ``provisional``."""

    @property
    def direction(self) -> Literal["lower", "higher"]:
        """Which way is better."""
        return "lower" if self.accept < self.reject else "higher"

    def score(self, value: float) -> int:
        """0 to 100, monotone: 100 at the ideal, 70 at the accept limit, 40 at the reject limit.

        Rounded towards the reject side, so that 70 and more is exactly accept and 40 and less is
        exactly reject.
        """
        if self.direction == "lower":
            badness, ideal, accept, reject = abs(value), self.ideal, self.accept, self.reject
        else:
            badness, ideal, accept, reject = -value, -self.ideal, -self.accept, -self.reject
        if badness <= accept:
            if badness <= ideal:
                return 100
            exact = 100 - 30 * (badness - ideal) / (accept - ideal)
            return max(ACCEPT_SCORE, math.floor(exact))
        exact = ACCEPT_SCORE - 30 * (badness - accept) / (reject - accept)
        if badness < reject:
            return min(max(REJECT_SCORE + 1, math.floor(exact)), ACCEPT_SCORE - 1)
        return max(0, math.floor(exact + 1e-9))


@dataclass(frozen=True, slots=True)
class Finding:
    """What becomes of a document with which something is wrong that is no measurement."""

    reason: str
    decision: str
    """``review`` or ``reject``."""
    source: str
    least_confidence: float = 0.0
    """0 to 1. Of ``sides_disagree`` only: print that differs from a barcode or machine-readable
    zone which confirms the claim counts from this confidence on."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Every limit in force, with the digest of the file it came from."""

    id: str
    digest: str
    rules: tuple[Rule, ...]
    overrides: Mapping[str, tuple[Rule, ...]]
    """document type -> rules that replace or join the general ones"""
    matches: Mapping[str, Mapping[str, str]]
    """where it was read -> match -> decision; ``<source>.<claim>`` is for one claim alone"""
    findings: Mapping[str, Finding] = field(default_factory=dict)
    """by name: FINDINGS"""
    least_score_read: int = 0
    """A document with a lower score is rejected beyond doubt by what was measured: it is not read,
    and that nothing was read is no reason then. 0: every document is read."""
    _merged: dict[str, tuple[Rule, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """document type -> its rules, once asked for: millions of verdicts ask again"""

    def on_match(self, source: str | None, claim: str, match: str) -> str:
        """What a match of a claim means, by where it was read: accept, review or reject."""
        where = source or "none"
        return self.matches.get(f"{where}.{claim}", self.matches[where])[match]

    def is_worth_reading(self, score: int | None) -> bool:
        """Whether a document of this score by its measures is to be read."""
        return score is None or score >= self.least_score_read

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures that any rule asks for; no other is taken."""
        every = [*self.rules, *(rule for rules in self.overrides.values() for rule in rules)]
        return tuple(dict.fromkeys(rule.measure for rule in every))

    def rules_for(self, document_type: str) -> tuple[Rule, ...]:
        """The rules that judge a document of this type."""
        known = self._merged.get(document_type)
        if known is not None:
            return known
        merged = {(rule.measure, rule.output): rule for rule in self.rules}
        for rule in self.overrides.get(document_type, ()):
            merged[rule.measure, rule.output] = rule
        self._merged[document_type] = tuple(merged.values())
        return self._merged[document_type]


def parse_policy(
    text: str,
    *,
    resolve: Callable[[str], Measure],
    codes: Collection[str],
    document_types: Collection[str],
) -> Policy:
    """Read a policy.

    Args:
        text: the TOML.
        resolve: gives the measure of a name, or raises InvalidModel.
        codes: every reason code that can be said.
        document_types: ids of the known document types.

    Raises:
        InvalidModel: anything in it is unknown, missing, contradictory or not finite.
    """
    tables = tables_of(text, "the policy")
    identity = tables.pop("id", None)
    if not isinstance(identity, str) or not identity:
        raise InvalidModel('a policy starts with its id, for instance id = "sy-passport"')
    by_type = _table(tables.pop("type", {}), f"policy {identity}: type")
    matches = _matches(identity, _table(tables.pop("field", {}), f"policy {identity}: field"))
    findings = _findings(identity, _table(tables.pop("finding", {}), f"policy {identity}"), codes)
    least_score = _least_score_read(identity, tables.pop("reading", None))
    rules = _rules(identity, tables, resolve, codes)
    overrides = {}
    for name, nested in by_type.items():
        if name not in document_types:
            raise InvalidModel(f"policy {identity}: there is no document type {name!r}")
        overrides[name] = _rules(identity, nested, resolve, codes, inherit=rules)
    if not rules:
        raise InvalidModel(f"policy {identity} has no rule")
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return Policy(identity, digest, rules, overrides, matches, findings, least_score)


def _least_score_read(policy: str, table: object) -> int:
    where = f"policy {policy}: [reading]"
    if table is None:
        return 0
    if set(_table(table, where)) != {"least_score", "source"}:
        raise InvalidModel(f"{where} needs exactly least_score and source")
    least = _limit(where, "least_score", table["least_score"])  # type: ignore[index]  # a table
    if not 0 <= least <= REJECT_SCORE:
        raise InvalidModel(f"{where}: least_score must be 0 to {REJECT_SCORE}: a rejected document")
    return int(least)


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidModel(f"{where} must be a table")
    return value


def _rules(
    policy: str,
    tables: Mapping[str, Any],
    resolve: Callable[[str], Measure],
    codes: Collection[str],
    inherit: tuple[Rule, ...] = (),
) -> tuple[Rule, ...]:
    inherited = {(rule.measure, rule.output): rule for rule in inherit}
    rules = []
    for name, outputs in tables.items():
        measure = resolve(name)
        for output, table in _table(outputs, f"policy {policy}: {name}").items():
            where = f"policy {policy}: [{name}.{output}]"
            rule = _rule(where, measure, output, table, inherited.get((name, output)))
            _check_reason(where, measure, rule, codes)
            rules.append(rule)
    return tuple(rules)


def _rule(where: str, measure: Measure, output: str, table: object, inherited: Rule | None) -> Rule:
    given = _table(table, where)
    if unknown := set(given) - _RULE_KEYS:
        raise InvalidModel(f"{where} has the unknown key {sorted(unknown)[0]!r}")
    if output not in measure.outputs or not measure.outputs[output].is_number:
        numbers = [name for name, out in measure.outputs.items() if out.is_number]
        raise InvalidModel(f"{where}: {measure.name} has the outputs {', '.join(numbers)}")
    if inherited is not None:
        known = {key: getattr(inherited, key) for key in _RULE_KEYS if key != "ideal"}
        given = {**known, "ideal": inherited.ideal, **given}
    if missing := _RULE_KEYS - {"ideal"} - set(given):
        raise InvalidModel(f"{where} lacks {', '.join(sorted(missing))}")
    accept, reject = (_limit(where, key, given[key]) for key in ("accept", "reject"))
    if accept == reject:
        raise InvalidModel(f"{where}: accept and reject must differ; between them is review")
    if "ideal" not in given and accept > reject:
        raise InvalidModel(f"{where} needs ideal, since higher is better here")
    ideal = _limit(where, "ideal", given.get("ideal", 0.0))
    if (accept < reject) != (ideal <= accept) and ideal != accept:
        raise InvalidModel(f"{where}: ideal must be on the accepted side")
    if not isinstance(given["source"], str) or not given["source"]:
        raise InvalidModel(f"{where} needs the source of its limits (or source = 'provisional')")
    unit = measure.outputs[output].unit
    return Rule(
        measure.name, output, unit, str(given["reason"]), accept, reject, ideal, given["source"]
    )


def _limit(where: str, key: str, value: object) -> float:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:  # an integer beyond every float
        pass
    raise InvalidModel(f"{where}: {key} must be a finite number")


def _check_reason(where: str, measure: Measure, rule: Rule, codes: Collection[str]) -> None:
    for code in reason_codes(rule, measure):
        if code not in codes:
            raise InvalidModel(f"{where}: the reason {code!r} has no text in models/reasons")


def reason_codes(rule: Rule, measure: Measure) -> tuple[str, ...]:
    """Every code the rule can give, with text outputs in braces spelled out."""
    found: tuple[str, ...] = (rule.reason,)
    for name, output in measure.outputs.items():
        if "{" + name + "}" in rule.reason:
            found = tuple(
                code.replace("{" + name + "}", choice)
                for code in found
                for choice in output.choices
            )
    return found


def _matches(policy: str, tables: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    where = f"policy {policy}: field"
    if set(tables) != set(SOURCES):
        raise InvalidModel(f"{where} needs exactly the tables {', '.join(SOURCES)}")
    matches = {}
    for source, table in tables.items():
        general = dict(_table(table, f"{where}.{source}"))
        claims = {name: general.pop(name) for name in CLAIM_NAMES if name in general}
        if set(general) != {*MATCHES, "source"}:
            raise InvalidModel(f"{where}.{source} needs exactly {', '.join(MATCHES)} and source")
        matches[source] = _decisions(f"{where}.{source}", general)
        for claim, given in claims.items():
            at = f"{where}.{source}.{claim}"
            if not {"source"} < set(_table(given, at)) <= {*MATCHES, "source"}:
                raise InvalidModel(f"{at} needs source and one or more of {', '.join(MATCHES)}")
            matches[f"{source}.{claim}"] = _decisions(at, {**general, **given})
    return matches


def _decisions(where: str, table: Mapping[str, Any]) -> dict[str, str]:
    for match in MATCHES:
        if table[match] not in DECISIONS:
            raise InvalidModel(f"{where}.{match} must be one of {DECISIONS}")
    if table["unread"] == "accept":
        raise InvalidModel(f"{where}: what could not be read is never accepted")
    return {match: table[match] for match in MATCHES}


def _findings(policy: str, tables: Mapping[str, Any], codes: Collection[str]) -> dict[str, Finding]:
    if set(tables) != set(FINDINGS):
        raise InvalidModel(
            f"policy {policy}: finding needs exactly the tables {', '.join(FINDINGS)}"
        )
    found = {}
    for name, table in tables.items():
        where = f"policy {policy}: [finding.{name}]"
        keys = _FINDING_KEYS | ({"least_confidence"} if name == "sides_disagree" else set())
        if set(_table(table, where)) != keys:
            raise InvalidModel(f"{where} needs exactly {', '.join(sorted(keys))}")
        if table["reason"] not in codes:
            raise InvalidModel(f"{where}: {table['reason']!r} has no text in models/reasons")
        if table["decision"] not in DECISIONS[1:]:
            raise InvalidModel(f"{where}: decision must be one of {DECISIONS[1:]}")
        confidence = _limit(where, "least_confidence", table.get("least_confidence", 0.0))
        if not 0 <= confidence <= 1:
            raise InvalidModel(f"{where}: least_confidence must be 0 to 1")
        found[name] = Finding(table["reason"], table["decision"], str(table["source"]), confidence)
    return found
