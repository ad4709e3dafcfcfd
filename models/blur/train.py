"""Remake ``model.json``: the blur of writing, from how much fine detail it has left.

    python -m models.blur.train

It learns from drawn print only (``examples.py``), the same every time, and prints how well it ranks
the blur of sheets it has not seen. It takes minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from docqa.analysis.ink import ink, stroke_px
from docqa.analysis.networks import Networks
from docqa.analysis.text_detail import features, text_details
from docqa.measures.blur import OFFSET_RATIO, SHARP_BLUR_RATIO, blur_ratios, kind_of, load
from docqa.page import page_from_pixels
from models.blur.examples import Print, prints

Vector = npt.NDArray[np.float64]
Layers = list[tuple[Vector, Vector]]

SEED = 20_262
SHEETS = 1300
HELD_OUT_SHEETS = 150
NETWORKS = 3
HIDDEN = 32
ROUNDS = 100
BATCH = 128
FIRST_RATE = 0.003
JITTER = 0.15
"""Deviation of the noise that is put on the features, brought into -1 to 1, while learning."""
MOST_SLOPE = 0.5
"""An example that is further off pulls no harder (Huber's loss)."""
OUTERMOST_PERCENTILES = (1, 99)


@dataclass(frozen=True, slots=True)
class Examples:
    """Features and true blur of many prints."""

    known: Vector
    """(n, 31)"""
    blur_ratios: Vector
    """(n,)"""
    prints: list[Print]
    """Without their pixels."""
    stroke_px: Vector
    """(n,) as the page's ink gives it."""


def main() -> None:
    """Learn, write ``model.json`` beside this file, and report on sheets held out."""
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    cv2.setNumThreads(1)
    learnt = examples(range(SHEETS))
    print(f"{len(learnt.blur_ratios)} prints", flush=True)
    least, most = np.percentile(learnt.known, OUTERMOST_PERCENTILES, axis=0)
    layers = train(learnt, least, most)
    model = {
        "least": np.round(least, 4).tolist(),
        "most": np.round(most, 4).tolist(),
        "layers": [
            {"weights": np.round(weights, 4).tolist(), "biases": np.round(biases, 4).tolist()}
            for weights, biases in layers
        ],
        "trained": {"seed": SEED, "prints": len(learnt.blur_ratios)},
    }
    text = json.dumps(model).replace("], [", "],\n [") + "\n"
    Path(__file__).with_name("model.json").write_text(text, encoding="utf-8")
    report(load(text.encode()), examples(range(SHEETS, SHEETS + HELD_OUT_SHEETS)))


def examples(sheets: range) -> Examples:
    """The prints of these sheets, without those whose writing cannot be found."""
    rows = [row for one in prints(SEED, sheets) for row in _row(one)]
    known, ratios, kept, strokes = zip(*rows, strict=True)
    return Examples(np.stack(known), np.array(ratios), list(kept), np.array(strokes))


def _row(one: Print) -> Iterator[tuple[Vector, float, Print, float]]:
    page = page_from_pixels(one.pixels)
    details = text_details(page)
    stroke = stroke_px(page.derive(ink))
    if details and stroke is not None:
        mean = np.mean([detail.levels for detail in details], axis=0)
        yield (
            features(mean, details[0].stroke_level),
            one.blur_ratio,
            replace(one, pixels=np.empty((0, 0), np.uint8)),
            stroke,
        )


def train(learnt: Examples, least: Vector, most: Vector) -> Layers:
    """Weights and biases of each layer, by Adam (Kingma and Ba 2015) with a falling rate."""
    rng = np.random.default_rng(SEED)
    inside = Networks(least, most, ()).inside(learnt.known)
    wanted = np.log(learnt.blur_ratios + OFFSET_RATIO)
    sizes = [inside.shape[1], HIDDEN, HIDDEN, 1]
    flat: list[Vector] = []
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        flat.append(rng.normal(0, 1 / np.sqrt(inputs), (NETWORKS, inputs, outputs)))
        flat.append(np.zeros((NETWORKS, 1, outputs)))
    flat[0] *= 2.0
    flat[-1] += wanted.mean()
    first, second = ([np.zeros_like(part) for part in flat] for _ in range(2))
    batches = len(inside) // BATCH
    for step in range(ROUNDS * batches):
        if step % batches == 0:
            orders = np.stack([rng.permutation(len(inside)) for _ in range(NETWORKS)])
        chosen = orders[:, step % batches :: batches]
        jitter = JITTER * rng.normal(size=(*chosen.shape, inside.shape[1]))
        slopes = _slopes(flat, inside[chosen] + jitter, wanted[chosen])
        rate = FIRST_RATE / 2 * (1 + np.cos(np.pi * step / (ROUNDS * batches)))
        for part, slope, mean, square in zip(flat, slopes, first, second, strict=True):
            mean += 0.1 * (slope - mean)
            square += 0.001 * (slope**2 - square)
            unbiased = np.sqrt(square / (1 - 0.999 ** (step + 1))) + 1e-8
            part -= rate * mean / (1 - 0.9 ** (step + 1)) / unbiased
    return list(zip(flat[::2], flat[1::2], strict=True))


def _slopes(flat: list[Vector], inside: Vector, wanted: Vector) -> list[Vector]:
    """Slope of the mean loss along each part, for (networks, n, 31) inputs."""
    weights = flat[::2]
    levels = [inside]
    for weight, bias in zip(weights[:-1], flat[1:-1:2], strict=True):
        levels.append(np.tanh(levels[-1] @ weight + bias))
    error = levels[-1] @ weights[-1] + flat[-1] - wanted[:, :, None]
    slope = np.clip(error, -MOST_SLOPE, MOST_SLOPE) / wanted.shape[1]
    found: list[Vector] = []
    for weight, level in zip(reversed(weights), reversed(levels), strict=True):
        found = [level.swapaxes(1, 2) @ slope, slope.sum(axis=1, keepdims=True), *found]
        slope = (slope @ weight.swapaxes(1, 2)) * (1 - level**2)
    return found


def report(networks: Networks, judged: Examples) -> None:
    """Print rank correlation and error by script and kind of blur, and which kinds are told."""
    read = blur_ratios(networks, judged.known)
    groups: dict[str, list[int]] = {}
    for index, one in enumerate(judged.prints):
        for name in ("all", one.script, one.kind, "prose" if one.is_prose else "form"):
            groups.setdefault(name, []).append(index)
    for name, listed in groups.items():
        found, true = read[listed], judged.blur_ratios[listed]
        ranks = spearmanr(found, true).statistic if np.ptp(true) else float("nan")
        print(f"{name:8} {len(listed):4} rank correlation {ranks:.3f}"
              f" median error {np.median(np.abs(found - true)):.3f}"
              f" 98th percentile {np.percentile(found, 98):.2f}")  # fmt: skip
    told: dict[tuple[str, str], int] = {}
    for ratio, known, stroke, one in zip(
        read, judged.known, judged.stroke_px, judged.prints, strict=True
    ):
        if one.kind == "none" or one.blur_ratio > SHARP_BLUR_RATIO:
            pair = (one.kind, kind_of(float(ratio), known, float(stroke)))
            told[pair] = told.get(pair, 0) + 1
    for (true_kind, named), count in sorted(told.items()):
        print(f"{true_kind:8} named {named:14} {count}")


if __name__ == "__main__":
    main()
