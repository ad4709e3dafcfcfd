"""Pictures laid on an empty white page of their own, as apps' modes for cards and any editor do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image

from benchmarks.accuracy.figures import Figure, share
from benchmarks.accuracy.held_out import ACCEPT
from benchmarks.accuracy.inputs import SEED, Options, taken
from docqa.errors import DocqaError
from docqa.page import Page, page_from_pixels
from fixtures.synthesize.cards import id_back, id_front
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan
from models.capture.examples import Row, first_page

PAGE_PX = (2480, 3508)
MOST_PX = (1240, 1900)
CARDS = 36


def on_empty_page(page: Page) -> Page:
    """The picture on a white A4 page at 300 pixels per inch, half as wide."""
    raster = page.raster()
    pixels = raster.luma if raster.colour is None else raster.colour
    picture = Image.fromarray(pixels).convert("RGB")
    shrunk = min(most / side for most, side in zip(MOST_PX, picture.size, strict=True))
    size = [max(1, round(side * shrunk)) for side in picture.size]
    sheet = Image.new("RGB", PAGE_PX, "white")
    sheet.paste(picture.resize((size[0], size[1]), Image.Resampling.LANCZOS), (620, 500))
    return page_from_pixels(np.asarray(sheet))


def photographs_laid(rows: Iterable[Row]) -> Figure:
    """Of the corpus' photographs, by the model that ships."""
    passes = []
    for row in rows:
        if row.capture == "camera":
            try:
                passes.append(_passes(on_empty_page(first_page(row.path.read_bytes()))))
            except DocqaError:
                continue
    name = "photograph laid on an empty white page: accepted"
    return Figure(name, share(passes), "lower", len(passes))


def scans_laid(options: Options) -> Figure:
    """Of simulated scans of cards."""
    passes = []
    for index in range(options.count(CARDS)):
        seed = SEED + 900 + index
        drawing = (id_front, id_back)[index % 2](person(seed), seed=seed, ppi=400)
        data = scan(drawing, seed=seed, ppi=(200, 300, 400)[index % 3]).data
        passes.append(_passes(on_empty_page(first_page(data))))
    name = "simulated scan of a card laid on an empty white page: accepted"
    return Figure(name, share(passes), "higher", len(passes))


def _passes(page: Page) -> bool:
    return bool(taken("capture")(page).scanner_probability >= ACCEPT)
