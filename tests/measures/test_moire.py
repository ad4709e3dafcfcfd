from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.measures.moire import Moire, measure
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.camera import photograph_screen
from fixtures.synthesize.card_designs import Design
from fixtures.synthesize.cards import id_front
from fixtures.synthesize.pages import civil_extract, letter
from fixtures.synthesize.passport import passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

NONE = Moire(0.0, 0.0, ())


def of(pixels: Pixels) -> Moire:
    return measure(page_from_pixels(pixels))


def with_grid(page: Pixels, period_px: float, depth_levels: float) -> Pixels:
    """Columns brighter and darker, as a display's stripes are."""
    wave = depth_levels * np.cos(2 * np.pi * np.arange(page.shape[1]) / period_px)
    return np.asarray(np.clip(page * 0.8 + wave[None, :], 0, 255), np.uint8)


def grey_letter() -> Pixels:
    drawn = letter(script="latin", seed=6, ppi=150).pixels
    return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.mark.parametrize("seed", [1, 2])
def test_photograph_of_a_screen_repeats(seed: int) -> None:
    found = of(photograph_screen(id_front(person(seed), seed=seed), seed=seed).pixels)
    assert found.strength_ratio > 0
    assert 0 < found.area_fraction <= 1
    assert {region.kind for region in found.regions} == {"moire"}


@pytest.mark.parametrize("level", [0, 200, 255])
def test_even_page_has_none(level: int) -> None:
    assert of(np.full((900, 700), level, np.uint8)) == NONE


def test_writing_and_rules_are_no_grid() -> None:
    paper = np.asarray(grey_letter() * 0.8, np.uint8)
    assert of(paper) == NONE
    assert of(civil_extract(person(3), seed=3, ppi=150).pixels) == NONE


@pytest.mark.parametrize("ppi", [200, 300, 600])
def test_security_pattern_is_no_grid(ppi: int) -> None:
    card = id_front(person(1), seed=1, ppi=ppi).pixels
    assert of(np.asarray(card * 0.9, np.uint8)) == NONE
    assert of(passport_page(person(1), seed=1, ppi=ppi).pixels) == NONE


@pytest.mark.parametrize("design", ["columns", "stacked", "mirrored"])
@pytest.mark.parametrize("ppi", [200, 300, 400])
def test_straight_lines_of_a_cards_ground_are_no_grid(design: Design, ppi: int) -> None:
    drawing = id_front(person(1), seed=1, design=design)
    assert of(scan(drawing, seed=1, ppi=ppi).pixels) == NONE


@pytest.mark.parametrize("turned_deg", [0, 8, 82, 90])
def test_waves_along_the_picture_are_a_grid_and_askew_are_none(turned_deg: float) -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:800, :600]
    across = np.cos(np.radians(turned_deg)) * x + np.sin(np.radians(turned_deg)) * y
    askew = (x + 2 * y) / 5**0.5
    waves = [200 + 6 * np.cos(2 * np.pi * along / 3.7) for along in (across, askew)]
    upright, crooked = (
        of(np.asarray(wave + rng.normal(0, 1, x.shape), np.uint8)) for wave in waves
    )
    assert upright.area_fraction == 1.0
    assert crooked == NONE


def test_grid_on_the_same_page_is_found_and_grows_with_its_depth() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1.5, grey_letter().shape)
    strengths = [
        of(np.asarray(np.clip(with_grid(grey_letter(), 3.1, depth) + noise, 0, 255), np.uint8))
        for depth in (0.0, 1.5, 6.0)
    ]
    assert strengths[0] == NONE
    assert 0 < strengths[1].strength_ratio < strengths[2].strength_ratio


def test_waves_as_slow_as_ruled_lines_are_left_out() -> None:
    assert of(with_grid(grey_letter(), 24.0, 6.0)) == NONE


def test_noise_has_none_and_tiny_pages_get_an_answer() -> None:
    rng = np.random.default_rng(0)
    for shape in ((33, 40), (40, 33, 3), (1200, 900)):
        noise = rng.normal(190, 4, shape)
        assert of(np.asarray(np.clip(noise, 0, 255), np.uint8)) == NONE
