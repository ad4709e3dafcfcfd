"""How time and memory grow with pixels and pages, and what memory a child takes at most."""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.speed.clock import interleaved, summary
from benchmarks.speed.inputs import a4_colour, photo, resized
from docqa.pipeline import inspect
from docqa.settings import Settings
from docqa.wiring import load_engine, models_dir
from fixtures.synthesize.pdf import to_pdf

MEGAPIXELS = (1, 2, 4, 8, 12, 24, 36, 48, 60)
PAGES = (1, 2, 5, 10, 20, 50)
PAGE_MEGAPIXELS = 2.0
MOST_BYTES = 200_000_000
MEMORY_MEGAPIXELS = {12: 150, 60: 400}
"""Megapixels -> most megabytes."""
_CHILD = """
import json, sys
from functools import partial
from pathlib import Path
from docqa import worker
from docqa.engine_wiring import build_child_engine
from docqa.intake import Limits
import os
limits = worker.ChildLimits(120.0, 8_000_000_000)
largest = Limits(max_pages=50, max_bytes=200_000_000)
build = partial(build_child_engine, Path(sys.argv[3]), sys.argv[4], largest)
worker._start_child(build, limits, os.getppid(), sys.argv[1])
def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000
before = held()
report = worker._inspect(Path(sys.argv[2]), "a4-generic", {}, None)
print(json.dumps({"idle_mb": before, "peak_mb": held()}))
"""


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Processor time, and the most memory of a fresh child, by megapixels and by pages."""
    settings = Settings(max_pages=max(PAGES))
    engine = load_engine(settings)
    rounds = max(3, arguments.rounds // 4)
    largest = photo(12)
    by_pixels = {}
    for megapixels in MEGAPIXELS:
        # A little less, so that the largest is within the limit.
        data = resized(largest, megapixels * 0.995)
        spent = interleaved({"report": partial(inspect, data, engine=engine)}, rounds)
        by_pixels[megapixels] = {**summary(spent["report"]), **_held_mb(data, settings)}
    page = resized(a4_colour(), PAGE_MEGAPIXELS)
    by_pages = {}
    limits = dataclasses.replace(engine.limits, max_bytes=MOST_BYTES)
    wide = dataclasses.replace(engine, limits=limits)
    for pages in PAGES:
        data = to_pdf([page] * pages, ppi=150)
        spent = interleaved({"report": partial(inspect, data, engine=wide)}, 3)
        by_pages[pages] = {**summary(spent["report"]), **_held_mb(data, settings)}
    return {"by_megapixels": by_pixels, "by_pages": by_pages, "page_megapixels": PAGE_MEGAPIXELS}


def memory(arguments: argparse.Namespace) -> dict[str, Any]:
    """The most memory that a child holds, of a fresh one for each size."""
    del arguments
    largest = photo(12)
    return {
        f"{megapixels} MP": {
            **_held_mb(resized(largest, megapixels * 0.995), Settings()),
            "target_mb": target,
        }
        for megapixels, target in MEMORY_MEGAPIXELS.items()
    }


def _held_mb(data: bytes, settings: Settings) -> dict[str, float]:
    """Of a fresh child: before the document, and the most while it is inspected."""
    models = models_dir(settings)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "document"
        path.write_bytes(data)
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, folder, str(path), str(models), settings.policy],
            capture_output=True,
            text=True,
            check=True,
        )
    seen = json.loads(done.stdout.splitlines()[-1])
    return {name: round(value, 1) for name, value in seen.items()}
