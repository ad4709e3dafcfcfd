"""Instructions of each measure, by callgrind: ``python -m benchmarks.speed.instructions``.

Times change with the machine and with what else it does; these counts hardly do. Each task is
counted once, warm, between two calls of ``getppid``, before which callgrind writes what it has.
Needs Debian's ``valgrind``; takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.speed.clock import ONE_THREAD

OUT = Path("benchmarks/results/instructions.json")
Task = Callable[[], Callable[[], Any]]
"""Makes ready, and gives what is to be counted."""

_MARK = "getppid"
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


def main() -> None:
    """Count, and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        _between_marks(_tasks())
        return
    if shutil.which("valgrind") is None:
        sys.exit("callgrind is missing: apt-get install valgrind")
    names = list(_tasks())
    with tempfile.TemporaryDirectory(prefix="docqa-callgrind-") as folder:
        counts = _counted(Path(folder), len(names))
    decoding = counts[names.index("decode in colour")]
    result = {
        name: {"instructions": count, "of_a_colour_decode": round(count / decoding, 3)}
        for name, count in zip(names, counts, strict=True)
    }
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for name, row in result.items():
        print(f"{name:20} {row['instructions']:>14,} {row['of_a_colour_decode']:8.3f}")


def _tasks() -> Mapping[str, Task]:
    """What is counted: decodes, and each measure alone on an A4 page of 300 ppi decoded before."""
    import cv2
    import numpy as np

    from benchmarks.speed.inputs import a4_colour
    from docqa.intake import open_document
    from docqa.measures import assess
    from docqa.page import Page
    from docqa.pipeline import inspect
    from docqa.settings import Settings
    from docqa.wiring import load_engine

    cv2.setNumThreads(1)
    engine = load_engine(Settings())
    data = a4_colour()
    raw = np.frombuffer(data, np.uint8)

    def decoded() -> Page:
        [page] = open_document(data, limits=engine.limits, renderer=engine.renderer).pages
        page.luma()
        return page

    def measuring(name: str) -> Callable[[], Any]:
        return partial(assess, engine.measures[name], decoded())

    tasks: dict[str, Task] = {
        "decode in colour": lambda: partial(cv2.imdecode, raw, cv2.IMREAD_COLOR),
        "decode the luma": lambda: decoded,
        "whole report": lambda: partial(inspect, data, engine=engine),
    }
    return tasks | {name: partial(measuring, name) for name in engine.measures}


def _between_marks(tasks: Mapping[str, Task]) -> None:
    for prepared in tasks.values():
        prepared()()
        counted = prepared()
        os.getppid()
        counted()
        os.getppid()


def _counted(folder: Path, tasks_count: int) -> list[int]:
    """Instructions of every task, in their order."""
    subprocess.run(
        [
            "valgrind", "--tool=callgrind", f"--dump-before={_MARK}",
            f"--callgrind-out-file={folder}/out", sys.executable,
            "-m", "benchmarks.speed.instructions", "--inside",
        ],
        env={**os.environ, **ONE_THREAD}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    # A dump is written at each mark: odd ones end what comes before a task, even ones the task.
    return [_total(folder / f"out.{2 * task + 2}") for task in range(tasks_count)]


def _total(dump: Path) -> int:
    found = _TOTAL.search(dump.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        raise ValueError(f"{dump.name} has no total")
    return int(found[1])


if __name__ == "__main__":
    main()
