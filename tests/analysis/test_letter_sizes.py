from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.letter_sizes import (
    MOST_SIZE_RATIO,
    ROWS_COUNT,
    LetterSizes,
    keep_size,
    letter_sizes,
    like_pairs,
)
from docqa.intake import Limits, open_document
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.pages import letter
from fixtures.synthesize.scanner import scan


def scanned(script: str = "arabic", seed: int = 32) -> Pixels:
    drawing = letter(script="latin" if script == "latin" else "arabic", seed=seed, ppi=200)
    data = scan(drawing, seed=seed, ppi=200).data
    return next(iter(open_document(data, limits=Limits(), renderer=None).pages)).luma()


def of(pixels: Pixels) -> LetterSizes:
    found = letter_sizes(page_from_pixels(pixels))
    assert found is not None
    return found


def widened(pixels: Pixels, growth: float) -> Pixels:
    """The scale across runs from 1 - growth on the left to 1 + growth on the right."""
    height, width = pixels.shape
    y, x = np.indices((height, width), dtype=np.float32)
    source = x.copy()
    for _ in range(8):
        source = x - growth * (source * source / width - source)
    return np.asarray(
        cv2.remap(pixels, source, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


@pytest.mark.parametrize("script", ["latin", "arabic"])
def test_on_a_scan_the_scale_is_the_same_everywhere(script: str) -> None:
    found = of(scanned(script))
    assert found.drift_fraction < 0.004
    assert found.error_fraction < 0.004


@pytest.mark.parametrize("seed", [32, 33, 34])
def test_the_drift_is_as_large_as_the_scale_changes(seed: int) -> None:
    page = scanned(seed=seed)
    for growth in (0.02, 0.04, 0.08):
        found = of(widened(page, growth))
        # Print takes three quarters of the width, and heights do not change.
        expected = 0.75 * growth / np.sqrt(3) / np.sqrt(2)
        # What is fitted holds the error of the fit as well.
        seen = np.hypot(expected, found.error_fraction)
        assert found.drift_fraction == pytest.approx(seen, rel=0.2)
        assert found.error_fraction < 0.005


def test_scanned_letters_keep_their_size_and_tilted_ones_do_not() -> None:
    page = scanned()
    assert keep_size(page_from_pixels(page))
    height, width = page.shape
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    tilted = frame + np.array([(0, 0), (0, 0), (-0.03, 0), (0.03, 0)], np.float32) * width
    matrix = cv2.getPerspectiveTransform(frame, tilted.astype(np.float32))
    seen = cv2.warpPerspective(page, matrix, (width, height), borderValue=(255,))
    assert of(np.asarray(seen, np.uint8)).drift_fraction > 0.015
    assert not keep_size(page_from_pixels(np.asarray(seen, np.uint8)))


def test_a_larger_font_is_no_drift() -> None:
    page = scanned("latin")
    half = page.shape[0] // 2
    larger = cv2.resize(page[:half], None, fx=1.25, fy=1.25, interpolation=cv2.INTER_CUBIC)
    both = np.vstack([page[:half], np.asarray(larger, np.uint8)[:half, : page.shape[1]]])
    assert of(both).drift_fraction < 0.003


def test_letters_that_a_program_drew_are_too_much_alike_to_count() -> None:
    drawn = letter(script="latin", seed=31, ppi=150).pixels
    found = letter_sizes(page_from_pixels(drawn))
    assert found is not None
    assert found.drift_fraction < 0.001
    assert not keep_size(page_from_pixels(drawn))


def test_nothing_is_said_without_many_like_letters() -> None:
    rng = np.random.default_rng(5)
    blank = np.full((900, 700), 250, np.uint8)
    specks = blank.copy()
    specks[rng.random(specks.shape) < 0.02] = 0
    noise = rng.integers(0, 256, blank.shape, dtype=np.uint8)
    strip = scanned()[:40]
    for pixels in (blank, specks, noise, strip):
        assert letter_sizes(page_from_pixels(np.ascontiguousarray(pixels))) is None
        assert not keep_size(page_from_pixels(np.ascontiguousarray(pixels)))


def test_letters_are_paired_with_those_of_their_shape_and_size_only() -> None:
    """More letters than are compared at once, of five shapes in two sizes each."""
    rng = np.random.default_rng(6)
    shapes = rng.random((5, 144)).astype(np.float32)
    kind = rng.integers(0, 5, 2 * ROWS_COUNT + 50)
    font = rng.integers(0, 2, len(kind))
    patches = shapes[kind] + rng.normal(0, 0.01, (len(kind), 144)).astype(np.float32)
    sizes = np.stack([font, font], axis=1).astype(np.float64) * 2 * MOST_SIZE_RATIO
    first, second = like_pairs(patches, sizes, count=3, most_difference=0.1)
    assert len(first) == 3 * len(kind)
    assert (first != second).all()
    assert (kind[first] == kind[second]).all()
    assert (font[first] == font[second]).all()


def test_a_letter_like_no_other_has_no_partner() -> None:
    patches = np.eye(4, 144, dtype=np.float32) * 12
    sizes = np.zeros((4, 2))
    for count in (0, 1, 4):
        found = like_pairs(patches[:count], sizes[:count], count=2, most_difference=0.1)
        assert [len(each) for each in found] == [0, 0]
