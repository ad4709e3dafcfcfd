"""A stored report with parts of it made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from docqa.bulk import SPARED, spare
from docqa.documents import mistake
from docqa.pipeline import Engine
from docqa.plan import Work
from docqa.report import (
    Report,
    measurements_from_json,
    recognised_from_json,
    rejudge_json,
    to_json,
)
from docqa.verdict import OF_THE_BOOKING, Verdict, decide

CRASHES = ("system.crashed", "system.timeout", "system.out_of_memory")
"""What a child is lost over: tried once more, alone."""

Inspect = Callable[[Engine, bool], Report]
"""Inspects the document with an engine, and reads it or does not."""


def part(engine: Engine, work: Work, inspect: Inspect) -> Report:
    """A report that holds what of the document is stale, and nothing else."""
    chosen = {name: take for name, take in engine.measures.items() if name in work.stale.measures}
    report = inspect(replace(engine, measures=chosen), work.stale.reading)
    if len(report.pages) != work.pages and work.pages:
        # Its pages are counted differently now: nothing stored fits them any more.
        report = inspect(engine, work.stale.reading)
    return report


def fault_of(report: Report) -> str | None:
    """The fault by which the whole inspection failed; None where it did not."""
    return report.faults[0] if report.faults and not report.pages else None


def merged(stored: Mapping[str, Any], work: Work, fresh: Report, engine: Engine) -> dict[str, Any]:
    """The stored report with the parts that ``fresh`` holds, judged by the engine's policy.

    The verdict is never a rejection of what was accepted: see :func:`docqa.bulk.spare`.
    """
    found = to_json(replace(fresh, digests=engine.digests), engine.catalogue)
    is_whole = len(fresh.pages) != len(stored["pages"])
    pages = []
    for at, page in enumerate(found["pages"]):
        old = {} if is_whole else stored["pages"][at]["measures"]
        known = {**old, **page["measures"]}
        names = [name for name in engine.measures if name in known]
        pages.append({**page, "measures": {name: known[name] for name in names}})
    read = found if work.stale.reading else stored
    # Where nothing was read, what stands of an earlier failure is of an inspection made anew now.
    failing = read if stored["fields"] else found
    report = {
        **found,
        "sha256": stored["sha256"],
        "pages": pages,
        "recognised": read.get("recognised"),
        "fields": read["fields"],
        "faults": list(dict.fromkeys([*_of_the_booking(stored), *failing["faults"]])),
    }
    return judged(report, stored, engine)


def _of_the_booking(stored: Mapping[str, Any]) -> list[str]:
    return [fault for fault in stored["faults"] if fault in OF_THE_BOOKING]


def failed(stored: Mapping[str, Any], fault: str, engine: Engine) -> dict[str, Any]:
    """The stored report with a fault, which sends it to review.

    It carries the engine's digest but none of its parts, so that this engine does not try again and
    any other one makes all of it anew.
    """
    faults = [*(old for old in stored["faults"] if old != fault), fault]
    made_by = {"version": engine.version, "digest": engine.digest}
    return judged({**stored, "faults": faults, "engine": made_by}, stored, engine)


def judged(report: Mapping[str, Any], before: Mapping[str, Any], engine: Engine) -> dict[str, Any]:
    """The report under the engine's policy, held against the one ``before``."""
    pages, fields, faults = measurements_from_json(report)
    asked = engine.document_types.get(report["document_type"])
    mistaken = mistake(asked, recognised_from_json(report)) if asked else None
    policy = engine.policy
    verdict = decide(policy, report["document_type"], pages, fields, faults, mistaken)
    verdict = spared(before, verdict)
    return rejudge_json(report, verdict, engine.catalogue, (policy.id, policy.digest))


def spared(before: Mapping[str, Any], verdict: Verdict) -> Verdict:
    """The verdict, sparing what the report ``before`` accepted."""
    old = before["verdict"]
    return spare(old["decision"], any(r["code"] == SPARED for r in old["reasons"]), verdict)
