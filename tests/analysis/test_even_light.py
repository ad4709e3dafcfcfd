from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from docqa.analysis.capture_features import light_features
from docqa.analysis.even_light import even_light
from docqa.analysis.logistic import Logistic
from docqa.analysis.paper import paper
from docqa.analysis.paper_colour import is_colourless
from docqa.intake import Limits, open_document
from docqa.measures.capture import MODEL, load
from docqa.page import Page, Pixels, page_from_pixels
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.pages import letter
from fixtures.synthesize.scanner import scan


@cache
def model() -> Logistic:
    return load((Path(__file__).parents[2] / "models" / MODEL).read_bytes()).light


@cache
def photographed(seed: int) -> Pixels:
    """(H, W, 3)"""
    drawing = letter(script="latin", seed=seed, ppi=100)
    data = photograph(drawing, seed=seed, width_px=900).data
    raster = next(iter(open_document(data, limits=Limits(), renderer=None).pages)).raster()
    assert raster.colour is not None
    return raster.colour


def grey_of(pixels: Pixels) -> Page:
    return page_from_pixels(page_from_pixels(pixels).luma().copy())


def by_model(page: Page) -> float:
    return model().probability(light_features(page.derive(paper)))


@pytest.mark.parametrize("seed", range(3))
def test_uneven_light_counts_half_on_a_page_without_colour(seed: int) -> None:
    """A copier's copies are grey and may be lit unevenly: they are no proof of a camera."""
    page = grey_of(photographed(seed))
    assert by_model(page) < even_light(page, model()) < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_colour_leaves_the_light_its_weight(seed: int) -> None:
    page = page_from_pixels(photographed(seed))
    assert even_light(page, model()) == by_model(page)
    assert not is_colourless(page)


def test_a_lack_of_colour_never_speaks_for_a_scanner() -> None:
    drawing = letter(script="latin", seed=5, ppi=150)
    data = scan(drawing, seed=5, ppi=150, grey=True).data
    page = next(iter(open_document(data, limits=Limits(), renderer=None).pages))
    assert is_colourless(page)
    assert even_light(page, model()) == by_model(page) > 0.8
