"""A JPEG's brightness at full size and its colour at a fraction of it, in one pass or in two.

One pass gives the planes as they are stored, and only they are reduced. Two passes, one for
brightness and one for colour at a fraction of the size, are as quick where the file is short for
the colour it holds or nobody asks for its colour, and need no library beside OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import cast

import cv2
import numpy as np

from docqa.analysis.formats import format_aspect
from docqa.errors import InvalidDocument
from docqa.intake import turbojpeg
from docqa.intake.limits import damage_refused
from docqa.intake.turn import Turn
from docqa.page import COARSE_COLOUR_SIDE_PX, PartDecoder, Pixels

COLOUR_SCALE = 4
SHEET_ASPECTS = (format_aspect("a4"), format_aspect("letter"))
SHEET_TOLERANCE = 0.02
"""A camera's 4:3 is 3 % from Letter."""
_REDUCTIONS = {"4:4:4": (4, 4), "4:2:2": (2, 4), "4:2:0": (2, 2), "4:4:0": (4, 2), "4:1:1": (1, 4)}
"""Columns and rows of stored colour for each of a quarter of the size."""
_TWO_PASS_SUBSAMPLINGS = ("4:4:4", "4:2:0")
"""At a fraction of the size OpenCV interpolates the chroma of others along one side only."""
_SAMPLES_PER_BYTE = 24
"""Full-size colour samples that are made in the time that one byte takes to be Huffman-decoded."""
_MOST_FULL_COLOUR_SAMPLES = 12_000_000
"""What one pass may hold of colour at full size, bytes: a picture of six megapixels."""
_REDUCED_COLOUR = {4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


@dataclass(frozen=True, slots=True)
class Stored:
    """A whole JPEG of three components whose header was read."""

    data: bytes
    width_px: int
    """As stored, like the height."""
    height_px: int
    subsampling: str
    turn: Turn
    """How it becomes upright."""

    @property
    def is_likely_scan(self) -> bool:
        """A large picture of a sheet's shape. Of such a scan colour is hardly ever asked for, so
        it is not decoded before it is.
        """
        shorter, longer = sorted((self.width_px, self.height_px))
        return longer >= COARSE_COLOUR_SIDE_PX and any(
            abs(longer / shorter / aspect - 1) <= SHEET_TOLERANCE for aspect in SHEET_ASPECTS
        )

    @property
    def quarter(self) -> tuple[int, int]:
        """Width and height of a quarter of the size, as stored."""
        return max(self.width_px // 4, 1), max(self.height_px // 4, 1)


def one_pass(stored: Stored) -> PartDecoder | None:
    """None where two passes cost less, or it cannot be done."""
    if stored.subsampling not in _REDUCTIONS or not turbojpeg.is_installed():
        return None
    if stored.subsampling == "4:4:4":
        samples = 2 * stored.width_px * stored.height_px
        quicker = samples < _SAMPLES_PER_BYTE * len(stored.data)
        if not quicker or samples > _MOST_FULL_COLOUR_SAMPLES:
            return None
    once = _OnePass(stored)
    return PartDecoder(once.luma, once.colour)


def two_passes(stored: Stored) -> PartDecoder | None:
    """None where the second would not show the colours right."""
    if stored.subsampling not in _TWO_PASS_SUBSAMPLINGS:
        return None
    return PartDecoder(partial(_luma, stored), partial(_colour, stored))


class _OnePass:
    """Keeps the colour of the pass that gave the brightness."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._chroma: tuple[Pixels, ...] = ()
        """Red and blue less brightness, upright, at a quarter of the size; empty where that pass
        was not possible."""

    def luma(self) -> Pixels:
        stored = self._stored
        found = turbojpeg.planes(stored.data, stored.width_px, stored.height_px)
        if found is None:
            with damage_refused():
                return stored.turn.apply(decoded(stored.data, cv2.IMREAD_GRAYSCALE))
        luma, blue, red = found
        self._chroma = tuple(stored.turn.apply(_quarter(each, stored)) for each in (red, blue))
        return stored.turn.apply(luma)

    def colour(self, scale: int, luma: Pixels) -> Pixels:
        if not self._chroma:
            return _colour(self._stored, scale, luma)
        size = (luma.shape[1], luma.shape[0])
        chroma = self._chroma
        if scale != COLOUR_SCALE:
            chroma = tuple(_averaged(each, (2, 2), size) for each in chroma)
        together = cv2.merge([luma, *chroma])
        return cast("Pixels", cv2.cvtColor(together, cv2.COLOR_YCrCb2RGB))


def _luma(stored: Stored) -> Pixels:
    with damage_refused():
        return stored.turn.apply(brightness(stored.data, stored.width_px, stored.height_px))


def _colour(stored: Stored, scale: int, _: Pixels) -> Pixels:
    height, width = stored.height_px // scale, stored.width_px // scale
    with damage_refused():
        if stored.subsampling in _TWO_PASS_SUBSAMPLINGS:
            reduced = decoded(stored.data, _REDUCED_COLOUR[scale])[:height, :width]
        else:
            whole = decoded(stored.data, cv2.IMREAD_COLOR)
            reduced = _averaged(whole, (scale, scale), (width, height))
        return stored.turn.apply(cast("Pixels", cv2.cvtColor(reduced, cv2.COLOR_BGR2RGB)))


def _quarter(plane: Pixels, stored: Stored) -> Pixels:
    """By exact halvings: OpenCV reduces by other factors ten times as slowly."""
    across, down = _REDUCTIONS[stored.subsampling]
    width, height = stored.quarter
    plane = plane[: height * down, : width * across]
    while down > across:
        plane = cast("Pixels", cv2.addWeighted(plane[::2], 0.5, plane[1::2], 0.5, 0))
        down //= 2
    if across > down:
        plane = _averaged(plane, (2, 1), (2 * width, 2 * height))
        across = down
    while across > 1:
        across //= 2
        plane = _averaged(plane, (2, 2), (across * width, across * height))
    return plane


def _averaged(plane: Pixels, block: tuple[int, int], size: tuple[int, int]) -> Pixels:
    """(height, width) means of blocks of so many columns and rows; what is left over is dropped."""
    whole = plane[: size[1] * block[1], : size[0] * block[0]]
    return cast("Pixels", cv2.resize(whole, size, interpolation=cv2.INTER_AREA))


def brightness(data: bytes, width_px: int, height_px: int) -> Pixels:
    """(H, W) brightness as stored. Raises InvalidDocument ``file.damaged``.

    Args:
        data: the file.
        width_px: of the picture, as its header was read and found within the limits.
        height_px: likewise.
    """
    if turbojpeg.is_installed():
        luma = turbojpeg.brightness(data, width_px, height_px)
        if luma is not None:
            return luma
    return decoded(data, cv2.IMREAD_GRAYSCALE)


def decoded(data: bytes, flags: int) -> Pixels:
    """Pixels as stored, by OpenCV. Raises InvalidDocument ``file.damaged``."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise InvalidDocument("file.damaged")
    return cast("Pixels", pixels)
