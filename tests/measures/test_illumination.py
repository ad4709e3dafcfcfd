from __future__ import annotations

import numpy as np
import pytest

from docqa.errors import CannotAssess
from docqa.measures.illumination import Illumination, measure
from docqa.page import Pixels, page_from_pixels


def lit(right_levels: float, down_levels: float = 0.0) -> Pixels:
    """A printed page whose paper grows brighter by so many levels."""
    page = np.full((1100, 800), 190.0)
    page += np.linspace(-right_levels / 2, right_levels / 2, 800)[None, :]
    page += np.linspace(-down_levels / 2, down_levels / 2, 1100)[:, None]
    page[300:800:14, 100:700] -= 120
    return np.asarray(np.clip(page, 0, 255), np.uint8)


def of(pixels: Pixels) -> Illumination:
    return measure(page_from_pixels(pixels))


def test_even_light_is_zero() -> None:
    found = of(lit(0))
    assert found.gradient_levels < 1
    assert found.range_levels < 1
    assert found.uneven_levels < 1


def test_more_slope_reads_more() -> None:
    found = [of(lit(levels)).gradient_levels for levels in (0, 10, 30, 60, 100)]
    assert found == sorted(found)
    assert found[2] == pytest.approx(30, rel=0.15)


def test_direction_does_not_matter() -> None:
    assert of(lit(40)).gradient_levels == pytest.approx(of(lit(0, 40)).gradient_levels, rel=0.1)
    assert of(lit(30, 40)).gradient_levels == pytest.approx(50, rel=0.15)


def test_shadow_is_uneven_but_no_slope_of_its_own() -> None:
    page = lit(0)
    page[450:650] = (page[450:650] * 0.93).astype(np.uint8)
    found = of(page)
    assert found.uneven_levels > 3
    assert found.gradient_levels < 8


def test_dark_table_does_not_tilt_the_light() -> None:
    page = np.full((1100, 800), 50, np.uint8)
    page[100:1000, 250:790] = lit(0)[100:1000, 130:670]
    assert of(page).gradient_levels < 20


@pytest.mark.parametrize("seed", [0, 1])
def test_noise_and_tiny_pages_give_finite_numbers_or_a_refusal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for shape in ((33, 40), (300, 500)):
        try:
            found = of(rng.integers(0, 256, shape, dtype=np.uint8))
        except CannotAssess:
            continue
        assert np.isfinite([found.gradient_levels, found.range_levels, found.uneven_levels]).all()
