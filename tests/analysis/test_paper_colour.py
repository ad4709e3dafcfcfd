from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.paper_colour import colour_cast_levels, is_colourless
from docqa.page import Pixels, page_from_pixels


def sheet(colour: tuple[int, int, int] = (230, 230, 230)) -> Pixels:
    """(1100, 800, 3): paper of that colour with a block of black ink."""
    page: Pixels = np.full((1100, 800, 3), colour, np.uint8)
    page[275:550:12, 100:700] = 30
    return page


def test_grey_in_three_channels_has_no_colour_and_a_stamp_has() -> None:
    page = sheet()
    assert is_colourless(page_from_pixels(page.copy()))
    page[100:200, 100:200, 2] = 90
    assert not is_colourless(page_from_pixels(page))


def test_grey_paper_has_no_cast() -> None:
    assert colour_cast_levels(page_from_pixels(sheet())) == pytest.approx(0, abs=0.5)
    assert colour_cast_levels(page_from_pixels(sheet()[:, :, 0].copy())) == 0


def test_the_cast_grows_with_the_tint() -> None:
    casts = [colour_cast_levels(page_from_pixels(sheet((230, 230, b)))) for b in (225, 210, 195)]
    assert casts[0] < casts[1] < casts[2]
    assert casts[2] > 8


def test_ink_and_stamps_are_no_paper() -> None:
    page = sheet()
    page[600:800, 200:600] = (200, 40, 40)
    assert colour_cast_levels(page_from_pixels(page)) == pytest.approx(0, abs=0.5)
