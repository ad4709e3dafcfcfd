"""The density of ink is the mean of the mask over each square."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.ink import ink
from docqa.analysis.ink_density import ink_density
from docqa.page import Page, page_from_pixels


def _page(height: int, width: int) -> Page:
    pixels = np.full((height, width), 240, np.uint8)
    for row in range(30, height - 30, 40):
        text = "the quick brown fox " * 8
        cv2.putText(pixels, text, (10, row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20,), 2)
    return page_from_pixels(pixels)


@pytest.mark.parametrize("side", [24, 48, 64, 96, 192])
def test_density_is_the_mean_over_whole_squares(side: int) -> None:
    page = _page(900, 1300)
    mask = page.derive(ink).mask
    rows, columns = (n // side for n in mask.shape)
    wanted = cv2.resize(
        mask[: rows * side, : columns * side], (columns, rows), interpolation=cv2.INTER_AREA
    )
    assert wanted.any()
    assert np.abs(ink_density(page, side).astype(int) - wanted).max() <= 1


def test_a_page_smaller_than_a_square_has_one_that_is_cut_off() -> None:
    page = _page(140, 400)
    mask = page.derive(ink).mask
    found = ink_density(page, 192)
    assert found.shape == (1, 2)
    assert abs(int(found[0, 0]) - mask[:, :192].mean()) <= 1
