from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from docqa.measures.glare import Glare, measure
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.cards import id_back, id_front
from fixtures.synthesize.pages import letter
from fixtures.synthesize.passport import passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan
from tests.cards_on_glass import lay


@cache
def photographed_letter() -> Pixels:
    """Print on paper as a camera exposes it: paper at about 200."""
    drawn = letter(script="arabic", seed=6, ppi=150).pixels
    grey = np.asarray(cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY), np.float64)
    return np.asarray(20 + grey * 180 / 255, np.uint8)


def with_reflection(page: Pixels, x: int, y: int, radius: float, strength: float = 3.0) -> Pixels:
    """A lamp mirrored at x, y: saturated in the middle, fading out."""
    rows, columns = np.mgrid[0 : page.shape[0], 0 : page.shape[1]]
    lamp = strength * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))
    if page.ndim == 3:
        lamp = lamp[:, :, None]
    return np.asarray(np.clip(page + 255 * lamp, 0, 255), np.uint8)


def of(pixels: Pixels) -> Glare:
    return measure(page_from_pixels(pixels))


def test_the_white_strip_under_a_passport_is_no_glare() -> None:
    """Where letters cut it up, the edge of what is saturated lies in white paper."""
    drawing = passport_page(person(7104), seed=7104, ppi=600)
    scanned = scan(
        drawing, seed=7104, ppi=600, skew_deg=0.3, whiten=True, jpeg_quality=85, blur_sigma_px=1.6
    )
    assert of(scanned.pixels).area_fraction == 0.0


@pytest.mark.parametrize("margins_mm", [(5, 5, 5, 5), (0, 0, 0, 8)])
@pytest.mark.parametrize("lid_level", [6, 128])
def test_nor_is_it_beside_a_lid(lid_level: int, margins_mm: tuple[int, int, int, int]) -> None:
    """No white touches the picture's sides then, or it does from left to right."""
    scanned = scan(passport_page(person(3005), seed=5), seed=5, ppi=200)
    left, top, right, bottom = (round(mm * 200 / 25.4) for mm in margins_mm)
    lid = (lid_level,) * 3
    framed = cv2.copyMakeBorder(
        scanned.pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=lid
    )
    assert of(np.asarray(framed, np.uint8)) == Glare(0.0, 0.0, 0.0, ())


@pytest.mark.parametrize("skew_deg", [-1.5, 1.5])
def test_the_white_lid_round_a_card_is_no_glare(skew_deg: float) -> None:
    """Uneven light clips only a part of it, and the card's shadow is a soft edge."""
    drawing = id_back(person(2), seed=2, ppi=300)
    scanned = scan(drawing, seed=2, skew_deg=skew_deg, jpeg_quality=80)
    assert of(scanned.pixels) == Glare(0.0, 0.0, 0.0, ())


@pytest.mark.parametrize("margin_mm", [3, 12])
@pytest.mark.parametrize("side", range(4))
def test_nor_is_a_part_of_it_above_a_card(side: int, margin_mm: int) -> None:
    margin = round(margin_mm * 300 / 25.4)
    card = (id_front(person(1), seed=1, ppi=300).pixels * 0.85).astype(np.uint8)
    lid = cv2.copyMakeBorder(card, *(margin,) * 4, cv2.BORDER_CONSTANT, value=(243,) * 3)
    lit = np.rot90(np.asarray(cv2.GaussianBlur(lid, (0, 0), 4), np.uint8), side).copy()
    lit[:margin, 400:800] += 6
    assert of(lit).area_fraction == 0


def two_cards_on_a_lid(*, lamp_y: int | None = None) -> Pixels:
    """The lid clips between them; a lamp may be mirrored in either card."""
    lid = np.full((1754, 1240, 3), 243, np.uint8)
    lid[724:796, 470:780] = 250
    lid = np.asarray(cv2.GaussianBlur(lid, (0, 0), 4), np.uint8)
    card = (id_back(person(1), seed=1, ppi=150).pixels * 0.85).astype(np.uint8)
    for y, turn_deg in ((540, 0.8), (980, -0.8)):
        lay(card, lid, (620, y), turn_deg)
    lit = lid if lamp_y is None else with_reflection(lid, 620, lamp_y, 40)
    return np.asarray(cv2.GaussianBlur(lit, (0, 0), 0.8), np.uint8)


def test_the_lid_between_two_cards_is_no_glare() -> None:
    assert of(two_cards_on_a_lid()).area_fraction == 0


@pytest.mark.parametrize("lamp_y", [540, 980])
def test_a_reflection_on_either_of_two_cards_is_found(lamp_y: int) -> None:
    found = of(two_cards_on_a_lid(lamp_y=lamp_y))
    assert contains(found, 620, lamp_y)
    assert len(found.regions) == 1


@pytest.mark.parametrize("side", range(4))
def test_a_reflection_that_enters_at_one_side_is_found(side: int) -> None:
    card = (id_front(person(1), seed=1, ppi=300).pixels * 0.85).astype(np.uint8)
    card = np.ascontiguousarray(np.rot90(card, side))
    assert contains(of(with_reflection(card, 350, 40, 70)), 350, 20)


def test_one_on_a_card_on_a_white_lid_is_found() -> None:
    card = (id_front(person(1), seed=1, ppi=300).pixels * 0.85).astype(np.uint8)
    lit = with_reflection(card, 350, 300, 60)
    framed = cv2.copyMakeBorder(lit, *(140,) * 4, cv2.BORDER_CONSTANT, value=(244,) * 3)
    assert contains(of(np.asarray(framed, np.uint8)), 490, 440)


def with_band(page: Pixels, middle: float, sigma: float) -> Pixels:
    """A lamp's tube mirrored from left to right."""
    rows = np.arange(page.shape[0]).reshape(-1, *[1] * (page.ndim - 1))
    lamp = 3.0 * np.exp(-((rows - middle) ** 2) / (2 * sigma**2))
    return np.asarray(np.clip(page + 255 * lamp, 0, 255), np.uint8)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("sigma", [20, 30, 45])
def test_a_band_from_side_to_side_is_found(sigma: int, turned: bool) -> None:
    card = (id_front(person(1), seed=1, ppi=300).pixels * 0.85).astype(np.uint8)
    page = with_band(card, 350, sigma)
    height, width = page.shape[:2]
    found = of(np.ascontiguousarray(np.rot90(page)) if turned else page)
    assert found.area_fraction > 0.05
    assert contains(found, *((350, width / 2) if turned else (width / 2, 350)))


def test_a_white_band_with_nothing_darker_on_one_flank_is_none() -> None:
    page = np.full((900, 1300), 150, np.uint8)
    page[450:] = 242
    assert of(with_band(page, 450, 60)).area_fraction == 0


def test_nor_is_one_with_a_hard_edge_on_one_flank() -> None:
    """A card's edge fades into a white lid, which ends at a black one."""
    page = with_band(np.full((900, 1300), 150, np.uint8), 450, 60)
    page[480:] = 10
    assert of(page).area_fraction == 0


def contains(found: Glare, x: float, y: float) -> bool:
    return any(
        cv2.pointPolygonTest(np.array(region.polygon, np.float32), (x, y), False) >= 0
        for region in found.regions
    )


def test_white_scan_has_none() -> None:
    drawn = letter(script="latin", seed=6, ppi=150).pixels
    assert of(drawn) == Glare(0.0, 0.0, 0.0, ())


@pytest.mark.parametrize("level", [0, 128, 240, 255])
def test_even_page_has_none(level: int) -> None:
    assert of(np.full((900, 700), level, np.uint8)).area_fraction == 0


def test_evenly_lit_photograph_has_none() -> None:
    assert of(photographed_letter()).area_fraction == 0


def test_reflection_is_found_where_it_is() -> None:
    page = with_reflection(photographed_letter(), 500, 700, 70)
    found = of(page)
    lamp = with_reflection(np.zeros_like(page), 500, 700, 70)
    truth = float((lamp >= 127).mean())
    assert found.area_fraction == pytest.approx(truth, rel=0.25)
    assert contains(found, 500, 700)
    assert found.regions[0].kind == "glare"
    assert found.text_fraction > 0


def test_larger_reflections_cover_more() -> None:
    areas = [
        of(with_reflection(photographed_letter(), 600, 800, radius)).area_fraction
        for radius in (30, 60, 120)
    ]
    assert areas == sorted(areas)
    assert areas[0] > 0


def test_two_reflections_are_two_regions() -> None:
    page = with_reflection(photographed_letter(), 300, 400, 60)
    found = of(with_reflection(page, 900, 1300, 60))
    assert len(found.regions) == 2


def test_reflection_on_a_card_is_found() -> None:
    card = id_front(person(1), seed=1, ppi=300).pixels
    card = (card * 0.75).astype(np.uint8)
    height, width = card.shape[:2]
    assert of(card).area_fraction == 0
    assert contains(of(with_reflection(card, width // 2, height // 2, 60)), width / 2, height / 2)


def test_white_label_with_hard_edges_is_no_glare() -> None:
    page = photographed_letter().copy()
    page[300:500, 200:600] = 255
    assert of(page).area_fraction == 0


def test_noise_and_tiny_pages_get_an_answer() -> None:
    rng = np.random.default_rng(0)
    for shape in ((33, 40), (40, 33, 3), (600, 500)):
        found = of(rng.integers(0, 256, shape, dtype=np.uint8))
        assert 0 <= found.area_fraction <= 1
        assert 0 <= found.text_fraction <= 1
