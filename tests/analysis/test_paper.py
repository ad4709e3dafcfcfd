from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.paper import Paper, paper
from docqa.errors import CannotAssess
from docqa.page import Pixels, page_from_pixels


def sheet(level: float = 235, height: int = 1100, width: int = 800) -> Pixels:
    """Paper with a block of ink, as wide as print."""
    page = np.full((height, width), level, np.uint8)
    page[height // 4 : height // 2 : 12, width // 8 : -width // 8] = 30
    return page


def of(pixels: Pixels) -> Paper:
    return paper(page_from_pixels(pixels))


def sloped(levels: float) -> Pixels:
    slope = np.linspace(-levels / 2, levels / 2, 800)[None, :]
    return np.clip(sheet(200).astype(np.float64) + slope, 0, 255).astype(np.uint8)


def test_uniform_paper_is_known() -> None:
    found = of(sheet(235))
    assert found.paper_level == pytest.approx(235, abs=1)
    assert found.brightest_level == pytest.approx(235, abs=1)
    assert abs(found.gradient_x_levels) < 1
    assert abs(found.gradient_y_levels) < 1
    assert found.paper_fraction == 1


@pytest.mark.parametrize("levels", [20, 60, 100])
def test_slope_of_the_light_is_read_in_levels(levels: float) -> None:
    found = of(sloped(levels))
    assert found.gradient_x_levels == pytest.approx(levels, rel=0.1)
    assert abs(found.gradient_y_levels) < 2


def test_desk_is_not_paper_and_gives_no_slope() -> None:
    desk = np.full((1100, 800), 60, np.uint8)
    desk[150:950, 250:780] = sheet(230, 800, 530)
    found = of(desk)
    assert found.paper_level == pytest.approx(230, abs=3)
    assert 0.3 < found.paper_fraction < 0.65
    assert abs(found.gradient_x_levels) < 15
    assert found.border_level == pytest.approx(60, abs=2)


def test_noise_moves_no_level() -> None:
    rng = np.random.default_rng(1)
    noisy = np.clip(sheet(220) + rng.normal(0, 6, (1100, 800)), 0, 255).astype(np.uint8)
    assert of(noisy).paper_level == pytest.approx(220, abs=8)


def test_clipped_shares_are_counted() -> None:
    page = np.full((600, 600), 255, np.uint8)
    page[:150] = 0
    found = of(page)
    assert found.clipped_white_fraction == pytest.approx(0.75, abs=0.01)
    assert found.clipped_dark_fraction == pytest.approx(0.25, abs=0.01)


def test_levels_at_either_end_are_clipped_and_no_others() -> None:
    levels = np.array([[0, 2, 3, 253, 254, 255]], np.uint8)
    found = of(np.repeat(np.repeat(levels, 600, axis=0), 100, axis=1))
    shares = found.clipped_dark_fraction, found.clipped_white_fraction
    assert shares == pytest.approx((2 / 6, 2 / 6))


def card_on(lid: int, slope_levels: float = 0.0) -> Pixels:
    """A card in a corner of a page of one grey."""
    page = np.full((1000, 800), lid, np.float64)
    page[300:700, 100:500] = 235 + slope_levels * np.linspace(-0.5, 0.5, 400)
    return np.clip(page, 0, 255).astype(np.uint8)


def test_under_a_grey_lid_the_card_gives_no_slope() -> None:
    found = of(card_on(200, slope_levels=15))
    assert found.is_under_grey_lid
    assert found.gradient_levels == 0.0


@pytest.mark.parametrize("level", [30, 250])
def test_neither_a_dark_border_nor_a_white_one_is_a_grey_lid(level: int) -> None:
    assert not of(card_on(level)).is_under_grey_lid


def test_a_border_of_two_greys_is_no_lid() -> None:
    page = card_on(200)
    page[:, :160] = 170
    assert not of(page).is_under_grey_lid


def test_the_even_share_of_the_border_is_counted() -> None:
    page = np.full((1000, 800), 200, np.uint8)
    page[:, :400] = 100
    assert of(page).even_border_fraction == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("shape", [(40, 33), (33, 40), (16, 400), (700, 500)])
def test_flat_pages_of_any_size_give_finite_numbers(level: int, shape: tuple[int, int]) -> None:
    found = of(np.full(shape, level, np.uint8))
    assert found.paper_level == pytest.approx(level, abs=1)
    assert np.isfinite(
        [found.gradient_x_levels, found.gradient_y_levels, found.residual_levels]
    ).all()


def test_icons_are_refused() -> None:
    with pytest.raises(CannotAssess):
        of(np.full((15, 300), 200, np.uint8))
