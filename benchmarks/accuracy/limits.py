"""Where each limit of the policy lies: on clean scans, on photographs, and by what is still read.

``python -m benchmarks.accuracy.limits [--corpus DIR]`` prints a table and writes
``benchmarks/results/limits.json``. Print is damaged step by step; the limit for accepting is where
Tesseract still reads as much as from the clean print, the limit for rejecting where it reads less
than half. On real files it counts who would be stopped by each limit alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from benchmarks.accuracy.blur import LEAST_CLEAN_ACCURACY, OCR_TIMEOUT_S, accuracy
from benchmarks.accuracy.blur_ladders import PPI, crops
from benchmarks.accuracy.clean_scans import is_clean
from benchmarks.accuracy.inputs import (
    SEED,
    CorpusFile,
    corpus_files,
    first_page,
    noisy,
    rotated,
    taken,
)
from docqa.adapters.tesseract import TesseractEngine
from docqa.errors import CannotAssess, InvalidDocument
from docqa.measures import NotAssessed, assess
from docqa.page import Page, Pixels
from docqa.policy import Policy, Rule
from docqa.settings import Settings
from docqa.wiring import load_engine

READ_FRACTION, LOST_FRACTION = 0.97, 0.5
"""Of the accuracy on the clean print: as well read, and lost."""
CROPS = 10
PENUMBRA_PARTS = 160
"""Of the width: the scale of the edge of a shadow."""
MARGIN_PX = 60
PERCENTILES = (50, 95, 98, 99, 100)
"""Of how bad a value is: 100 is the worst."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """A kind of damage in steps, the first harmless, and the output that is to tell it."""

    rule: str
    steps: tuple[float, ...]
    damaged: Callable[[Pixels, float, np.random.Generator], tuple[Pixels, float, int]]
    """Print and a step -> its picture, ppi and JPEG quality."""


def _blurred(print_: Pixels, sigma: float, _: np.random.Generator) -> tuple[Pixels, float, int]:
    return (cv2.GaussianBlur(print_, (0, 0), sigma) if sigma else print_), PPI, 90  # type: ignore[return-value]  # cv2 returns loosely typed arrays


def _turned(print_: Pixels, angle: float, _: np.random.Generator) -> tuple[Pixels, float, int]:
    return (rotated(print_, angle) if angle else print_), PPI, 90


def _coarse(print_: Pixels, ppi: float, _: np.random.Generator) -> tuple[Pixels, float, int]:
    factor = ppi / PPI
    small = cv2.resize(print_, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cast("Pixels", small), ppi, 90


def _faded(print_: Pixels, kept: float, _: np.random.Generator) -> tuple[Pixels, float, int]:
    paper = 235.0
    return np.asarray(paper - (paper - print_) * kept + 0.5, np.uint8), PPI, 90


def _darkened(print_: Pixels, kept: float, _: np.random.Generator) -> tuple[Pixels, float, int]:
    return np.asarray(print_ * kept, np.uint8), PPI, 90


def _pressed(print_: Pixels, quality: float, _: np.random.Generator) -> tuple[Pixels, float, int]:
    return print_, PPI, int(quality)


def _slanted(print_: Pixels, levels: float, _: np.random.Generator) -> tuple[Pixels, float, int]:
    slope = np.linspace(0, levels, print_.shape[1])[None, :] / 235.0
    return np.asarray(print_ * (1 - slope), np.uint8), PPI, 90


def _shadowed(print_: Pixels, dimmed: float, _: np.random.Generator) -> tuple[Pixels, float, int]:
    """Half the page in a shadow whose edge is a penumbra of a few millimetres."""
    width = print_.shape[1]
    across = (np.arange(width) - width / 2) / (width / PENUMBRA_PARTS)
    light = 1 - dimmed / (1 + np.exp(-across))
    return np.asarray(print_ * light[None, :], np.uint8), PPI, 90


LADDERS = (
    Ladder("blur.blur_ratio", (0, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5), _blurred),
    Ladder("skew.angle_deg", (0, 1, 2, 3, 4, 5, 6, 8, 10, 13), _turned),
    Ladder("resolution.detail_ppi", (300, 250, 200, 150, 120, 100, 85, 70, 55), _coarse),
    Ladder("contrast.text_contrast_fraction", (1, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08), _faded),
    Ladder("exposure.paper_level", (1, 0.8, 0.6, 0.45, 0.3, 0.2, 0.12), _darkened),
    Ladder("compression.jpeg_quality", (90, 60, 40, 25, 15, 10, 6, 3), _pressed),
    Ladder("compression.blocking_ratio", (90, 60, 40, 25, 15, 10, 6, 3), _pressed),
    Ladder("illumination.gradient_levels", (0, 20, 40, 80, 120, 160, 200, 225), _slanted),
    Ladder("illumination.shadow_edge_levels", (0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75), _shadowed),
)


def reading_limits(ladder: Ladder) -> dict[str, Any]:
    """The output and the accuracy at each step, and the limits that follow."""
    engine = TesseractEngine(timeout_s=OCR_TIMEOUT_S)
    outputs: dict[float, list[float]] = defaultdict(list)
    kept: dict[float, list[float]] = defaultdict(list)
    for number, crop in enumerate(crops("latin", CROPS)):
        rng = np.random.default_rng(SEED + 2700 + number)
        pages = [_page(_on_paper(crop.pixels), ladder, step, rng) for step in ladder.steps]
        texts = engine.read_lines([p.luma() for p in pages], language="eng", layout="block")
        read = [accuracy(text, crop.text) for text in texts]
        if read[0] < LEAST_CLEAN_ACCURACY:
            continue
        for step, page, share in zip(ladder.steps, pages, read, strict=True):
            kept[step].append(share / read[0])
            value = _output(page, ladder.rule)
            if value is not None:
                outputs[step].append(value)
    rows = [
        {
            "step": step,
            "output": float(np.median(outputs[step])) if outputs[step] else None,
            "read_fraction": float(np.mean(kept[step])),
        }
        for step in ladder.steps
    ]
    return {"steps": rows, **_limits(rows)}


def _on_paper(print_: Pixels) -> Pixels:
    toned = np.asarray(20 + print_.astype(np.float32) * (215 / 255), np.uint8)
    return cast(
        "Pixels",
        cv2.copyMakeBorder(
            toned, *(MARGIN_PX,) * 4, cv2.BORDER_CONSTANT, value=(235.0, 235.0, 235.0)
        ),
    )


def _page(print_: Pixels, ladder: Ladder, step: float, rng: np.random.Generator) -> Page:
    picture, ppi, quality = ladder.damaged(print_, step, rng)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crop.jpg"
        _, data = cv2.imencode(
            ".jpg", noisy(picture, 2.0, rng), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        density = int(round(ppi)).to_bytes(2, "big")
        path.write_bytes(data[:13].tobytes() + b"\x01" + density * 2 + data[18:].tobytes())
        return first_page(path)


def _output(page: Page, rule: str) -> float | None:
    measure, output = rule.split(".")
    try:
        return float(getattr(taken(measure)(page), output))
    except CannotAssess:
        return None


def _limits(rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Output at the last step that is read as well as clean, and at the first that is lost."""
    good = None
    for row in rows:
        if row["read_fraction"] < READ_FRACTION:
            break
        good = row["output"] if row["output"] is not None else good
    lost = next((row["output"] for row in rows if row["read_fraction"] < LOST_FRACTION), None)
    return {"read_until": good, "lost_from": lost}


def real_values(corpus: Path | None) -> dict[str, dict[str, list[float]]]:
    """Rule -> group of files (``clean scans``, ``photographs``) -> the outputs on first pages."""
    if corpus is None:
        return {}
    groups = [("clean scans", f) for f in corpus_files(corpus)
              if f.row["capture"] == "scanner" and is_clean(f)]  # fmt: skip
    groups += [("photographs", f) for f in corpus_files(corpus) if f.row["capture"] == "camera"]
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with ProcessPoolExecutor(2) as processes:
        for (group, _), found in zip(
            groups, processes.map(_values, [f for _, f in groups], chunksize=4), strict=True
        ):
            for rule, value in found.items():
                values[rule][group].append(value)
    return values


def _values(file: CorpusFile) -> dict[str, float]:
    engine = load_engine(Settings())
    try:
        page = first_page(file.path)
        measured = {name: assess(take, page) for name, take in engine.measures.items()}
    except InvalidDocument:
        return {}
    found = {}
    for rule in engine.policy.rules:
        outputs = measured[rule.measure]
        if isinstance(outputs, NotAssessed):
            continue
        value = outputs.outputs[rule.output]
        if isinstance(value, int | float):
            found[f"{rule.measure}.{rule.output}"] = float(value)
    return found


def spread(rule: Rule, values: Iterable[float]) -> dict[str, Any]:
    """How bad the values are, and the shares on either side of the rule's limits."""
    given = np.array(list(values))
    badness = np.abs(given) if rule.direction == "lower" else -given
    sign = 1.0 if rule.direction == "lower" else -1.0
    scores = np.array([rule.score(value) for value in given.tolist()])
    return {
        "n": given.size,
        "percentiles_of_badness": {
            str(p): round(sign * float(np.percentile(badness, p)), 4) for p in PERCENTILES
        },
        "accepted_fraction": round(float(np.mean(scores >= 70)), 4),
        "rejected_fraction": round(float(np.mean(scores <= 40)), 4),
    }


def limits_table(policy: Policy, corpus: Path | None) -> dict[str, Any]:
    """Per rule of the policy: its limits, what reading says of them, and real files."""
    with ProcessPoolExecutor(2) as processes:
        read = dict(zip((ladder.rule for ladder in LADDERS),
                        processes.map(reading_limits, LADDERS), strict=True))  # fmt: skip
    real = real_values(corpus)
    table = {}
    for rule in policy.rules:
        name = f"{rule.measure}.{rule.output}"
        table[name] = {
            "accept": rule.accept,
            "reject": rule.reject,
            "reading": read.get(name),
            **{group: spread(rule, values) for group, values in real.get(name, {}).items()},
        }
    return table


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/limits.json"))
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    table = limits_table(load_engine(Settings()).policy, arguments.corpus)
    for name, row in table.items():
        reading = row["reading"] or {}
        scans, photos = row.get("clean scans", {}), row.get("photographs", {})
        print(
            f"{name}: accept {row['accept']:g}, reject {row['reject']:g};"
            f" read until {reading.get('read_until')}, lost from {reading.get('lost_from')};"
            f" clean scans {scans.get('percentiles_of_badness')}"
            f" accepted {scans.get('accepted_fraction')} rejected {scans.get('rejected_fraction')};"
            f" photographs accepted {photos.get('accepted_fraction')}"
        )
    arguments.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
