"""Judging stored documents again: first what is stale is made anew, then everything is decided.

Every step is committed in small batches, and what remains is always asked of the store. So a run
may be killed at any moment, together with its workers or the database, and run again: it finishes,
nothing is done twice in effect, and nothing is left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass, replace
from itertools import islice
from time import monotonic
from typing import Any, Protocol

from pydantic_core import from_json

from docqa.bulk import BulkJudge, signature_of_json
from docqa.pipeline import Engine
from docqa.plan import (
    Group,
    Judgement,
    Pending,
    Run,
    RunMoved,
    Selection,
    Stale,
    Work,
    stale_groups,
)
from docqa.recompute import CRASHES, failed, fault_of, judged, merged
from docqa.report import Report, readings_json

DECIDED_AT_ONCE = 2000
REWRITTEN_AT_ONCE = 200
"""A commit that puts new reports in force must be short, or events become visible too late; see
:data:`docqa.webhooks.gaps.LONGEST_COMMIT`."""
_KEPT_AT_ONCE = 50
_KEPT_AT_LEAST_EVERY_S = 2.0
_MOST_MOVES = 100
_FAILURES_IN_A_ROW = 25
"""So many are no accident of documents but of the workers' set-up, or of the store of their files:
nothing is kept of them."""

FAILED = "system.failed"
LEFT = "storage.unread"
"""The reason of a transition where the file could not be read: the document is as it was."""
_AWAY = "storage.away"
"""What came of a document where a disk, a share or the store does not answer: the same."""

_Transition = tuple[str, str, str, str]
"""Document type, decision before and after, reason."""

Recompute = Callable[[Work], Report]
"""Makes anew what of a document is stale; runs in a worker. A lost child is a report that says so;
whatever else fails is raised."""


class ClusterLost(Exception):
    """The workers cannot be reached any more; what they finished is committed."""


class Unread(Exception):
    """One document's file cannot be had: lost, damaged, or sealed by a key that is not here.

    Neither the document nor the workers are at fault, however many there are.
    """


class Revalidations(Protocol):
    """Remembers runs; see :class:`docqa.adapters.revalidations.SqlRevalidations`."""

    def get(self, run_id: str) -> Run | None:
        """The run as it stands."""
        ...

    def move(self, run_id: str, state: str, *, allowed: Sequence[str]) -> bool:
        """Give the run another state; False when its state is none of ``allowed``."""
        ...

    def tally(self, selection: Selection) -> list[Group]:
        """How many documents there are of each making."""
        ...

    def pending(
        self, run: Run, groups: Sequence[tuple[Group, Stale]], *, crashed: bool
    ) -> Iterator[Pending]:
        """The documents that still have to be recomputed."""
        ...

    def keep_recomputed(
        self, run: Run, kept: Sequence[tuple[Pending, str, str | None]], failed: int
    ) -> None:
        """Commit recomputed reports and readings, JSON texts."""
        ...

    def keep_crash(self, run: Run, one: Pending) -> None:
        """Commit that a child was lost over a document."""
        ...

    def batch(self, run: Run, after: str, limit: int) -> list[Judgement]:
        """The next documents to decide, in the order of their ids."""
        ...

    def commit(
        self,
        run: Run,
        decided: Sequence[Judgement],
        counts: Counter[tuple[str, str, str, str]],
        rewrite: Callable[[Judgement, dict[str, Any]], dict[str, Any]],
    ) -> Run:
        """Commit a decided batch; the run as it stands then. Raises RunMoved."""
        ...


@dataclass(frozen=True, slots=True)
class Driver:
    """Drives one run.

    Args:
        store: remembers it.
        engine: what to judge with.
        executor: where ``recompute`` runs.
        recompute: what the executor is asked to do.
        workers: how many documents the executor works on at the same time.
        tell: called with the run after every commit.
    """

    store: Revalidations
    engine: Engine
    executor: Executor
    recompute: Recompute
    workers: int
    tell: Callable[[Run], None]

    def drive(self, run: Run) -> Run:
        """Go on with the run until it is done, paused or cancelled; the run then.

        Raises:
            ClusterLost: the executor is gone.
            RunMoved: another process drives the same run.
        """
        if self.store.move(run.id, "running", allowed=("waiting", "running")):
            groups = stale_groups(self.engine, self.store.tally(run.selection))
            left = self._recompute(run, groups, crashed=False)
            left |= self._recompute(run, groups, crashed=True)
            self._decide(run, left)
        return self._now(run)

    def _now(self, run: Run) -> Run:
        found = self.store.get(run.id)
        assert found is not None, "runs are never deleted"
        return found

    # Recomputing

    def _recompute(
        self, run: Run, groups: Sequence[tuple[Group, Stale]], *, crashed: bool
    ) -> set[str]:
        """Returns the ids of those whose files could not be read."""
        pending = self.store.pending(run, groups, crashed=crashed)
        window = 1 if crashed else 3 * self.workers
        flying: dict[Future[Report], Pending] = {}
        done: list[tuple[Pending, Report | str]] = []
        doubtful: list[tuple[Pending, Report | str]] = []
        left: set[str] = set()
        kept_at = monotonic()
        while True:
            for one in islice(pending, window - len(flying)):
                flying[self.executor.submit(self.recompute, one.work)] = one
            if not flying:
                break
            finished, _ = wait(flying, timeout=_KEPT_AT_LEAST_EVERY_S, return_when=FIRST_COMPLETED)
            for future in finished:
                came = flying.pop(future), _outcome(future)
                if came[1] in (FAILED, _AWAY):
                    doubtful.append(came)
                elif came[1] == LEFT:  # of what fails before and after it, it says nothing
                    done.append(came)
                else:
                    done, doubtful = [*done, *doubtful, came], []
            if len(doubtful) >= _FAILURES_IN_A_ROW:
                raise ClusterLost(
                    "one document after the other cannot be recomputed: can the workers read the "
                    "blobs? Nothing of it was kept; put it right and run the same command again"
                )
            if len(done) >= _KEPT_AT_ONCE or monotonic() - kept_at >= _KEPT_AT_LEAST_EVERY_S:
                left |= self._keep(run, done, crashed)
                done, kept_at = [], monotonic()
                if self._now(run).state != "running":
                    break
        for future in flying:
            future.cancel()
        return left | self._keep(run, done + doubtful, crashed)

    def _keep(
        self, run: Run, done: Sequence[tuple[Pending, Report | str]], crashed: bool
    ) -> set[str]:
        """Commit what there is; returns the ids of those of which there is nothing to commit."""
        kept: list[tuple[Pending, str, str | None]] = []
        left: set[str] = set()
        failures = 0
        for one, outcome in done:
            if not isinstance(outcome, str):
                report = merged(one.report, one.work, outcome, self.engine)
                read = _text(readings_json(outcome)) if one.work.stale.reading else None
                kept.append((one, _text(report), read))
            elif outcome in (LEFT, _AWAY):
                left.add(one.work.document_id)
            elif outcome in CRASHES and not crashed:
                self.store.keep_crash(run, one)
            else:
                failures += 1
                kept.append((one, _text(failed(one.report, outcome, self.engine)), None))
        if kept:
            self.store.keep_recomputed(run, kept, failures)
        if done:
            self.tell(self._now(run))
        return left

    # Deciding

    def _decide(self, run: Run, left: Collection[str]) -> None:
        judge = BulkJudge(self.engine.policy, self.engine.document_types)
        moves = 0
        run = self._now(run)
        while run.state == "running":
            batch = self.store.batch(run, run.decided_to, DECIDED_AT_ONCE)
            if not batch:
                self.store.move(run.id, "done", allowed=("running",))
                return
            decided = [
                _left(one) if one.document_id in left else _decided(judge, one) for one in batch
            ]
            most = REWRITTEN_AT_ONCE if run.mode == "apply" else DECIDED_AT_ONCE
            try:
                for part in _parts(decided, most):
                    run = self._commit(run, part)
                    if run.state != "running":
                        return
            except RunMoved:
                moves += 1
                before, run = run, self._now(run)
                if run.decided_to != before.decided_to or moves > _MOST_MOVES:
                    raise

    def _commit(self, run: Run, part: Sequence[tuple[Judgement, _Transition]]) -> Run:
        counts = Counter(transition for _, transition in part)
        self.store.commit(run, [one for one, _ in part], counts, self._rewrite)
        run = self._now(run)
        self.tell(run)
        return run

    def _rewrite(self, one: Judgement, stored: Mapping[str, Any]) -> dict[str, Any]:
        if one.recomputed is not None:
            report: dict[str, Any] = json.loads(one.recomputed)
            return report
        return judged(stored, stored, self.engine)


def _decided(judge: BulkJudge, one: Judgement) -> tuple[Judgement, _Transition]:
    facts = from_json(one.facts)
    before, reasons = facts[4], facts[5]
    if one.recomputed is not None:
        verdict = json.loads(one.recomputed)["verdict"]
        after, told = verdict["decision"], signature_of_json(verdict["reasons"])
        one = replace(one, before=before, after=after, codes=tuple(row[0] for row in told))
    else:
        after, told = judge.judge(one.document_type, one.origin, facts)
        if after != before or told != reasons:
            codes = tuple(row[0] for row in told)
            one = replace(one, before=before, after=after, codes=codes)
    weightiest = told or reasons
    reason = weightiest[0][0] if weightiest else ""
    return one, (one.document_type, before, after, reason)


def _left(one: Judgement) -> tuple[Judgement, _Transition]:
    before = from_json(one.facts)[4]
    return replace(one, is_left=True), (one.document_type, before, before, LEFT)


def _parts(
    decided: Sequence[tuple[Judgement, _Transition]], most: int
) -> Iterator[list[tuple[Judgement, _Transition]]]:
    """All in their order, in parts of which each has at most ``most`` that change."""
    part: list[tuple[Judgement, _Transition]] = []
    changed = 0
    for one, transition in decided:
        if one.is_changed and changed == most:
            yield part
            part, changed = [], 0
        part.append((one, transition))
        changed += one.is_changed
    yield part


def _outcome(future: Future[Report]) -> Report | str:
    """The part that was made, or the fault that a document gets instead."""
    try:
        report = future.result()
    except CancelledError as error:
        raise ClusterLost("the workers are gone; run the same command again") from error
    except ClusterLost:
        raise
    except Exception as error:
        if type(error).__name__ == "KilledWorker":  # Dask's, whose import is optional
            return "system.crashed"
        if type(error).__module__.startswith("distributed"):
            raise ClusterLost("the cluster is gone; run the same command again") from error
        if isinstance(error, Unread):
            return LEFT
        # Of the child's own failures none is raised: this is the disk, the share or the store.
        return _AWAY if isinstance(error, OSError) else FAILED
    return fault_of(report) or report


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
