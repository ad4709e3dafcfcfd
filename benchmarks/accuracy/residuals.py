"""The corpus pages' own skew, by other programs than docqa: the truth behind rotated pages.

``python -m benchmarks.accuracy.residuals --corpus DIR`` writes ``residuals.json``. A page is turned
by five small angles; leptonica and document-quality, and where they differ jdeskew, are asked for
the angle of each, and the known turn is taken off. Two of the three must agree to 0.06 degrees, or
the page is left out. So the truth leans on those three, and on no estimator of docqa's.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy.inputs import (
    readable_pages,
    rotated,
    scanner_files,
    spread,
    write_jpeg,
)
from benchmarks.accuracy.peers import Peers
from docqa.page import Page

RESIDUALS = Path(__file__).with_name("residuals.json")
TURNS_DEG = (-1.13, -0.42, 0.17, 0.61, 1.27)
FAST = ("skew_leptonica", "skew_document_quality")
ARBITER = "skew_jdeskew_2048"
AGREEMENT_DEG = 0.06
MOST_DEG = 3.0
PAGES = 64
PAGES_PER_SOURCE = 13
JPEG_QUALITY = 95


def own_skew_deg(answers: Mapping[tuple[str, str], Any], names: list[str]) -> float | None:
    """What two estimators agree on, given the answers on the turned copies of one page."""
    medians = []
    for method in (*FAST, ARBITER):
        found = [
            answers[method, name] - turn
            for name, turn in zip(names, TURNS_DEG, strict=True)
            if (method, name) in answers
        ]
        if len(found) == len(TURNS_DEG):
            medians.append(float(np.median(found)))
    pairs = [
        pair
        for pair in itertools.combinations(medians, 2)
        if abs(pair[0] - pair[1]) <= AGREEMENT_DEG
    ]
    if not pairs:
        return None
    closest = min(pairs, key=lambda pair: abs(pair[0] - pair[1]))
    return float(np.mean(closest))


def _turned_copies(folder: Path, stem: str, page: Page) -> list[Path]:
    return [
        write_jpeg(folder, f"{stem}-{number}.jpg", rotated(page.luma(), turn), JPEG_QUALITY)
        for number, turn in enumerate(TURNS_DEG)
    ]


def _names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def main() -> None:
    """Ask, agree, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--peers-python", type=Path, default=Path(".venv-bench/bin/python"))
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    peers = Peers(arguments.peers_python)
    chosen = spread(scanner_files(arguments.corpus), PAGES, PAGES_PER_SOURCE)
    with tempfile.TemporaryDirectory() as folder:
        turned = {
            file.path.name: _turned_copies(Path(folder), f"{number:03}", page)
            for number, (file, page) in enumerate(readable_pages(chosen))
        }
        answers = peers.ask(FAST, itertools.chain.from_iterable(turned.values()))
        unsure = [
            paths for paths in turned.values() if own_skew_deg(answers, _names(paths)) is None
        ]
        answers |= peers.ask([ARBITER], itertools.chain.from_iterable(unsure))
    found = {name: own_skew_deg(answers, _names(paths)) for name, paths in turned.items()}
    kept = {
        name: round(own, 3)
        for name, own in found.items()
        if own is not None and abs(own) <= MOST_DEG
    }
    print(f"{len(kept)} of {len(chosen)} pages agreed on")
    RESIDUALS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
