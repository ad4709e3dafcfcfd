"""What ``train.py`` learns from: simulated captures and the rows of a corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from docqa.adapters.poppler import PopplerRenderer
from docqa.analysis.capture_features import light_features, whitening_features
from docqa.analysis.paper import paper
from docqa.analysis.whitened_sheet import whitened_sheet
from docqa.errors import DocqaError
from docqa.intake import Limits, open_document
from docqa.page import Page
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.cards import id_back, id_front
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.pages import civil_extract, letter
from fixtures.synthesize.passport import passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.recapture import app_crop, photograph_screen
from fixtures.synthesize.scanner import Bed, scan
from models.capture.whitened_copies import whitened_copies

Vector = npt.NDArray[np.float64]

SEED = 20_260
SCANS = 120
PHOTOGRAPHS = 60
SCREENS = 15
CROPS = 60
PASSPORTS = 60
"""Scans of a passport's page cut out to its edges: its light print is likest to an app's paper."""
CLOSED_LICENCES = ("unknown", "none stated", "non-commercial")
SIMULATION = "simulation"


@dataclass(frozen=True, slots=True)
class Example:
    """One capture to learn from."""

    light: Vector
    whitening: Vector | None
    """None where the page is no sheet that an app may have whitened."""
    capture: str
    """``whitened`` is a photograph that was made to look like an app's crop here."""
    group: str
    """Repository, or ``simulation``."""


def example(page: Page, capture: str, group: str) -> Example:
    """The features of a page."""
    found, light = whitened_sheet(page), page.derive(paper)
    features = None if found is None else whitening_features(found, light)
    return Example(light_features(light), features, capture, group)


def first_page(data: bytes) -> Page:
    """Raises InvalidDocument."""
    limits = Limits(max_pages=60)
    return next(iter(open_document(data, limits=limits, renderer=PopplerRenderer()).pages))


def simulated() -> Iterator[Example]:
    """Scans, photographs, screens, crops and passports, all invented and always the same."""
    rng = np.random.default_rng(SEED)
    for seed in range(SCANS):
        drawing = invented(seed)
        small = drawing.width_mm < 150
        beds = ("page", "white", "black", "a4") if small else ("page", "page", "white")
        capture = scan(
            drawing,
            seed=seed,
            ppi=int(rng.choice([200, 300, 400] if small else [100, 150, 200, 300])),
            skew_deg=float(rng.normal(0, 1)),
            bed=cast("Bed", str(rng.choice(beds))),
            grey=bool(rng.random() < 0.25),
            whiten=bool(rng.random() < 0.6),
            jpeg_quality=int(rng.integers(60, 96)),
            noise=float(rng.uniform(0.3, 2.0)),
            blur_sigma_px=float(rng.uniform(0.3, 0.8)),
            raggedness_um=0.0,  # real soft scans are judged better so: see README.md
        )
        yield example(first_page(capture.data), "scanner", SIMULATION)
    for seed in range(PHOTOGRAPHS):
        data = photograph(invented(1000 + seed), seed=seed).data
        yield example(first_page(data), "camera", SIMULATION)
    for seed in range(SCREENS):
        data = photograph_screen(invented(2000 + seed), seed=seed).data
        yield example(first_page(data), "screen-recapture", SIMULATION)
    for seed in range(CROPS):
        whiten = seed % 4 > 0
        data = app_crop(
            invented(3000 + seed),
            seed=seed,
            whiten=whiten,
            grey=bool(rng.random() < 0.4),
            width_px=int(rng.integers(1000, 2300)),
            jpeg_quality=int(rng.integers(65, 95)),
        ).data
        yield example(first_page(data), "whitened" if whiten else "camera", SIMULATION)
    yield from _passports(rng)


def _passports(rng: np.random.Generator) -> Iterator[Example]:
    for seed in range(5000, 5000 + PASSPORTS):
        capture = scan(
            passport_page(person(seed), seed=seed, ppi=400),
            seed=seed,
            ppi=int(rng.choice([200, 300, 400])),
            skew_deg=float(rng.normal(0, 1)),
            grey=bool(rng.random() < 0.25),
            jpeg_quality=int(rng.integers(60, 96)),
            raggedness_um=0.0,
        )
        yield example(first_page(capture.data), "scanner", SIMULATION)


def invented(seed: int) -> Drawing:
    """A letter, an extract, a card or a passport, by turns."""
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


@dataclass(frozen=True, slots=True)
class Row:
    """A file of the corpus that intake lets in, with its features."""

    path: Path
    capture: Literal[
        "scanner", "camera", "camera-cropped", "screen-recapture", "screenshot", "born-digital"
    ]
    repository: str
    is_open: bool
    """Its licence lets a model be shipped that learnt from it."""
    examples: tuple[Example, ...]
    """Its own, then those of its whitened copies."""


def corpus_rows(folder: Path) -> Iterator[Row]:
    """Every row of the manifest that has a capture class and can be opened."""
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row: Mapping[str, Any] = json.loads(line)
        if not row["capture"]:
            continue
        path, group = folder / row["file"], row["repo"]
        try:
            page = first_page(path.read_bytes())
            examples = [example(page, row["capture"], group)]
            if row["capture"] == "camera":
                seed = int(row["sha256"][:8], 16)
                examples += [example(c, "whitened", group) for c in whitened_copies(page, seed)]
        except DocqaError as refusal:
            print(f"left out a {row['capture']} row: {refusal}")
            continue
        is_open = not any(word in row["licence"] for word in CLOSED_LICENCES)
        yield Row(path, row["capture"], group, is_open, tuple(examples))
