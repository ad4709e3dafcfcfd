"""Processor time, side by side: on a shared machine only ratios of one run can be trusted."""

from __future__ import annotations

import ctypes
import os
import platform
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from time import thread_time
from typing import Any

import cv2
import numpy as np

ONE_THREAD = {"OMP_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Environment of every measured process; NumPy reads it when it is imported."""


def warm_heap() -> None:
    """One thread for OpenCV, and freed memory is kept, also that of large arrays."""
    cv2.setNumThreads(1)
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in {-4: 0, -1: 1 << 30, -2: 64 << 20}.items():
            set_option(option, value)


def interleaved(
    tasks: Mapping[str, Callable[[], Any]], rounds: int, clock: Callable[[], float] = thread_time
) -> dict[str, list[float]]:
    """Milliseconds of each task, one of each per round, after one round that does not count."""
    spent: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(rounds + 1):
        for name, task in tasks.items():
            started = clock()
            task()
            if number:
                spent[name].append((clock() - started) * 1000)
    return spent


def summary(milliseconds: list[float]) -> dict[str, float]:
    """Median, quartiles and least."""
    quarters = np.percentile(milliseconds, (25, 75))
    return {
        "median_ms": round(statistics.median(milliseconds), 3),
        "q1_ms": round(float(quarters[0]), 3),
        "q3_ms": round(float(quarters[1]), 3),
        "least_ms": round(min(milliseconds), 3),
    }


def ratio(spent: list[float], reference: list[float]) -> dict[str, float]:
    """Of two tasks of the same rounds: median of the ratios of each round, and its quartiles."""
    ratios = [one / other for one, other in zip(spent, reference, strict=True)]
    quarters = np.percentile(ratios, (25, 75))
    return {
        "median": round(statistics.median(ratios), 3),
        "q1": round(float(quarters[0]), 3),
        "q3": round(float(quarters[1]), 3),
        "of_least": round(min(spent) / min(reference), 3),
    }


def machine() -> dict[str, Any]:
    """What a reader must know of the machine; nothing that names it."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "opencv": cv2.__version__,
        "numpy": np.__version__,
    }
