"""The detail of writing: less of it with blur, the same in all sizes, the lost direction found."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.ink import ink, stroke_px
from docqa.analysis.text_detail import FEATURES_COUNT, features, text_details
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.pages import letter

DRAWN = np.asarray(
    cv2.cvtColor(letter(script="latin", seed=6, ppi=300).pixels, cv2.COLOR_RGB2GRAY), np.uint8
)
STEPS_BY_STROKE = slice(10, 15)


def levels(pixels: Pixels) -> np.ndarray:
    """(8, 15) means of a page's tiles."""
    page = page_from_pixels(pixels)
    details = text_details(page)
    return np.asarray(np.mean([detail.levels for detail in details], axis=0))


def test_blur_takes_detail_in_every_direction() -> None:
    clear = levels(DRAWN)
    soft = levels(np.asarray(cv2.GaussianBlur(DRAWN, (0, 0), 3.0), np.uint8))
    assert (soft[:, 0] < clear[:, 0]).all()
    assert (soft[:, STEPS_BY_STROKE].mean(axis=1) < clear[:, STEPS_BY_STROKE].mean(axis=1)).all()


def test_motion_takes_it_along_its_own_direction() -> None:
    kernel = np.zeros((15, 15), np.float32)
    kernel[:, 7] = 1 / 15
    moved = levels(np.asarray(cv2.filter2D(DRAWN, -1, kernel), np.uint8))
    assert int(moved[:, STEPS_BY_STROKE].sum(axis=1).argmin()) == 4


def test_the_same_print_at_half_the_resolution_has_nearly_the_same_detail() -> None:
    soft = np.asarray(cv2.GaussianBlur(DRAWN, (0, 0), 2.5), np.uint8)
    half = np.asarray(
        cv2.resize(soft, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
    )
    apart = levels(soft)[:, STEPS_BY_STROKE] - levels(half)[:, STEPS_BY_STROKE]
    assert np.abs(apart).mean() < 0.25


def test_features_are_finite_and_as_many_as_the_model_wants() -> None:
    page = page_from_pixels(DRAWN)
    details = text_details(page)
    known = features(details[0].levels, details[0].stroke_level)
    assert known.shape == (FEATURES_COUNT,)
    assert np.isfinite(known).all()


@pytest.mark.parametrize("shape", [(1, 1), (31, 400), (700, 500)])
def test_without_writing_there_is_no_detail(shape: tuple[int, int]) -> None:
    page = page_from_pixels(np.full(shape, 230, np.uint8))
    assert text_details(page) == ()
    assert stroke_px(page.derive(ink)) is None
