from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest

from docqa.analysis.faint_tiles import is_writing
from docqa.analysis.full_size_tiles import full_size_tiles
from docqa.analysis.histograms import histogram
from docqa.errors import CannotAssess
from docqa.measures.contrast import Contrast, measure
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.cards import id_front
from fixtures.synthesize.pages import letter
from fixtures.synthesize.people import person
from fixtures.synthesize.prose import Script
from fixtures.synthesize.scanner import scan


@cache
def print_on_white(script: Script = "latin", ppi: int = 200) -> Pixels:
    drawn = letter(script=script, seed=3, ppi=ppi).pixels
    return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY), np.uint8)


def faded(page: Pixels, contrast: float, paper_level: float = 235.0) -> Pixels:
    """The print with this much contrast on paper of this level."""
    darkness = 1 - page.astype(np.float64) / 255
    darkness /= darkness.max()
    return np.round(paper_level * (1 - contrast * darkness)).astype(np.uint8)


def noisy(page: Pixels, sigma: float) -> Pixels:
    noise = np.random.default_rng(1).normal(0, sigma, page.shape)
    return np.clip(page + noise + 0.5, 0, 255).astype(np.uint8)


def of(page: Pixels) -> Contrast:
    return measure(page_from_pixels(page))


@pytest.mark.parametrize("script", ["latin", "arabic"])
@pytest.mark.parametrize("paper_level", [150.0, 245.0])
def test_contrast_is_read_back_whatever_the_paper(script: Script, paper_level: float) -> None:
    for contrast in (0.15, 0.3, 0.6, 0.9):
        page = noisy(faded(print_on_white(script), contrast, paper_level), 1.0)
        assert of(page).text_contrast_fraction == pytest.approx(contrast, abs=0.06)


def test_fainter_writing_has_less_contrast_under_noise_and_jpeg() -> None:
    found = []
    for contrast in (0.8, 0.5, 0.3, 0.2, 0.12):
        page = noisy(faded(print_on_white(), contrast), 3.0)
        stored = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
        read = cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE)
        found.append(of(np.asarray(read, np.uint8)).text_contrast_fraction)
    assert all(more > less for more, less in pairwise(found))


def test_thin_strokes_of_a_coarse_scan_keep_their_contrast() -> None:
    fine, coarse = print_on_white(ppi=300), print_on_white(ppi=150)
    both = [of(faded(page, 0.6)).text_contrast_fraction for page in (fine, coarse)]
    assert both[0] == pytest.approx(both[1], abs=0.08)


@pytest.mark.parametrize("contrast", [0.12, 0.25])
def test_faint_part_of_a_dark_page_is_found_and_shown(contrast: float) -> None:
    page = faded(print_on_white(), 0.9)
    top, bottom = page.shape[0] // 4, page.shape[0] // 2
    page[top:bottom] = faded(print_on_white(), contrast)[top:bottom]
    found = of(noisy(page, 1.0))
    assert found.text_contrast_fraction > 0.7
    assert found.worst_text_contrast_fraction == pytest.approx(contrast, abs=0.05)
    middle = np.mean(found.regions[0].polygon, axis=0)[1]
    assert top - 60 < middle < bottom + 60


@pytest.mark.parametrize(("contrast", "is_any"), [(0.02, False), (0.06, True)])
def test_what_nobody_could_read_is_no_writing_however_it_is_formed(
    contrast: float, is_any: bool
) -> None:
    page = page_from_pixels(faded(print_on_white(), 0.9))
    pale = faded(print_on_white(), contrast)
    tiles = [
        replace(tile, pixels=part)
        for tile in full_size_tiles(page)
        for side in [len(tile.pixels)]
        for part in [pale[tile.top_px :, tile.left_px :][:side, :side]]
    ]
    assert any(is_writing(page, histogram(tile.pixels), tile) for tile in tiles) == is_any


def test_even_page_has_the_same_contrast_everywhere() -> None:
    found = of(noisy(faded(print_on_white(), 0.8), 2.0))
    assert found.worst_text_contrast_fraction > 0.85 * found.text_contrast_fraction


@pytest.mark.parametrize("depth", [0.05, 0.1, 0.15])
def test_the_other_side_that_shows_through_is_no_writing(depth: float) -> None:
    page = faded(print_on_white(ppi=300), 0.9)
    page[: len(page) // 2] = 235  # nothing but what shows through
    behind = cv2.GaussianBlur(print_on_white("arabic", 300), (0, 0), 1.8)[:, ::-1]
    through = page * (1 - depth * (1 - behind.astype(np.float64) / 255))
    assert of(noisy(through.round().astype(np.uint8), 1.0)).worst_text_contrast_fraction > 0.7


def test_pale_pattern_behind_the_writing_is_not_taken_for_writing() -> None:
    page = faded(print_on_white(), 0.85).astype(np.float64)
    y, x = np.mgrid[0 : page.shape[0], 0 : page.shape[1]]
    waves = np.sin(y / 3 + 12 * np.sin(x / 90)) > 0.8
    page[waves & (page > 200)] -= 25
    assert of(page.astype(np.uint8)).worst_text_contrast_fraction > 0.5


def test_slanting_light_does_not_lower_the_contrast() -> None:
    page = faded(print_on_white(), 0.7).astype(np.float64)
    page *= np.linspace(1.0, 0.5, page.shape[1])[None, :]
    found = of(page.astype(np.uint8))
    assert found.text_contrast_fraction == pytest.approx(0.7, abs=0.1)


@pytest.mark.parametrize("level", [0, 130, 255])
def test_page_without_writing_is_refused(level: int) -> None:
    with pytest.raises(CannotAssess, match="no writing"):
        of(np.full((900, 700), level, np.uint8))


def test_noise_and_tiny_pages_give_finite_numbers_or_a_refusal() -> None:
    rng = np.random.default_rng(0)
    for shape in ((33, 40), (400, 300), (1500, 1430)):
        try:
            found = of(rng.integers(0, 256, shape, dtype=np.uint8))
        except CannotAssess:
            continue
        assert 0 <= found.worst_text_contrast_fraction <= found.text_contrast_fraction <= 1


def test_the_printed_ground_of_a_card_is_no_faint_writing() -> None:
    card = scan(id_front(person(700), seed=700, ppi=600), seed=700, ppi=600, bed="page")
    grey = np.asarray(cv2.cvtColor(card.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    assert of(grey).worst_text_contrast_fraction > 0.35
