"""Pages turned by known angles: scans of the corpus, and synthesized ones whose angle is exact."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.accuracy.inputs import (
    SEED,
    Options,
    corpus_files,
    first_page,
    noisy,
    rotated,
    write_jpeg,
)
from benchmarks.accuracy.residuals import RESIDUALS
from docqa.errors import InvalidDocument
from fixtures.synthesize.documents import civil_extract, id_back, id_front, letter
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import Bed, scan

REAL_PAGES = 44
RANGES_DEG = (14.8, 3.0)
"""Each real page is turned twice: to a true angle within each of these."""
NOISE_SIGMA = 3.0
JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Sample:
    """A turned page."""

    path: Path
    truth_deg: float


def real(options: Options) -> list[Sample]:
    """Scans of the corpus, each turned twice."""
    known: dict[str, float] = (
        json.loads(RESIDUALS.read_text(encoding="utf-8")) if RESIDUALS.exists() else {}
    )
    files = [file for file in corpus_files(options.corpus) if file.path.name in known]
    rng = np.random.default_rng(SEED + 1)
    kept = sorted(rng.permutation(len(files))[: options.count(REAL_PAGES)])
    samples = []
    for index in kept:
        file = files[index]
        try:
            luma = first_page(file.path).luma()
        except InvalidDocument:
            continue
        for within in RANGES_DEG:
            truth = float(rng.uniform(-within, within))
            turned = noisy(rotated(luma, truth - known[file.path.name]), NOISE_SIGMA, rng)
            name = f"{file.path.stem}@{truth:+.2f}.jpg"
            path = write_jpeg(options.scratch, name, turned, JPEG_QUALITY)
            samples.append(Sample(path, truth))
    return samples


def synthesized(options: Options) -> dict[str, list[Sample]]:
    """Scans drawn at an exact angle, by kind of document."""
    kinds: dict[str, tuple[int, float, Bed, Callable[[int], Drawing]]] = {
        "Latin pages": (8, 14.5, "page", lambda seed: letter(script="latin", seed=seed)),
        "Arabic pages": (8, 14.5, "page", lambda seed: letter(script="arabic", seed=seed)),
        "Arabic forms": (8, 14.5, "page", lambda seed: civil_extract(person(seed), seed=seed)),
        "ID card on A4": (16, 10.0, "a4", _card),
        "ID card on black": (8, 6.0, "black", _card),
        "page under a black lid": (8, 6.0, "black", lambda seed: letter(
            script="arabic" if seed % 2 else "latin", seed=seed)),
    }  # fmt: skip
    found = {}
    for number, (kind, (count, within, bed, draw)) in enumerate(kinds.items()):
        samples = []
        for index in range(options.count(count)):
            seed = SEED + 200 + 40 * number + index
            rng = np.random.default_rng(seed)
            capture = scan(
                draw(seed),
                seed=seed,
                ppi=int(rng.choice((200, 300))),
                skew_deg=float(rng.uniform(-within, within)),
                bed=bed,
                grey=True,
                whiten=bool(rng.random() < 0.7),
                jpeg_quality=85,
            )
            path = options.scratch / f"skew-{kind.replace(' ', '-')}-{seed}.jpg"
            path.write_bytes(capture.data)
            samples.append(Sample(path, capture.truth.skew_deg))
        found[kind] = samples
    return found


def _card(seed: int) -> Drawing:
    draw = id_front if seed % 2 else id_back
    return draw(person(seed), seed=seed)
