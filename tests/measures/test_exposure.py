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
    assert found.ink_level == pytest.approx(50, abs=20)
    assert found.contrast_fraction == pytest.approx((230 - 50) / 230, abs=0.1)


def test_fainter_ink_has_less_contrast() -> None:
    contrasts = [between(ink, 240).contrast_fraction for ink in (20, 80, 140, 190)]
    assert contrasts == sorted(contrasts, reverse=True)
    assert contrasts[-1] < 0.3


def test_darker_exposure_lowers_the_paper() -> None:
    papers = [between(10, paper).paper_level for paper in (250, 180, 110)]
    assert papers == sorted(papers, reverse=True)


def test_clipped_scan_shows_its_white() -> None:
    found = between(0, 255)
    assert found.clipped_white_fraction > 0.6
    assert found.contrast_fraction > 0.8


@pytest.mark.parametrize("level", [0, 130, 255])
def test_page_without_writing_is_refused(level: int) -> None:
    with pytest.raises(CannotAssess, match="no writing"):
        measure(page_from_pixels(np.full((900, 700), level, np.uint8)))


def test_noise_and_tiny_pages_give_finite_numbers_or_a_refusal() -> None:
    rng = np.random.default_rng(0)
    for shape in ((33, 40), (400, 300)):
        try:
            found = measure(page_from_pixels(rng.integers(0, 256, shape, dtype=np.uint8)))
        except CannotAssess:
            continue
        assert 0 <= found.contrast_fraction <= 1
