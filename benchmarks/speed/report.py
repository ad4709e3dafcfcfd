"""The whole quality report, decoding included, beside one colour decoding of the same file."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from operator import sub
from time import thread_time
from typing import Any

import cv2
import numpy as np

from benchmarks.speed.clock import interleaved, ratio, summary
from benchmarks.speed.inputs import MAKERS, Input, of_corpus
from docqa.intake import open_document
from docqa.measures import assess
from docqa.pipeline import Engine, inspect
from docqa.report import Report
from docqa.settings import Settings
from docqa.wiring import load_engine

CORPUS_FILES = 6
APART_ROUNDS_FACTOR = 3
"""More rounds for a small difference of large times."""


def decode(data: bytes) -> None:
    """One colour decoding at full size."""
    cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def decode_gray(data: bytes) -> None:
    """One decoding of the brightness."""
    cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Times and ratios of every input, and the median of each stage."""
    engine = load_engine(Settings())
    made = {name: make() for name, make in MAKERS.items()}
    made |= of_corpus(arguments.corpus, CORPUS_FILES)
    return {
        "clock": "processor time of the thread; heap kept warm; one thread",
        "inputs": {name: _timed(engine, one, arguments.rounds) for name, one in made.items()},
    }


def _timed(engine: Engine, made: Input, rounds: int) -> dict[str, Any]:
    reports: list[Report] = []
    others = {name: take for name, take in engine.measures.items() if name != "capture"}
    blind = replace(engine, measures=others)
    tasks: dict[str, Callable[[], Any]] = {
        "decode": partial(decode, made.picture),
        "decode_gray": partial(decode_gray, made.picture),
        "report": lambda: reports.append(inspect(made.data, engine=engine)),
    }
    spent = interleaved(tasks, rounds)
    of_capture_ms = _apart_ms(
        tasks["report"], partial(inspect, made.data, engine=blind), APART_ROUNDS_FACTOR * rounds
    )
    page = reports[0].pages[0]
    return {
        "bytes": len(made.data),
        "pixels": page.width_px * page.height_px,
        "target_ratio": made.target_ratio,
        "ratio": ratio(spent["report"], spent["decode"]),
        "capture_ratio": round(of_capture_ms / statistics.median(spent["decode"]), 3),
        **{name: summary(one) for name, one in spent.items()},
        "stages_ms": _stages(engine, made.data, rounds),
    }


def _apart_ms(one: Callable[[], Any], other: Callable[[], Any], rounds: int) -> float:
    """By how much one takes longer in a round, the median; half of the rounds before the other and
    half after it: what comes second finds the caches filled.
    """
    apart: list[float] = []
    for order in (("one", "other"), ("other", "one")):
        spent = interleaved({name: {"one": one, "other": other}[name] for name in order}, rounds)
        apart.append(statistics.median(map(sub, spent["one"], spent["other"])))
    return statistics.mean(apart)


def _stages(engine: Engine, data: bytes, rounds: int) -> dict[str, float]:
    """Processor time of each stage, the median over the rounds, the dearest first."""
    spent: dict[str, list[float]] = {}
    for _ in range(rounds):
        started = thread_time()
        for page in open_document(data, limits=engine.limits, renderer=engine.renderer).pages:
            page.luma()
            spent.setdefault("decode", []).append(thread_time() - started)
            for name, take in engine.measures.items():
                started = thread_time()
                assess(take, page)
                spent.setdefault(name, []).append(thread_time() - started)
    medians = {stage: round(statistics.median(each) * 1000, 2) for stage, each in spent.items()}
    return dict(sorted(medians.items(), key=lambda item: -item[1]))
