"""Resolution is pixels per inch of the document, by what is known of its size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.errors import CannotAssess
from docqa.measures.resolution import Resolution, measure
from docqa.page import Origin, Pixels, page_from_pixels


def _measured(pixels: Pixels, tag: float | None = None) -> Resolution:
    return measure(page_from_pixels(pixels, origin=Origin("png", "image/png", ppi_tag=tag)))


def _blank(width: int, height: int) -> Pixels:
    return np.full((height, width), 250, np.uint8)


def _on_ground(frame: tuple[int, int], sheet: tuple[int, int], ground: int, paper: int) -> Pixels:
    """A sheet of (width, height) turned by 2 degrees in the middle of a frame."""
    pixels = np.full((frame[1], frame[0], 3), ground, np.uint8)
    box = cv2.boxPoints(((frame[0] / 2, frame[1] / 2), (sheet[0], sheet[1]), 2.0))
    colour = (paper, paper + 3, paper - 2)
    cv2.fillConvexPoly(pixels, np.rint(box * 16).astype(np.int32), colour, cv2.LINE_AA, 4)
    return pixels


@pytest.mark.parametrize(("width", "height", "ppi"), [(1240, 1754, 150), (1700, 2200, 200)])
def test_a_frame_of_paper_shape_is_that_paper(width: int, height: int, ppi: int) -> None:
    for pixels in (_blank(width, height), _blank(height, width)):
        found = _measured(pixels)
        assert found.effective_ppi == pytest.approx(ppi, rel=0.01)
        assert found.evidence == "frame"
        assert found.tag_ratio is None


def test_a_false_tag_shows_in_its_ratio() -> None:
    found = _measured(_blank(1240, 1754), tag=72.0)
    assert found.effective_ppi == pytest.approx(150, rel=0.01)
    assert found.tag_ratio == pytest.approx(72 / 150, rel=0.01)


def test_the_tag_tells_formats_of_one_shape_apart() -> None:
    assert _measured(_blank(1748, 2480), tag=300.0).effective_ppi == pytest.approx(300, rel=0.01)
    assert _measured(_blank(1477, 1039), tag=300.0).effective_ppi == pytest.approx(300, rel=0.01)


def test_a_card_on_a_bed_is_measured_by_its_own_size() -> None:
    found = _measured(_on_ground((1240, 1754), (506, 319), 250, 222))
    assert found.evidence == "outline"
    assert found.effective_ppi == pytest.approx(150, rel=0.03)


def test_a_sheet_on_a_table_is_measured_by_its_own_size() -> None:
    found = _measured(_on_ground((1500, 2000), (1050, 1485), 60, 235), tag=72.0)
    assert found.evidence == "outline"
    assert found.effective_ppi == pytest.approx(127, rel=0.03)


def test_twice_the_pixels_are_twice_the_resolution() -> None:
    once, twice = _measured(_blank(1240, 1754)), _measured(_blank(2480, 3508))
    assert twice.effective_ppi == pytest.approx(2 * once.effective_ppi)


def test_an_unknown_shape_falls_back_on_a_plausible_tag_only() -> None:
    assert _measured(_blank(1000, 1000), tag=240.0).effective_ppi == 240.0
    for tag in (None, 72.0, 96.0, 1.0, 90000.0):
        with pytest.raises(CannotAssess):
            _measured(_blank(1000, 1000), tag=tag)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1)])
def test_tiny_pages_are_not_assessed(shape: tuple[int, int]) -> None:
    with pytest.raises(CannotAssess):
        _measured(np.full(shape, 128, np.uint8))
