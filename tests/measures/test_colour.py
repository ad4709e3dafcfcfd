from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest

from docqa.measures.colour import measure
from docqa.page import Origin, Page, Pixels, Raster, page_from_pixels
from fixtures.synthesize.documents import Drawing, id_back, id_front, passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

Draw = Callable[..., Drawing]
LAMPS = {"warm": (1.0, 0.9, 0.72), "cold": (0.82, 0.94, 1.0), "none": (1.0, 1.0, 1.0)}


@cache
def card(draw: Draw, seed: int) -> Pixels:
    return scan(draw(person(seed), seed=seed), seed=seed, ppi=200, format="png").pixels


def copied(pixels: Pixels) -> Pixels:
    """As a black and white copier gives it."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def lit(pixels: Pixels, lamp: str, sigma: float) -> Pixels:
    noise = np.random.default_rng(7).normal(0, sigma, pixels.shape)
    return np.asarray(np.clip(pixels * np.array(LAMPS[lamp]) + noise, 0, 255), np.uint8)


def colour(pixels: Pixels) -> float:
    return measure(page_from_pixels(pixels)).area_fraction


@pytest.mark.parametrize("draw", [id_front, id_back, passport_page])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_coloured_card_has_colour_and_its_copy_has_none(draw: Draw, seed: int) -> None:
    assert colour(card(draw, seed)) > 0.012
    assert colour(copied(card(draw, seed))) == 0.0


@pytest.mark.parametrize("lamp", LAMPS)
@pytest.mark.parametrize("sigma", [2.0, 10.0])
def test_neither_a_lamp_nor_noise_gives_a_grey_copy_colour(lamp: str, sigma: float) -> None:
    for seed in (1, 2):
        assert colour(lit(copied(card(id_front, seed)), lamp, sigma)) < 0.005


def test_colour_grows_with_the_coloured_area() -> None:
    page = np.full((1200, 900, 3), 240, np.uint8)
    found = []
    for side in (0, 200, 500):
        cv2.circle(page, (450, 600), side, (40, 90, 190), -1)
        found.append(colour(page))
    assert found[0] == 0.0
    assert found[1] < found[2]
    assert found[1] > 0.08


def test_fringes_along_strokes_are_no_colour() -> None:
    grey = copied(card(id_back, 1))
    fringed = np.dstack([np.roll(grey[..., 0], 1, axis=1), grey[..., 1], grey[..., 2]])
    assert colour(fringed) < 0.01


def test_colour_of_the_table_around_a_grey_copy_is_not_counted() -> None:
    copy = copied(card(id_front, 2))
    height, width = copy.shape[:2]
    table = np.full((2 * height, 2 * width, 3), (120, 74, 40), np.uint8)
    table[height // 2 : height // 2 + height, width // 2 : width // 2 + width] = copy
    assert colour(table) < 0.02


def test_grey_file_has_no_colour_and_reads_no_pixels_for_it() -> None:
    grey = np.asarray(cv2.cvtColor(card(id_front, 1), cv2.COLOR_RGB2GRAY), np.uint8)
    page = Page(1, Origin("jpeg", "image/jpeg", "gray"), lambda: Raster(grey, None))
    assert measure(page).area_fraction == 0.0


@pytest.mark.parametrize("level", [0, 20, 255])
def test_even_and_dark_pages_have_no_colour(level: int) -> None:
    assert colour(np.full((700, 500, 3), level, np.uint8)) == 0.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_card_on_a_large_glass_has_the_colour_it_has_alone(seed: int) -> None:
    drawing = id_back(person(seed), seed=seed)
    alone, on_glass = (
        colour(scan(drawing, seed=seed, ppi=150, bed=bed, format="png").pixels)
        for bed in ("page", "a4")
    )
    assert on_glass > 0.3 * alone > 0.003
