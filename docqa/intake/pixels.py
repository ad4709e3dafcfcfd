"""From what the decoders return to luma and RGB."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from docqa.errors import InvalidDocument
from docqa.intake.turn import AS_STORED, Turn
from docqa.page import ColourMode, Pixels, Raster


def raster_of_rgb(rgb: Pixels, turn: Turn = AS_STORED) -> Raster:
    """Luma and colour of (H, W, 3) RGB, turned."""
    upright = turn.apply(rgb)
    return Raster(cast("Pixels", cv2.cvtColor(upright, cv2.COLOR_RGB2GRAY)), upright)


def raster_of_pillow(
    picture: Image.Image, colour_mode: ColourMode, turn: Turn, *, bits: int = 16
) -> Raster:
    """Luma, and colour unless ``colour_mode`` has none, of an opened Pillow picture, turned.

    Transparency is composed on white paper. ``bits`` is the depth of a mode of 16-bit samples.

    Raises:
        InvalidDocument: ``file.format.unsupported`` for samples of more than 16 bits.
    """
    if picture.mode in ("I", "F"):
        raise InvalidDocument("file.format.unsupported", name="32-bit TIFF")
    if picture.mode.startswith("I;16"):
        deep = np.asarray(picture).astype(np.uint16)
        return Raster(turn.apply((deep >> (bits - 8)).astype(np.uint8)), None)
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.new("RGBA", picture.size, "white")
        picture.alpha_composite(layer)
    if colour_mode != "colour":
        return Raster(turn.apply(np.asarray(picture.convert("L"))), None)
    return raster_of_rgb(np.asarray(picture.convert("RGB")), turn)


def palette_mode(colours: npt.NDArray[Any]) -> ColourMode:
    """How a palette of (N, 3) colours stores pixels: a palette of greys is no colour."""
    if (colours != colours[:, :1]).any():
        return "colour"
    return "bilevel" if len(np.unique(colours)) <= 2 else "gray"
