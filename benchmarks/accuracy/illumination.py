"""Shadow edges: photographs with and without a hand's shadow, labelled photographs, real scans."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.accuracy.figures import Figure, Part, area_under_curve, share
from benchmarks.accuracy.inputs import (
    SEED,
    Options,
    corpus_files,
    first_page,
    readable_pages,
    scanner_files,
    taken,
)
from benchmarks.accuracy.peers import Peers
from docqa.errors import CannotAssess
from docqa.page import Page
from fixtures.synthesize.documents import civil_extract, id_front, letter
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.people import person
from fixtures.synthesize.photo import photograph

LABELS = Path(__file__).with_name("shadows.json")
"""File name -> whether a shadow with an edge lies on the page, by eye; doubtful ones left out."""
PAIRS = 24
SHADOW_LEVELS = 25.0
"""An edge of this many levels counts as told."""


def _levels(page: Page) -> float:
    """0.0 also where the light cannot be judged: nothing is told."""
    try:
        return float(taken("illumination")(page).shadow_edge_levels)
    except CannotAssess:
        return 0.0


def _drawing(index: int, seed: int) -> Drawing:
    if index % 4 == 3:
        return id_front(person(seed), seed=seed)
    if index % 4 == 2:
        return civil_extract(person(seed), seed=seed, ppi=200)
    return letter(script="arabic" if index % 4 else "latin", seed=seed, ppi=200)


def measure(options: Options, peers: Peers) -> Part:
    """How well shadow edges are told from light without them."""
    figures, worst = [], []
    levels: dict[bool, list[float]] = {True: [], False: []}
    for index in range(options.count(PAIRS)):
        seed = SEED + 4000 + index
        drawing = _drawing(index, seed)
        for shadow in (True, False):
            made = photograph(drawing, seed=seed, width_px=1600, tilt_deg=8, shadow=shadow)
            levels[shadow].append(_levels(first_page(made.data)))
            if (levels[shadow][-1] >= SHADOW_LEVELS) is not shadow:
                worst.append(f"seed {seed}, shadow {shadow}: {levels[shadow][-1]:.0f} levels")
    figures += _figures("synthesized", levels, 0.95)
    labels: dict[str, bool] = json.loads(LABELS.read_text(encoding="utf-8"))
    named = [file for file in corpus_files(options.corpus) if file.path.name in labels]
    levels = {True: [], False: []}
    for file, page in readable_pages(named):
        label, found = labels[file.path.name], _levels(page)
        levels[label].append(found)
        if (found >= SHADOW_LEVELS) is not label:
            worst.append(f"labelled {label}: {found:.0f} levels: {file.path.name}")
    figures += _figures("labelled photographs", levels, None)
    scans = [(_levels(page), file.path.name)
             for file, page in readable_pages(scanner_files(options.corpus))]  # fmt: skip
    alarms = sorted((item for item in scans if item[0] > 0), reverse=True)
    if scans:
        figures.append(Figure("shadows, real scans: false alarms", len(alarms) / len(scans),
                              "lower", len(scans), 0.01))  # fmt: skip
    worst += [f"scan: {found:.0f} levels: {name}" for found, name in alarms]
    return Part("illumination", tuple(figures), tuple(worst))


def _figures(name: str, levels: dict[bool, list[float]], target: float | None) -> list[Figure]:
    true, false = levels[True], levels[False]
    if not true or not false:
        return []
    n = len(true) + len(false)
    curve = area_under_curve(true + false, [True] * len(true) + [False] * len(false))
    told = share([value >= SHADOW_LEVELS for value in true])
    wrong = share([value >= SHADOW_LEVELS for value in false])
    return [
        Figure(f"shadows, {name}: AUC", curve, "higher", n, target),
        Figure(f"shadows, {name}: told", told, "higher", len(true)),
        Figure(f"shadows, {name}: false alarms", wrong, "lower", len(false)),
    ]
