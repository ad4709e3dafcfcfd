"""Real decodes through the local pool and through Dask clusters of this machine, and kills.

    python -m benchmarks.load.cluster [--documents N]

Small synthesized scans, judged again and put in force: by the local pool with one child and with
two, on clusters of one, two and three workers, and on a cluster while driver, worker and scheduler
are killed. Every way has to end with the same reports byte for byte, timings apart, and with one
new report for each document. ``results/cluster.json`` is written from 2,000 documents on;
``results/batch-units.json``, what a document costs the driver, the scheduler and the database,
always: ``benchmarks.load.scaling`` reckons with it.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from benchmarks.load.published import machine, publish
from docqa import wiring
from docqa.commands.speaking import EXIT_INTERRUPTED
from docqa.pipeline import inspect
from docqa.plan import Stale, Work
from docqa.settings import Settings
from fixtures.synthesize.documents import letter
from fixtures.synthesize.scanner import scan
from tests.batch.dask_cluster import Cluster, Installation, killed_at_last, until

_PUBLISHED_FROM = 2000
_DISTINCT = 20
_FEW = 20
_IDLE_S = 5.0
_PPI = 100


@cache
def _files() -> list[bytes]:
    return [scan(letter(script="latin", seed=seed), ppi=_PPI).data for seed in range(_DISTINCT)]


def _installed(folder: Path, number: int, workers: int = 1) -> Installation:
    folder.mkdir()
    home = Installation(folder, workers)
    home.fill(_files(), number)
    return home


def _outcome(home: Installation) -> str:
    """A digest of all reports; says where a document got more or fewer than one new report."""
    if home.reports_of_each() != {2}:
        raise SystemExit(f"not one new report for each document: {home.reports_of_each()}")
    return hashlib.sha256("\n".join(home.reports()).encode()).hexdigest()


def _processor_s() -> float:
    """Of the processes that this one has started and seen end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _database_bytes(home: Installation) -> int:
    return sum(path.stat().st_size for path in home.folder.glob("d.sqlite3*"))


def local(folder: Path, number: int, workers: int) -> dict[str, Any]:
    """Through the local pool."""
    home = _installed(folder, number, workers)
    begun = time.perf_counter()
    home.revalidated()
    wall_s = time.perf_counter() - begun
    return {"wall_s": round(wall_s, 1), "reports": _outcome(home)}


def clustered(folder: Path, number: int, workers: int) -> dict[str, Any]:
    """Through a cluster of so many worker processes, with what it cost."""
    home = _installed(folder, number)
    before = _database_bytes(home)
    with Cluster(home, workers) as cluster:
        _warmed(cluster, folder.with_name(f"{folder.name}-warm"))
        assert cluster.scheduler is not None
        scheduler = psutil.Process(cluster.scheduler.pid)
        idle_share = _idle_share(scheduler)
        scheduled, used, begun = sum(scheduler.cpu_times()[:2]), _processor_s(), time.perf_counter()
        home.revalidated("--cluster", cluster.address)
        wall_s = time.perf_counter() - begun
        scheduled, used = sum(scheduler.cpu_times()[:2]) - scheduled, _processor_s() - used
    return {
        "wall_s": round(wall_s, 1),
        "reports": _outcome(home),
        "driver_processor_s": round(used, 2),
        "scheduler_processor_s": round(scheduled - idle_share * wall_s, 2),
        "database_bytes": _database_bytes(home) - before,
    }


def _idle_share(scheduler: psutil.Process) -> float:
    """Of a core, what the scheduler takes while there is nothing to do."""
    before = sum(scheduler.cpu_times()[:2])
    time.sleep(_IDLE_S)
    return float(sum(scheduler.cpu_times()[:2]) - before) / _IDLE_S


def _warmed(cluster: Cluster, folder: Path) -> None:
    """Have every worker load its models: a cluster is up before it is given work.

    By another installation's driver, whose documents have the same bytes.
    """
    _installed(folder, 4 * cluster.workers).revalidated("--cluster", cluster.address)


def killed(folder: Path, number: int) -> dict[str, Any]:
    """On a cluster of three while its parts are killed; how often, and what came of it."""
    home = _installed(folder, number)
    kills = {"driver": 0, "worker": 0, "scheduler": 0}
    with Cluster(home, 3) as cluster:
        on_it = ("--cluster", cluster.address)
        with killed_at_last(home.driver(*on_it)):
            _reach(home, number // 10)
        kills["driver"] += 1
        with killed_at_last(home.driver(*on_it)) as driver:
            for share in (3, 4):
                _reach(home, share * number // 10)
                cluster.kill_worker()
                kills["worker"] += 1
            _reach(home, 5 * number // 10)
            cluster.kill_scheduler()
            kills["scheduler"] += 1
            driver.communicate(timeout=300)
            if driver.returncode != EXIT_INTERRUPTED:
                raise SystemExit(f"the driver ended with {driver.returncode}")
        cluster.start_scheduler()
        for _ in range(cluster.workers):
            cluster.start_worker()
        last = home.revalidated(*on_it)
    return {"kills": kills, "failed": last["failed"], "reports": _outcome(home)}


def _reach(home: Installation, number: int) -> None:
    until(lambda: home.recomputed() >= max(number, 1), within_s=3600)


def units(few: dict[str, Any], many: dict[str, Any], number: int) -> dict[str, Any]:
    """What one document more costs, from a run over few and one over many."""

    def each(name: str) -> float:
        return float(many[name] - few[name]) / (number - _FEW)

    engine = wiring.load_engine(Settings())
    report = inspect(_files()[0], engine=engine)
    work = Work("doc_" + "0" * 32, "0" * 32, "a4-generic", Stale(tuple(engine.measures), True), 0)
    return {
        "documents": number,
        "driver_processor_ms": round(1000 * each("driver_processor_s"), 2),
        "scheduler_processor_ms": round(1000 * each("scheduler_processor_s"), 2),
        "database_bytes": round(each("database_bytes")),
        "message_bytes": len(pickle.dumps(work)) + len(pickle.dumps(report)),
        "database": "SQLite, whose work is part of the driver's",
        "machine": machine(),
    }


def main() -> None:
    """Measure, publish, and exit 1 where the reports differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=_PUBLISHED_FROM)
    number: int = parser.parse_args().documents
    result: dict[str, Any] = {"documents": number, "ppi": _PPI, "machine": machine()}
    ways: dict[str, Callable[[Path], dict[str, Any]]] = {
        "local_1": lambda folder: local(folder, number, 1),
        "local_2": lambda folder: local(folder, number, 2),
        "cluster_1": lambda folder: clustered(folder, number, 1),
        "cluster_2": lambda folder: clustered(folder, number, 2),
        "cluster_3": lambda folder: clustered(folder, number, 3),
        "cluster_killed": lambda folder: killed(folder, number),
    }
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docqa-cluster-")))
        for name, way in ways.items():
            result[name] = way(place / name)
            print(name, result[name], flush=True)
        few = clustered(place / "few", _FEW, 2)
    for name in ("local_2", "cluster_2", "cluster_3"):
        alone = result[f"{name[:-1]}1"]["wall_s"]
        result[name]["speed_up"] = round(alone / result[name]["wall_s"], 2)
    same = len({result[name].pop("reports") for name in ways}) == 1
    result["same_reports_byte_for_byte"] = same
    publish("batch-units", units(few, result["cluster_2"], number))
    if number >= _PUBLISHED_FROM:
        publish("cluster", result)
    print("the same reports" if same else "the reports differ", result)
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
