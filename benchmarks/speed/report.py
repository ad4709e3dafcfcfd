"""The whole quality report, decoding included, beside one colour decoding of the same file."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np

from benchmarks.speed.clock import interleaved, ratio, summary
from benchmarks.speed.inputs import MAKERS, Input, of_corpus
from docqa.pipeline import Engine, inspect
from docqa.report import Report
from docqa.settings import Settings
from docqa.wiring import load_engine

CORPUS_FILES = 6


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
    tasks: dict[str, Callable[[], Any]] = {
        "decode": partial(decode, made.picture),
        "decode_gray": partial(decode_gray, made.picture),
        "report": lambda: reports.append(inspect(made.data, engine=engine)),
    }
    spent = interleaved(tasks, rounds)
    page = reports[0].pages[0]
    return {
        "bytes": len(made.data),
        "pixels": page.width_px * page.height_px,
        "target_ratio": made.target_ratio,
        "ratio": ratio(spent["report"], spent["decode"]),
        **{name: summary(one) for name, one in spent.items()},
        "stages_ms": _stages(reports[1:]),
    }


def _stages(reports: list[Report]) -> dict[str, float]:
    """Wall clock of each stage, the median over the rounds, the dearest first."""
    stages = {
        stage: round(statistics.median(report.timings_ms[stage] for report in reports), 2)
        for stage in reports[0].timings_ms
        if stage != "reading"
    }
    return dict(sorted(stages.items(), key=lambda item: -item[1]))
