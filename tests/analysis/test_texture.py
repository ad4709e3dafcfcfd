"""A display's grid stands out of the spectrum, from few windows or from all."""

from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.texture import CLEAR_PEAK_RATIO, grid_peak_ratio
from docqa.page import Pixels, page_from_pixels


def _noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(2).normal(190, 9, (height, width)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(1400, 1100), (180, 240)])
@pytest.mark.parametrize("period", [2.6, 4.3, 7.9])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_grid_stands_out_and_noise_does_not(
    size: tuple[int, int], period: float, axis: int
) -> None:
    plain = _noise(*size)
    wave = 12 * np.sin(2 * np.pi * np.arange(size[axis]) / period)
    grid = plain + (wave[:, None] if axis == 0 else wave)
    assert grid_peak_ratio(page_from_pixels(plain)) < CLEAR_PEAK_RATIO
    assert grid_peak_ratio(page_from_pixels(grid.clip(0, 255).astype(np.uint8))) > 25


def test_what_one_window_shows_by_chance_is_no_grid() -> None:
    luma = _noise(1400, 1100)
    # Stripes of a picture that only the first window of the diagonal, and no other, looks at.
    stripes = 90 * np.sin(2 * np.pi * np.arange(300) / 5)
    part = luma[:300, :300] + stripes[:, None]
    luma[:300, :300] = part.clip(0, 255).astype(np.uint8)
    assert grid_peak_ratio(page_from_pixels(luma)) < CLEAR_PEAK_RATIO
