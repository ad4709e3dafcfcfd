"""Captures that the reading part asks docqa to read: each with the person it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.accuracy.inputs import SEED, Options, first_page
from docqa.page import Page, Polygon
from fixtures.synthesize.captures import Capture
from fixtures.synthesize.card_designs import DESIGNS
from fixtures.synthesize.card_sheets import Arrangement, two_cards
from fixtures.synthesize.documents import civil_extract, id_back, id_front, passport_page
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.people import Person, varied_person
from fixtures.synthesize.photo import photograph
from fixtures.synthesize.scanner import Bed, scan
from fixtures.synthesize.typesetting import FURTHER_FONTS, font

FRONTS = 80
EXTRACTS = 40
SHEETS = 12
BACKS = 40
TURNS_PER_BACK = 4
PASSPORTS = 36
PHOTOS = 36
FONT_FRONTS = 8
"""Fronts in each font that no fixture uses."""
MOST_BARCODE_TURN_DEG = 15.0
MOST_SKEW_DEG = 3.0
CARD_PPIS = (200, 250, 300, 300, 400, 600)
JPEG_QUALITIES = (75, 96)
"""Least, and the one above the most."""

FIRST_SEEDS = {"front": 280000, "extract": 281000, "sheet": 282000, "back": 283000,
               "passport": 284000, "photo": 285000, "font": 286000}  # fmt: skip
"""Added to SEED; no other part uses them. Those from 20000 to 260000 on judged until
somebody had looked at what was wrong there."""
DATES_AND_PLACES = ("birth_date", "birth_place")
NAMES = ("given_name", "family_name", "father_name", "mother_name")


@dataclass(frozen=True, slots=True)
class Sample:
    """A capture and what is printed on it."""

    name: str
    page: Page
    data: bytes
    document_type: str
    owner: Person
    layout: str
    """A design of the card, or what else there is to tell apart."""
    places: dict[str, Polygon] = field(default_factory=dict)
    """Where each claim's value is printed, in page pixels."""
    printed: tuple[str, ...] = ()
    """Claims that the document bears out."""
    beside: tuple[str, ...] = ()
    """Ids of the further document types that lie on the same page."""


def fronts(options: Options) -> Iterator[Sample]:
    """Fronts of every design, scanned at 200 to 600 ppi, up to 3° askew, JPEG 75 and better."""
    for index in range(options.count(FRONTS)):
        yield front(options, FIRST_SEEDS["front"], index)


def front(
    options: Options,
    first: int,
    index: int,
    *,
    ppis: tuple[int, ...] = CARD_PPIS,
    qualities: tuple[int, int] = JPEG_QUALITIES,
) -> Sample:
    """A front of one design after the other."""
    seed = SEED + first + index
    rng = np.random.default_rng(seed)
    owner, design = varied_person(seed), DESIGNS[index % len(DESIGNS)]
    drawing = id_front(owner, seed=seed, design=design)
    capture = _scanned(drawing, seed, rng, ppis=ppis, qualities=qualities)
    return _sample(options, f"front-{seed}", capture, owner, design)


def extracts(options: Options) -> Iterator[Sample]:
    """Civil register extracts, every second one with its dates in words."""
    for index in range(options.count(EXTRACTS)):
        yield extract(options, FIRST_SEEDS["extract"], index)


def extract(options: Options, first: int, index: int) -> Sample:
    """An extract, scanned at 200 to 400 ppi."""
    seed = SEED + first + index
    rng = np.random.default_rng(seed)
    owner, in_words = varied_person(seed), bool(index % 2)
    drawing = civil_extract(owner, seed=seed, dates_in_words=in_words)
    capture = _scanned(drawing, seed, rng, ppis=(200, 300, 400), beds=("page",))
    layout = "extract, dates in words" if in_words else "extract"
    return _sample(options, f"extract-{seed}", capture, owner, layout)


def sheets_of_two(options: Options) -> Iterator[Sample]:
    """A4 sheets with a front and its back, and with the fronts of two people."""
    for index in range(options.count(SHEETS)):
        seed = SEED + FIRST_SEEDS["sheet"] + index
        rng = np.random.default_rng(seed)
        owner, other = varied_person(seed), varied_person(seed + 500)
        front = id_front(owner, seed=seed, design=DESIGNS[index // 2 % len(DESIGNS)])
        arrangement: Arrangement = "beside" if index % 2 else "above"
        second = id_front(other, seed=seed + 500) if index % 2 else id_back(owner, seed=seed)
        drawing = two_cards(front, second, seed=seed, arrangement=arrangement)
        capture = scan(drawing, seed=seed, ppi=int(rng.choice((200, 300))), jpeg_quality=85)
        layout = "two people on A4" if index % 2 else "front and back on A4"
        sample = _sample(options, f"sheet-{seed}", capture, owner, layout)
        yield sample if index % 2 else replace(sample, beside=("sy-id-back",))


def backs(options: Options, *, ppis: tuple[int, ...], first: int) -> Iterator[Sample]:
    """Backs turned by up to 15°; ``ppis`` are taken in turn, ``first`` keeps two runs apart."""
    for index in range(options.count(BACKS)):
        seed = SEED + FIRST_SEEDS["back"] + first + index
        rng = np.random.default_rng(seed)
        owner = varied_person(seed)
        drawing = id_back(owner, seed=seed)
        for turn in range(TURNS_PER_BACK):
            ppi = ppis[turn % len(ppis)]
            capture = _scanned(
                drawing, seed + 7000 * turn, rng, ppis=(ppi,), most_deg=MOST_BARCODE_TURN_DEG
            )
            yield _sample(options, f"back-{seed}-{turn}-{ppi}ppi", capture, owner, f"{ppi} ppi")


def passports(options: Options) -> Iterator[Sample]:
    """Data pages, scanned."""
    for index in range(options.count(PASSPORTS)):
        seed = SEED + FIRST_SEEDS["passport"] + index
        rng = np.random.default_rng(seed)
        owner = varied_person(seed)
        capture = _scanned(passport_page(owner, seed=seed), seed, rng)
        yield _sample(options, f"passport-{seed}", capture, owner, "scan")


def passport_photos(options: Options) -> Iterator[Sample]:
    """Data pages under a camera that is held well."""
    for index in range(options.count(PHOTOS)):
        seed = SEED + FIRST_SEEDS["photo"] + index
        rng = np.random.default_rng(seed)
        owner = varied_person(seed)
        capture = photograph(
            passport_page(owner, seed=seed),
            seed=seed,
            width_px=int(rng.choice((1800, 2400, 3200))),
            tilt_deg=float(rng.uniform(0, 6)),
            skew_deg=float(rng.uniform(-1.5, 1.5)),
            fill=float(rng.uniform(0.8, 0.94)),
            shadow=bool(rng.random() < 0.4),
            blur_sigma_px=float(rng.uniform(0.5, 1.4)),
            jpeg_quality=int(rng.integers(80, 96)),
        )
        yield _sample(options, f"photo-{seed}", capture, owner, "photo")


def unseen_fonts(options: Options) -> Iterator[Sample]:
    """Fronts in fonts that no fixture uses, those that are installed."""
    for number, family in enumerate(FURTHER_FONTS):
        try:
            font(family, 16)
        except RuntimeError:
            continue
        for index in range(options.count(FONT_FRONTS)):
            seed = SEED + FIRST_SEEDS["font"] + 40 * number + index
            rng = np.random.default_rng(seed)
            owner, design = varied_person(seed), DESIGNS[index % len(DESIGNS)]
            drawing = id_front(owner, seed=seed, design=design, font=family)
            capture = _scanned(drawing, seed, rng)
            yield _sample(options, f"font-{family}-{seed}", capture, owner, family)


def _scanned(
    drawing: Drawing,
    seed: int,
    rng: np.random.Generator,
    *,
    ppis: tuple[int, ...] = CARD_PPIS,
    qualities: tuple[int, int] = JPEG_QUALITIES,
    beds: tuple[Bed, ...] = ("page", "page", "white", "black", "a4"),
    most_deg: float = MOST_SKEW_DEG,
) -> Capture:
    ppi = int(rng.choice(ppis))
    bed = beds[int(rng.integers(len(beds)))]
    return scan(
        drawing,
        seed=seed,
        ppi=ppi,
        skew_deg=float(rng.uniform(-most_deg, most_deg)),
        # The whole glass at more than 300 ppi costs seconds and is the same card.
        bed="white" if bed == "a4" and ppi > 300 else bed,
        grey=bool(rng.random() < 0.2),
        whiten=bool(rng.random() < 0.7),
        jpeg_quality=int(rng.integers(*qualities)),
        blur_sigma_px=float(rng.uniform(0.3, 0.7)) * ppi / 300,
        noise=float(rng.uniform(0.5, 1.5)),
    )


def _sample(options: Options, name: str, capture: Capture, owner: Person, layout: str) -> Sample:
    path = options.scratch / f"{name}.jpg"
    path.write_bytes(capture.data)
    truth = capture.truth
    in_barcode = (*NAMES, *DATES_AND_PLACES, "national_number")
    printed = in_barcode if truth.document_type == "sy-id-back" else tuple(truth.fields)
    return Sample(
        name, first_page(capture.data), capture.data, truth.document_type, owner, layout,
        dict(truth.fields), printed,
    )  # fmt: skip
