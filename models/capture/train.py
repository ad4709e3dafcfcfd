"""Remake ``model.json``: two logistic models, of the light of a page and of app-whitened paper.

    python -m models.capture.train [--corpus DIR]

They learn from simulated captures, and from the openly licensed rows of a corpus where one is given
(photographs also as the whitened crops that an app would make of them). How well they do is
measured by ``python -m benchmarks.accuracy --parts capture --corpus DIR``.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from docqa.analysis.capture_features import FEATURES, WHITENING_FEATURES
from models.capture.examples import SEED, SIMULATION, Example, Vector, corpus_rows, simulated

SIMULATION_WEIGHT = 0.5
"""Of a real row."""
REPOSITORY_ROWS = 10
"""A repository counts as this many rows of a class at most: its files are one series."""
RIDGE = 2.0
LIGHT_CLASSES = {"scanner": 1.0, "camera": 0.0, "screen-recapture": 0.0}
"""What is flat but no scan takes no part: light cannot tell it, and to try would blur the line."""
WHITENING_CLASSES = {"scanner": 0.0, "camera-cropped": 1.0, "whitened": 1.0}


def main() -> None:
    """Train, and write ``model.json`` beside this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--corpus", type=Path, help="folder with manifest.jsonl and images")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    examples = list(simulated())
    print(f"{len(examples)} simulated captures")
    if arguments.corpus is None:
        print("no corpus given: trained on simulation only")
    else:
        rows = [row for row in corpus_rows(arguments.corpus) if row.is_open]
        print(f"{len(rows)} openly licensed real ones")
        examples += [one for row in rows for one in row.examples]
    counts = Counter(e.capture for e in examples if e.group != SIMULATION)
    model = train(examples)
    model["trained"] = {
        "seed": SEED,
        "simulated": sum(e.group == SIMULATION for e in examples),
        "real": dict(sorted(counts.items())),
    }
    target = Path(__file__).with_name("model.json")
    target.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")


def train(examples: Sequence[Example]) -> dict[str, Any]:
    """Both models, as ``model.json`` holds them."""
    light = [e for e in examples if e.capture in LIGHT_CLASSES]
    white = [e for e in examples if e.capture in WHITENING_CLASSES and e.whitening is not None]
    return {
        "light": _fitted(
            FEATURES,
            np.stack([e.light for e in light]),
            np.array([LIGHT_CLASSES[e.capture] for e in light]),
            _weights(light),
        ),
        "whitening": _fitted(
            WHITENING_FEATURES,
            np.stack([e.whitening for e in white if e.whitening is not None]),
            np.array([WHITENING_CLASSES[e.capture] for e in white]),
            _weights(white),
        ),
    }


def _weights(examples: Sequence[Example]) -> Vector:
    groups = Counter((e.group, e.capture) for e in examples)
    return np.array(
        [
            SIMULATION_WEIGHT
            if e.group == SIMULATION
            else min(1.0, REPOSITORY_ROWS / groups[e.group, e.capture])
            for e in examples
        ]
    )


def _fitted(names: Sequence[str], x: Vector, target: Vector, weight: Vector) -> dict[str, Any]:
    """Ridge logistic regression by Newton's method; both classes weigh the same."""
    for value in (0.0, 1.0):
        weight[target == value] *= len(target) / 2 / weight[target == value].sum()
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-3
    design = np.hstack([(x - mean) / scale, np.ones((len(x), 1))])
    ridge = np.diag([RIDGE] * len(names) + [1e-6])
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (weight * (target - p)) - ridge @ beta
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(curve, slope)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    rounded = {name: np.round(v, 5).tolist() for name, v in (("mean", mean), ("scale", scale))}
    weights, bias = np.round(beta[:-1], 5).tolist(), round(float(beta[-1]), 5)
    return {"features": list(names), **rounded, "weights": weights, "bias": bias}


if __name__ == "__main__":
    main()
