from __future__ import annotations

import io
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

from docqa.analysis.block_grid import block_grid, ijg_steps
from docqa.errors import CannotAssess
from docqa.intake import Limits, open_document
from docqa.measures.compression import Compression, measure
from docqa.page import Page, Pixels, page_from_pixels
from fixtures.synthesize.pages import letter
from fixtures.synthesize.scanner import scan


@cache
def scanned() -> Pixels:
    """A grey scan whose paper keeps its grain."""
    made = scan(letter(script="latin", seed=5), seed=5, ppi=150, grey=True, whiten=False)
    return np.asarray(cv2.cvtColor(made.pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def saved(pixels: Pixels, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def pixels_of(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data)), np.uint8)


def page_of(data: bytes) -> Page:
    return next(open_document(data, limits=Limits(), renderer=None).pages)


def of_file(data: bytes) -> Compression:
    return measure(page_of(data))


def test_coarser_jpeg_shows_more_blocks() -> None:
    ratios = [of_file(saved(scanned(), quality)).blocking_ratio for quality in (90, 50, 20, 8)]
    assert all(more > less for less, more in pairwise(ratios))
    assert ratios[-1] > 3


def test_page_that_was_never_jpeg_shows_no_blocks_and_no_quality() -> None:
    found = measure(page_from_pixels(scanned()))
    assert found.blocking_ratio < 1.2
    assert found.jpeg_quality == 100.0
    assert not found.is_resaved


@pytest.mark.parametrize("quality", [10, 30, 60, 80])
@pytest.mark.parametrize("shift", [(0, 0), (3, 5)])
def test_quality_and_grid_are_read_from_pixels_alone(quality: int, shift: tuple[int, int]) -> None:
    cut = np.ascontiguousarray(pixels_of(saved(scanned(), quality))[shift[1] :, shift[0] :])
    page = page_from_pixels(cut)
    assert measure(page).jpeg_quality == pytest.approx(quality, abs=2)
    grid = page.derive(block_grid)
    assert grid is not None
    assert (grid.left_px, grid.top_px) == (-shift[0] % 8, -shift[1] % 8)


def test_a_trace_that_is_nearly_lost_in_noise_is_none() -> None:
    noise = np.random.default_rng(1).normal(0, 4, scanned().shape)
    noisy = np.clip(pixels_of(saved(scanned(), 40)) + noise, 0, 255).astype(np.uint8)
    assert measure(page_from_pixels(noisy)).jpeg_quality == 100.0


@pytest.mark.parametrize("first_px", [71, 75, 79])
def test_the_rules_of_a_level_table_are_no_blocks(first_px: int) -> None:
    ruled = scanned().copy()
    for top in range(first_px, ruled.shape[0], 72):  # a multiple of the block's side
        ruled[top : top + 2, 60:-60] = 60
    unruled, found = (of_file(saved(page, 80)).blocking_ratio for page in (scanned(), ruled))
    assert found < 1.2 * unruled


@pytest.mark.parametrize("quality", [25, 50, 75, 90])
def test_quality_of_a_file_is_its_tables(quality: int) -> None:
    found = of_file(saved(scanned(), quality))
    assert found.jpeg_quality == pytest.approx(quality, abs=2)
    assert not found.is_resaved


@pytest.mark.parametrize("shift", [(0, 0), (3, 5)])
def test_better_save_does_not_hide_a_poor_one(shift: tuple[int, int]) -> None:
    poor = pixels_of(saved(scanned(), 20))[shift[1] :, shift[0] :]
    found = of_file(saved(np.ascontiguousarray(poor), 90))
    assert found.is_resaved
    assert found.jpeg_quality == pytest.approx(20, abs=2)


def test_steps_are_those_of_the_standard_encoder() -> None:
    for quality in (10, 50, 75, 92):
        file = Image.open(io.BytesIO(saved(np.zeros((8, 8), np.uint8), quality)))
        stored = sorted(getattr(file, "quantization")[0])  # noqa: B009 - absent from the stubs
        assert sorted(ijg_steps(quality).ravel().tolist()) == stored


def thresholded(sigma: float, offset: int) -> Pixels:
    rng = np.random.default_rng(2)
    noisy = np.clip(scanned() + rng.normal(0, sigma, scanned().shape), 0, 255).astype(np.uint8)
    return np.asarray(
        cv2.adaptiveThreshold(
            noisy, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 21, offset
        ),
        np.uint8,
    )


def test_clean_black_and_white_page_has_two_levels_and_no_specks() -> None:
    clean = np.where(scanned() < 150, 0, 255).astype(np.uint8)
    for page in (page_from_pixels(clean), page_of(saved(clean, 75))):
        found = measure(page)
        assert found.bilevel_fraction > 0.9
        assert found.speckle_fraction < 0.2


def test_specks_are_counted_where_most_of_the_writing_has_them() -> None:
    """The screen of a picture is made of specks, and is only on a part of the page."""
    clean = np.tile(np.where(scanned() < 150, 0, 255).astype(np.uint8), (2, 1))
    screened, specked = clean.copy(), clean.copy()
    rng = np.random.default_rng(4)
    for part in (screened[:600, :600], specked):
        part[rng.random(part.shape) < 0.05] = 0
    assert measure(page_from_pixels(screened)).speckle_fraction < 0.2
    assert measure(page_from_pixels(specked)).speckle_fraction > 0.6


def test_threshold_that_keeps_the_noise_leaves_specks() -> None:
    harsh = thresholded(3.0, 5)
    for page in (page_from_pixels(harsh), page_of(saved(harsh, 75))):
        found = measure(page)
        assert found.bilevel_fraction > 0.9
        assert found.speckle_fraction > 0.6


def test_more_noise_leaves_more_specks() -> None:
    specks = [
        measure(page_from_pixels(thresholded(sigma, 8))).speckle_fraction for sigma in (1, 2, 4)
    ]
    assert specks == sorted(specks)
    assert specks[0] < specks[-1]


def test_grain_of_a_grey_page_is_no_specks() -> None:
    rng = np.random.default_rng(3)
    noisy = np.clip(scanned() + rng.normal(0, 10, scanned().shape), 0, 255).astype(np.uint8)
    found = measure(page_from_pixels(noisy))
    assert found.bilevel_fraction < 0.8
    assert found.speckle_fraction == 0.0


@pytest.mark.parametrize("level", [0, 130, 255])
def test_page_without_writing_is_refused(level: int) -> None:
    with pytest.raises(CannotAssess, match="no writing"):
        measure(page_from_pixels(np.full((900, 700), level, np.uint8)))


def test_noise_and_tiny_pages_give_finite_numbers_or_a_refusal() -> None:
    rng = np.random.default_rng(0)
    for shape in ((33, 40), (41, 300), (400, 300)):
        try:
            found = measure(page_from_pixels(rng.integers(0, 256, shape, dtype=np.uint8)))
        except CannotAssess:
            continue
        assert np.isfinite([found.blocking_ratio, found.jpeg_quality]).all()
        assert 0 <= found.bilevel_fraction <= 1
