from __future__ import annotations

import numpy as np

from docqa.analysis.histograms import histogram, histograms


def test_each_window_is_counted_apart() -> None:
    rng = np.random.default_rng(2)
    windows = rng.integers(0, 256, (5, 9, 13), dtype=np.uint8)
    masks = np.asarray(rng.random(windows.shape) < 0.3, np.uint8) * np.uint8(255)
    assert np.array_equal(histograms(windows), [histogram(window) for window in windows])
    expected = [histogram(one[mask > 0]) for one, mask in zip(windows, masks, strict=True)]
    assert np.array_equal(histograms(windows, masks), expected)


def test_an_empty_mask_counts_nothing() -> None:
    windows = np.zeros((2, 8, 8), np.uint8)
    assert histograms(windows, windows).sum() == 0
