"""Magnitudes are those of the discrete Fourier transform."""

from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.spectrum import magnitudes


@pytest.mark.parametrize("side", [2, 4, 34, 128])
def test_magnitudes_are_numpys(side: int) -> None:
    levels = np.random.default_rng(side).normal(0, 40, (side, side)).astype(np.float32)
    wanted = np.abs(np.fft.rfft2(levels))
    assert magnitudes(levels) == pytest.approx(wanted, rel=1e-4, abs=1e-2)
