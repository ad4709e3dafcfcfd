"""Remake ``model.json``: a logistic model that tells an even, bright scan from a camera's picture.

    python models/capture/train.py [--corpus DIR]

It learns from simulated captures, and from the openly licensed rows of a corpus where one is given.
With a corpus it also prints how well the whole measure does on every row, each repository judged by
a model that has not seen it.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.capture_features import FEATURES, capture_features
from docqa.analysis.logistic import Logistic, parse_logistic
from docqa.errors import DocqaError
from docqa.intake import Limits, open_document
from docqa.measures.capture import measure
from docqa.page import Page
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.cards import id_back, id_front
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.pages import civil_extract, letter
from fixtures.synthesize.passport import passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.recapture import app_crop, photograph_screen
from fixtures.synthesize.scanner import scan

Matrix = npt.NDArray[np.float64]

SEED = 20_260
SCANS = 90
PHOTOGRAPHS = 60
SCREENS = 15
CROPS = 15
SIMULATION_WEIGHT = 0.5
"""Of a real row."""
REPOSITORY_ROWS = 10
"""A repository counts as this many rows at most: its files are one series."""
RIDGE = 2.0
CLOSED_LICENCES = ("unknown", "none stated", "non-commercial")
JUDGED_BY_LIGHT = ("scanner", "camera", "screen-recapture")
ACCEPT, REJECT = 0.8, 0.1


@dataclass(frozen=True, slots=True)
class Example:
    """One capture to learn from or to judge by."""

    features: Matrix
    capture: str
    group: str
    is_open: bool
    path: Path | None = None


def main() -> None:
    """Train, report, and write ``model.json`` beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, help="folder with manifest.jsonl and images")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    simulated = list(simulate())
    real = list(read_corpus(arguments.corpus)) if arguments.corpus else []
    learnt = [example for example in real if example.is_open]
    print(f"{len(simulated)} simulated captures, {len(learnt)} openly licensed real ones")
    if not real:
        print("no corpus given: trained on simulation only, not judged on real captures")
    model = train([*simulated, *learnt])
    counts = Counter(e.capture for e in learnt if e.capture in JUDGED_BY_LIGHT)
    model["trained"] = {
        "seed": SEED,
        "simulated": len(simulated),
        "real": dict(sorted(counts.items())),
    }
    target = Path(__file__).with_name("model.json")
    target.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    if real:
        report(real, simulated)


def simulate() -> Iterator[Example]:
    """Scans, photographs, screens and colour crops of invented documents, the same every time."""
    rng = np.random.default_rng(SEED)
    for seed in range(SCANS):
        drawing = _drawing(seed)
        small = drawing.width_mm < 150
        capture = scan(
            drawing,
            seed=seed,
            ppi=int(rng.choice([200, 300, 400] if small else [100, 150, 200])),
            skew_deg=float(rng.normal(0, 1)),
            bed=str(
                rng.choice(["page", "white", "black", "a4"] if small else ["page", "page", "white"])
            ),  # type: ignore[arg-type]  # one of Bed
            grey=bool(rng.random() < 0.25),
            whiten=bool(rng.random() < 0.6),
            jpeg_quality=int(rng.integers(60, 96)),
            noise=float(rng.uniform(0.3, 2.0)),
        )
        yield _example(capture.data, "scanner")
    for seed in range(PHOTOGRAPHS):
        yield _example(photograph(_drawing(1000 + seed), seed=seed).data, "camera")
    for seed in range(SCREENS):
        yield _example(photograph_screen(_drawing(2000 + seed), seed=seed).data, "screen-recapture")
    for seed in range(CROPS):
        yield _example(app_crop(_drawing(3000 + seed), seed=seed, whiten=False).data, "camera")


def _drawing(seed: int) -> Drawing:
    who = person(seed)
    makers = (
        lambda: letter(script="arabic", seed=seed, ppi=200),
        lambda: letter(script="latin", seed=seed, ppi=200),
        lambda: civil_extract(who, seed=seed, ppi=200),
        lambda: id_front(who, seed=seed, ppi=400),
        lambda: id_back(who, seed=seed, ppi=400),
        lambda: passport_page(who, seed=seed, ppi=400),
    )
    return makers[seed % len(makers)]()


def _example(data: bytes, capture: str) -> Example:
    return Example(capture_features(_first_page(data)), capture, "simulation", True)


def _first_page(data: bytes) -> Page:
    return next(iter(open_document(data, limits=Limits(max_pages=60), renderer=None).pages))


def read_corpus(folder: Path) -> Iterator[Example]:
    """Every row of the manifest that has a capture class and that intake lets in."""
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row: Mapping[str, Any] = json.loads(line)
        if not row["capture"]:
            continue
        try:
            features = capture_features(_first_page((folder / row["file"]).read_bytes()))
        except DocqaError as refusal:
            print(f"left out a {row['capture']} row: {refusal}")
            continue
        is_open = not any(word in row["licence"] for word in CLOSED_LICENCES)
        yield Example(features, row["capture"], row["repo"], is_open, folder / row["file"])


def train(examples: list[Example]) -> dict[str, Any]:
    """Ridge logistic regression by Newton's method; both classes weigh the same.

    What is flat but no scan (whitened crops, screenshots, drawn pages) takes no part: light cannot
    tell it from a scan, and to try would only blur the line to the camera.
    """
    used = [e for e in examples if e.capture in JUDGED_BY_LIGHT]
    is_scan = np.array([e.capture == "scanner" for e in used], np.float64)
    groups = Counter((e.group, e.capture) for e in used)
    weight = np.array(
        [
            SIMULATION_WEIGHT if e.group == "simulation"
            else min(1.0, REPOSITORY_ROWS / groups[e.group, e.capture])
            for e in used
        ]
    )  # fmt: skip
    for value in (0.0, 1.0):
        weight[is_scan == value] *= len(used) / 2 / weight[is_scan == value].sum()
    x = np.stack([e.features for e in used])
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-3
    design = np.hstack([(x - mean) / scale, np.ones((len(x), 1))])
    ridge = np.diag([RIDGE] * len(FEATURES) + [1e-6])
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (weight * (is_scan - p)) - ridge @ beta
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(curve, slope)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    rounded = {name: np.round(v, 5).tolist() for name, v in (("mean", mean), ("scale", scale))}
    weights, bias = np.round(beta[:-1], 5).tolist(), round(float(beta[-1]), 5)
    return {"features": list(FEATURES), **rounded, "weights": weights, "bias": bias}


def report(real: list[Example], simulated: list[Example]) -> None:
    """Print what the measure makes of each class, every repository held out in turn."""
    scores: dict[str, list[float]] = {}
    for group in sorted({e.group for e in real}):
        seen = [e for e in real if e.group != group and e.is_open]
        model = _as_logistic(train([*simulated, *seen]))
        for example in (e for e in real if e.group == group):
            assert example.path is not None
            found = measure(_first_page(example.path.read_bytes()), model).scanner_probability
            scores.setdefault(example.capture, []).append(found)
    positive = np.array(scores["scanner"])
    print(f"{'class':18} rows accept review reject   AUC against scanner")
    for capture, listed in sorted(scores.items()):
        s = np.array(listed)
        auc = np.mean((positive[:, None] > s) + 0.5 * (positive[:, None] == s))
        counts = (s >= ACCEPT).sum(), ((s < ACCEPT) & (s >= REJECT)).sum(), (s < REJECT).sum()
        print(f"{capture:18} {s.size:4} {counts[0]:6} {counts[1]:6} {counts[2]:6}   {auc:.3f}")


def _as_logistic(model: dict[str, Any]) -> Logistic:
    return parse_logistic(json.dumps(model).encode(), FEATURES, "model")


if __name__ == "__main__":
    main()
