"""Quarter turns of pages, forms and cards, Arabic and Latin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy.figures import Figure, Part, share
from benchmarks.accuracy.inputs import (
    SEED,
    Options,
    first_page,
    readable_pages,
    scanner_files,
    spread,
    taken,
    write_jpeg,
)
from benchmarks.accuracy.peers import Peers
from docqa import measures
from docqa.errors import CannotAssess
from fixtures.synthesize.documents import civil_extract, id_back, id_front, letter, passport_page
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import Bed, scan

PER_KIND = 5
REAL_PAGES = 30
REAL_PER_SOURCE = 6
JPEG_QUALITY = 88
TARGET = 0.99
PEER = "orientation_document_quality"
KINDS: dict[str, tuple[Bed, Callable[[int], Drawing]]] = {
    "Latin pages": ("page", lambda seed: letter(script="latin", seed=seed)),
    "Arabic pages": ("page", lambda seed: letter(script="arabic", seed=seed)),
    "Arabic forms": ("page", lambda seed: civil_extract(person(seed), seed=seed)),
    "ID card fronts": ("white", lambda seed: id_front(person(seed), seed=seed)),
    "ID card backs": ("white", lambda seed: id_back(person(seed), seed=seed)),
    "cards on A4": ("a4", lambda seed: id_front(person(seed), seed=seed)),
    "passports": ("page", lambda seed: passport_page(person(seed), seed=seed)),
    "card backs on A4": ("a4", lambda seed: id_back(person(seed), seed=seed)),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A scan lying on one of its sides."""

    path: Path
    turns: int
    """Quarter turns counter-clockwise that make it upright, 0 to 3."""


def _samples(
    options: Options, number: int, bed: Bed, draw: Callable[[int], Drawing]
) -> list[Sample]:
    made = []
    for index in range(options.count(PER_KIND)):
        seed = SEED + 1000 + 40 * number + index
        rng = np.random.default_rng(seed)
        capture = scan(
            draw(seed),
            seed=seed,
            ppi=int(rng.choice((200, 300))),
            skew_deg=float(rng.uniform(-3, 3)),
            bed=bed,
        )
        bgr = cv2.cvtColor(capture.pixels, cv2.COLOR_RGB2BGR)
        for turns in range(4):
            path = options.scratch / f"turned-{number}-{seed}-{turns}.jpg"
            lying = np.ascontiguousarray(np.rot90(bgr, -turns))
            cv2.imwrite(str(path), lying, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            made.append(Sample(path, turns))
    return made


def _real(options: Options) -> list[Sample]:
    """Upright scans of the corpus, laid on all four sides."""
    upright = [f for f in scanner_files(options.corpus) if f.row["rotated_90_180"] is False]
    chosen = spread(upright, options.count(REAL_PAGES), REAL_PER_SOURCE)
    made = []
    for file, page in readable_pages(chosen):
        for turns in range(4):
            lying = np.ascontiguousarray(np.rot90(page.luma(), -turns))
            name = f"{file.path.stem}-{turns}.jpg"
            made.append(Sample(write_jpeg(options.scratch, name, lying, JPEG_QUALITY), turns))
    return made


def _answer(path: Path) -> int | None:
    try:
        found = taken("orientation")(first_page(path))
    except CannotAssess:
        return None
    return None if found.turn_deg is None else int(found.turn_deg) // 90


def measure(options: Options, peers: Peers) -> Part:
    """Share right or refused, share without an answer, and upright pages called turned, by kind."""
    if "orientation" not in set(measures.names()):
        return Part("orientation", (), (), ("docqa does not measure the orientation yet",))
    truth: list[int] = []
    ours: list[int | None] = []
    theirs: list[int | None] = []
    figures: list[Figure] = []
    worst: list[str] = []
    kinds = {
        kind: _samples(options, number, bed, draw)
        for number, (kind, (bed, draw)) in enumerate(KINDS.items())
    }
    for kind, samples in {**kinds, "real scans": _real(options)}.items():
        if not samples:
            continue
        answers = peers.ask([PEER], [sample.path for sample in samples])
        given = [_answer(sample.path) for sample in samples]
        asked = [answers.get((PEER, sample.path.name)) for sample in samples]
        turns = [sample.turns for sample in samples]
        peer = [None if answer is None else int(answer) for answer in asked]
        figures += _figures(kind, turns, given, None if PEER in peers.missing else peer)
        worst += [
            f"{kind} {sample.path.name}: {answer} for {sample.turns}"
            for sample, answer in zip(samples, given, strict=True)
            if answer not in (None, sample.turns)
        ]
        truth, ours, theirs = truth + turns, ours + given, theirs + peer
    total = _figures("all", truth, ours, None if PEER in peers.missing else theirs)
    return Part("orientation", (*total, *figures), tuple(worst))


def _figures(
    kind: str, truth: list[int], ours: list[int | None], theirs: list[int | None] | None
) -> list[Figure]:
    def right_or_refused(answers: list[int | None]) -> float | None:
        return share([a is None or a == t for a, t in zip(answers, truth, strict=True)])

    def refused(answers: list[int | None]) -> float | None:
        return share([answer is None for answer in answers])

    def upright_turned(answers: list[int | None]) -> float | None:
        return share([a not in (None, 0) for a, t in zip(answers, truth, strict=True) if t == 0])

    def figure(
        name: str,
        of: Callable[[list[int | None]], float | None],
        target: float | None,
        *,
        higher: bool = False,
        n: int = len(truth),
    ) -> Figure:
        peer = {} if theirs is None else {"document-quality": of(theirs)}
        return Figure(f"{kind}: {name}", of(ours), "higher" if higher else "lower", n, target, peer)

    return [
        figure("right or refused", right_or_refused, TARGET, higher=True),
        figure("no turn told", refused, None),
        figure("upright called turned", upright_turned, 0.0, n=truth.count(0)),
    ]
