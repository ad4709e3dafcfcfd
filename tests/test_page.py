"""A page decodes once, and its views are what they say: exact halves, read-only."""

from __future__ import annotations

import numpy as np
import pytest

from docqa.page import Origin, Page, Raster, page_from_pixels

RNG = np.random.default_rng(3)
RGB = RNG.integers(0, 256, (61, 83, 3), dtype=np.uint8)


def counting_page() -> tuple[Page, list[int]]:
    calls: list[int] = []

    def decode() -> Raster:
        calls.append(1)
        return Raster(RGB[:, :, 1].copy(), RGB.copy())

    return Page(1, Origin("png", "image/png"), decode), calls


def test_nothing_is_decoded_before_somebody_looks_and_then_only_once() -> None:
    page, calls = counting_page()
    assert not calls
    for scale in (8, 2, 1, 4):
        page.luma(scale)
    page.colour(8)
    assert (page.width_px, page.height_px, len(calls)) == (83, 61, 1)


def test_a_half_is_the_mean_of_two_by_two_blocks_and_drops_an_odd_edge() -> None:
    page = page_from_pixels(RGB[:, :, 0].copy())
    half = page.luma(2)
    blocks = RGB[:60, :82, 0].astype(float).reshape(30, 2, 41, 2).mean(axis=(1, 3))
    assert half.shape == (30, 41)
    assert np.abs(half - blocks).max() <= 0.5


def test_a_grey_page_repeats_its_luma_as_colour() -> None:
    page = page_from_pixels(RGB[:, :, 0].copy())
    for channel in range(3):
        assert np.array_equal(page.colour(8)[:, :, channel], page.luma(8))


def test_a_sixteenth_is_half_of_an_eighth() -> None:
    page = page_from_pixels(np.repeat(np.repeat(RGB, 4, axis=0), 4, axis=1))
    for eighth, sixteenth in (
        (page.luma(8), page.luma(16)),
        (page.colour(8), page.colour(16)),
    ):
        height, width = (side // 2 for side in eighth.shape[:2])
        even = eighth[: 2 * height, : 2 * width].astype(float)
        means = even.reshape(height, 2, width, 2, -1).mean(axis=(1, 3)).reshape(sixteenth.shape)
        assert np.abs(sixteenth - means).max() <= 0.5


def test_colour_keeps_its_channels_in_order() -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[:, :, 0] = 250
    assert page_from_pixels(red).colour(8)[0, 0].tolist() == [250, 0, 0]


def test_views_cannot_be_written_to() -> None:
    page = page_from_pixels(RGB)
    for view in (page.luma(), page.luma(2), page.colour(4)):
        with pytest.raises(ValueError, match="read-only"):
            view[0, 0] = 0


def test_an_unknown_scale_is_refused() -> None:
    page = page_from_pixels(RGB)
    with pytest.raises(ValueError, match="scale"):
        page.luma(3)
    with pytest.raises(ValueError, match="scale"):
        page.colour(1)


def test_one_pixel_has_every_view() -> None:
    page = page_from_pixels(np.full((1, 1), 7, np.uint8))
    assert page.luma(8).shape == (1, 1)
    assert page.colour(8).shape == (1, 1, 3)


def test_an_analysis_runs_once_per_page() -> None:
    page = page_from_pixels(RGB)
    calls: list[Page] = []

    def analysis(given: Page) -> int:
        calls.append(given)
        return 5

    assert (page.derive(analysis), page.derive(analysis), len(calls)) == (5, 5, 1)
