"""Blur: against what Tesseract still reads, and against the true blur in stroke widths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein

from benchmarks.accuracy.blur_ladders import Blurred, Crop, Kind, crops, ladder
from benchmarks.accuracy.figures import Figure, Part, area_under_curve, rank_correlation
from benchmarks.accuracy.inputs import SEED, Options, first_page, taken
from benchmarks.accuracy.peers import Peers
from docqa.adapters.tesseract import TesseractEngine
from docqa.errors import CannotAssess
from fixtures.synthesize.prose import Script

SCRIPTS: tuple[Script, ...] = ("latin", "arabic")
READ_CROPS = 12
TRUE_CROPS = 7
READ_STEPS: dict[Kind, tuple[float, ...]] = {
    "gauss": (1.5, 2.5, 3.3, 4.2, 5.5),
    "motion": (7, 11, 15, 20, 27),
    "defocus": (3, 4.5, 5.7, 7, 9),
}
"""Sigma, length and radius in pixels at 300 ppi: from harmless to illegible."""
TRUE_STEPS_RATIO = (0.15, 0.3, 0.45, 0.65, 0.9, 1.2)
"""Standard deviation of the blur in stroke widths."""
LEAST_CLEAN_ACCURACY = 0.95
GOOD_ACCURACY = 0.9
OCR_TIMEOUT_S = 120.0
PEERS = {
    "blur_document_quality_score": "document-quality score",
    "blur_document_quality_sharpness": "its sharpness",
    "blur_skimage": "skimage blur_effect",
    "blur_laplacian": "Laplacian variance",
    "blur_tenengrad": "Tenengrad",
    "blur_doc_qual": "doc-qual",
}
REFUSED_RATIO = 9.0
"""A page refused as too blurred or faint to judge ranks below every answer."""


def accuracy(read: str, truth: str) -> float:
    """Character accuracy, 0 to 1, spaces and line ends apart."""
    read, truth = "".join(read.split()), "".join(truth.split())
    return max(0.0, 1 - Levenshtein.distance(read, truth) / max(len(truth), 1))


def _sharpness(sample: Blurred) -> float:
    try:
        return -float(taken("blur")(first_page(sample.path)).blur_ratio)
    except CannotAssess:
        return -REFUSED_RATIO


def read_ladders(options: Options) -> tuple[list[Blurred], list[float]]:
    """Latin crops that are read well when clean, with the accuracy on each of their files."""
    engine = TesseractEngine(timeout_s=OCR_TIMEOUT_S)
    samples: list[Blurred] = []
    truths: list[float] = []
    for number, crop in enumerate(crops("latin", options.count(READ_CROPS))):
        rng = np.random.default_rng(SEED + 2100 + number)
        made = ladder(crop, READ_STEPS, options, f"read-{number:02}-{crop.size_pt}pt", rng,
                      noise=(1.0, 3.0), quality=(75, 95))  # fmt: skip
        pictures = [first_page(sample.path).luma() for sample in made]
        texts = engine.read_lines(pictures, language="eng", layout="block")
        read = [accuracy(text, crop.text) for text in texts]
        if read[0] >= LEAST_CLEAN_ACCURACY:
            samples += made
            truths += read
    return samples, truths


def true_ladders(options: Options) -> list[Blurred]:
    """Latin and Arabic crops with blurs in stroke widths, noise and JPEG."""
    return [
        sample
        for script in SCRIPTS
        for number, crop in enumerate(crops(script, options.count(TRUE_CROPS)))
        for sample in true_ladder(crop, number, options)
    ]


def true_ladder(crop: Crop, number: int, options: Options) -> list[Blurred]:
    """One crop, clean and with every blur of ``TRUE_STEPS_RATIO``."""
    rng = np.random.default_rng(SEED + 2200 + number)
    sigmas = [ratio * crop.stroke_px for ratio in TRUE_STEPS_RATIO]
    steps: dict[Kind, tuple[float, ...]] = {
        "gauss": tuple(sigmas),
        "motion": tuple(sigma * 12**0.5 for sigma in sigmas),
        "defocus": tuple(sigma * 2 for sigma in sigmas),
    }
    return ladder(crop, steps, options, f"true-{crop.script}-{number:02}", rng,
                  noise=(1.0, 6.0), quality=(60, 95))  # fmt: skip


def _scores(peers: Peers, samples: list[Blurred]) -> dict[str, list[float]]:
    answers = peers.ask(PEERS, [sample.path for sample in samples])
    return {
        name: [float(answers.get((method, sample.path.name), -np.inf)) for sample in samples]
        for method, name in PEERS.items()
        if method not in peers.missing
    }


def measure(options: Options, peers: Peers) -> Part:
    """SROCC and AUC on what Tesseract reads; SROCC on the true blur."""
    samples, truths = read_ladders(options)
    ours = [_sharpness(sample) for sample in samples]
    theirs = _scores(peers, samples)
    figures = _ranks("Tesseract accuracy", samples, ours, theirs, truths, (0.80, None))
    good = [truth >= GOOD_ACCURACY for truth in truths]
    figures.append(
        Figure(f"Tesseract accuracy: AUC at {GOOD_ACCURACY}", area_under_curve(ours, good),
               "higher", len(samples), 0.95,
               {name: area_under_curve(s, good) for name, s in theirs.items()})
    )  # fmt: skip
    worst = _misranked(samples, ours, truths)
    samples = true_ladders(options)
    ours = [_sharpness(sample) for sample in samples]
    theirs = _scores(peers, samples)
    sharp = [-sample.sigma_px / sample.crop.stroke_px for sample in samples]
    figures += _ranks("true blur", samples, ours, theirs, sharp, (0.95, 0.95))
    for script in SCRIPTS:
        kept = [i for i, sample in enumerate(samples) if sample.crop.script == script]
        figures.append(_rank(f"true blur: SROCC, {script}", kept, ours, theirs, sharp, 0.95))
    refused = float(np.mean([score == -REFUSED_RATIO for score in ours]))
    figures.append(Figure("true blur: not assessed", refused, "lower", len(samples)))
    return Part("blur", tuple(figures), tuple(worst + _misranked(samples, ours, sharp)))


def _ranks(
    label: str,
    samples: list[Blurred],
    ours: list[float],
    theirs: dict[str, list[float]],
    truth: list[float],
    targets: tuple[float | None, float | None],
) -> list[Figure]:
    """Pooled, and for each kind with the clean crops among it."""
    everything = list(range(len(samples)))
    figures = [_rank(f"{label}: SROCC, pooled", everything, ours, theirs, truth, targets[0])]
    for kind in READ_STEPS:
        kept = [i for i in everything if samples[i].kind in (None, kind)]
        figures.append(_rank(f"{label}: SROCC, {kind}", kept, ours, theirs, truth, targets[1]))
    return figures


def _rank(
    name: str,
    kept: Sequence[int],
    ours: list[float],
    theirs: dict[str, list[float]],
    truth: list[float],
    target: float | None,
) -> Figure:
    wanted = [truth[i] for i in kept]

    def of(scores: list[float]) -> float | None:
        return rank_correlation([scores[i] for i in kept], wanted)

    peers = {name: of(scores) for name, scores in theirs.items()}
    return Figure(name, of(ours), "higher", len(kept), target, peers)


def _misranked(samples: list[Blurred], ours: list[float], truth: list[float]) -> list[str]:
    """Samples whose rank by docqa is furthest from their true rank."""
    ranks = [np.argsort(np.argsort(values)) for values in (ours, truth)]
    distance = ranks[0] - ranks[1]
    return [
        f"{samples[i].path.name}: {'too sharp' if distance[i] > 0 else 'too blurred'}"
        f" by {abs(int(distance[i]))} ranks of {len(samples)} (truth {truth[i]:.2f},"
        f" blur_ratio {-ours[i]:.2f})"
        for i in np.argsort(-np.abs(distance))[:12]
    ]
