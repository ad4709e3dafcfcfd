"""What counts as a picture that was laid on an empty white page."""

from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.placed_pictures import placed_pictures
from docqa.page import page_from_pixels

Box = tuple[int, int, int, int]
"""Top, left, bottom, right."""


@pytest.mark.parametrize(
    ("boxes", "count"),
    [
        pytest.param([(100, 100, 400, 400)], 1, id="one"),
        pytest.param([(100, 100, 400, 400), (500, 300, 800, 700)], 2, id="two"),
        pytest.param([(4, 4, 996, 796)], 0, id="the whole page"),
        pytest.param([(100, 100, 800, 220), (680, 100, 800, 700)], 0, id="no rectangle"),
        pytest.param([(100, 100, 400, 400), (500, 100, 640, 240)], 0, id="beside something small"),
        pytest.param([(100, 100, 110, 110)], 0, id="a speck"),
    ],
)
def test_only_large_rectangles_on_an_otherwise_empty_page_are(boxes: list[Box], count: int) -> None:
    pixels = np.full((1000, 800), 255, np.uint8)
    for top, left, bottom, right in boxes:
        pixels[top:bottom, left:right] = 120
    assert len(placed_pictures(page_from_pixels(pixels))) == count
