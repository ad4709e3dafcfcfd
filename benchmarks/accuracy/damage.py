"""Faint writing, JPEG and second saves, thresholds, lost colour: against what was put in."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, cast

import cv2
import numpy as np
from PIL import Image

from benchmarks.accuracy.clean_scans import is_clean
from benchmarks.accuracy.figures import Figure, Part, area_under_curve, rank_correlation, share
from benchmarks.accuracy.inputs import (
    SEED,
    Options,
    first_page,
    noisy,
    readable_pages,
    scanner_files,
    spread,
    taken,
)
from benchmarks.accuracy.peers import Peers
from docqa.analysis.block_grid import block_grid
from docqa.errors import CannotAssess
from docqa.page import Page, Pixels, page_from_pixels
from docqa.settings import Settings
from docqa.wiring import load_engine
from fixtures.synthesize.documents import (
    Drawing,
    civil_extract,
    id_back,
    id_front,
    letter,
    passport_page,
)
from fixtures.synthesize.people import person
from fixtures.synthesize.photo import photograph
from fixtures.synthesize.recapture import app_crop
from fixtures.synthesize.scanner import scan

PAGES = 16
CARDS = 24
REAL_SCANS = 16
CLEAN_SCANS = 130
PER_SOURCE = 60
CONTRASTS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 0.9)
FAINT_PARTS = (0.12, 0.2, 0.3)
QUALITIES = (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 95)
POOR_QUALITY = 20
SHIFT_PX = (5, 3)
"""Columns and rows cut off before the second save."""
LATER_QUALITIES = (85, 90, 95)
THRESHOLDS = ((11, 2), (11, 5), (21, 5), (15, 4))
"""Side and offset of the adaptive threshold."""
LEAST_COLOUR_FRACTION = 0.012


def measure(options: Options, peers: Peers) -> Part:
    """All four kinds of damage."""
    parts = [_contrast(options), _jpeg(options), _thresholds(options), _colour(options)]
    figures = [figure for found, _ in parts for figure in found]
    return Part("damage", tuple(figures), tuple(line for _, lines in parts for line in lines))


def _value(measure: str, output: str, page: Page) -> float | None:
    try:
        return float(getattr(taken(measure)(page), output))
    except CannotAssess:
        return None


def _text_page(seed: int) -> Drawing:
    kind = seed % 3
    if kind == 2:
        return civil_extract(person(seed), seed=seed)
    return letter(script="arabic" if kind else "latin", seed=seed)


def _card(seed: int) -> Drawing:
    draw = (id_front, id_back, passport_page)[seed % 3]
    return draw(person(seed), seed=seed)


def _saved(pixels: Pixels, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def _opened(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data)), np.uint8)


def _grey_scan(drawing: Drawing, seed: int, ppi: int, **more: Any) -> Pixels:
    made = scan(drawing, seed=seed, ppi=ppi, grey=True, format="png", **more)
    return cast("Pixels", cv2.cvtColor(made.pixels, cv2.COLOR_RGB2GRAY))


# ---- contrast -----------------------------------------------------------------------------------


def _contrast(options: Options) -> tuple[list[Figure], list[str]]:
    truth: list[float] = []
    found: list[float] = []
    peer: list[float] = []
    errors: list[float] = []
    faint_truth: list[float] = []
    faint_found: list[float] = []
    for index in range(options.count(PAGES)):
        seed = SEED + 3000 + index
        rng = np.random.default_rng(seed)
        ppi = int(rng.choice((150, 200, 300)))
        drawn = _grey_scan(_text_page(seed), seed, ppi, noise=0.0)
        paper, sigma = float(rng.uniform(170, 250)), float(rng.uniform(0.5, 4))
        for contrast in CONTRASTS:
            page = _stored(_faded(drawn, contrast, paper), sigma, rng)
            value = _value("contrast", "text_contrast_fraction", page)
            truth.append(contrast)
            found.append(value or 0.0)
            peer.append(_whole_page_contrast(page.luma()))
            if value is not None:
                errors.append(abs(value - contrast))
        for contrast in FAINT_PARTS:
            mixed, faint = _faded(drawn, 0.9, paper), _faded(drawn, contrast, paper)
            rows = slice(len(mixed) // 4, len(mixed) // 2)
            mixed[rows] = faint[rows]
            page = _stored(mixed, min(sigma, 2.0), rng)
            faint_truth.append(contrast)
            faint_found.append(_value("contrast", "worst_text_contrast_fraction", page) or 0.0)
    good, lines = _policy_passes(options, "contrast")
    caught = [f <= t + 0.1 for f, t in zip(faint_found, faint_truth, strict=True)]
    return [
        Figure("contrast: SROCC to the true contrast", rank_correlation(found, truth), "higher",
               len(truth), 0.95, {"Otsu of the whole page": rank_correlation(peer, truth)}),
        Figure("contrast: mean error", float(np.mean(errors)), "lower", len(errors)),
        Figure("contrast: a quarter of the page is faint, found", share(caught), "higher",
               len(caught)),
        *good,
    ], lines  # fmt: skip


def _whole_page_contrast(luma: Pixels) -> float:
    """(paper - ink) / paper of the two classes that Otsu's threshold makes of all pixels."""
    threshold, _ = cv2.threshold(luma, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright = luma > threshold
    if bright.all() or not bright.any():
        return 0.0
    return 1 - float(luma[~bright].mean()) / float(luma[bright].mean())


def _faded(drawn: Pixels, contrast: float, paper_level: float) -> Pixels:
    darkness = 255 - drawn.astype(np.float32)
    darkness = np.minimum(darkness / np.percentile(darkness[darkness > 128], 95), 1)
    return np.asarray(np.round(paper_level * (1 - contrast * darkness)), np.uint8)


def _stored(pixels: Pixels, sigma: float, rng: np.random.Generator) -> Page:
    return first_page(_saved(noisy(pixels, sigma, rng), int(rng.integers(60, 96))))


def _policy_passes(options: Options, measure: str) -> tuple[list[Figure], list[str]]:
    """Share of the corpus' clean scans with 70 or more, where the policy names the measure."""
    rules = [rule for rule in load_engine(Settings()).policy.rules if rule.measure == measure]
    files = [file for file in scanner_files(options.corpus) if is_clean(file)]
    passed, lines = [], []
    for file, page in readable_pages(spread(files, options.count(CLEAN_SCANS), PER_SOURCE)):
        values = [(rule, _value(measure, rule.output, page)) for rule in rules]
        scores = [rule.score(value) for rule, value in values if value is not None]
        if scores:
            passed.append(min(scores) >= 70)
            if not passed[-1]:
                lines.append(f"{measure} {min(scores)}: {file.path.name}")
    name = f"{measure}: clean real scans, score 70 or more"
    return ([Figure(name, share(passed), "higher", len(passed), 0.98)] if passed else []), lines


# ---- JPEG ---------------------------------------------------------------------------------------


def _jpeg(options: Options) -> tuple[list[Figure], list[str]]:
    figures: list[Figure] = []
    lines: list[str] = []
    for name, sources in (("synthesized", _drawn(options)), ("real scans", _real(options))):
        found = [_ladder(name, pixels, label, lines) for label, pixels in sources]
        if found:
            figures += _jpeg_figures(name, found)
    passes, more = _policy_passes(options, "compression")
    return figures + passes, (lines[:10] + more)


def _drawn(options: Options) -> Iterator[tuple[str, Pixels]]:
    for index in range(options.count(PAGES)):
        seed = SEED + 3200 + index
        rng = np.random.default_rng(seed)
        drawing = _text_page(seed) if index % 2 else _card(seed)
        made = scan(drawing, seed=seed, ppi=int(rng.choice((150, 200, 300))), format="png",
                    whiten=bool(rng.random() < 0.5))  # fmt: skip
        yield f"seed {seed}", made.pixels


def _real(options: Options) -> Iterator[tuple[str, Pixels]]:
    """Scans at half their size, where blocks of an earlier save lie no more on a grid of 8."""
    files = [file for file in scanner_files(options.corpus) if is_clean(file)]
    for file, page in readable_pages(spread(files, options.count(REAL_SCANS), PER_SOURCE // 6)):
        shades = page.origin.colour_mode != "bilevel"
        if shades and min(page.width_px, page.height_px) >= 1600:
            yield file.path.name, np.array(page.luma(2))


def _ladder(name: str, pixels: Pixels, label: str, lines: list[str]) -> list[dict[str, float]]:
    """One page at every quality, and each of them cut and saved once more."""
    rows: list[dict[str, float]] = []
    for number, quality in enumerate(QUALITIES):
        first = _saved(pixels, quality)
        page = first_page(first)
        blocking = _value("compression", "blocking_ratio", page)
        if blocking is None:
            continue
        cut = np.ascontiguousarray(_opened(first)[SHIFT_PX[1] :, SHIFT_PX[0] :])
        unsaved = page_from_pixels(cut)
        grid = unsaved.derive(block_grid)
        again = first_page(_saved(cut, LATER_QUALITIES[number % len(LATER_QUALITIES)]))
        expected = tuple(-shift % 8 for shift in SHIFT_PX)
        row = {
            "quality": float(quality),
            "blocking": blocking,
            "once": float(_value("compression", "is_resaved", page) or 0.0),
            "twice": float(_value("compression", "is_resaved", again) or 0.0),
            "grid": float(grid is not None and (grid.left_px, grid.top_px) == expected),
            "blind": _value("compression", "jpeg_quality", unsaved) or 0.0,
        }
        if row["once"]:
            lines.append(f"{name} {label}: one save at {quality} is called two")
        rows.append(row)
    return rows


def _jpeg_figures(name: str, ladders: list[list[dict[str, float]]]) -> list[Figure]:
    rows = [row for ladder in ladders for row in ladder]
    loss = [-row["quality"] for row in rows]
    blocking = [row["blocking"] for row in rows]
    poor = [row["quality"] <= POOR_QUALITY for row in rows]
    each = [
        value
        for ladder in ladders
        if (value := rank_correlation([r["blocking"] for r in ladder],
                                      [-r["quality"] for r in ladder])) is not None
    ]  # fmt: skip
    visible = [row for row in rows if row["quality"] <= 70]
    named = [row for row in visible if row["blind"] < 100]
    off = [abs(row["blind"] - row["quality"]) for row in named]
    n, worse = len(rows), [bool(row["twice"]) for row in visible]
    return [
        Figure(f"blocks, {name}: SROCC to the loss, all pages", rank_correlation(blocking, loss),
               "higher", n),
        Figure(f"blocks, {name}: SROCC, mean of pages", float(np.mean(each)), "higher", len(each),
               0.9),
        Figure(f"blocks, {name}: AUC of quality 20 or less", area_under_curve(blocking, poor),
               "higher", n, 0.95),
        Figure(f"blocks, {name}: grid found after a cut, quality 70 or less",
               share([bool(row["grid"]) for row in visible]), "higher", len(visible)),
        Figure(f"quality, {name}: named from pixels alone", len(named) / max(len(visible), 1),
               "higher", len(visible)),
        Figure(f"quality, {name}: named within 2", share([x <= 2 for x in off]), "higher",
               len(off)),
        Figure(f"second save, {name}: found (cut; first at 70 or less)", share(worse), "higher",
               len(worse)),
        Figure(f"second save, {name}: false alarms", share([bool(r["once"]) for r in rows]),
               "lower", n, 0.01),
    ]  # fmt: skip


# ---- thresholds ---------------------------------------------------------------------------------


def _thresholds(options: Options) -> tuple[list[Figure], list[str]]:
    damaged, clean = [], []
    for index in range(options.count(PAGES)):
        seed = SEED + 3400 + index
        drawing = _text_page(seed) if index % 2 else _card(seed)
        photo = photograph(drawing, seed=seed, width_px=(1600, 2000, 2800)[index % 3])
        cropped = app_crop(photo, seed=seed, whiten=False, grey=True, width_px=1600).pixels
        grey = cast("Pixels", cv2.cvtColor(cropped, cv2.COLOR_RGB2GRAY))
        side, offset = THRESHOLDS[index % len(THRESHOLDS)]
        cut = cv2.adaptiveThreshold(
            grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, side, offset
        )
        damaged.append(first_page(_saved(cast("Pixels", cut), 80)))
        plain = _grey_scan(drawing, seed, 200 + 100 * (index % 2), bilevel=True)
        clean.append(first_page(_saved(plain, 80)))
    real = [
        page
        for file, page in readable_pages(scanner_files(options.corpus))
        if page.origin.colour_mode == "bilevel" and is_clean(file)
    ]
    specks = [_value("compression", "speckle_fraction", page) or 0.0 for page in damaged]
    figures = []
    for name, pages in (("synthesized", clean), ("real", real)):
        if pages:
            none = [_value("compression", "speckle_fraction", page) or 0.0 for page in pages]
            curve = area_under_curve(specks + none, [True] * len(specks) + [False] * len(none))
            figures.append(Figure(f"specks: AUC, thresholded photos against {name} clean scans",
                                  curve, "higher", len(specks) + len(none), 0.95))  # fmt: skip
    two = [_value("compression", "bilevel_fraction", page) or 0.0 for page in damaged + clean]
    figures.append(Figure("two levels: black and white pages known as such, JPEG 80",
                          share([x > 0.9 for x in two]), "higher", len(two)))  # fmt: skip
    return figures, []


# ---- colour -------------------------------------------------------------------------------------


def _colour(options: Options) -> tuple[list[Figure], list[str]]:
    coloured, grey = [], []
    for index in range(options.count(CARDS)):
        seed = SEED + 3600 + index
        rng = np.random.default_rng(seed)
        made = scan(_card(seed), seed=seed, ppi=(150, 200, 300)[index % 3], format="png",
                    bed=("page", "a4", "white")[index // 3 % 3])  # fmt: skip
        plain = cv2.cvtColor(made.pixels, cv2.COLOR_RGB2GRAY)
        copy = cast("Pixels", cv2.cvtColor(plain, cv2.COLOR_GRAY2RGB))
        lamp = np.array(((1, 0.9, 0.72), (0.85, 0.95, 1), (1, 1, 1))[index % 3], np.float32)
        lit = noisy((copy * lamp).astype(np.uint8), float(rng.uniform(1, 8)), rng)
        quality = int(rng.integers(40, 95))
        coloured.append(_value("colour", "area_fraction",
                               first_page(_saved(made.pixels, quality))) or 0.0)  # fmt: skip
        grey.append(_value("colour", "area_fraction", first_page(_saved(lit, quality))) or 0.0)
    n = len(grey)
    curve = area_under_curve(coloured + grey, [True] * n + [False] * n)
    return [
        Figure("colour: AUC, coloured cards against grey copies under a lamp", curve, "higher",
               2 * n, 0.98),
        Figure("colour: grey copies that read as coloured",
               share([x > LEAST_COLOUR_FRACTION for x in grey]), "lower", n, 0.01),
        Figure("colour: coloured cards that read as grey",
               share([x <= LEAST_COLOUR_FRACTION for x in coloured]), "lower", n, 0.02),
    ], [f"colour: coloured card reads {x:.3f}" for x in sorted(coloured)[:3]]  # fmt: skip
