"""What one policy says otherwise than another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from docqa.policy import Policy, Rule

_LIMITS = ("accept", "reject", "ideal", "reason")


def differences(old: Policy, new: Policy) -> list[str]:
    """One line for each rule, match, finding or limit of reading that is new, gone or moved."""
    return [
        *_compared(_rules(old), _rules(new)),
        *_compared(_matches(old), _matches(new)),
        *_compared(_findings(old), _findings(new)),
        *_compared(_reading(old), _reading(new)),
    ]


def _compared(
    old: Mapping[str, Mapping[str, object]], new: Mapping[str, Mapping[str, object]]
) -> Iterator[str]:
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield f"removed  [{name}]"
        elif name not in old:
            said = ", ".join(f"{key} = {value}" for key, value in new[name].items())
            yield f"added    [{name}] {said}"
        elif old[name] != new[name]:
            said = ", ".join(
                f"{key} {old[name].get(key)} -> {value}"
                for key, value in new[name].items()
                if old[name].get(key) != value
            )
            yield f"moved    [{name}] {said}"


def _rules(policy: Policy) -> dict[str, dict[str, object]]:
    found = {f"{rule.measure}.{rule.output}": _limits(rule) for rule in policy.rules}
    for kind, rules in policy.overrides.items():
        for rule in rules:
            found[f"type.{kind}.{rule.measure}.{rule.output}"] = _limits(rule)
    return found


def _limits(rule: Rule) -> dict[str, object]:
    return {name: getattr(rule, name) for name in _LIMITS}


def _matches(policy: Policy) -> dict[str, dict[str, object]]:
    return {f"field.{name}": dict(table) for name, table in policy.matches.items()}


def _findings(policy: Policy) -> dict[str, dict[str, object]]:
    return {
        f"finding.{name}": {
            "reason": finding.reason,
            "decision": finding.decision,
            "least_confidence": finding.least_confidence,
        }
        for name, finding in policy.findings.items()
    }


def _reading(policy: Policy) -> dict[str, dict[str, object]]:
    return {"reading": {"least_score": policy.least_score_read}}
