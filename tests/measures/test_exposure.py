from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from docqa.errors import CannotAssess
from docqa.measures.exposure import Exposure, measure
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.pages import letter


@cache
def print_on_white() -> Pixels:
    drawn = letter(script="latin", seed=3, ppi=200).pixels
    return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY), np.uint8)


def between(ink_level: float, paper_level: float) -> Exposure:
    """The same print with ink and paper at these levels."""
    page = ink_level + print_on_white().astype(np.float64) / 255 * (paper_level - ink_level)
    return measure(page_from_pixels(page.astype(np.uint8)))


def test_levels_are_read_back() -> None:
    found = between(40, 230)
    assert found.paper_level == pytest.approx(230, abs=3)


def test_ink_does_not_change_the_paper() -> None:
    papers = [between(ink, 240).paper_level for ink in (20, 80, 140, 190)]
    assert max(papers) - min(papers) < 2


def test_darker_exposure_lowers_the_paper() -> None:
    papers = [between(10, paper).paper_level for paper in (250, 180, 110)]
    assert papers == sorted(papers, reverse=True)


def test_clipped_scan_shows_its_white() -> None:
    found = between(0, 255)
    assert found.clipped_white_fraction > 0.6
    assert found.paper_level == pytest.approx(255, abs=1)


@pytest.mark.parametrize("level", [0, 130, 255])
def test_page_without_writing_is_judged_by_its_paper(level: int) -> None:
    found = measure(page_from_pixels(np.full((900, 700), level, np.uint8)))
    assert found.paper_level == pytest.approx(level, abs=0.1)
    assert found.clipped_dark_fraction == float(level == 0)
    assert found.clipped_white_fraction == float(level == 255)


def test_card_on_a_black_bed_is_judged_by_the_card() -> None:
    bed = np.full((1100, 800), 15, np.uint8)
    bed[300:500, 200:520] = 235
    assert measure(page_from_pixels(bed)).paper_level == pytest.approx(235, abs=3)


@pytest.mark.parametrize("shape", [(12, 400), (400, 12), (1, 1)])
def test_page_too_small_to_show_paper_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(CannotAssess, match="under 16 px"):
        measure(page_from_pixels(np.full(shape, 200, np.uint8)))


def test_noise_and_tiny_pages_give_finite_numbers_or_a_refusal() -> None:
    rng = np.random.default_rng(0)
    for shape in ((33, 40), (400, 300)):
        try:
            found = measure(page_from_pixels(rng.integers(0, 256, shape, dtype=np.uint8)))
        except CannotAssess:
            continue
        assert 0 <= found.paper_level <= 255
        assert 0 <= found.clipped_dark_fraction + found.clipped_white_fraction <= 1
