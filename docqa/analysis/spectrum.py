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
    for column in (0, -1):
        own = packed[:, column]
        out[0, column], out[side // 2, column] = abs(own[0]), abs(own[-1])
        upper = np.hypot(own[1:-1:2], own[2:-1:2])
        out[1 : side // 2, column] = upper
        out[side // 2 + 1 :, column] = upper[::-1]
    return out
