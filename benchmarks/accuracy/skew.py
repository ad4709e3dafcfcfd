"""Skew: real scans turned by known angles, and synthesized pages whose angle is exact.

A page without an answer counts as a miss in CE and TOP80; its share stands by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.accuracy.figures import Figure, Part, share
from benchmarks.accuracy.inputs import Options, first_page, taken
from benchmarks.accuracy.peers import Peers
from benchmarks.accuracy.skew_samples import Sample, real, synthesized
from docqa.errors import CannotAssess

CORRECT_DEG = 0.1
PEERS = {
    "skew_leptonica": "leptonica ±15.5",
    "skew_document_quality": "document-quality",
    "skew_jdeskew": "jdeskew 1024",
    "skew_min_area_rect": "minAreaRect",
}
SLOW_STEP = 8
SLOW_PEERS = {
    "skew_jdeskew_native": "jdeskew native*",
    "skew_doc_qual": "doc-qual*",
    "skew_deskew": "deskew*",
}
"""Asked on every SLOW_STEP-th page."""
NOTES = (
    "the truth of real scans is what leptonica, document-quality and jdeskew agree on "
    "(residuals.json), to about 0.03 degrees: their own figures there are flattered by that",
    f"* on every {SLOW_STEP}th page only",
)


def _answer(path: Path) -> float | None:
    try:
        return float(taken("skew")(first_page(path)).angle_deg)
    except CannotAssess:
        return None


def top80_deg(errors: Sequence[float]) -> float | None:
    """Mean error of the best four fifths; an infinite error among them gives None."""
    best = sorted(errors)[: max(1, round(0.8 * len(errors)))]
    return float(np.mean(best)) if np.isfinite(best[-1]) else None


def _error(answer: float | None, truth: float) -> float:
    return float("inf") if answer is None else abs(answer - truth)


def measure(options: Options, peers: Peers) -> Part:
    """CE, TOP80, AED, worst answer and refusals, on real scans and per synthesized kind."""
    classes = {"real scans": real(options), **synthesized(options)}
    figures: list[Figure] = []
    worst: list[tuple[float, str]] = []
    for kind, samples in classes.items():
        if not samples:
            continue
        errors = [_error(_answer(sample.path), sample.truth_deg) for sample in samples]
        worst += [
            (error, f"{kind} {sample.path.name}: {'refused' if np.isinf(error) else f'{error:.3f}'}"
                    f" (truth {sample.truth_deg:+.2f})")
            for error, sample in zip(errors, samples, strict=True)
            if error > CORRECT_DEG
        ]  # fmt: skip
        theirs = _peer_errors(peers, samples)
        figures += _figures(kind, errors, theirs)
    worst.sort(reverse=True)
    return Part("skew", tuple(figures), tuple(line for _, line in worst[:40]), NOTES)


def _peer_errors(peers: Peers, samples: list[Sample]) -> dict[str, list[float]]:
    found = {}
    for methods, asked in ((PEERS, samples), (SLOW_PEERS, samples[::SLOW_STEP])):
        answers = peers.ask(methods, [sample.path for sample in asked])
        for method, name in methods.items():
            if method not in peers.missing:
                found[name] = [
                    _error(answers.get((method, sample.path.name)), sample.truth_deg)
                    for sample in asked
                ]
    return found


def _figures(kind: str, errors: list[float], theirs: dict[str, list[float]]) -> list[Figure]:
    targets = {
        "real scans": (0.97, 0.010, 0.5, 0.02),
        "ID card on A4": (0.95, None, None, None),
    }.get(kind, (None,) * 4)
    n = len(errors)

    def both(of: Callable[[list[float]], float | None]) -> dict[str, float | None]:
        return {name: of(their) for name, their in theirs.items()}

    figures = [
        Figure(f"{kind}: CE (within {CORRECT_DEG}°)", _correct(errors), "higher", n, targets[0],
               both(_correct)),
        Figure(f"{kind}: TOP80, deg", top80_deg(errors), "lower", n, targets[1], both(top80_deg)),
        Figure(f"{kind}: worst answer, deg", _worst(errors), "lower", n, targets[2], both(_worst)),
        Figure(f"{kind}: refused", _refused(errors), "lower", n, targets[3], both(_refused)),
    ]  # fmt: skip
    if kind == "real scans":
        figures.insert(1, Figure(f"{kind}: AED, deg", _aed(errors), "lower", n, None, both(_aed)))
    return figures


def _correct(errors: list[float]) -> float | None:
    return share([error <= CORRECT_DEG for error in errors])


def _aed(errors: list[float]) -> float | None:
    given = [error for error in errors if np.isfinite(error)]
    return float(np.mean(given)) if given else None


def _worst(errors: list[float]) -> float | None:
    return max((error for error in errors if np.isfinite(error)), default=None)


def _refused(errors: list[float]) -> float | None:
    return share([bool(np.isinf(error)) for error in errors])
