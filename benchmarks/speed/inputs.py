"""What is timed: synthesized, so that everyone times the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from fixtures.synthesize.camera import photograph
from fixtures.synthesize.documents import civil_extract, id_front, letter
from fixtures.synthesize.pdf import to_pdf
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

SEED = 7000
QUALITY = 85
A4_RATIO = 297 / 210


@dataclass(frozen=True, slots=True)
class Input:
    """A file to time."""

    data: bytes
    picture: bytes
    """The JPEG to decode beside it: the file's own, or the page's in a PDF."""
    target_ratio: float
    """What the report may cost, in decodings."""


@cache
def a4_colour() -> bytes:
    """A civil register extract at 300 ppi."""
    drawing = civil_extract(person(SEED), seed=SEED)
    return scan(drawing, seed=SEED, ppi=300, jpeg_quality=QUALITY).data


def a4_colour_halved() -> bytes:
    """The same with colour at half the size (4:2:0), as four in five real scans store it."""
    pixels = cv2.imdecode(np.frombuffer(a4_colour(), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def a4_gray() -> bytes:
    """A letter in Arabic at 300 ppi."""
    drawing = letter(script="arabic", seed=SEED)
    return scan(drawing, seed=SEED, ppi=300, grey=True, jpeg_quality=QUALITY).data


def card() -> bytes:
    """An identity card at 300 ppi."""
    return scan(id_front(person(SEED), seed=SEED), seed=SEED, ppi=300, jpeg_quality=QUALITY).data


def photo(megapixels: float) -> bytes:
    """A page photographed by hand, of that size."""
    drawing = civil_extract(person(SEED), seed=SEED)
    width = round((megapixels * 1e6 / (4 / 3)) ** 0.5)
    return photograph(drawing, seed=SEED, width_px=width, jpeg_quality=QUALITY).data


def resized(picture: bytes, megapixels: float) -> bytes:
    """The same picture with another number of pixels."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    factor = (megapixels * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5
    scaled = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    return cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def _plain(data: bytes, target: float) -> Input:
    return Input(data, data, target)


MAKERS: Mapping[str, Callable[[], Input]] = {
    "A4 colour scan, 300 ppi": lambda: _plain(a4_colour(), 0.95),
    "A4 colour scan, 300 ppi, 4:2:0": lambda: _plain(a4_colour_halved(), 0.95),
    "A4 gray scan, 300 ppi": lambda: _plain(a4_gray(), 1.05),
    "photograph, 12 MP": lambda: _plain(photo(12), 0.90),
    "photograph, 48 MP": lambda: _plain(photo(48), 0.85),
    "ID-1 card, 300 ppi": lambda: _plain(card(), 3.0),
    "scanned PDF page, 300 ppi": lambda: Input(to_pdf([a4_colour()], ppi=300), a4_colour(), 1.20),
}


def of_corpus(corpus: Path | None, count: int) -> dict[str, Input]:
    """The first JPEG scans of a corpus, if there is one."""
    if corpus is None:
        return {}
    found = sorted((corpus / "images").glob("*.jpg"))[:count]
    return {f"corpus file {number}": _plain(path.read_bytes(), 1.0) for number, path in
            enumerate(found, 1)}  # fmt: skip
