from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
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
from fixtures.synthesize.cards import id_front
from fixtures.synthesize.pages import letter
from fixtures.synthesize.people import person
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


@pytest.mark.parametrize("corner", [(40, 40), (500, 900), (700, 1400)])
@pytest.mark.parametrize("lid", [120, 150, 186, 205])
def test_a_card_under_a_grey_lid_is_not_told_to_be_a_cameras_by_its_light(
    lid: int, corner: tuple[int, int]
) -> None:
    card = id_front(person(3), seed=3, ppi=150).pixels
    glass = np.full((1754, 1240, 3), lid, np.int16)
    left, top = corner
    glass[top : top + card.shape[0], left : left + card.shape[1]] = card
    noise = np.random.default_rng(lid).normal(0, 1.2, glass.shape)
    page = page_from_pixels(np.clip(glass + noise, 0, 255).astype(np.uint8))
    assert even_light(page, model()) >= 0.5
    assert page.derive(paper).gradient_levels == 0.0


@pytest.mark.parametrize("fall_levels", [30, 60])
def test_a_grey_desk_in_slanting_light_is_no_lid(fall_levels: int) -> None:
    sheet = np.full((1754, 1240, 3), 150.0)
    sheet[300:1400, 250:1000] = 235
    sheet += np.linspace(0, fall_levels, 1754)[:, None, None] - fall_levels
    sheet[..., 2] -= 12
    page = page_from_pixels(np.clip(sheet, 0, 255).astype(np.uint8))
    assert even_light(page, model()) == by_model(page) < 0.5
