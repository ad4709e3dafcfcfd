from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from docqa.analysis.glare_extent import HALF_RANGE_LEVELS, washed_out
from docqa.page import Page, Pixels, page_from_pixels

Mask = npt.NDArray[np.bool_]

SIDE_PX = 800


def paper_page(*, level: int = 195, bars: bool = False) -> Pixels:
    page = np.full((SIDE_PX, SIDE_PX, 3), level, np.uint8)
    if bars:
        for left in range(0, SIDE_PX, 24):
            page[400:, left : left + 12] = 20
    return page


def lit(
    page: Pixels, sigma_px: float = 60.0, tint: tuple[float, float, float] = (1, 1, 1)
) -> tuple[Page, Mask, Mask]:
    """A lamp six times the range in the middle; the saturated quarter-size area; the truth."""
    rows, columns = np.mgrid[0:SIDE_PX, 0:SIDE_PX] - SIDE_PX / 2
    lamp = 1500 * np.exp(-(rows**2 + columns**2) / (2 * sigma_px**2))
    seen = page + lamp[:, :, None] * np.array(tint)
    made = page_from_pixels(np.asarray(np.clip(seen, 0, 255), np.uint8))
    bright = (made.luma(4) >= 245).astype(np.uint8)
    solid = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)) > 0
    return made, solid, lamp[2::4, 2::4] >= HALF_RANGE_LEVELS


def f1(found: Mask, truth: Mask) -> float:
    return 2 * float((found & truth).sum()) / float(found.sum() + truth.sum())


@pytest.mark.parametrize("level", [150, 175, 195, 210])
@pytest.mark.parametrize("sigma_px", [40.0, 60.0, 90.0])
def test_half_of_the_range_is_found_on_bare_paper(level: int, sigma_px: float) -> None:
    page, blob, truth = lit(paper_page(level=level), sigma_px)
    assert f1(washed_out(page, [blob]), truth) > 0.9


def test_bright_paper_that_merely_clips_is_left_out() -> None:
    page, blob, truth = lit(paper_page(level=210))
    assert f1(washed_out(page, [blob]), truth) > f1(blob, truth) + 0.05


def test_lifted_print_belongs_to_the_reflection_and_dark_print_does_not() -> None:
    page, blob, truth = lit(paper_page(bars=True))
    found = washed_out(page, [blob])
    print_rows = np.s_[SIDE_PX // 8 :]
    assert f1(found[print_rows], truth[print_rows]) > f1(blob[print_rows], truth[print_rows])
    assert f1(found[print_rows], truth[print_rows]) > 0.85


def test_a_coloured_lamp_leaves_the_area_as_it_was() -> None:
    page, blob, _ = lit(paper_page(level=180), tint=(1, 1, 0.02))
    assert np.array_equal(washed_out(page, [blob]), blob)


def test_two_reflections_stay_two() -> None:
    page, blob, _ = lit(paper_page())
    other = np.zeros_like(blob)
    other[5:30, 5:30] = True
    found = washed_out(page, [blob, other])
    assert cv2.connectedComponents(found.astype(np.uint8))[0] - 1 == 2
    assert found[5:30, 5:30].all()
