"""Pages that a program drew and saved as pictures, as a viewer or a converter does."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from typing import Literal

import cv2
import numpy as np
import pypdfium2 as pdfium
from PIL import Image

from benchmarks.accuracy.inputs import SEED
from docqa.page import Pixels
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.pages import civil_extract, letter
from fixtures.synthesize.pdf import POINTS_PER_INCH, born_digital_pdf
from fixtures.synthesize.people import person

FINE_PPI = 300


def shrunk(count: int) -> Iterator[bytes]:
    """JPEG files of 150 to 300 ppi, whose letters stand anywhere between pixels."""
    rng = np.random.default_rng(SEED + 800)
    for seed in range(SEED + 800, SEED + 800 + count):
        ppi, quality = int(rng.integers(150, FINE_PPI + 1)), int(rng.integers(75, 96))
        file = io.BytesIO()
        Image.fromarray(_drawn(seed, ppi)).save(file, "JPEG", dpi=(ppi, ppi), quality=quality)
        yield file.getvalue()


def by_pdfium(count: int) -> Iterator[bytes]:
    """JPEG files of 150 to 300 ppi as browsers and converters make them of a PDF's Latin text."""
    rng = np.random.default_rng(SEED + 850)
    for seed in range(SEED + 850, SEED + 850 + count):
        ppi, quality = int(rng.choice([150, 200, 300])), int(rng.integers(75, 96))
        words = " ".join(letter(script="latin", seed=seed, ppi=50).text_lines).split()
        document = pdfium.PdfDocument(born_digital_pdf(textwrap.wrap(" ".join(words * 2), 78)[:40]))
        picture = document[0].render(scale=ppi / POINTS_PER_INCH).to_pil().convert("RGB")
        document.close()
        file = io.BytesIO()
        picture.save(file, "JPEG", dpi=(ppi, ppi), quality=quality)
        yield file.getvalue()


def in_two_levels(count: int, file_format: Literal["TIFF", "PNG"]) -> Iterator[bytes]:
    """Files of 150 to 300 ppi, as fax software and converters write them."""
    rng = np.random.default_rng(SEED + 900)
    for seed in range(SEED + 900, SEED + 900 + count):
        ppi = int(rng.choice([150, 200, 300]))
        black = (_page(seed, ppi).pixels.mean(axis=2) >= 128).astype(np.uint8) * 255
        file = io.BytesIO()
        picture = Image.fromarray(black).convert("1", dither=Image.Dither.NONE)
        how = {"compression": "group4"} if file_format == "TIFF" else {}
        picture.save(file, file_format, dpi=(ppi, ppi), **how)
        yield file.getvalue()


def _page(seed: int, ppi: int) -> Drawing:
    """A letter in either script or an extract, by turns."""
    if seed % 3 == 0:
        return civil_extract(person(seed), seed=seed, ppi=ppi)
    return letter(script="arabic" if seed % 3 == 1 else "latin", seed=seed, ppi=ppi)


def _drawn(seed: int, ppi: int) -> Pixels:
    fine = _page(seed, FINE_PPI).pixels
    size = (round(fine.shape[1] * ppi / FINE_PPI), round(fine.shape[0] * ppi / FINE_PPI))
    return np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.uint8)
