"""The exact angle of text lines, from their sides: where a line is level, its sides are steep.

Blocks of columns are cut from the picture at full sharpness, added up to strips and shifted against
each other by turning the phases of their Fourier transforms: to interpolate them instead blurs
every shift but a whole one, which draws the answer to the angle it started from. The score is the
power of the profile's steps up to its highest frequencies, at which a line of text has steep sides
and a block of text has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.text_angle import Floats, Singles, peak_angle
from docqa.page import Pixels

Waves = npt.NDArray[np.complex64]

BLOCK_PX = 8
LEAST_BLOCKS_COUNT = 72
"""Of a wide picture at least so many blocks of columns are looked at, spread evenly: all columns
of one that is 1150 pixels wide, half of them of an A4 page at 150 ppi."""
PAPER_SIDE_PX = 19
"""The paper's brightness is the lightest this near along a column: more than a stroke."""
STRIPS_COUNT = 36
"""Neighbouring blocks are added up to at least so many strips, at the angle found so far."""
BANDS_COUNT = 4
FIRST_PASS = (0.2, 0.15, 3)
SECOND_PASS = (0.45, 0.05, 2)
"""Band in cycles per pixel, step in degrees and number of steps to either side. Twice the band
halves the peak: the first pass finds the foot of the narrow peak that the second climbs."""
BANDS_FINER = 2
"""Cycles are per pixel of a picture that is at most so many times larger than the mask; a still
larger one gives the same frequencies more exactly."""
LAST_STEP_DEG = 0.02
BAND_REACH = 1.2
"""In bands: what lies beyond has faded away."""
MOST_CYCLES = 0.49
FLANKS_DEG = (-0.6, -0.3, 0.3, 0.6)
"""A sharp peak has fallen away this far from its top."""
LARGEST_TURN_DEG = 1.0
"""More than the farthest that is looked at from the first estimate."""

_BLOCK_TYPES = {2: np.uint16, 4: np.uint32, 8: np.uint64}
_ONES = {2: 0x0101, 4: 0x01010101}


@dataclass(frozen=True, slots=True)
class Strips:
    """Blocks of columns of a picture, evenly apart."""

    depth: Pixels
    """(blocks, BLOCK_PX, H) how much darker than its paper each place is: the grey sides of
    strokes place them between pixels."""
    pitch_px: int
    """From one block to the next, in pixels of H."""
    finer: int
    """The picture is so many times larger than the mask."""


@dataclass(frozen=True, slots=True)
class SharpAngle:
    """A direction of text lines, found in the steep sides of the lines."""

    angle_deg: float
    """Positive: lines rise to the right."""
    sharpness: float
    """How far the steps of the profile fall within 0.6 degrees, in parts of their height: 0 to
    1. Long lines of clear text are sharp; few, short or blurred ones are not."""
    score: float
    """Height of the peak, to compare two starts on one picture."""


def ink_strips(luma: Pixels, coarse: Pixels, mask: Pixels) -> Strips:
    """Blocks of columns of the ink and what is next to it.

    Args:
        luma: (H, W) of the mask's size, or two or four times larger both ways; at least 16 pixels
            wide.
        coarse: (H, W) the same brightness at the mask's size.
        mask: (H, W) 0 or 255.
    """
    finer = luma.shape[0] // mask.shape[0]
    pitch = max(luma.shape[1] // LEAST_BLOCKS_COUNT // BLOCK_PX, 1) * BLOCK_PX
    start = (pitch - BLOCK_PX) // 2
    dark = _columns(luma, pitch, start, BLOCK_PX)
    paper = cv2.dilate(coarse, np.ones((PAPER_SIDE_PX, 1), np.uint8))
    near = cv2.dilate(mask, np.ones((3, 1), np.uint8))
    cv2.bitwise_and(paper, near, dst=near)
    beside = _columns(cast("Pixels", near), pitch // finer, start // finer, BLOCK_PX // finer)
    if finer > 1:
        # A level times these ones is so many pixels of it.
        beside = np.multiply(beside, _ONES[finer], dtype=_BLOCK_TYPES[finer]).view(np.uint8)
    count = min(len(beside) * finer, len(dark)) // BLOCK_PX
    depth = np.empty((count * BLOCK_PX, dark.shape[1]), np.uint8)
    for row in range(finer):
        lines = slice(row, len(depth), finer)
        cv2.subtract(beside[: len(depth) // finer], dark[lines], dst=depth[lines])
    return Strips(depth.reshape(count, BLOCK_PX, -1), pitch, finer)


def sharpen(strips: Strips, angle_deg: float, *, banded: bool = False) -> SharpAngle:
    """The angle within half a degree of ``angle_deg`` at which the lines' sides are steepest.

    Args:
        strips: of the page's ink.
        angle_deg: a first estimate.
        banded: take four upright bands of the page apart, whose lines may not match up.
    """
    waves, cycles, pitch = _waves(strips, angle_deg)
    unit = min(BANDS_FINER / strips.finer, 1.0)
    found = angle_deg
    for band, step, count in (FIRST_PASS, SECOND_PASS):
        faded, used = _below(waves, cycles, unit * band)
        grid = _grid(found, step, count)
        found = peak_angle(grid, _scores(faded, used, pitch, grid, banded=banded))
    grid = _grid(found, LAST_STEP_DEG, 1)
    flanks = found + np.array(FLANKS_DEG)
    scores = _scores(faded, used, pitch, np.concatenate([grid, flanks]), banded=banded)
    top, beside = scores[: len(grid)], scores[len(grid) :]
    peak = float(top.max())
    sharpness = max(1.0 - float(beside.min()) / peak, 0.0) if peak > 0.0 else 0.0
    return SharpAngle(peak_angle(grid, top), sharpness, peak)


def _columns(image: Pixels, pitch: int, start: int, width: int) -> Pixels:
    """(blocks * width, H) blocks of ``width`` columns, ``pitch`` apart, from ``start`` on."""
    whole = (image.shape[1] - start) // width * width
    blocks = image[:, start : start + whole].view(_BLOCK_TYPES[width])[:, :: pitch // width]
    return cast("Pixels", cv2.transpose(np.ascontiguousarray(blocks).view(np.uint8)))


def _waves(strips: Strips, angle_deg: float) -> tuple[Waves, Singles, int]:
    """(strips, frequencies) transforms, (frequencies,) cycles per pixel, pixels between strips."""
    blocks_count, width, height = strips.depth.shape
    per = max(1, blocks_count // STRIPS_COUNT)
    count, pitch = blocks_count // per, per * strips.pitch_px
    tangent = float(np.tan(np.radians(angle_deg)))
    # Within a strip columns are shifted by whole pixels, the same above and below its middle.
    block = (np.arange(per) - (per - 1) / 2) * strips.pitch_px
    place = block[:, None] + (np.arange(width) - (width - 1) / 2)
    shifts = np.rint(tangent * place).astype(np.intp).ravel()
    shifts -= shifts.min()
    # The zeros beyond the end keep what is shifted out from meeting the other end.
    turn = abs(tangent) + float(np.tan(np.radians(LARGEST_TURN_DEG)))
    length = cv2.getOptimalDFTSize(height + int(count * pitch * turn) + int(shifts.max()) + 1)
    rows = strips.depth[: count * per].reshape(count, per * width, height)
    summed = np.zeros((count, length), np.float32)
    cuts = [0, *(np.flatnonzero(np.diff(shifts)) + 1).tolist(), len(shifts)]
    for first, last in zip(cuts[:-1], cuts[1:], strict=True):
        top = int(shifts[first])
        summed[:, top : top + height] += rows[:, first:last].sum(axis=1, dtype=np.uint16)
    packed = cv2.dft(summed, flags=cv2.DFT_ROWS)
    used = max(int(MOST_CYCLES * length), 1)
    waves = np.ascontiguousarray(packed[:, 1 : 2 * used + 1]).view(np.complex64)
    return waves, (np.arange(1, used + 1) / length).astype(np.float32), pitch


def _below(waves: Waves, cycles: Singles, band: float) -> tuple[Waves, Singles]:
    """Up to ``band``, fading out towards it; their squares are those of a profile's steps."""
    used = max(int(np.searchsorted(cycles, BAND_REACH * band)), 4)
    cycles = cycles[:used]
    return waves[:, :used] * (cycles * np.exp(-((cycles / np.float32(band)) ** 2))), cycles


def _scores(waves: Waves, cycles: Singles, pitch: int, angles: Floats, *, banded: bool) -> Floats:
    """(angles,) sums of squared steps of the sheared picture's profile, or of its bands'."""
    tangents = np.tan(np.radians(angles)).astype(np.float32)
    phase = np.float32(-2.0 * np.pi) * tangents[:, None] * cycles
    count = min(BANDS_COUNT, len(waves))
    each = len(waves) // count
    turn = _turns(phase, pitch)
    # The strips of a band are evenly apart: their sum is a polynomial of the turn (Horner).
    parts = waves[: count * each].reshape(count, each, 1, -1)
    bands = np.empty((count, *phase.shape), np.complex64)
    bands[:] = parts[:, -1]
    for back in range(2, each + 1):
        bands *= turn
        bands += parts[:, each - back]
    if not banded:
        turn, whole = _turns(phase, pitch * each), bands[-1]
        for band in bands[-2::-1]:
            whole = whole * turn + band
        bands = whole[None]
    flat = bands.view(np.float32)
    return np.asarray(np.einsum("baf,baf->a", flat, flat), np.float64)


def _turns(phase: Singles, place: int) -> Waves:
    """Unit complex numbers of the phases by which waves at a place are turned."""
    angle = phase * np.float32(place)
    turns = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=turns.real)
    np.sin(angle, out=turns.imag)
    return turns


def _grid(centre: float, step: float, count: int) -> Floats:
    """Angles about ``centre``, evenly spaced in their tangents."""
    middle, pace = (float(np.tan(np.radians(angle))) for angle in (centre, step))
    return np.asarray(np.degrees(np.arctan(middle + pace * np.arange(-count, count + 1))))
