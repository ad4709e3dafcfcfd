"""The direction of text lines in an ink mask, estimated in two ways that fail differently.

``sweep`` shears the mask and looks for the angle at which its row profile is sharpest (Postl 1986;
the differential square sum is Bloomberg's); ``sharpen`` does the same about a known angle with the
profile's highest frequencies, at which a line of text has steep sides and a block of text has
none. ``spectrum`` looks for the direction in which the mask's Fourier magnitude is concentrated
(Postl 1986). Angles are in degrees, positive where lines rise to the right.
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
COARSE_BAND_CYCLES = 0.1
"""Highest frequency of the row profile, per pixel of the mask."""
FINE_PASSES = ((0.2, 0.05, 12), (0.4, 0.02, 4))
"""Band, step in degrees and number of steps to either side. Twice the band halves the peak: the
first pass finds the foot of the narrow peak that the second climbs."""
BANDS_COUNT = 4
FLANK_DEG = 0.6
"""A sharp peak has fallen away this far from its top."""
STRIPS_COUNT, FINE_STRIPS_COUNT = 64, 32
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


@dataclass(frozen=True, slots=True)
class SharpAngle:
    """A direction of text lines, found in the steep sides of the lines."""

    angle_deg: float
    """Positive: lines rise to the right."""
    sharpness: float
    """How far the steps of the profile fall within ``FLANK_DEG``, in parts of their height: 0 to
    1. Long lines of clear text are sharp; few, short or blurred ones are not."""
    score: float
    """Height of the peak, to compare two starts on one picture."""


def sweep(mask: Pixels) -> tuple[AngleEstimate, AngleEstimate]:
    """The shear at which the row profile has the sharpest steps, to about a tenth of a degree.

    Args:
        mask: (H, W) 0 or 255, at least 16 pixels on each side.

    Returns:
        By the profile of the whole width, which is the more exact, and by those of four upright
        bands, taken apart: these do not match up lines of columns that stand at other heights.
    """
    grid = _grid(0.0, COARSE_STEP_DEG, int((RANGE_DEG + MARGIN_DEG) / COARSE_STEP_DEG))
    waves = _strip_waves(mask, RANGE_DEG + MARGIN_DEG, STRIPS_COUNT)
    waves = waves.below(COARSE_BAND_CYCLES)
    whole, banded = _profile_scores(waves, grid)
    return _estimate(grid, whole), _estimate(grid, banded)


def sharpen(depth: Pixels, angle_deg: float, pitch: int = 1, *, banded: bool = False) -> SharpAngle:
    """The angle within 0.6 degrees of ``angle_deg`` at which the lines' sides are steepest.

    Args:
        depth: (H, W) how much darker than its paper each place is: the grey sides of strokes
            place them between pixels.
        angle_deg: a first estimate, such as ``sweep`` gives.
        pitch: the columns of ``depth`` are this many times as far apart as its rows.
        banded: take four upright bands of the page apart, as ``sweep`` does.
    """
    waves = _strip_waves(_levelled(depth, angle_deg, pitch), 1.0, FINE_STRIPS_COUNT, pitch)
    rest = peak = 0.0
    for band, step, count in FINE_PASSES:
        faded = waves.below(band)
        grid = _grid(rest, step, count)
        scores = _profile_scores(faded, grid)[int(banded)]
        rest, peak = _peak(grid, scores), float(scores.max())
    flanks = float(_profile_scores(faded, _grid(rest, FLANK_DEG / 2, 2))[int(banded)].min())
    sharpness = 1.0 - flanks / peak if peak > 0.0 else 0.0
    # Shears add by their tangents, not by their angles.
    total = np.tan(np.radians(angle_deg)) + np.tan(np.radians(rest))
    return SharpAngle(float(np.degrees(np.arctan(total))), sharpness, peak)


def spectrum(mask: Pixels) -> tuple[AngleEstimate, AngleEstimate]:
    """The direction across which the mask repeats, from its Fourier magnitude.

    Args:
        mask: (H, W) 0 or 255, at least 16 pixels on each side.

    Returns:
        The estimate for lines that run across the page, and for lines that run down it (a page
        that lies on its side); both as angles of rotation, so they agree on a page of tables.
    """
    while max(mask.shape) > 2 * SPECTRUM_SIDE_PX:
        even = mask[: mask.shape[0] // 2 * 2, : mask.shape[1] // 2 * 2]
        half = (even.shape[1] // 2, even.shape[0] // 2)
        mask = cast("Pixels", cv2.resize(even, half, interpolation=cv2.INTER_AREA))
    factor = min(1.0, SPECTRUM_SIDE_PX / max(mask.shape))
    size = (max(int(mask.shape[1] * factor), 8), max(int(mask.shape[0] * factor), 8))
    small = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    canvas = np.zeros((SPECTRUM_SIDE_PX, SPECTRUM_SIDE_PX), np.float32)
    canvas[: size[1], : size[0]] = small - small.mean()
    magnitude = _magnitude(canvas, size[1])
    angles = _grid(0.0, SPECTRUM_STEP_DEG, int((RANGE_DEG + MARGIN_DEG) / SPECTRUM_STEP_DEG))
    turn = np.radians(angles)[:, None]
    radii = np.arange(*SPECTRUM_RADII_PX, dtype=np.float64)[None, :]
    # Lines that rise to the right repeat along a normal that leans to the right of "down".
    right, down = radii * np.sin(turn), radii * np.cos(turn)
    return _along_rays(magnitude, angles, right, down), _along_rays(magnitude, angles, down, -right)


def _magnitude(canvas: Singles, rows_used: int) -> Singles:
    """Fourier magnitude at 0 or more periods to the right (columns), any down (rows, 0 in the
    middle); the other half mirrors it. OpenCV's packed transform costs a third of the full one.
    """
    packed = cv2.dft(canvas, nonzeroRows=rows_used)
    middle = SPECTRUM_SIDE_PX // 2
    right = np.empty((SPECTRUM_SIDE_PX, middle), np.float32)
    right[:, 1:] = cv2.magnitude(
        np.ascontiguousarray(packed[:, 1:-1:2]), np.ascontiguousarray(packed[:, 2:-1:2])
    )
    straight = np.hypot(packed[1:-1:2, 0], packed[2:-1:2, 0])
    right[:, 0] = np.concatenate(([0.0], straight, [abs(packed[-1, 0])], straight[::-1]))
    return np.concatenate((right[middle:], right[:middle]))


def _along_rays(magnitude: Singles, angles: Floats, right: Floats, down: Floats) -> AngleEstimate:
    mirrored = np.where(right < 0.0, -1.0, 1.0)
    x = (mirrored * right).astype(np.float32)
    y = (mirrored * down + SPECTRUM_SIDE_PX // 2).astype(np.float32)
    rays = cast("Singles", cv2.remap(magnitude, x, y, cv2.INTER_LINEAR))
    scores = rays.sum(axis=1, dtype=np.float64)
    return _estimate(angles, scores)


def _estimate(angles: Floats, scores: Floats) -> AngleEstimate:
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


def _levelled(depth: Pixels, angle_deg: float, pitch: int) -> Pixels:
    """Columns moved down or up, so that lines of that angle become level."""
    height, width = depth.shape
    tangent = float(np.tan(np.radians(angle_deg))) * pitch
    back = np.array([[1.0, 0.0, 0.0], [-tangent, 1.0, tangent * (width - 1) / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cast("Pixels", cv2.warpAffine(depth, back, (width, height), flags=flags))


@dataclass(frozen=True, slots=True)
class _Waves:
    """Fourier transforms of a mask summed to upright strips."""

    waves: npt.NDArray[np.complex64]
    """(strips, frequencies)"""
    cycles: Singles
    """(frequencies,) per pixel."""
    place: Singles
    """(strips,) pixels right of the mask's middle."""

    def below(self, band: float) -> _Waves:
        """Up to ``band``, fading out towards it; their squares are those of a profile's steps."""
        used = max(int(np.searchsorted(self.cycles, band)), 4)
        cycles = self.cycles[:used]
        weight = cycles * np.exp(-((cycles / band) ** 2))
        return _Waves(self.waves[:, :used] * weight, cycles, self.place)


def _strip_waves(mask: Pixels, reach_deg: float, strips_count: int, pitch: int = 1) -> _Waves:
    """Strips of a mask whose columns are ``pitch`` times as far apart as its rows.

    ``reach_deg`` is the largest shear to come.
    """
    height, width = mask.shape
    each = -(-width // strips_count)
    count = width // each
    whole = np.ascontiguousarray(mask[:, : count * each]).reshape(-1, each)
    strips = cv2.reduce(whole, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32F).reshape(height, count)
    # The zeros beyond the end keep what is shifted out from meeting the other end.
    room = int(width * pitch * np.tan(np.radians(reach_deg)))
    length = cv2.getOptimalDFTSize(height + room + 1)
    waves = np.fft.rfft(np.ascontiguousarray(strips.T), n=length)[:, 1:]
    cycles = (np.arange(1, waves.shape[1] + 1) / length).astype(np.float32)
    place = (np.arange(count) - (count - 1) / 2) * (pitch * each)
    return _Waves(waves.astype(np.complex64), cycles, place.astype(np.float32))


def _profile_scores(strips: _Waves, angles: Floats) -> Floats:
    """Sums of squared steps of the sheared mask's row profiles, for angles of a ``_grid``.

    (2, angles): of the profile of the whole width, and of those of ``BANDS_COUNT`` upright bands.
    The strips are shifted by turning the phases of their Fourier transforms: interpolating them
    instead blurs every shift but a whole one, which draws the answer to the angle it started from.
    """
    waves, place = strips.waves, strips.place
    tangents = np.tan(np.radians(angles)).astype(np.float32)
    phase = np.float32(-2.0 * np.pi) * tangents[:, None] * strips.cycles[None, :]
    bands_count = min(BANDS_COUNT, len(waves))
    each = len(waves) // bands_count
    first = np.arange(bands_count) * each
    turn = _turns(phase, float(place[-1] - place[0]) / max(len(place) - 1, 1))
    # The strips of a band are evenly apart: their sum is a polynomial of the turn (Horner).
    bands = np.empty((bands_count, *phase.shape), np.complex64)
    bands[:] = waves[first + each - 1, None]
    for back in range(2, each + 1):
        bands *= turn
        bands += waves[first + each - back, None]
    whole = np.zeros(phase.shape, np.complex64)
    for band, start in zip(bands, first, strict=True):
        whole += band * _turns(phase, float(place[start]))
    for rest in range(bands_count * each, len(waves)):
        whole += waves[rest] * _turns(phase, float(place[rest]))
    return np.stack([_powers(whole[None]), _powers(bands)])


def _powers(waves: npt.NDArray[np.complex64]) -> Floats:
    """(angles,) sums of the squares of (bands, angles, frequencies)."""
    parts = waves.view(np.float32)
    return np.asarray(np.einsum("baf,baf->a", parts, parts), np.float64)


def _turns(phase: Singles, place: float) -> npt.NDArray[np.complex64]:
    """Unit complex numbers of the phases by which waves at a place are turned."""
    angle = phase * np.float32(place)
    turns = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=turns.real)
    np.sin(angle, out=turns.imag)
    return turns
