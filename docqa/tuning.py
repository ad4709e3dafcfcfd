"""What reviewers' decisions say about each limit: false accepts against false rejects."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docqa import measures
from docqa.bulk import Origin
from docqa.policy import Policy, Rule, reason_codes


@dataclass(frozen=True, slots=True)
class Truth:
    """What a reviewer decided on a document, with what had been measured of it."""

    document_type: str
    is_accepted: bool
    codes: tuple[str, ...]
    """The reasons the reviewer gave for a rejection; none is none given."""
    origin: Origin
    pages: Sequence[Sequence[Any]]
    """Of each page its number and values, in the order of ``origin.layout``."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a limit would have done to the documents that people decided."""

    limit: float
    false_accepts: int
    """Rejected by a reviewer, let pass by the limit."""
    false_rejects: int
    """Accepted by a reviewer, stopped by the limit."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One rule alone, all others apart, held against what people decided."""

    name: str
    """``measure.output``, behind ``type.<document type>.`` where it is for one type."""
    rule: Rule
    accepted: int
    rejected: int
    """For what the rule is about, or for no reason given; those for other reasons do not count."""
    unmeasured: int
    """Documents of which the rule's value is not known; they are in no other number."""
    points: tuple[Point, ...]
    """One for each value seen, the strictest limit first."""
    at_accept: Point
    """What the present limit stops from being accepted."""
    at_reject: Point
    """What the present limit rejects."""

    @property
    def least(self) -> Point | None:
        """Where the shares of both errors have the least sum; None where one side is empty."""
        if not self.accepted or not self.rejected:
            return None
        return min(
            self.points,
            key=lambda point: (
                point.false_accepts / self.rejected + point.false_rejects / self.accepted
            ),
        )


@dataclass(slots=True)
class _Seen:
    """Badnesses, in which lower is better whatever the rule's direction."""

    accepted: list[float] = field(default_factory=list)
    rejected: list[float] = field(default_factory=list)
    unmeasured: int = 0


def curves(policy: Policy, truths: Iterable[Truth]) -> list[Curve]:
    """A curve for each rule of the policy, in its order.

    The worst page counts, as it does in a verdict.
    """
    named = _named(policy)
    codes = {
        name: frozenset(reason_codes(rule, measures.resolve(rule.measure)))
        for name, rule in named.items()
    }
    seen = {name: _Seen() for name in named}
    for truth in truths:
        places = _places(truth.origin)
        for rule in policy.rules_for(truth.document_type):
            name = _name(policy, truth.document_type, rule)
            if not truth.is_accepted and truth.codes and codes[name].isdisjoint(truth.codes):
                continue
            place = places.get((rule.measure, rule.output))
            values = [] if place is None else [page[place] for page in truth.pages]
            known = [_badness(rule, value) for value in values if value is not None]
            found = seen[name]
            if not known:
                found.unmeasured += 1
            elif truth.is_accepted:
                found.accepted.append(max(known))
            else:
                found.rejected.append(max(known))
    return [_curve(name, rule, seen[name]) for name, rule in named.items()]


def _named(policy: Policy) -> dict[str, Rule]:
    named = {f"{rule.measure}.{rule.output}": rule for rule in policy.rules}
    for kind, rules in policy.overrides.items():
        named.update({f"type.{kind}.{rule.measure}.{rule.output}": rule for rule in rules})
    return named


def _name(policy: Policy, document_type: str, rule: Rule) -> str:
    its_own = any(rule is other for other in policy.overrides.get(document_type, ()))
    return f"type.{document_type}." * its_own + f"{rule.measure}.{rule.output}"


def _places(origin: Origin) -> dict[tuple[str, str], int]:
    outputs = [(measure, name) for measure, names in origin.layout for name in names]
    return {output: at for at, output in enumerate(outputs, start=1)}


def _badness(rule: Rule, value: float) -> float:
    return abs(float(value)) if rule.direction == "lower" else -float(value)


def _curve(name: str, rule: Rule, seen: _Seen) -> Curve:
    accepted, rejected = sorted(seen.accepted), sorted(seen.rejected)
    sign = 1.0 if rule.direction == "lower" else -1.0

    def at(limit: float, *, stops_itself: bool = False) -> Point:
        place = bisect_left if stops_itself else bisect_right
        badness = sign * limit
        passed, kept = place(rejected, badness), place(accepted, badness)
        return Point(limit, passed, len(accepted) - kept)

    return Curve(
        name,
        rule,
        len(accepted),
        len(rejected),
        seen.unmeasured,
        tuple(at(sign * badness) for badness in sorted({*accepted, *rejected})),
        at(rule.accept),
        at(rule.reject, stops_itself=True),
    )


def curve_json(curve: Curve) -> Mapping[str, Any]:
    """A curve as JSON values, with every point."""
    least = curve.least
    return {
        "rule": curve.name,
        "unit": curve.rule.unit,
        "better": curve.rule.direction,
        "accepted": curve.accepted,
        "rejected": curve.rejected,
        "unmeasured": curve.unmeasured,
        "at_accept": _point_json(curve.at_accept),
        "at_reject": _point_json(curve.at_reject),
        "least_error": _point_json(least) if least else None,
        "points": [_point_json(point) for point in curve.points],
    }


def _point_json(point: Point) -> dict[str, float | int]:
    return {
        "limit": point.limit,
        "false_accepts": point.false_accepts,
        "false_rejects": point.false_rejects,
    }
