"""Glare: found pixels on synthesized laminate, and false alarms on scans, which have none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.figures import Figure, Part, share
from benchmarks.accuracy.inputs import (
    SEED,
    Options,
    first_page,
    readable_pages,
    scanner_files,
    spread,
    taken,
)
from benchmarks.accuracy.peers import Peers
from docqa.errors import CannotAssess
from docqa.page import Page
from docqa.settings import Settings
from docqa.wiring import load_engine
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.documents import id_back, id_front
from fixtures.synthesize.people import person

Mask = npt.NDArray[np.bool_]

PHOTOS = 30
SCANS = 130
SCANS_PER_SOURCE = 60
CLIPPED_LEVEL = 250
"""What the usual recipe calls glare."""


def f1(found: Sequence[Mask], truth: Sequence[Mask]) -> float:
    """F1 over the pixels of all pictures together."""
    hits = sum(int((f & t).sum()) for f, t in zip(found, truth, strict=True))
    total = sum(int(f.sum()) + int(t.sum()) for f, t in zip(found, truth, strict=True))
    return 2 * hits / total if total else 0.0


def _reported(page: Page) -> Mask:
    """The union of the reported regions."""
    mask = np.zeros(page.luma().shape, np.uint8)
    try:
        regions = taken("glare")(page).regions
    except CannotAssess:
        regions = ()
    for region in regions:
        if region.kind == "glare":
            cv2.fillPoly(mask, [np.round(np.array(region.polygon)).astype(np.int32)], 1)
    return mask.astype(bool)


def _laminate(options: Options, *, with_glare: bool) -> list[tuple[Path, Mask | None]]:
    made: list[tuple[Path, Mask | None]] = []
    for index in range(options.count(PHOTOS) if with_glare else options.count(PHOTOS // 2)):
        seed = SEED + (600 if with_glare else 660) + index
        rng = np.random.default_rng(seed)
        draw = id_front if index % 2 else id_back
        capture = photograph(
            draw(person(seed), seed=seed),
            seed=seed,
            width_px=int(rng.choice((1280, 1600, 2000))),
            tilt_deg=float(rng.uniform(2, 20)),
            glare=with_glare,
            shadow=bool(rng.random() < 0.5),
        )
        path = options.scratch / f"glare-{'on' if with_glare else 'off'}-{seed}.jpg"
        path.write_bytes(capture.data)
        made.append((path, capture.truth.glare_mask))
    return made


def measure(options: Options, peers: Peers) -> Part:
    """Pixel F1 on laminate; share of pictures without glare that are called glaring."""
    with_glare = [
        (path, mask)
        for path, mask in _laminate(options, with_glare=True)
        if mask is not None and mask.any()
    ]
    truths = [mask for _, mask in with_glare]
    pages = [first_page(path) for path, _ in with_glare]
    found = [_reported(page) for page in pages]
    naive = [page.luma() >= CLIPPED_LEVEL for page in pages]
    each = [f1([f], [t]) for f, t in zip(found, truths, strict=True)]
    worst = [
        f"laminate {path.name}: F1 {score:.2f}"
        for (path, _), score in sorted(zip(with_glare, each, strict=True), key=lambda i: i[1])
    ][:10]
    n = len(truths)
    false = [
        bool(_reported(first_page(path)).any()) for path, _ in _laminate(options, with_glare=False)
    ]
    figures = [
        Figure("laminate: pixel F1, all pixels", f1(found, truths), "higher", n, 0.85,
               {f"clipped at {CLIPPED_LEVEL}": f1(naive, truths)}),
        Figure("laminate: pixel F1, mean of pictures", float(np.mean(each)), "higher", n),
        Figure("photos without glare: any region", share(false), "lower", len(false)),
    ]  # fmt: skip
    scans, flagged = _scans(options)
    figures += scans
    return Part("glare", tuple(figures), tuple(worst + flagged))


def _scans(options: Options) -> tuple[list[Figure], list[str]]:
    rules = [rule for rule in load_engine(Settings()).policy.rules if rule.measure == "glare"]
    judged, any_region, lines = [], [], []
    files = spread(scanner_files(options.corpus), options.count(SCANS), SCANS_PER_SOURCE)
    for file, page in readable_pages(files):
        found = taken("glare")(page)
        scores = [rule.score(float(getattr(found, rule.output))) for rule in rules]
        judged.append(min(scores, default=100) < 70)
        any_region.append(bool(found.regions))
        if judged[-1]:
            lines.append(f"scan {file.path.name}: {100 * found.area_fraction:.2f} % glare")
    n = len(judged)
    if not n:
        return [], []
    return [
        Figure("real scans: flagged by the policy", share(judged), "lower", n, 0.01),
        Figure("real scans: any region", share(any_region), "lower", n),
    ], lines
