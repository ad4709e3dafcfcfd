"""PNG: reading the chunks, and decoding (W3C Portable Network Graphics, third edition)."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from PIL import Image

from docqa.errors import InvalidDocument
from docqa.intake.exif import Tags, clean_name, lower_ppi, tags_from_segment, with_xmp
from docqa.intake.limits import Limits, check_size, damage_refused
from docqa.intake.pixels import palette_mode, raster_of_pillow, raster_of_rgb
from docqa.intake.turn import Turn
from docqa.page import ColourMode, Pixels, Raster

_GRAY, _RGB, _PALETTE, _GRAY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6
_MAX_CHUNKS = 50_000
"""A file of 25 MB in chunks of 8 kB, the usual size, has 3 000."""
_INCHES_PER_METRE = 1 / 0.0254
_XMP_KEYWORD = b"XML:com.adobe.xmp\0"


@dataclass(slots=True)
class PngHeader:
    """Facts of a PNG file, collected while its chunks are walked."""

    width_px: int = 0
    height_px: int = 0
    bits: int = 0
    """Per sample."""
    colour_type: int = _GRAY
    palette: bytes = b""
    has_transparency: bool = False
    is_animated: bool = False
    """More frames follow the first, which is the picture."""
    has_end: bool = False
    ppi: float | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    software: str | None = None

    @property
    def colour_mode(self) -> ColourMode:
        """How the pixels are stored."""
        if self.colour_type == _PALETTE:
            return palette_mode(np.frombuffer(self.palette, np.uint8).reshape(-1, 3))
        if self.colour_type == _GRAY and self.bits == 1:
            return "bilevel"
        return "gray" if self.colour_type in (_GRAY, _GRAY_ALPHA) else "colour"

    def tags(self) -> Tags:
        """What the EXIF and XMP chunks say."""
        return with_xmp(tags_from_segment(self.exif), self.xmp)


def read_header(data: bytes, limits: Limits) -> PngHeader:
    """Walk a PNG's chunks.

    Raises:
        InvalidDocument: ``file.damaged``, or one of a wrong size.
    """
    with damage_refused():
        header = _walk(data)
        check_size(header.width_px, header.height_px, limits)
        if not header.has_end:
            raise InvalidDocument("file.damaged")
    return header


def decode(data: bytes, header: PngHeader, turn: Turn) -> Raster:
    """The pixels of a PNG whose header was read, turned upright.

    Raises:
        InvalidDocument: ``file.damaged``.
    """
    with damage_refused():
        # OpenCV is a third faster than Pillow on the plain kinds, drops transparency, and
        # takes the sizes of further frames as they are claimed.
        is_plain = header.bits == 8 and not (header.has_transparency or header.is_animated)
        if is_plain and header.colour_type == _GRAY:
            return Raster(turn.apply(_decoded(data, cv2.IMREAD_GRAYSCALE)), None)
        if is_plain and header.colour_type == _RGB:
            return raster_of_rgb(_decoded(data, cv2.IMREAD_COLOR_RGB), turn)
        if is_plain and header.colour_type in (_GRAY_ALPHA, _RGB_ALPHA):
            layered = _decoded(data, cv2.IMREAD_UNCHANGED)
            if cv2.minMaxLoc(layered[:, :, -1])[0] == 255:  # nothing shines through
                return _without_layer(layered, header.colour_mode, turn)
        with Image.open(io.BytesIO(data)) as picture:
            return raster_of_pillow(picture, header.colour_mode, turn)


def _without_layer(layered: Pixels, colour_mode: ColourMode, turn: Turn) -> Raster:
    """The picture of (H, W, 4) blue, green, red and opaqueness."""
    if colour_mode == "gray":
        return Raster(turn.apply(np.ascontiguousarray(layered[:, :, 0])), None)
    return raster_of_rgb(cast("Pixels", cv2.cvtColor(layered, cv2.COLOR_BGRA2RGB)), turn)


def _walk(data: bytes) -> PngHeader:
    header = PngHeader()
    at = 8
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(data):
            return header
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if at + 12 + length > len(data) or (kind == b"IHDR") != (at == 8):
            # Decoders allocate what a chunk claims, and believe the first header only.
            raise InvalidDocument("file.damaged")
        if kind == b"IEND":
            header.has_end = True
            return header
        if kind != b"IDAT":
            _read_chunk(header, kind, data[at + 8 : at + 8 + length])
        at += 12 + length
    raise InvalidDocument("file.damaged")


def _read_chunk(header: PngHeader, kind: bytes, body: bytes) -> None:
    if kind == b"IHDR":
        header.width_px, header.height_px, header.bits, header.colour_type = struct.unpack(
            ">IIBB", body[:10]
        )
    elif kind == b"PLTE":
        if len(body) % 3:
            raise InvalidDocument("file.damaged")
        header.palette = body
    elif kind == b"tRNS":
        header.has_transparency = True
    elif kind == b"acTL":
        header.is_animated = True
    elif kind == b"pHYs":
        x, y, unit = struct.unpack(">IIB", body)
        if unit == 1:
            header.ppi = lower_ppi(x / _INCHES_PER_METRE, y / _INCHES_PER_METRE, per_cm=False)
    elif kind == b"eXIf":
        header.exif = body
    elif kind == b"iTXt" and body.startswith(_XMP_KEYWORD):
        header.xmp = body[len(_XMP_KEYWORD) :]
    elif kind == b"tEXt" and body.startswith(b"Software\0"):
        header.software = clean_name(body[9:].decode("latin-1"))


def _decoded(data: bytes, flags: int) -> Pixels:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise InvalidDocument("file.damaged")
    return cast("Pixels", pixels)
