"""A million stored reports judged again: rate and memory, on SQLite and on PostgreSQL.

    python -m benchmarks.load.revalidation [--documents N] [--out FILE]

The reports are real ones of synthetic documents with their numbers moved about, so that all three
decisions and most reasons occur. The driver of ``docqa revalidate`` runs in this process, in one
thread; a machine that others use shows in the wall clock, less in the processor time.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from docqa import wiring
from docqa.adapters.report_facts import record_facts
from docqa.adapters.revalidation_tables import report_facts
from docqa.adapters.schema import documents, migrate, open_engine, reports
from docqa.commands.revalidate import new_run
from docqa.pipeline import Engine, inspect
from docqa.plan import Selection, Work
from docqa.recompute import judged
from docqa.report import Report, to_json
from docqa.revalidate import Driver
from docqa.settings import Settings
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.documents import id_back, id_front, letter
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan
from tests.postgres_server import running

_COPIES_AT_ONCE = 50
_SEED = 20261123
_VARIANTS = 400
SKEW_DEG = 1.75
"""Of some of the sheets: the shipped policy accepts it, the moved one does not."""


def varied_reports(engine: Engine) -> list[tuple[str, dict[str, Any]]]:
    """Document types and reports, varied."""
    chance = random.Random(_SEED)
    real = []
    for seed in range(4):
        citizen = person(seed)
        for kind, make in (("sy-id-front", id_front), ("sy-id-back", id_back)):
            for data in (
                scan(make(citizen, seed=seed), seed=seed).data,
                photograph(make(citizen, seed=seed), seed=seed).data,
            ):
                found = inspect(data, engine=engine, document_type=kind, claims=citizen.claims())
                real.append((kind, to_json(found, engine.catalogue)))
        for skew_deg in (0.0, SKEW_DEG):
            sheet = scan(letter(script="latin", seed=seed), ppi=150, skew_deg=skew_deg).data
            real.append(("a4-generic", to_json(inspect(sheet, engine=engine), engine.catalogue)))
    varied = []
    for _ in range(_VARIANTS):
        kind, report = copy.deepcopy(chance.choice(real))
        for page in report["pages"]:
            for measure in page["measures"].values():
                for name, value in measure["outputs"].items():
                    if isinstance(value, float):
                        measure["outputs"][name] = value * chance.uniform(0.9, 1.1)
        varied.append((kind, judged(report, report, engine)))
    return varied


def fill(url: str, engine: Engine, number: int) -> None:
    """Store ``number`` documents, rounded up to a multiple of the variants.

    Beyond the variants themselves they have no row in ``reports``: to decide reads none.
    """
    migrate(url)
    database = open_engine(url)
    received = datetime.now(UTC) - timedelta(days=1)
    kept = [(f"base{at:04d}", *one) for at, one in enumerate(varied_reports(engine))]
    with database.begin() as connection:
        connection.execute(sa.insert(documents), [
            {"id": i, "blob_key": i, "file_name": "scan.jpg", "document_type": kind, "claims": {},
             "decision": report["verdict"]["decision"], "report_number": 1,
             "received_at": received, "readings": {}}
            for i, kind, report in kept
        ])  # fmt: skip
        connection.execute(sa.insert(reports), [
            {"document_id": i, "number": 1, "report": report, "recorded_at": received}
            for i, _, report in kept
        ])  # fmt: skip
        record_facts(connection, [(i, 1, report) for i, _, report in kept])
    for start in range(1, -(-number // len(kept)), _COPIES_AT_ONCE):
        end = min(start + _COPIES_AT_ONCE, -(-number // len(kept)))
        with database.begin() as connection:
            for table, key in ((documents, "id"), (report_facts, "document_id")):
                others = ", ".join(column.name for column in table.c if column.name != key)
                connection.execute(
                    sa.text(
                        f"WITH RECURSIVE n(i) AS (SELECT {start} UNION ALL SELECT i + 1 FROM n "
                        f"WHERE i + 1 < {end}) INSERT INTO {table.name} ({key}, {others}) "
                        f"SELECT 'doc' || (1000000 + n.i) || {key}, {others} "
                        f"FROM n, {table.name} WHERE {key} >= 'base' AND {key} < 'basf'"
                    )
                )
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    database.dispose()


def moved_policy(folder: Path) -> Path:
    """The shipped policy with three limits moved."""
    text = wiring.policy_text(wiring.models_dir(Settings()), Settings().policy)
    for old, new in (
        ("accept = 0.55\n", "accept = 0.45\n"),
        ("accept = 2.0\n", "accept = 1.5\n"),
        ("accept = 0.003\n", "accept = 0.006\n"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "moved.toml"
    path.write_text(text)
    return path


def timed(url: str, policy: Path) -> dict[str, Any]:
    """One run of the driver on one core: wall, processor time, memory."""
    text = policy.read_text()
    engine = wiring.load_engine(Settings(), str(policy))
    stores = wiring.open_stores(Settings(database_url=url))
    resident: list[int] = []
    with ThreadPoolExecutor(1) as idle:
        everything = Selection(datetime.now(UTC))
        begun, used = time.perf_counter(), time.process_time()
        run = stores.revalidations.begin(new_run(engine, text, "report", everything))
        driver = Driver(
            stores.revalidations, engine, idle, _no_pixels, 1,
            lambda run: resident.append(_resident_mb(os.getpid())),
        )  # fmt: skip
        run = driver.drive(run)
        wall_s, used_s = time.perf_counter() - begun, time.process_time() - used
    counts = stores.revalidations.counts(run.id)
    stores.documents.close()
    return {
        "documents": run.decided,
        "changed": sum(row["documents"] for row in counts if row["before"] != row["after"]),
        "wall_s": round(wall_s, 1),
        "processor_s": round(used_s, 1),
        "per_s": round(run.decided / wall_s),
        "per_processor_s": round(run.decided / used_s),
        "resident_mb_at_tenth": resident[len(resident) // 10],
        "resident_mb_at_end": resident[-1],
    }


def _no_pixels(work: Work) -> Report:
    raise AssertionError("no document is stale")


def _resident_mb(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 2**20


def databases(folder: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    """Names and URLs, each there while it is worked with."""
    if "sqlite" in names:
        yield "sqlite", f"sqlite:///{folder}/load.sqlite3"
    if "postgresql" in names:
        with running() as server:
            yield "postgresql", server.url


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    engine = wiring.load_engine(Settings())
    result: dict[str, Any] = {
        "documents": given.documents,
        "cores": os.cpu_count(),
        "load_average_before": round(os.getloadavg()[0], 1),
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docqa-load-")))
        policy = moved_policy(folder)
        for name, url in databases(folder, given.databases):
            fill(url, engine, given.documents)
            result[name] = timed(url, policy)
            result["load_average_after"] = round(os.getloadavg()[0], 1)
            print(name, json.dumps(result[name]), flush=True)
            if given.out:
                given.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
