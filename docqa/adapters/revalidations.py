"""Runs that judge stored documents again, in an SQL database.

What remains of a run is a query: nothing is remembered anywhere else, so whatever dies, whoever
runs it again goes on where the last committed batch ended. A batch is one transaction, which begins
by moving the run's place forward: of two who drive the same run one finds it moved, and stops.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from docqa.adapters.report_facts import fill_facts
from docqa.adapters.revalidation_tables import (
    judgements,
    origins,
    report_facts,
    revalidation_counts,
    revalidations,
)
from docqa.adapters.revalidation_writes import (
    Changed,
    add_count,
    attest,
    keep_judgements,
    keep_recomputed,
    nobody_to_tell,
    put_in_force,
    still_there,
    tell_of,
)
from docqa.adapters.schema import documents, reports
from docqa.bulk import Origin, judge_key, origin_from_json
from docqa.plan import Group, Judgement, Pending, Run, RunMoved, Selection, Stale, Work

_ID_BYTES = 8
_PENDING_AT_ONCE = 200
_LIVE = ("waiting", "running", "paused")
_OF_REPORT = (reports.c.document_id == documents.c.id) & (
    reports.c.number == documents.c.report_number
)


class SqlRevalidations:
    """Keeps runs and their results on SQLite or PostgreSQL.

    Args:
        engine: of the database that holds the documents.
    """

    def __init__(self, engine: sa.Engine, changed: Changed = nobody_to_tell) -> None:
        self._engine = engine
        self._changed = changed
        self._origins: dict[str, Origin] = {}

    def prepare(self) -> int:
        """Make the facts that are lacking; how many were made."""
        return fill_facts(self._engine)

    # Runs

    def begin(self, run: Run) -> Run:
        """Record a new run, with its id and the documents it covers counted."""
        count = sa.select(sa.func.count()).select_from(_covered()).where(*_within(run.selection))
        with self._engine.begin() as connection:
            total = connection.execute(count).scalar_one()
            begun = replace(run, id="rev_" + secrets.token_hex(_ID_BYTES), total=total)
            connection.execute(sa.insert(revalidations).values(**_columns(begun)))
        return begun

    def get(self, run_id: str) -> Run | None:
        """The run as it stands."""
        found = self.runs(revalidations.c.id == run_id)
        return found[0] if found else None

    def runs(self, *conditions: sa.ColumnElement[bool]) -> list[Run]:
        """All runs, newest first."""
        query = sa.select(revalidations).where(*conditions)
        with self._engine.connect() as connection:
            return [_run(row) for row in connection.execute(query.order_by(
                revalidations.c.created_at.desc(), revalidations.c.id
            ))]  # fmt: skip

    def unfinished(self, run: Run) -> Run | None:
        """A run begun earlier, not ended, that does what ``run`` would."""
        for known in self.runs(revalidations.c.state.in_(_LIVE)):
            same = (known.mode, known.policy_digest, known.engine_digest)
            if same == (run.mode, run.policy_digest, run.engine_digest) and (
                replace(known.selection, until=run.selection.until) == run.selection
            ):
                return known
        return None

    def move(self, run_id: str, state: str, *, allowed: Sequence[str]) -> bool:
        """Give the run another state; False when its state is none of ``allowed``."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                sa.update(revalidations)
                .where(revalidations.c.id == run_id, revalidations.c.state.in_(allowed))
                .values(state=state, updated_at=datetime.now(UTC))
            )
        return changed.rowcount == 1

    def counts(self, run_id: str) -> list[dict[str, Any]]:
        """The transitions so far: document_type, before, after, reason, documents."""
        table = revalidation_counts
        query = sa.select(
            table.c.document_type, table.c.before, table.c.after, table.c.reason, table.c.documents
        ).where(table.c.revalidation_id == run_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(*query.selected_columns[:4]))
            return [dict(row._mapping) for row in rows]

    def changes(self, run_id: str) -> Iterator[dict[str, Any]]:
        """The documents whose decision changes, those that were accepted first; rows stream."""
        accepted = sa.case((judgements.c.before == "accept", 0), else_=1)
        query = (
            sa.select(
                judgements.c.document_id,
                documents.c.document_type,
                judgements.c.before,
                judgements.c.after,
                judgements.c.reasons,
            )
            .join_from(judgements, documents, documents.c.id == judgements.c.document_id)
            .where(
                judgements.c.revalidation_id == run_id,
                judgements.c.before != judgements.c.after,
            )
            .order_by(accepted, judgements.c.after.desc(), judgements.c.document_id)
        )
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield dict(row._mapping)

    # The plan

    def tally(self, selection: Selection) -> list[Group]:
        """How many documents there are of each making."""
        table = report_facts.c
        what = (table.origin, table.is_read, table.is_measured, table.judged_by)
        query = (
            sa.select(*what, sa.func.count().label("number"))
            .select_from(_covered())
            .where(*_within(selection))
            .group_by(*what)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Group(self._origin(r.origin), r.is_read, r.is_measured, r.judged_by, r.number)
            for r in rows
        ]

    def _origin(self, key: str) -> Origin:
        if key not in self._origins:
            with self._engine.connect() as connection:
                body = connection.execute(
                    sa.select(origins.c.body).where(origins.c.key == key)
                ).scalar_one()
            self._origins[key] = origin_from_json(key, body)
        return self._origins[key]

    # Recomputing

    def pending(
        self, run: Run, groups: Sequence[tuple[Group, Stale]], *, crashed: bool
    ) -> Iterator[Pending]:
        """The documents that still have to be recomputed, read some at a time.

        Args:
            run: what for.
            groups: which makings need it, and what of them.
            crashed: those over which a child was lost once, instead of all others.
        """
        for group, needs in groups:
            query = _pending(run, group, crashed=crashed)
            after = ""
            while True:
                with self._engine.connect() as connection:
                    left = (documents.c.id > after, report_facts.c.document_id > after)
                    rows = connection.execute(query.where(*left)).all()
                if not rows:
                    break
                yield from (_pending_of(row, needs) for row in rows)
                after = rows[-1].id

    def keep_recomputed(
        self, run: Run, kept: Sequence[tuple[Pending, str, str | None]], failed: int
    ) -> None:
        """Commit recomputed reports.

        Args:
            run: what for.
            kept: for each document its new report, and its new readings if it was read again,
                as JSON texts.
            failed: how many of them could not be recomputed.
        """
        rows = [
            {**_key(run, one), "report": report, "readings": readings}
            for one, report, readings in kept
        ]
        with self._engine.begin() as connection:
            keep_recomputed(connection, run, rows, recomputed=len(rows), failed=failed)

    def keep_crash(self, run: Run, one: Pending) -> None:
        """Commit that a child was lost over a document."""
        row = {**_key(run, one), "crashes": 1, "report": None}
        with self._engine.begin() as connection:
            keep_recomputed(connection, run, [row], recomputed=0, failed=0)

    # Deciding

    def batch(self, run: Run, after: str, limit: int) -> list[Judgement]:
        """The next documents to decide, in the order of their ids."""
        table = report_facts.c
        query = (
            sa.select(
                table.document_id,
                table.report_number,
                table.origin,
                table.facts,
                documents.c.document_type,
            )
            .select_from(_covered())
            # Said of both, so that neither is walked through from its beginning for each batch.
            .where(table.document_id > after, documents.c.id > after, *_within(run.selection))
            .order_by(table.document_id)
            .limit(limit)
        )
        if run.mode == "apply":
            # What is in force under this policy and engine already needs nothing.
            query = query.where(table.judged_by != judge_key(run.policy_digest, run.engine_digest))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
            if not rows:
                return []
            recomputed = {
                row.document_id: row
                for row in connection.execute(
                    sa.select(judgements).where(
                        _judged(run),
                        judgements.c.document_id.between(rows[0].document_id, rows[-1].document_id),
                        judgements.c.report.is_not(None),
                    )
                )
            }
        found = []
        for document_id, number, origin, facts, document_type in rows:
            kept = recomputed.get(document_id)
            fits = kept is not None and kept.report_number == number
            found.append(
                Judgement(
                    document_id,
                    document_type,
                    number,
                    self._origin(origin),
                    facts,
                    kept.report if kept is not None and fits else None,
                    kept.readings if kept is not None and fits else None,
                )
            )
        return found

    def commit(
        self,
        run: Run,
        decided: Sequence[Judgement],
        counts: Counter[tuple[str, str, str, str]],
        rewrite: Callable[[Judgement, dict[str, Any]], dict[str, Any]],
    ) -> Run:
        """Commit a batch, and put its new reports in force if the run is to apply; the run after.

        Args:
            run: as it stood when the batch was read.
            decided: the batch, decided.
            counts: (document type, before, after, reason) -> documents.
            rewrite: the new report of a document whose report in force is given.

        Raises:
            RunMoved: another process drives the run, or a document changed meanwhile.
        """
        changed = [one for one in decided if one.is_changed]
        number, left = len(decided), sum(one.is_left for one in decided)
        moved = replace(run, decided=run.decided + number, failed=run.failed + left)
        moved = replace(moved, decided_to=decided[-1].document_id)
        with self._engine.begin() as connection:
            self._forward(connection, run, moved)
            if run.mode == "apply":
                put = put_in_force(connection, changed, rewrite)
                attest(
                    connection, run, [one for one in decided if not (one.is_changed or one.is_left)]
                )
                there = put.ids
            else:
                put = None
                there = still_there(connection, [one.document_id for one in changed])
            keep_judgements(connection, run, [one for one in changed if one.document_id in there])
            for key, number in counts.items():
                add_count(connection, run.id, key, number)
            if put is not None:
                tell_of(connection, put, self._changed)
        return moved

    def _forward(self, connection: sa.Connection, run: Run, moved: Run) -> None:
        values = {name: getattr(moved, name) for name in ("decided", "decided_to", "failed")}
        advanced = connection.execute(
            sa.update(revalidations)
            .where(revalidations.c.id == run.id, revalidations.c.decided_to == run.decided_to)
            .values(**values, updated_at=datetime.now(UTC))
        )
        if advanced.rowcount != 1:
            raise RunMoved(f"another process drives the run {run.id}")


def _covered() -> sa.Join:
    return report_facts.join(documents, documents.c.id == report_facts.c.document_id)


def _within(selection: Selection) -> list[sa.ColumnElement[bool]]:
    found = [documents.c.received_at <= selection.until]
    if selection.since is not None:
        found.append(documents.c.received_at >= selection.since)
    return found + [documents.c[name] == value for name, value in selection.where]


def _judged(run: Run) -> sa.ColumnElement[bool]:
    return (judgements.c.policy_digest == run.policy_digest) & (
        judgements.c.engine_digest == run.engine_digest
    )


def _pending(run: Run, group: Group, *, crashed: bool) -> sa.Select[Any]:
    table = report_facts.c
    same_report = _judged(run) & (judgements.c.report_number == table.report_number)
    of_document = (judgements.c.document_id == documents.c.id) & same_report
    state = judgements.c.crashes == 1 if crashed else judgements.c.document_id.is_(None)
    return (
        sa.select(documents, reports.c.report)
        .select_from(_covered().join(reports, _OF_REPORT).outerjoin(judgements, of_document))
        .where(
            *_within(run.selection),
            table.origin == group.origin.key,
            table.is_read == group.is_read,
            table.is_measured == group.is_measured,
            table.report_number == documents.c.report_number,
            judgements.c.report.is_(None),
            state,
        )
        .order_by(documents.c.id)
        .limit(_PENDING_AT_ONCE)
    )


def _pending_of(row: sa.Row[Any], needs: Stale) -> Pending:
    claims = row.claims if needs.reading else {}
    pages = len(row.report["pages"])
    work = Work(row.id, row.blob_key, row.document_type, needs, pages, claims)
    return Pending(work, row.report_number, row.report)


def _key(run: Run, one: Pending) -> dict[str, Any]:
    return {
        "document_id": one.work.document_id,
        "policy_digest": run.policy_digest,
        "engine_digest": run.engine_digest,
        "report_number": one.report_number,
    }


def _columns(run: Run) -> dict[str, Any]:
    now = datetime.now(UTC)
    names = [column.name for column in revalidations.c]
    values = {name: getattr(run, name) for name in names if hasattr(run, name)}
    chosen = run.selection
    values["selection"] = {
        "until": chosen.until.isoformat(),
        "since": chosen.since.isoformat() if chosen.since else None,
        "where": dict(chosen.where),
    }
    return {**values, "created_at": now, "updated_at": now}


def _run(row: sa.Row[Any]) -> Run:
    values = row._asdict()
    chosen = values["selection"]
    since = chosen["since"]
    values["selection"] = Selection(
        datetime.fromisoformat(chosen["until"]),
        datetime.fromisoformat(since) if since else None,
        tuple(sorted(chosen["where"].items())),
    )
    return Run(**{name: values[name] for name in Run.__slots__})
