"""Moire: photographs of a screen, synthesized and of the corpus, against what is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.accuracy.figures import Figure, Part, area_under_curve, share
from benchmarks.accuracy.inputs import (
    SEED,
    CorpusFile,
    Options,
    corpus_files,
    first_page,
    readable_pages,
    scanner_files,
    taken,
)
from benchmarks.accuracy.peers import Peers
from docqa.page import Page
from fixtures.synthesize.camera import photograph, photograph_screen
from fixtures.synthesize.card_designs import DESIGNS
from fixtures.synthesize.documents import id_back, id_front
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

CARDS = 20
SCANS = 48
PPIS = (200, 300, 400)
WIDTHS_PX = (1400, 1800, 2400)


def _strength(page: Page) -> float:
    return float(taken("moire")(page).strength_ratio)


def _synthesized(options: Options, *, screen: bool) -> list[float]:
    """Strengths of photographs of cards: on a display, or lying on a table."""
    strengths = []
    for index in range(options.count(CARDS)):
        seed = SEED + 1200 + index
        drawing = (id_front if index % 2 else id_back)(person(seed), seed=seed)
        width_px = int(np.random.default_rng(seed).choice(WIDTHS_PX))
        take = photograph_screen if screen else photograph
        strengths.append(_strength(first_page(take(drawing, seed=seed, width_px=width_px).data)))
    return strengths


def _scanned(options: Options) -> list[float]:
    """Strengths of scans of fronts of every design."""
    strengths = []
    for index in range(options.count(SCANS)):
        seed = SEED + 1260 + index
        front = id_front(person(seed), seed=seed, design=DESIGNS[index % len(DESIGNS)])
        ppi = PPIS[index // len(DESIGNS) % len(PPIS)]
        strengths.append(_strength(first_page(scan(front, seed=seed, ppi=ppi).data)))
    return strengths


def _of_files(files: Sequence[CorpusFile]) -> tuple[list[float], list[str]]:
    strengths, names = [], []
    for file, page in readable_pages(list(files)):
        strengths.append(_strength(page))
        names.append(file.path.name)
    return strengths, names


def measure(options: Options, peers: Peers) -> Part:
    """How many screens are found, how many other pictures are called one."""
    screens = _synthesized(options, screen=True)
    photos, scanned = _synthesized(options, screen=False), _scanned(options)
    is_screen = [True] * len(screens) + [False] * len(photos)
    figures = [
        Figure("synthesized screens: found", share([s > 0 for s in screens]), "higher",
               len(screens)),
        Figure("synthesized photos of cards: flagged", share([s > 0 for s in photos]), "lower",
               len(photos)),
        Figure("synthesized scans of cards: flagged", share([s > 0 for s in scanned]), "lower",
               len(scanned), 0.01),
        Figure("synthesized: AUC", area_under_curve(screens + photos, is_screen), "higher",
               len(is_screen)),
    ]  # fmt: skip
    if options.corpus is None:
        return Part("moire", tuple(figures))
    kinds = {
        kind: [file for file in corpus_files(options.corpus) if file.row["capture"] == kind]
        for kind in ("screen-recapture", "camera")
    }
    real, real_names = _of_files(kinds["screen-recapture"])
    scans, scan_names = _of_files(scanner_files(options.corpus))
    other, other_names = _of_files(kinds["camera"])
    labels = [True] * len(real) + [False] * len(scans)
    figures += [
        Figure("real screens: found", share([s > 0 for s in real]), "higher", len(real)),
        Figure("real screens against real scans: AUC", area_under_curve(real + scans, labels),
               "higher", len(labels)),
        Figure("real scans: flagged", share([s > 0 for s in scans]), "lower", len(scans), 0.01),
        Figure("real photos: flagged", share([s > 0 for s in other]), "lower", len(other)),
    ]  # fmt: skip
    worst = [f"screen not found: {n}" for n, s in zip(real_names, real, strict=True) if s == 0]
    worst += [
        f"no screen, {strength:.1f}: {name}"
        for name, strength in zip(scan_names + other_names, scans + other, strict=True)
        if strength > 0
    ]
    return Part("moire", tuple(figures), tuple(worst))
