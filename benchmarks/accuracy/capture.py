"""Scanner or camera: every real file judged by models that have not seen its repository.

Also without the file's metadata, with a scanner's metadata forged onto photographs, on simulated
pairs of a scan and a photograph of one document, and after changes that must not matter.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.accuracy import exported
from benchmarks.accuracy.figures import Figure, Part, share
from benchmarks.accuracy.held_out import ACCEPT, REJECT, Answer, Judged, held_out
from benchmarks.accuracy.inputs import SEED, Options, taken
from benchmarks.accuracy.peers import Peers
from benchmarks.accuracy.placed import photographs_laid, scans_laid
from docqa.page import Page, Pixels, page_from_pixels
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.recapture import app_crop
from fixtures.synthesize.scanner import Bed, scan
from models.capture.examples import corpus_rows, first_page, invented

PAIRS = 60
CHANGED = 24
"""Documents that are re-saved, halved, turned and wrapped."""
CROPS = 80
"""Simulated, of an app that leaves no name in the file."""
BEDDED = 80
"""Cards and passports scanned under a white lid, on a white sheet, or cut out."""
EXPORTED = 60
"""Pages that a program drew and saved as pictures, of each kind."""
BINS = 10
RELIABILITY = Path("benchmarks/results/capture-reliability.svg")


def measure(options: Options, peers: Peers) -> Part:
    """Shares of wrong and unsure answers per class."""
    figures: list[Figure] = []
    worst: list[str] = []
    notes: list[str] = []
    if options.corpus is not None:
        rows = list(corpus_rows(options.corpus))
        judged = list(held_out(rows))
        figures += [*_real(judged), photographs_laid(rows)]
        worst += _worst(judged)
        notes += [f"{name}: {line}" for name, line in _by_repository(judged)]
        answers = [(one.given, one.row.capture == "scanner") for one in judged]
        RELIABILITY.write_text(reliability_svg(answers), encoding="utf-8")
    figures += _pairs(options) + _simulated(options) + _exported(options)
    figures += [*_changed(options), scans_laid(options)]
    return Part("capture", tuple(figures), tuple(worst), tuple(notes))


def _of(judged: Sequence[Judged], capture: str) -> list[Judged]:
    return [one for one in judged if one.row.capture == capture]


def _real(judged: Sequence[Judged]) -> list[Figure]:
    camera, scanner = _of(judged, "camera"), _of(judged, "scanner")
    figures = [
        _share("camera accepted as scanner", camera, lambda j: j.given >= ACCEPT, 0.01),
        _share("scanner rejected as camera", scanner, lambda j: j.given < REJECT, 0.005),
        _share("scanner sent to review", scanner, lambda j: REJECT <= j.given < ACCEPT, 0.05),
    ]
    for kind in ("two levels", "clipped", "hard"):
        some = [one for one in scanner if one.kind == kind]
        figures.append(_share(f"scanner accepted, {kind}", some, lambda j: j.given >= ACCEPT, None))
    for capture, target in (
        ("camera-cropped", 0.10),
        ("screen-recapture", 0.05),
        ("screenshot", 0.05),
        ("born-digital", None),
    ):
        some = _of(judged, capture)
        figures.append(_share(f"{capture} accepted", some, lambda j: j.given >= ACCEPT, target))
    error = calibration_error([(j.given, j.row.capture == "scanner") for j in judged])
    figures += [
        Figure("calibration error (ECE)", error, "lower", len(judged), 0.05),
        _share("no metadata: camera accepted", camera, lambda j: j.stripped >= ACCEPT, 0.02),
        _share("no metadata: scanner rejected", scanner, lambda j: j.stripped < REJECT, None),
        _share("no metadata: camera-cropped accepted", _of(judged, "camera-cropped"),
               lambda j: j.stripped >= ACCEPT, None),
        _share("scanner's metadata on a camera's photo: accepted", camera,
               lambda j: j.forged.probability >= ACCEPT, 0.0),
        _share("the same by all measures together: accepted", camera,
               lambda j: j.forged.is_accepted, 0.0),
    ]  # fmt: skip
    whitened = [copy for one in camera for copy in one.whitened]
    figures += _copies("photo whitened as an app would, no name in the file", whitened)
    cut = [one.cut_out for one in camera if one.cut_out is not None]
    figures += _copies("photo cut out by its corners and whitened, no name in the file", cut)
    return figures


def _copies(name: str, copies: Sequence[Answer]) -> list[Figure]:
    by_capture = share([copy.probability >= ACCEPT for copy in copies])
    by_all = share([copy.is_accepted for copy in copies])
    return [
        Figure(f"{name}: accepted", by_capture, "lower", len(copies)),
        Figure(f"{name}, by all measures together: accepted", by_all, "lower", len(copies)),
    ]


def _share(
    name: str, judged: Sequence[Judged], is_so: Callable[[Judged], bool], target: float | None
) -> Figure:
    better = "higher" if target is None and "accepted, " in name else "lower"
    value = share([is_so(one) for one in judged])
    return Figure(name, value, "higher" if better == "higher" else "lower", len(judged), target)


def _bins(answers: Sequence[tuple[float, bool]]) -> list[tuple[int, float, float]]:
    """Per bin of the claimed probability that holds answers: count, mean claimed, true share."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for claimed, is_scan in answers:
        bins[min(int(claimed * BINS), BINS - 1)].append((claimed, is_scan))
    return [
        (len(one), float(np.mean([p for p, _ in one])), float(np.mean([t for _, t in one])))
        for one in bins
        if one
    ]


def calibration_error(answers: Sequence[tuple[float, bool]]) -> float | None:
    """Expected calibration error: mean over ten bins of |claimed - true share|, by bin size."""
    if not answers:
        return None
    return sum(n * abs(claimed - true) for n, claimed, true in _bins(answers)) / len(answers)


def reliability_svg(answers: Sequence[tuple[float, bool]]) -> str:
    """Claimed probability against the true share of scans; a circle's area is its bin's count."""
    side, edge = 320, 44

    def at(x: float, y: float) -> tuple[float, float]:
        return edge + x * side, edge + (1 - y) * side

    circles = []
    for n, claimed, true in _bins(answers):
        x, y = at(claimed, true)
        radius = 3 + 14 * (n / len(answers)) ** 0.5
        circles.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="#1a73b8" fill-opacity=".7">'
            f"<title>{n} files: claimed {claimed:.2f}, true {true:.2f}</title></circle>"
        )
    marks = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x, y = at(tick, tick)
        marks += [
            f'<text x="{x:.0f}" y="{edge + side + 18}" text-anchor="middle">{tick:g}</text>',
            f'<text x="{edge - 8}" y="{y + 4:.0f}" text-anchor="end">{tick:g}</text>',
        ]
    whole, middle = side + 2 * edge, edge + side / 2
    body = [
        f'<rect x="{edge}" y="{edge}" width="{side}" height="{side}" fill="#fff" stroke="#888"/>',
        f'<path d="M{edge} {edge + side}l{side} -{side}" stroke="#888" stroke-dasharray="4"/>',
        *circles,
        *marks,
        f'<text x="{middle}" y="{whole - 6}" text-anchor="middle">claimed probability</text>',
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">'
        "true share of scans</text>",
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}" '
        'font-family="sans-serif" font-size="12">' + "".join(body) + "</svg>\n"
    )


def _by_repository(judged: Sequence[Judged]) -> Iterator[tuple[str, str]]:
    for capture in sorted({one.row.capture for one in judged}):
        some = _of(judged, capture)
        cells = []
        for repository in sorted({one.row.repository for one in some}):
            given = [one.given for one in some if one.row.repository == repository]
            counts = (
                sum(p >= ACCEPT for p in given),
                sum(REJECT <= p < ACCEPT for p in given),
                sum(p < REJECT for p in given),
            )
            cells.append(f"{repository} {counts[0]}/{counts[1]}/{counts[2]}")
        yield f"{capture}, accept/review/reject per repository", "; ".join(cells)


def _worst(judged: Sequence[Judged]) -> Iterator[str]:
    for one in judged:
        is_scan = one.row.capture == "scanner"
        if (is_scan and one.given < ACCEPT) or (not is_scan and one.given >= ACCEPT):
            yield f"{one.row.capture} {one.given:.2f} ({one.kind}): {one.row.path.name}"


def _pairs(options: Options) -> list[Figure]:
    """One document through the scanner and through the camera."""
    opposite, n = [], options.count(PAIRS)
    for index in range(n):
        seed = SEED + 300 + index
        drawing = invented(seed)
        pair = (_scanned(drawing, seed), photograph(drawing, seed=seed).data)
        a, b = (taken("capture")(first_page(data)).scanner_probability for data in pair)
        opposite.append(a >= ACCEPT and b < REJECT)
    return [Figure("same document, scan and photo: opposite", share(opposite), "higher", n, 0.99)]


def _scanned(drawing: Drawing, seed: int) -> bytes:
    """As people scan: at 300 ppi, and never quite straight."""
    skew_deg = float(np.random.default_rng(seed).normal(0, 0.7))
    return scan(drawing, seed=seed, ppi=300, skew_deg=skew_deg).data


def _simulated(options: Options) -> list[Figure]:
    """Crops of an app that names itself nowhere, and cards on a scanner's bed."""
    rng = np.random.default_rng(SEED)
    crops, cards = options.count(CROPS), options.count(BEDDED)
    crop_passes, card_passes = [], []
    for seed in range(SEED + 600, SEED + 600 + crops):
        width_px, quality = int(rng.integers(1000, 2300)), int(rng.integers(65, 95))
        data = app_crop(
            invented(seed), seed=seed, grey=seed % 2 == 0, width_px=width_px, jpeg_quality=quality
        ).data
        crop_passes.append(_decision(first_page(data)) == "accept")
    for seed in range(SEED + 700, SEED + 700 + cards):
        drawing = invented(6 * seed + 3 + seed % 3)
        bed: Bed = ("white", "a4", "page")[seed // 3 % 3]
        ppi, whiten = (200, 300, 400, 600)[seed % 4], bool(rng.random() < 0.6)
        skew_deg = float(rng.normal(0, 1))
        capture = scan(drawing, seed=seed, ppi=ppi, bed=bed, whiten=whiten, skew_deg=skew_deg)
        card_passes.append(_decision(first_page(capture.data)) == "accept")
    return [
        Figure("simulated app crop without a name: accepted", share(crop_passes), "lower", crops),
        Figure("simulated scan of a card: accepted", share(card_passes), "higher", cards),
    ]


def _exported(options: Options) -> list[Figure]:
    count = options.count(EXPORTED)
    return [
        Figure(
            f"page drawn {how}: accepted",
            share([_decision(first_page(data)) == "accept" for data in pages]),
            "lower",
            count,
        )
        for how, pages in (
            ("by PDFium, saved as JPEG", exported.by_pdfium(count)),
            ("and shrunk, saved as JPEG", exported.shrunk(count)),
            ("in two levels, saved as TIFF", exported.in_two_levels(count, "TIFF")),
            ("in two levels, saved as PNG", exported.in_two_levels(count, "PNG")),
        )
    ]


def _changed(options: Options) -> list[Figure]:
    """The decision survives what does not change how the page was captured."""
    kept: dict[str, list[bool]] = {}
    for index in range(options.count(CHANGED)):
        seed = SEED + 500 + index
        drawing = invented(seed)
        data = photograph(drawing, seed=seed).data if index % 2 else _scanned(drawing, seed)
        before = _decision(first_page(data))
        for name, changed in _changes(data):
            kept.setdefault(name, []).append(_decision(changed) == before)
    return [
        Figure(f"decision kept when {name}", share(flags), "higher", len(flags), 0.99)
        for name, flags in kept.items()
    ]


def _changes(data: bytes) -> Iterator[tuple[str, Page]]:
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
        yield "saved again at JPEG 75", first_page(_saved(picture, "JPEG", quality=75))
        half = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
        yield "halved", first_page(_saved(half, "JPEG", quality=90))
        yield "wrapped in a PDF", first_page(_saved(picture, "PDF", resolution=200.0, quality=92))
        pixels: Pixels = np.asarray(picture)
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 1.0, 1.0)
    turned = cv2.warpAffine(
        pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    yield "turned by 1 degree", page_from_pixels(np.asarray(turned, np.uint8))


def _saved(picture: Image.Image, format_name: str, **how: float) -> bytes:
    out = io.BytesIO()
    picture.save(out, format_name, **how)
    return out.getvalue()


def _decision(page: Page) -> str:
    probability = taken("capture")(page).scanner_probability
    return "accept" if probability >= ACCEPT else "reject" if probability < REJECT else "review"
