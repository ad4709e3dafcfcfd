"""Documents per second with one and two children; verdicts made again per second."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from benchmarks.speed.inputs import a4_colour, card
from docqa.pipeline import inspect
from docqa.settings import Settings
from docqa.verdict import decide
from docqa.wiring import load_engine, start_worker

DOCUMENTS_COUNT = 24
REPEATS_COUNT = 3
VERDICTS_COUNT = 3000
MANY_DOCUMENTS = 10_000
MANY_VERDICTS = (10_000, 100_000, 1_000_000)


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


def documents(arguments: argparse.Namespace) -> dict[str, Any]:
    """Ten thousand documents through two children: whether rate or memory drift."""
    del arguments
    settings = Settings(workers=2)
    engine = load_engine(settings)
    rates, held = [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        start_worker(settings, engine) as worker,
        ThreadPoolExecutor(2) as threads,
    ):
        path = Path(folder) / "page.jpg"
        path.write_bytes(card())

        def judge(_: int) -> None:
            report = worker.inspect_file(path, document_type="a4-generic")
            if report.faults:
                raise RuntimeError(f"a document was not inspected: {report.faults}")

        for _ in range(10):
            started = perf_counter()
            list(threads.map(judge, range(MANY_DOCUMENTS // 10)))
            rates.append(round(MANY_DOCUMENTS / 10 / (perf_counter() - started), 1))
            held.append(_resident_mb())
    return {
        "documents": MANY_DOCUMENTS,
        "input": "ID-1 card, 300 ppi, two children",
        "per_s_by_tenth": rates,
        "resident_mb_by_tenth": held,
    }


def _resident_mb() -> float:
    """Of this process and its children together."""
    own = os.getpid()
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(
                line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines()
            )
        except OSError:  # it has ended meanwhile
            continue
        if own in (int(lines["Pid"]), int(lines["PPid"])) and "VmRSS" in lines:
            total += int(lines["VmRSS"].split()[0])
    return round(total / 1000, 1)


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
    by_count = {}
    for count in MANY_VERDICTS:
        started = thread_time()
        for _ in range(count):
            decide(engine.policy, report.document_type, report.pages)
        by_count[count] = round(count / (thread_time() - started))
    return {
        "verdicts_per_second": round(statistics.median(rates[1:])),
        "per_second_by_count": by_count,
        "target": 30_000,
        "of": "decide() on measurements in memory, one page",
    }
