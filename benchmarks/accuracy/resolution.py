"""Effective ppi of cards and A4 pages; wrong density tags and enlarged content."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, cast

import cv2
import numpy as np
from PIL import Image

from benchmarks.accuracy.figures import Figure, Part, share
from benchmarks.accuracy.inputs import SEED, Options, first_page, taken
from benchmarks.accuracy.peers import Peers
from docqa.errors import CannotAssess
from docqa.measures import resolution
from fixtures.synthesize.documents import (
    civil_extract,
    id_back,
    id_front,
    letter,
    passport_page,
)
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import Bed, scan

Kind = Literal["card", "card on A4", "A4"]

PPIS = (100, 150, 200, 300, 400, 600)
WITHIN_RATIO = 0.02
WRONG_TAGS = (72, 96, 150, 200, 300, 600)
"""What software writes that did not make the scan; the nearest to the truth are left out."""
TAG_RATIO = 0.1
"""A density tag that is off by more than this counts as doubted."""
CUT_OUT = 36
UPSCALING_OUTPUTS = ("upscaling_ratio", "upscale_ratio", "enlargement_ratio")
UPSCALED_RATIO = 1.4
"""Content that has less than 1 / this of the pixels' detail counts as enlarged."""
METHODS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
FACTORS = (1.5, 2.0, 3.0, 4.0)
QUALITIES = (75, 85, 95)
DETAIL_OUTPUTS = ("content_ppi", "detail_ppi")
PEER = "tag_document_quality"


@dataclass(frozen=True, slots=True)
class Sample:
    """A scan with what is true of it."""

    path: Path
    kind: Kind
    ppi: float
    tag: float | None
    enlarged: float = 1.0
    """Pixels per pixel of detail."""
    method: str = "cubic"
    """How it was enlarged."""


def _drawing(kind: Kind, seed: int) -> Drawing:
    owner = person(seed)
    if kind == "A4":
        drawings: tuple[Callable[[], Drawing], ...] = (
            lambda: letter(script="latin", seed=seed),
            lambda: letter(script="arabic", seed=seed),
            lambda: civil_extract(owner, seed=seed),
        )
        return drawings[seed % 3]()
    return (id_front if seed % 2 else id_back)(owner, seed=seed)


def samples(options: Options) -> list[Sample]:
    """Each kind at each density with its true tag, with none and with a wrong one, and enlarged."""
    made = []
    beds: dict[Kind, Bed] = {"card": "white", "card on A4": "a4", "A4": "page"}
    for number, (kind, bed) in enumerate(beds.items()):
        for index in range(options.count(len(PPIS) * 2)):
            seed = SEED + 700 + 60 * number + index
            rng = np.random.default_rng(seed)
            ppi = PPIS[index % len(PPIS)]
            drawing = _drawing(kind, seed)
            capture = scan(drawing, seed=seed, ppi=ppi, bed=bed, grey=True,
                           skew_deg=float(rng.uniform(-2, 2)), jpeg_quality=88)  # fmt: skip
            path = options.scratch / f"ppi-{kind.replace(' ', '-')}-{ppi}-{seed}.jpg"
            path.write_bytes(capture.data)
            true = Sample(path, kind, capture.truth.effective_ppi, float(ppi))
            made.append(true)
            made.append(_rewritten(true, tag=None))
            wrong = [tag for tag in WRONG_TAGS if abs(math.log(tag / ppi)) > math.log(1.3)]
            made.append(_rewritten(true, tag=float(rng.choice(wrong))))
            if ppi <= 200:
                made.append(_rewritten(true, enlarged=float(rng.choice((2.0, 3.0)))))
    return made


def cut_out(options: Options) -> list[Sample]:
    """Passports and cards that a scanner cut out with a little lid around, in files without a tag.

    The picture alone has to say how large they are.
    """
    made = []
    for index in range(options.count(CUT_OUT)):
        seed = SEED + 900 + index
        rng = np.random.default_rng(seed)
        ppi = (200, 300, 400, 600)[index // 3 % 4]
        draw = (passport_page, id_front, id_back)[index % 3]
        capture = scan(draw(person(seed), seed=seed), seed=seed, ppi=ppi, density_tag=False,
                       skew_deg=float(rng.normal(0, 0.7)), whiten=index % 2 == 0)  # fmt: skip
        path = options.scratch / f"cut-out-{ppi}-{seed}.jpg"
        path.write_bytes(capture.data)
        made.append(Sample(path, "card", capture.truth.effective_ppi, None))
    return made


def enlarged_by_all(every: list[Sample]) -> list[Sample]:
    """Coarse scans enlarged by every method, at factors and JPEG qualities that take turns."""
    coarse = [s for s in every if s.enlarged == 1 and s.tag == round(s.ppi) and s.ppi < 201]
    made = []
    for number, sample in enumerate(coarse):
        for turn, method in enumerate(METHODS):
            factor = FACTORS[(number + turn) % len(FACTORS)]
            quality = QUALITIES[(number // 2 + turn) % len(QUALITIES)]
            made.append(_rewritten(sample, enlarged=factor, method=method, quality=quality))
    return made


def _rewritten(
    sample: Sample,
    *,
    tag: float | None = None,
    enlarged: float = 1.0,
    method: str = "cubic",
    quality: int = 90,
) -> Sample:
    """The same picture with another tag, or enlarged with the tag following."""
    with Image.open(sample.path) as picture:
        pixels = np.asarray(picture.convert("L"))
    if enlarged != 1:
        tag = (sample.tag or 0) * enlarged
        pixels = np.asarray(cv2.resize(pixels, None, fx=enlarged, fy=enlarged,
                            interpolation=METHODS[method]))  # fmt: skip
    buffer = BytesIO()
    density: dict[str, Any] = {} if tag is None else {"dpi": (tag, tag)}
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, **density)
    name = f"{sample.path.stem}-tag{tag}-x{enlarged:g}"
    if (method, quality) != ("cubic", 90):
        name += f"-{method}-q{quality}"
    path = sample.path.with_name(f"{name}.jpg")
    path.write_bytes(buffer.getvalue())
    return replace(sample, path=path, ppi=sample.ppi * enlarged, tag=tag, enlarged=enlarged,
                   method=method)  # fmt: skip


def _measured(sample: Sample) -> resolution.Resolution | None:
    try:
        return cast("resolution.Resolution", taken("resolution")(first_page(sample.path)))
    except CannotAssess:
        return None


def _says_enlarged(found: resolution.Resolution | None) -> bool | None:
    """Whether it says so; None where it has no output for it."""
    for name in UPSCALING_OUTPUTS:
        if found is not None and getattr(found, name, None) is not None:
            return bool(getattr(found, name) >= UPSCALED_RATIO)
    for name in DETAIL_OUTPUTS:
        if found is not None and getattr(found, name, None) is not None:
            return bool(found.effective_ppi / getattr(found, name) >= UPSCALED_RATIO)
    return None


def measure(options: Options, peers: Peers) -> Part:
    """Error of the effective ppi, wrong tags and enlarged content caught."""
    every = samples(options)
    found = {sample.path: _measured(sample) for sample in every}
    honest = [sample for sample in every if sample.enlarged == 1]
    figures, worst = _errors(honest, found)
    wrong = [s for s in honest if s.tag is not None and abs(s.tag / s.ppi - 1) > TAG_RATIO]
    right = [s for s in honest if s.tag is not None and s not in wrong]
    answers = peers.ask([PEER], [sample.path for sample in (*wrong, *right)])

    def doubted(sample: Sample) -> bool:
        answer = found[sample.path]
        ratio = None if answer is None else answer.tag_ratio
        return ratio is not None and abs(ratio - 1) > TAG_RATIO

    def theirs(of: list[Sample]) -> dict[str, float | None]:
        asked = None if PEER in peers.missing else share([bool(answers.get((PEER, s.path.name)))
                                                          for s in of])  # fmt: skip
        return {"document-quality": asked}

    figures += [
        Figure("wrong tags caught", share([doubted(s) for s in wrong]), "higher", len(wrong),
               0.95, theirs(wrong)),
        Figure("right tags doubted", share([doubted(s) for s in right]), "lower", len(right),
               None, theirs(right)),
    ]  # fmt: skip
    for name, group, target in (
        ("enlarged content caught", [s for s in every if s.enlarged > 1], 0.95),
        ("true content called enlarged", right, None),
    ):
        said = [_says_enlarged(found[sample.path]) for sample in group]
        value = None if all(each is None for each in said) else share([bool(s) for s in said])
        figures.append(Figure(name, value, "higher" if target else "lower", len(group), target))
    alone = cut_out(options)
    off = [_error(_measured(sample), sample.ppi) for sample in alone]
    name = "passports and cards cut out, without a tag: within 2 %"
    figures.append(Figure(name, share([e <= WITHIN_RATIO for e in off]), "higher", len(off)))
    worst += [
        f"{s.path.name} (true {s.ppi:.0f}, no tag): {100 * error:.1f} % off"
        for error, s in zip(off, alone, strict=True)
        if error > WITHIN_RATIO
    ]
    by_all = enlarged_by_all(every)
    said_of = {sample.path: _says_enlarged(_measured(sample)) for sample in by_all}
    for method in METHODS:
        group = [s for s in by_all if s.method == method]
        caught = share([bool(said_of[s.path]) for s in group])
        figures.append(Figure(f"enlarged by {method}, caught", caught, "higher", len(group), 0.95))
    worst += [f"{s.path.name}: not called enlarged" for s in by_all if not said_of[s.path]]
    return Part("resolution", tuple(figures), tuple(worst))


def _errors(
    honest: list[Sample], found: dict[Path, resolution.Resolution | None]
) -> tuple[list[Figure], list[str]]:
    figures, cases = [], []
    for label, kinds, tagged in (
        ("cards and A4", ("card", "card on A4", "A4"), None),
        ("cards", ("card",), None),
        ("cards on A4", ("card on A4",), None),
        ("A4", ("A4",), None),
        ("without a tag", ("card", "card on A4", "A4"), False),
    ):
        group = [s for s in honest if s.kind in kinds and (tagged is None or (s.tag is None))]
        errors = [_error(found[s.path], s.ppi) for s in group]
        given = [error for error in errors if np.isfinite(error)]
        n = len(group)
        figures += [
            Figure(f"{label}: mean error of effective ppi", float(np.mean(given)) if given else
                   None, "lower", n, 0.02),
            Figure(f"{label}: within 2 %", share([e <= WITHIN_RATIO for e in errors]), "higher", n),
            Figure(f"{label}: not assessed", 1 - len(given) / n, "lower", n),
        ]  # fmt: skip
        if label == "cards and A4":
            cases = sorted(zip(errors, group, strict=True), key=lambda item: -item[0])
    worst = [
        f"{s.path.name} (true {s.ppi:.0f}, tag {s.tag}): "
        + ("not assessed" if np.isinf(error) else f"{100 * error:.1f} % off")
        for error, s in cases[:15]
        if error > WITHIN_RATIO
    ]
    return figures, worst


def _error(found: resolution.Resolution | None, ppi: float) -> float:
    return float("inf") if found is None else abs(found.effective_ppi / ppi - 1)
