"""Documents per second with one and two children; verdicts made again per second."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from benchmarks.speed.inputs import a4_colour
from docqa.pipeline import inspect
from docqa.settings import Settings
from docqa.verdict import decide
from docqa.wiring import load_engine, start_worker

DOCUMENTS_COUNT = 24
REPEATS_COUNT = 3
VERDICTS_COUNT = 3000


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Documents per second, one child and two taking turns."""
    del arguments
    rates: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.jpg"
        path.write_bytes(a4_colour())
        for _ in range(REPEATS_COUNT):
            for processes in rates:
                rates[processes].append(_rate(path, processes))
    one, two = (statistics.median(rates[processes]) for processes in (1, 2))
    return {
        "documents_per_second": {"1": round(one, 2), "2": round(two, 2)},
        "two_over_one": round(two / one, 3),
        "target_two_over_one": 1.8,
        "input": "A4 colour scan, 300 ppi",
    }


def _rate(path: Path, processes: int) -> float:
    settings = Settings(workers=processes)
    engine = load_engine(settings)
    with (
        start_worker(settings, engine) as worker,
        ThreadPoolExecutor(processes) as threads,
    ):

        def judge(_: int) -> None:
            worker.inspect_file(path, document_type="a4-generic")

        list(threads.map(judge, range(2 * processes)))
        started = perf_counter()
        list(threads.map(judge, range(DOCUMENTS_COUNT)))
        return DOCUMENTS_COUNT / (perf_counter() - started)


def rejudge(arguments: argparse.Namespace) -> dict[str, Any]:
    """Verdicts per second of processor time, from measurements in memory."""
    del arguments
    engine = load_engine(Settings())
    report = inspect(a4_colour(), engine=engine)
    rates = []
    for _ in range(REPEATS_COUNT + 1):
        started = thread_time()
        for _ in range(VERDICTS_COUNT):
            decide(engine.policy, report.document_type, report.pages)
        rates.append(VERDICTS_COUNT / (thread_time() - started))
    return {
        "verdicts_per_second": round(statistics.median(rates[1:])),
        "target": 30_000,
        "of": "decide() on measurements in memory, one page",
    }
