"""The direction of text lines in an ink mask, estimated in ways that fail differently.

Lines of text repeat down the page, so the mask's Fourier transform is strong along one ray (Postl
1986), and the projection of a sheared mask is the transform along a ray: one transform answers for
all shears. ``magnitude_angle`` adds the magnitudes, in which much faint repetition counts;
``step_angle`` adds the squares as a row profile's steps have them (the differential square sum is
Bloomberg's), in which the strongest lines count. ``line_sides.sharpen`` makes an answer exact.
Angles are in degrees, positive where lines rise to the right.
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
STEP_DEG = 0.4
LONGEST_PX, LEAST_PX = 640, 32
"""A larger mask is halved, as long as its shorter side does not fall below the second."""
STRIPS_COUNT = 96
"""Columns are added up to about so many strips: frequencies along the lines are low."""
ROOM_RATIO = 2.0
"""Strips and the emptiness beside them, so that the transform's power is sampled finely enough."""
PERIODS, LEAST_LENGTH_PX = (12, 200), 512
"""Frequencies looked at, in periods per longer side or per this length, the longer of them: below
are shading and blocks of text, above is noise."""
MOST_CYCLES = 0.45
"""Per pixel."""
STEPS_BAND_CYCLES = 0.1
"""Per pixel of the mask: a profile's higher frequencies fade from here on."""
MOST_STEPS_BAND_CYCLES = 0.2
BAND_REACH = 1.6
"""In bands: what lies beyond has faded away."""
BANDS_COUNT = 4

_COUNT = round((RANGE_DEG + MARGIN_DEG) / STEP_DEG)
_ANGLES: Floats = np.arange(-_COUNT, _COUNT + 1, dtype=np.float64) * STEP_DEG
_TANGENTS = np.tan(np.radians(_ANGLES)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class AngleEstimate:
    """A direction of text lines."""

    angle_deg: float
    """Positive: lines rise to the right."""
    prominence: float
    """Height of the peak over the median of the whole range, in parts of the peak: 0 to 1."""


@dataclass(frozen=True, slots=True)
class Fan:
    """The part of a mask's Fourier transform in which lines of up to 16 degrees show."""

    strips: Singles
    """(strips, H) the mask's columns added up to strips, less their mean."""
    pitch_px: int
    """From one strip to the next."""
    cycles: tuple[float, float]
    """Frequencies across the lines that are looked at, per pixel."""
    band_cycles: float
    """Where the frequencies of a profile's steps fade, per pixel."""
    sign: int
    """-1 where the lines run down the page."""
    rays: _Rays
    """The transform of the whole."""


@dataclass(frozen=True, slots=True)
class _Rays:
    """Power at the frequencies in which lines of up to 16 degrees show."""

    power: Singles
    """(along, across) squared magnitude by frequency along the lines, 0 in the middle, and across
    them, from the lowest looked at."""
    cycles: Singles
    """(across,) frequencies across the lines, per pixel."""
    places: tuple[Singles, Singles]
    """(angles, across) where in ``power`` the ray of each angle runs: columns and rows."""


def fans(mask: Pixels) -> tuple[Fan, Fan]:
    """What can be lines across the page, and lines down it (a page that lies on its side).

    Args:
        mask: (H, W) 0 or 255, at least 16 pixels on each side.
    """
    halvings = 0
    while max(mask.shape) > LONGEST_PX and min(mask.shape) >= 2 * LEAST_PX:
        height, width = (side // 2 for side in mask.shape)
        even = mask[: 2 * height, : 2 * width]
        mask = cast("Pixels", cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
        halvings += 1
    longer = max(mask.shape) if halvings else max(*mask.shape, LEAST_LENGTH_PX)
    low, high = (periods / longer for periods in PERIODS)
    cycles = (low, min(high, MOST_CYCLES))
    band = min(STEPS_BAND_CYCLES * 2**halvings, MOST_STEPS_BAND_CYCLES)
    columns = cast("Pixels", cv2.transpose(mask))
    return _fan(columns, cycles, band, 1), _fan(np.ascontiguousarray(mask), cycles, band, -1)


def magnitude_angle(fan: Fan) -> AngleEstimate:
    """The direction across which the mask repeats, by the magnitude of all frequencies alike."""
    magnitude = cast("Singles", cv2.sqrt(fan.rays.power))
    return _estimate(_summed(fan.rays, magnitude), fan.sign)


def step_angle(fan: Fan) -> AngleEstimate:
    """The shear at which the profile across the lines has the sharpest steps."""
    return _estimate(_step_scores(fan.rays, fan.band_cycles), fan.sign)


def banded_angle(fan: Fan) -> AngleEstimate:
    """The same by the profiles of four bands of the page, taken apart: less exact.

    It does not match up lines of columns that stand at other heights.
    """
    each = max(len(fan.strips) // BANDS_COUNT, 1)
    low, high = fan.cycles
    cycles = (low, min(high, BAND_REACH * fan.band_cycles))
    bands = [
        fan.strips[first : first + each] for first in range(0, len(fan.strips) - each + 1, each)
    ]
    return _estimate(_step_scores(_rays(bands, fan.pitch_px, cycles), fan.band_cycles), fan.sign)


def peak_angle(angles: Floats, scores: Floats) -> float:
    """The best angle, between the evenly spaced ones by the parabola through three of them."""
    best = int(scores.argmax())
    if best in (0, len(scores) - 1):
        return float(angles[best])
    low, top, high = scores[best - 1 : best + 2].tolist()
    bend = 2 * top - low - high
    offset = (high - low) / (2 * bend) if bend > 0 else 0.0
    return float(angles[best] + offset * (angles[1] - angles[0]))


def _fan(columns: Pixels, cycles: tuple[float, float], band: float, sign: int) -> Fan:
    """``columns`` is (W, H): the transposed mask for lines across the page, itself for others."""
    width, height = columns.shape
    each = max(1, round(width / STRIPS_COUNT))
    count = width // each
    summed = columns[: count * each].reshape(count, each, height).sum(axis=1, dtype=np.uint16)
    strips = summed.astype(np.float32)
    strips -= cv2.mean(strips)[0]
    return Fan(strips, each, cycles, band, sign, _rays([strips], each, cycles))


def _rays(bands: list[Singles], pitch: int, cycles: tuple[float, float]) -> _Rays:
    """Of bands of strips, all of one size, whose power is added up."""
    count, height = bands[0].shape
    length = cv2.getOptimalDFTSize(height)
    places_count = cv2.getOptimalDFTSize(max(int(count * ROOM_RATIO), 8))
    low = max(int(np.ceil(cycles[0] * length)), 1)
    high = max(min(int(cycles[1] * length), (length - 1) // 2), low)
    across = np.arange(low, high + 1, dtype=np.float32)
    # A ray's place along the lines grows with the frequency across them and the tangent.
    reach = np.float32(places_count * pitch / length) * across
    most = min(int(np.ceil(_TANGENTS[-1] * reach[-1])) + 3, places_count // 2 - 1)
    power = np.zeros((2 * most + 1, len(across)), np.float32)
    canvas = np.zeros((places_count, length), np.float32)
    for strips in bands:
        canvas[:count, :height] = strips
        # Without "nonzeroRows": with it OpenCV leaves its fast transform for one four times slower.
        packed = cv2.dft(canvas)[:, 2 * low - 1 : 2 * high + 1]
        for rows, place in (
            (packed[places_count - most :], power[:most]),
            (packed[: most + 1], power[most:]),
        ):
            squares = rows * rows
            place += squares[:, ::2]
            place += squares[:, 1::2]
    y = _TANGENTS[:, None] * reach
    y += np.float32(most)
    x = np.empty_like(y)
    x[:] = np.arange(len(across), dtype=np.float32)
    return _Rays(power, across / np.float32(length), (x, y))


def _step_scores(rays: _Rays, band_cycles: float) -> Floats:
    """(angles,) sums of squared steps of the sheared mask's profile."""
    weight = rays.cycles * np.exp(-((rays.cycles / np.float32(band_cycles)) ** 2))
    return _summed(rays, rays.power * weight**2)


def _summed(rays: _Rays, values: Singles) -> Floats:
    """(angles,) sums of the values along each ray."""
    along = cv2.remap(values, *rays.places, cv2.INTER_CUBIC)
    return np.asarray(cv2.reduce(along, 1, cv2.REDUCE_SUM)[:, 0], np.float64)


def _estimate(scores: Floats, sign: int) -> AngleEstimate:
    peak = float(scores.max())
    prominence = 1.0 - float(np.sort(scores)[len(scores) // 2]) / peak if peak > 0 else 0.0
    return AngleEstimate(sign * peak_angle(_ANGLES, scores), prominence)
