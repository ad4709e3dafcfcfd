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
