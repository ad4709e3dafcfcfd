"""A million stored reports judged again: rate and memory, on SQLite and on PostgreSQL.

    python -m benchmarks.load.revalidation [--documents N] [--out FILE]

The reports are real ones of synthetic documents with their numbers moved about, so that all three
decisions and most reasons occur. Each run is one ``docqa revalidate`` in a process of its own.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from docqa import wiring
from docqa.adapters.report_facts import record_facts
from docqa.adapters.schema import documents, migrate, open_engine, reports
from docqa.pipeline import Engine, inspect
from docqa.plan import Work
from docqa.recompute import judged
from docqa.report import to_json
from docqa.settings import Settings
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.documents import id_back, id_front, letter
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan
from tests.batch.postgres_server import postgres_server

__all__ = ["Work"]
_AT_ONCE = 1000
_SEED = 20261123
_VARIANTS = 400


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
        sheet = scan(letter(script="latin", seed=seed), ppi=150).data
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
    """Store ``number`` documents."""
    migrate(url)
    database = open_engine(url)
    varied = varied_reports(engine)
    received = datetime.now(UTC) - timedelta(days=1)
    for start in range(0, number, _AT_ONCE):
        rows = []
        for at in range(start, min(start + _AT_ONCE, number)):
            kind, report = varied[(at * 7919) % len(varied)]
            report = {**report, "sha256": f"{at:064x}"}
            rows.append((f"doc_{(at * 2654435761) % 2**32:032x}", kind, report))
        with database.begin() as connection:
            connection.execute(sa.insert(documents), [
                {"id": i, "blob_key": i[4:], "file_name": "scan.jpg", "document_type": kind,
                 "claims": {}, "decision": report["verdict"]["decision"], "report_number": 1,
                 "received_at": received, "readings": {}}
                for i, kind, report in rows
            ])  # fmt: skip
            connection.execute(sa.insert(reports), [
                {"document_id": i, "number": 1, "report": report, "recorded_at": received}
                for i, _, report in rows
            ])  # fmt: skip
            record_facts(connection, [(i, 1, report) for i, _, report in rows])
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


def timed(url: str, policy: Path, mode: str) -> dict[str, Any]:
    """One ``docqa revalidate`` in its own process: wall, its own processor time, memory."""
    samples = []
    started = time.perf_counter()
    process = subprocess.Popen(
        [Path(sys.executable).parent / "docqa", "revalidate", "--policy", policy, "--mode", mode],
        env={**os.environ, "DOCQA_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(json.loads(line))
        samples.append(_resident_mb(process.pid))
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - started
    assert process.returncode == 0, lines
    done = lines[-1]
    middle = [line["per_s"] for line in lines if line["event"] == "progress"]
    resident = [mb for mb in samples[1:-1] if mb]
    return {
        "documents": done["decided"],
        "changed": done["changed"],
        "wall_s": round(wall_s, 1),
        "processor_s": round(used.ru_utime + used.ru_stime, 1),
        "per_s_of_wall": round(done["decided"] / wall_s),
        "per_s_while_deciding": middle[-1] if middle else None,
        "resident_mb_first": resident[0] if resident else None,
        "resident_mb_last": resident[-1] if resident else None,
        "resident_mb_most": round(used.ru_maxrss / 1024),
    }


def _resident_mb(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * resource.getpagesize() // 2**20


def databases(folder: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    """Names and URLs, each there while it is worked with."""
    if "sqlite" in names:
        yield "sqlite", f"sqlite:///{folder}/load.sqlite3"
    if "postgresql" in names:
        with postgres_server() as server:
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
            started = time.perf_counter()
            fill(url, engine, given.documents)
            stored_s = round(time.perf_counter() - started, 1)
            result[name] = {"stored_s": stored_s}
            for mode in ("report", "apply"):
                result[name][mode] = timed(url, policy, mode)
                print(name, mode, json.dumps(result[name][mode]), flush=True)
    text = json.dumps(result, indent=1) + "\n"
    if given.out:
        given.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
