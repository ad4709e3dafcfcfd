"""Page corners: mean Jaccard index after unwarping into the page's own frame, as SmartDoc counts.

A picture without an answer scores 0. The public answer is the region of ``perspective``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from benchmarks.accuracy.figures import Figure, Floats, Part
from benchmarks.accuracy.inputs import SEED, Options, corpus_files, first_page, taken
from benchmarks.accuracy.peers import Peers
from docqa.errors import CannotAssess, InvalidDocument
from docqa.page import Polygon
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.documents import civil_extract, id_back, id_front, letter, passport_page
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.people import person

LABELS = Path(__file__).with_name("corners.json")
"""File name -> ``corners``: four ``[x, y]`` of the page in a real photograph, labelled by eye."""
PHOTOS = 48
FRAME_SIDE_PX = 1000.0
"""Side of the frame that both quadrilaterals are unwarped into: its shape cancels out."""
TARGETS = {"synthesized": 0.99, "real": 0.97}
PEER = "corners_contour"


def jaccard(found: Sequence[Sequence[float]] | None, truth: Floats) -> float:
    """Intersection over union in the page's frame; 0 without an answer."""
    if found is None:
        return 0.0
    side = FRAME_SIDE_PX
    frame = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
    unwarp = cv2.getPerspectiveTransform(truth.astype(np.float32), frame)
    points = np.array(found, np.float32).reshape(-1, 1, 2)
    homogeneous = cv2.convertPointsToHomogeneous(points).reshape(-1, 3) @ unwarp[2]
    if homogeneous.min() <= 0:  # a corner beyond the horizon of the page's plane
        return 0.0
    moved = cv2.convexHull(cv2.perspectiveTransform(points, unwarp))
    common, _ = cv2.intersectConvexConvex(moved, frame)
    union = cv2.contourArea(moved) + side * side - common
    return float(common / union) if union > 0 else 0.0


def synthesized(options: Options) -> dict[Path, Floats]:
    """Photographs of cards and pages with their corners."""
    found = {}
    for index in range(options.count(PHOTOS)):
        seed = SEED + 100 + index
        rng = np.random.default_rng(seed)
        capture = photograph(
            _drawing(index, seed),
            seed=seed,
            width_px=int(rng.choice((1200, 1600, 2200))),
            tilt_deg=float(rng.uniform(2, 28)),
            skew_deg=float(rng.uniform(-12, 12)),
            glare=bool(rng.random() < 0.2),
            blur_sigma_px=float(rng.uniform(0.6, 1.6)),
        )
        path = options.scratch / f"photo-{seed}-{_kind(index)}.jpg"
        path.write_bytes(capture.data)
        found[path] = np.array(capture.truth.corners)
    return found


def _kind(index: int) -> str:
    return ("id-front", "letter-arabic", "id-back", "extract", "letter-latin", "passport")[
        index % 6
    ]


def _drawing(index: int, seed: int) -> Drawing:
    kind, owner = _kind(index), person(seed)
    if kind == "id-front":
        return id_front(owner, seed=seed)
    if kind == "id-back":
        return id_back(owner, seed=seed)
    if kind == "passport":
        return passport_page(owner, seed=seed)
    if kind == "extract":
        return civil_extract(owner, seed=seed, ppi=200)
    return letter(script="arabic" if kind == "letter-arabic" else "latin", seed=seed, ppi=200)


def labelled(options: Options) -> dict[Path, Floats]:
    """Real photographs of the corpus with the corners that somebody labelled."""
    if not LABELS.exists():
        return {}
    labels: dict[str, Any] = json.loads(LABELS.read_text(encoding="utf-8"))
    by_name = {file.path.name: file.path for file in corpus_files(options.corpus)}
    return {
        by_name[Path(name).name]: np.array(label["corners"])
        for name, label in labels.items()
        if Path(name).name in by_name
    }


def found_corners(path: Path) -> Polygon | None:
    """What docqa takes for the corners; None without an answer."""
    try:
        regions = taken("perspective")(first_page(path)).regions
    except (CannotAssess, InvalidDocument):
        return None
    return cast("Polygon", regions[0].polygon) if regions else None


def measure(options: Options, peers: Peers) -> Part:
    """Mean Jaccard index on synthesized and on labelled real photographs."""
    figures, worst = [], []
    for source, truths in (("synthesized", synthesized(options)), ("real", labelled(options))):
        if not truths:
            continue
        found = {path: found_corners(path) for path in truths}
        scores = {path: jaccard(found[path], quad) for path, quad in truths.items()}
        answers = peers.ask([PEER], truths)
        theirs = [jaccard(answers.get((PEER, path.name)), truths[path]) for path in truths]
        answered = [scores[path] for path in truths if found[path] is not None]
        mean = {"contour recipe": None if PEER in peers.missing else float(np.mean(theirs))}
        n = len(truths)
        figures += [
            Figure(f"{source}: mean Jaccard", float(np.mean(list(scores.values()))), "higher", n,
                   TARGETS[source], mean),
            Figure(f"{source}: median Jaccard", float(np.median(list(scores.values()))),
                   "higher", n),
            Figure(f"{source}: no answer", 1 - len(answered) / n, "lower", n),
        ]  # fmt: skip
        ordered = sorted(scores.items(), key=lambda item: item[1])
        worst += [f"{source} {path.name}: {score:.3f}" for path, score in ordered[:12]]
    return Part("corners", tuple(figures), tuple(worst))
