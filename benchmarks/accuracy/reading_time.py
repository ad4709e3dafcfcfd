"""What reading a card costs, in colour decodings of an A4 page."""

from __future__ import annotations

import dataclasses
import time

import cv2
import numpy as np

from benchmarks.accuracy.figures import Figure
from benchmarks.accuracy.inputs import SEED
from benchmarks.speed.clock import warm_heap
from docqa.pipeline import Engine, inspect
from fixtures.synthesize.card_designs import DESIGNS
from fixtures.synthesize.documents import id_front, letter
from fixtures.synthesize.people import varied_person
from fixtures.synthesize.scanner import scan

TIMED_FRONTS = 12
TIMING_ROUNDS = 3


def time_ratio(engine: Engine) -> Figure:
    """Reading fronts over decoding an A4 page in colour, medians of interleaved runs.

    The heap stays warm, as a worker's child keeps it: both are faster then, the decoding most.
    """
    warm_heap()
    first = SEED + 29000
    sheet = np.frombuffer(scan(letter(script="arabic", seed=first), seed=first).data, np.uint8)
    engine = dataclasses.replace(engine, measures={})
    times: dict[str, list[float]] = {"read": [], "decode": []}
    for seed in range(first, first + TIMED_FRONTS):
        owner, design = varied_person(seed), DESIGNS[seed % len(DESIGNS)]
        card = scan(id_front(owner, seed=seed, design=design), seed=seed, ppi=300, bed="page").data
        for _ in range(TIMING_ROUNDS):
            report = inspect(
                card, engine=engine, document_type="sy-id-front", claims=owner.claims()
            )
            times["read"].append(report.timings_ms["reading"] / 1000)
            started = time.perf_counter()
            cv2.imdecode(sheet, cv2.IMREAD_COLOR)
            times["decode"].append(time.perf_counter() - started)
    ratio = float(np.median(times["read"]) / np.median(times["decode"]))
    name = "reading a front at 300 ppi, in decodes of an A4 colour JPEG"
    return Figure(name, ratio, "lower", TIMED_FRONTS, 5.0)
