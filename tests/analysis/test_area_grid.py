"""Block means are those of OpenCV's area averaging."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.area_grid import block_means


@pytest.mark.parametrize("shape", [(48, 34), (24, 17), (100, 80), (20, 17), (1, 1), (7, 3)])
def test_blocks_that_share_pixels_have_the_mean_of_their_area(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (100, 80), np.uint8)
    wanted = cv2.resize(
        pixels.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_AREA
    )
    found = block_means(pixels, shape)
    assert found.shape == shape
    assert np.abs(found - wanted).max() < 0.01


def test_a_picture_lower_than_the_grid_has_its_pixels_shared() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.allclose(block_means(pixels, (6, 4)), np.repeat(pixels, 2, axis=0))


def test_every_colour_has_a_mean() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (90, 70, 3), np.uint8)
    for shape in ((4, 5), (30, 20)):
        apart = [block_means(np.ascontiguousarray(pixels[..., one]), shape) for one in range(3)]
        assert np.array_equal(block_means(pixels, shape), np.stack(apart, axis=2))
