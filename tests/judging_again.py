"""What the tests of judging again share: three documents, and drivers of a run over them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from docqa.adapters import schema
from docqa.adapters.revalidations import SqlRevalidations
from docqa.adapters.store import SqlStore
from docqa.measures import Assessed, PageAssessment
from docqa.pipeline import Engine
from docqa.plan import Judgement, Run, Selection, Work
from docqa.policy import Policy, Rule
from docqa.ports import StoredDocument
from docqa.report import Digests, Report, to_json
from docqa.revalidate import Driver
from docqa.verdict import decide
from tests.contracts.stores import opened_sql
from tests.faults.measures import build

ANGLES = {"a": 0.5, "b": 2.0, "c": 7.0}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def engine(accept: float, reject: float, *, skew: str = "1", reading: str = "1") -> Engine:
    plain = build("straight")
    rule = Rule("skew", "angle_deg", "deg", "geometry.skew", accept, reject, 0.0, "provisional")
    policy = Policy(f"under-{accept}", f"sha256:{accept}-{reject}", (rule,), {}, {})
    digests = Digests({"skew": skew}, reading)
    return replace(plain, policy=policy, digest=f"sha256:{skew}{reading}", digests=digests)


def measured(judge: Engine, angle: float) -> Report:
    pages = (PageAssessment(1, 10, 10, {"skew": Assessed({"angle_deg": angle})}),)
    verdict = decide(judge.policy, "a4-generic", pages)
    identity = (judge.policy.id, judge.policy.digest, judge.version, judge.digest)
    return Report("00", "a4-generic", pages, (), (), verdict, *identity, {}, digests=judge.digests)


def filled(name: str, folder: Path) -> Iterator[SqlStore]:
    """For a fixture: documents turned by 0.5, 2 and 7 degrees: accepted, reviewed, rejected."""
    for store in opened_sql(name, folder):
        for letter, angle in ANGLES.items():
            add(store, letter, angle)
        yield store


def add(store: SqlStore, name: str, angle: float) -> None:
    lax = engine(1.0, 5.0)
    report = measured(lax, angle)
    store.add(
        StoredDocument(
            id=f"doc_{name}",
            blob_key=name.rjust(32, "0"),
            file_name="x.jpg",
            document_type="a4-generic",
            claims={},
            report=to_json(report, lax.catalogue),
            decision=report.verdict.decision.value,
            received_at=LONG_AGO,
            client_id="portal",
        )
    )


def never(work: Work) -> Report:
    raise AssertionError("nothing is stale")


def begin(store: SqlStore, judge: Engine, mode: Any) -> Run:
    policy = judge.policy
    return SqlRevalidations(store.engine).begin(
        Run("", mode, "waiting", policy.id, policy.digest, "", judge.digest,
            Selection(datetime.now(UTC)))
    )  # fmt: skip


def drive(
    store: SqlStore, judge: Engine, run: Run, recompute: Callable[[Work], Report] = never
) -> Run:
    with ThreadPoolExecutor(2) as threads:
        revalidations = SqlRevalidations(store.engine)
        return Driver(revalidations, judge, threads, recompute, 2, lambda run: None).drive(run)


def driver(
    revalidations: SqlRevalidations | Meanwhile,
    judge: Engine,
    recompute: Callable[[Work], Report],
) -> Driver:
    """One that recomputes in the caller's thread, a document at a time."""
    executor: Any = Dying(alive=sys.maxsize)
    remembers: Any = revalidations
    return Driver(remembers, judge, executor, recompute, 1, lambda run: None)


def decisions(store: SqlStore) -> list[str]:
    """Of the documents that are there, in the order of their ids."""
    return [found.decision for name in "abc" if (found := store.get(f"doc_{name}"))]


def rows(store: SqlStore, table: sa.Table) -> int:
    with store.engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


class Dying:
    """An executor that works in its caller's thread and loses its workers after some documents."""

    def __init__(self, alive: int) -> None:
        self.alive = alive

    def submit(self, function: Callable[[Work], Report], work: Work) -> Future[Report]:
        future: Future[Report] = Future()
        self.alive -= 1
        if self.alive < 0:
            future.set_exception(CancelledError())
            return future
        try:
            future.set_result(function(work))
        except Exception as error:
            future.set_exception(error)
        return future


class Meanwhile:
    """Revalidations where something happens once, between reading and writing the first batch."""

    def __init__(self, store: SqlStore, happens: Callable[[], object]) -> None:
        self.inner, self.happens = SqlRevalidations(store.engine), happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def batch(self, run: Run, after: str, limit: int) -> list[Judgement]:
        found = self.inner.batch(run, after, limit)
        if run.decided == 0:
            self.happens()
        return found


def erase(store: SqlStore, name: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.delete(schema.documents).where(schema.documents.c.id == name))
