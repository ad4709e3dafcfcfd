"""The direction of text lines in an ink mask, estimated in two ways that fail differently.

``sweep`` shears the mask and looks for the angle at which its row profile is sharpest (Postl 1986;
the differential square sum is Bloomberg's). ``spectrum`` looks for the direction in which the
mask's Fourier magnitude is concentrated (Postl 1986). Angles are in degrees, positive where lines
rise to the right; both cover ``RANGE_DEG`` to either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

RANGE_DEG = 15.0
MARGIN_DEG = 1.0
"""Both look this much further, so that a peak at the end of the range has two flanks."""
COARSE_STEP_DEG = 0.5
FINE_STEPS_DEG = ((0.1, 6), (0.02, 4))
"""Step and number of steps to either side, from coarse to fine."""
COARSE_BAND_CYCLES = 0.1
FINE_BAND_CYCLES = 0.25
"""Highest frequencies of the row profile, per pixel of the mask."""
STRIPS_COUNT = 64
"""The mask is summed over this many upright strips before it is sheared."""
SPECTRUM_SIDE_PX = 512
SPECTRUM_STEP_DEG = 0.2
SPECTRUM_RADII_PX = (12, 200)
"""Frequencies looked at, in periods per ``SPECTRUM_SIDE_PX``: below are shading and blocks of
text, above is noise."""


@dataclass(frozen=True, slots=True)
class AngleEstimate:
    """A direction of text lines."""

    angle_deg: float
    """Positive: lines rise to the right."""
    prominence: float
    """Height of the peak over the median of the whole range, in parts of the peak: 0 to 1."""


def sweep(mask: Pixels, bands: int = 1) -> AngleEstimate:
    """The shear at which the row profile has the sharpest steps.

    Args:
        mask: (H, W) 0 or 255, at least 16 pixels on each side.
        bands: upright bands whose profiles are taken apart. One is the most exact; with several,
            columns of text whose lines do not stand at the same heights are not matched up.
    """
    coarse = _grid(0.0, COARSE_STEP_DEG, int((RANGE_DEG + MARGIN_DEG) / COARSE_STEP_DEG))
    scores = _profile_scores(
        _strip_waves(mask, RANGE_DEG + MARGIN_DEG, COARSE_BAND_CYCLES), coarse, bands
    )
    peak = float(scores.max())
    prominence = 1.0 - float(np.median(scores)) / peak if peak > 0 else 0.0
    angle = float(coarse[int(scores.argmax())])
    waves = _strip_waves(_sheared(mask, angle), 1.0, FINE_BAND_CYCLES)
    rest = 0.0
    for step, count in FINE_STEPS_DEG:
        grid = _grid(rest, step, count)
        rest = _peak(grid, _profile_scores(waves, grid, bands))
    # Shears add by their tangents, not by their angles.
    total = np.tan(np.radians(angle)) + np.tan(np.radians(rest))
    return AngleEstimate(float(np.degrees(np.arctan(total))), prominence)


def spectrum(mask: Pixels) -> tuple[AngleEstimate, AngleEstimate]:
    """The direction across which the mask repeats, from its Fourier magnitude.

    Args:
        mask: (H, W) 0 or 255, at least 16 pixels on each side.

    Returns:
        The estimate for lines that run across the page, and for lines that run down it (a page
        that lies on its side); both as angles of rotation, so they agree on a page of tables.
    """
    factor = min(1.0, SPECTRUM_SIDE_PX / max(mask.shape))
    size = (max(int(mask.shape[1] * factor), 8), max(int(mask.shape[0] * factor), 8))
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    canvas = np.zeros((SPECTRUM_SIDE_PX, SPECTRUM_SIDE_PX), np.float32)
    canvas[: size[1], : size[0]] = small - small.mean()
    planes = cv2.dft(canvas, flags=cv2.DFT_COMPLEX_OUTPUT)
    size_of = cv2.magnitude(planes[..., 0], planes[..., 1])
    magnitude = cast("Singles", np.fft.fftshift(size_of))
    angles = _grid(0.0, SPECTRUM_STEP_DEG, int((RANGE_DEG + MARGIN_DEG) / SPECTRUM_STEP_DEG))
    turn = np.radians(angles)[:, None]
    radii = np.arange(*SPECTRUM_RADII_PX, dtype=np.float64)[None, :]
    # Lines that rise to the right repeat along a normal that leans to the right of "down".
    right, down = radii * np.sin(turn), radii * np.cos(turn)
    return _along_rays(magnitude, angles, right, down), _along_rays(magnitude, angles, down, -right)


def _along_rays(magnitude: Singles, angles: Floats, right: Floats, down: Floats) -> AngleEstimate:
    middle = SPECTRUM_SIDE_PX // 2
    x, y = (middle + right).astype(np.float32), (middle + down).astype(np.float32)
    rays = cast("Singles", cv2.remap(magnitude, x, y, cv2.INTER_LINEAR))
    scores = rays.sum(axis=1, dtype=np.float64)
    peak = float(scores.max())
    prominence = 1.0 - float(np.median(scores)) / peak if peak > 0 else 0.0
    return AngleEstimate(_peak(angles, scores), prominence)


def _grid(centre: float, step: float, count: int) -> Floats:
    """Angles about ``centre``, evenly spaced in their tangents."""
    low = float(np.tan(np.radians(centre - step * count)))
    high = float(np.tan(np.radians(centre + step * count)))
    return cast("Floats", np.degrees(np.arctan(np.linspace(low, high, 2 * count + 1))))


def _peak(angles: Floats, scores: Floats) -> float:
    """The best angle, between the grid's points by the parabola through three of them."""
    best = int(scores.argmax())
    if best in (0, len(scores) - 1):
        return float(angles[best])
    low, top, high = scores[best - 1 : best + 2]
    bend = 2 * top - low - high
    offset = (high - low) / (2 * bend) if bend > 0 else 0.0
    return float(angles[best] + offset * (angles[1] - angles[0]))


def _sheared(mask: Pixels, angle_deg: float) -> Pixels:
    """Columns moved down or up so that lines of that angle become level."""
    tangent = np.tan(np.radians(angle_deg))
    move = np.array([[1.0, 0.0, 0.0], [tangent, 1.0, -tangent * (mask.shape[1] - 1) / 2]])
    size = (mask.shape[1], mask.shape[0])
    return cast("Pixels", cv2.warpAffine(mask, move, size, flags=cv2.INTER_LINEAR))


@dataclass(frozen=True, slots=True)
class _Waves:
    """Fourier transforms of a mask summed to upright strips."""

    waves: npt.NDArray[np.complex64]
    """(frequencies, strips), weighted so that squares are those of the profile's steps."""
    cycles: Floats
    """(frequencies,) per pixel."""
    place: Floats
    """(strips,) pixels right of the mask's middle."""


def _strip_waves(mask: Pixels, reach_deg: float, band: float) -> _Waves:
    """``reach_deg`` is the largest shear to come; ``band`` the highest frequency that is used."""
    height, width = mask.shape
    count = min(STRIPS_COUNT, width)
    strips = cv2.resize(mask, (count, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    # The zeros beyond the end keep what is shifted out from meeting the other end.
    length = cv2.getOptimalDFTSize(height + int(width * np.tan(np.radians(reach_deg))) + 1)
    used = max(int(band * length), 4)
    waves = np.fft.rfft(strips, n=length, axis=0)[1 : used + 1].astype(np.complex64)
    cycles = np.arange(1, len(waves) + 1) / length
    waves *= (cycles * np.exp(-((cycles / band) ** 2)))[:, None].astype(np.float32)
    return _Waves(waves, cycles, (np.arange(count) - (count - 1) / 2) * (width / count))


def _profile_scores(strips: _Waves, angles: Floats, bands: int) -> Floats:
    """Sum of squared steps of the sheared mask's row profiles, for angles of a ``_grid``.

    The strips are shifted by turning the phases of their Fourier transforms: interpolating them
    instead blurs every shift but a whole one, which draws the answer to the angle it started from.
    """
    tangents = np.tan(np.radians(angles))
    phase = -2j * np.pi * strips.cycles[:, None] * strips.place[None, :]
    turned = strips.waves * np.exp(phase * tangents[0]).astype(np.complex64)
    step = np.exp(phase * (tangents[-1] - tangents[0]) / (len(angles) - 1)).astype(np.complex64)
    scores = np.empty(len(angles))
    bands = min(bands, turned.shape[1])
    used = turned.shape[1] // bands * bands
    for index in range(len(angles)):
        profile = turned[:, :used].reshape(len(turned), bands, -1).sum(axis=2)
        scores[index] = np.vdot(profile, profile).real
        turned *= step
    return scores
