"""Magnitudes of the waves in a square of a page."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Spectrum = npt.NDArray[np.float32]


def magnitudes(levels: Spectrum) -> Spectrum:
    """(side, side / 2 + 1) of the discrete Fourier transform of an even square of real levels.

    As ``abs(numpy.fft.rfft2(levels))``, at a third of its cost: OpenCV's real transform is packed,
    half of it, with real and imaginary parts in turn along the rows, and in its first and last
    column along the column.
    """
    side = len(levels)
    packed = cv2.dft(levels)
    real, imaginary = (
        np.ascontiguousarray(packed[:, 1:-1:2]),
        np.ascontiguousarray(packed[:, 2:-1:2]),
    )
    out = np.empty((side, side // 2 + 1), np.float32)
    out[:, 1:-1] = cv2.magnitude(real, imaginary)
    ends = np.s_[:: side // 2]
    own = packed[:, :: side - 1]
    upper = np.hypot(own[1:-1:2], own[2:-1:2])
    out[:: side // 2, ends] = np.abs(own[:: side - 1])
    out[1 : side // 2, ends] = upper
    out[side // 2 + 1 :, ends] = upper[::-1]
    return out
