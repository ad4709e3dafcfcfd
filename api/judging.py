"""Judges what is stored again, when the typing or the number of attempts has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.services import Inspected
from docqa.corrections import judged_again, rematched, unread
from docqa.pipeline import Engine
from docqa.policy import Policy, Rule
from docqa.ports import StoredDocument
from docqa.report import fields_with_readings, recognised_from_json
from docqa.verdict import ATTEMPTS_EXHAUSTED, CONTRADICTS_ANOTHER


class StoredJudge:
    """Reports on stored documents, made without their pixels.

    Args:
        engine: whose policy, document types and places count.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def from_stored(self, document: StoredDocument, claims: Mapping[str, str]) -> Inspected | None:
        """The report with other claims; None when the picture has to be read again for it."""
        fields = rematched(
            document.report, document.readings, document.claims, claims, self._engine
        )
        if fields is None:
            return None
        report = judged_again(
            document.report,
            self._engine,
            fields=fields,
            recognised=recognised_from_json(document.report),
        )
        return Inspected(report, document.readings)

    def from_reading(
        self, document: StoredDocument, claims: Mapping[str, str], fresh: Inspected
    ) -> Inspected:
        """The report with the fields of a fresh inspection; its measurements stay as they are.

        Where one of the two inspections failed, only what the other one found is left; what could
        not be read is ``unread``.
        """
        faults = list(fresh.report["faults"])
        if ATTEMPTS_EXHAUSTED in document.report["faults"]:
            faults.append(ATTEMPTS_EXHAUSTED)
        fields = fields_with_readings(fresh.report, fresh.readings)
        if not fields:
            fields = unread(claims, document.document_type, self._engine)
        base = document.report if document.report["pages"] else fresh.report
        report = judged_again(
            base,
            self._engine,
            fields=fields,
            faults=faults,
            recognised=recognised_from_json(fresh.report),
        )
        return Inspected(report, fresh.readings)

    def unreadable(
        self, document: StoredDocument, claims: Mapping[str, str], fault: str
    ) -> Inspected:
        """The report where the picture cannot be read any more, for the reason ``fault``."""
        report = judged_again(
            document.report,
            self._engine,
            fields=unread(claims, document.document_type, self._engine),
            faults=sorted({*document.report["faults"], fault}),
        )
        return Inspected(report, document.readings)

    def after_too_many_attempts(self, inspected: Inspected) -> Inspected:
        """The same report, but a person decides."""
        faults = [*inspected.report["faults"], ATTEMPTS_EXHAUSTED]
        return Inspected(
            judged_again(inspected.report, self._engine, faults=faults), inspected.readings
        )

    def beside_others(self, inspected: Inspected, *, contradicts: bool) -> Inspected:
        """The same report; a person decides while it contradicts another one of its booking."""
        before = inspected.report["faults"]
        faults = [fault for fault in before if fault != CONTRADICTS_ANOTHER]
        faults += [CONTRADICTS_ANOTHER] if contradicts else []
        if faults == before:
            return inspected
        return Inspected(
            judged_again(inspected.report, self._engine, faults=faults), inspected.readings
        )


def policy_json(policy: Policy) -> dict[str, Any]:
    """A policy as JSON values: every limit with its unit, direction and source."""
    return {
        "id": policy.id,
        "digest": policy.digest,
        "rules": [_rule_json(rule) for rule in policy.rules],
        "by_document_type": {
            name: [_rule_json(rule) for rule in rules]
            for name, rules in sorted(policy.overrides.items())
        },
        "matches": {name: dict(table) for name, table in sorted(policy.matches.items())},
    }


def _rule_json(rule: Rule) -> dict[str, Any]:
    return {
        "measure": rule.measure,
        "output": rule.output,
        "unit": rule.unit,
        "direction": rule.direction,
        "accept": rule.accept,
        "reject": rule.reject,
        "ideal": rule.ideal,
        "reason": rule.reason,
        "source": rule.source,
    }
