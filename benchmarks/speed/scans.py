"""What the capture adds on the real scans of a corpus, beside one colour decoding of each page."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from time import thread_time
from typing import Any

import numpy as np

from docqa.errors import DocqaError
from docqa.intake import open_document
from docqa.measures import assess
from docqa.page import Page
from docqa.pipeline import Engine
from docqa.settings import Settings
from docqa.wiring import load_engine

ROUNDS = 5


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """The ratio of all first pages together, and how it is spread over them."""
    if arguments.corpus is None:
        return {"missing": "no corpus was given"}
    engine = load_engine(Settings())
    pages = [_timed(engine, data) for data in _scans(arguments.corpus)]
    known = [page for page in pages if page is not None]
    decoding, capture = (sum(page[index] for page in known) for index in (0, 1))
    ratios = [cost / decode for decode, cost in known]
    return {
        "clock": "processor time of the thread; heap kept warm; one thread",
        "pages_count": len(known),
        "decoding_ms": round(decoding / len(known), 2),
        "capture_ms": round(capture / len(known), 2),
        "ratio": round(capture / decoding, 3),
        "quartiles": [round(float(each), 3) for each in np.percentile(ratios, (25, 50, 75))],
        "within_budget_fraction": round(sum(each <= 0.15 for each in ratios) / len(ratios), 3),
    }


def _scans(corpus: Path) -> Iterator[bytes]:
    for line in (corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["capture"] == "scanner":
            yield (corpus / row["file"]).read_bytes()


def _timed(engine: Engine, data: bytes) -> tuple[float, float] | None:
    """Milliseconds of decoding the first page in colour and of its capture after all other
    measures; None where the file cannot be opened.
    """
    try:
        rounds = [(_decoding(engine, data), _capture(engine, data)) for _ in range(ROUNDS)]
    except DocqaError:
        return None
    decoding, capture = (statistics.median(each) for each in zip(*rounds, strict=True))
    return decoding, capture


def _decoding(engine: Engine, data: bytes) -> float:
    page = _first(engine, data)
    started = thread_time()
    page.raster()
    return (thread_time() - started) * 1000


def _capture(engine: Engine, data: bytes) -> float:
    page = _first(engine, data)
    for name, take in engine.measures.items():
        if name != "capture":
            assess(take, page)
    started = thread_time()
    assess(engine.measures["capture"], page)
    return (thread_time() - started) * 1000


def _first(engine: Engine, data: bytes) -> Page:
    return next(iter(open_document(data, limits=engine.limits, renderer=engine.renderer).pages))
