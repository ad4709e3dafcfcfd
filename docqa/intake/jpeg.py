"""JPEG: reading the header, and decoding.

Structure as in ITU-T T.81 annex B. The segments are walked to the end of the picture, because
the number of scans, and whether the file is whole, can be told in no other way.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image

from docqa.errors import InvalidDocument
from docqa.intake.exif import Tags, lower_ppi, tags_from_segment, with_xmp
from docqa.intake.jpeg_colour import Stored, brightness, decoded, one_pass, two_passes
from docqa.intake.limits import Limits, check_size, damage_refused
from docqa.intake.pixels import raster_of_pillow, raster_of_rgb
from docqa.intake.turn import Turn
from docqa.page import ColourMode, Origin, PartDecoder, Raster

_SOI, _EOI, _SOS, _DQT, _APP0, _APP1 = 0xD8, 0xD9, 0xDA, 0xDB, 0xE0, 0xE1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, _SOI, *range(0xD0, 0xD8)})
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_ENDS_SCAN = np.ones(256, np.bool_)
"""By the byte after a 0xFF. Entropy-coded data holds no marker but restarts: a 0xFF of its own is
followed by 0x00."""
_ENDS_SCAN[[0x00, 0xFF, *range(0xD0, 0xD8)]] = False
_PART_BYTES = 1 << 17
"""Looked at together: what the processor's cache holds."""
_MAX_SEGMENTS = 5_000
_SUBSAMPLING: dict[tuple[float, float], str] = {
    (1, 1): "4:4:4",
    (2, 1): "4:2:2",
    (2, 2): "4:2:0",
    (1, 2): "4:4:0",
    (4, 1): "4:1:1",
    (4, 2): "4:1:0",
}
_TAIL_NOISE = bytes(range(7, 250, 3))
"""Not 0x00 and not 0xFF: decodes to something else than the zeros that libjpeg pads with."""
_XMP_NAMESPACE = b"http://ns.adobe.com/xap/1.0/\0"


@dataclass(slots=True)
class JpegHeader:
    """Facts of a JPEG file, collected while its segments are walked."""

    width_px: int = 0
    height_px: int = 0
    components: int = 0
    """1 grey, 3 colour, 4 CMYK."""
    bits: int = 0
    """Per sample."""
    subsampling: str | None = None
    scans: int = 0
    has_end: bool = False
    """The end-of-image marker is there."""
    jfif_ppi: float | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    tables: dict[int, tuple[int, ...]] | None = None
    """Quantisation tables of the first scan, in zig-zag order, by their number."""

    @property
    def quantisation(self) -> tuple[tuple[int, ...], ...]:
        """Quantisation tables in the order of their numbers."""
        tables = self.tables or {}
        return tuple(tables[number] for number in sorted(tables))

    @property
    def colour_mode(self) -> ColourMode:
        """Whether the file has colour components, used or not."""
        return "gray" if self.components == 1 else "colour"

    def tags(self) -> Tags:
        """What the EXIF and XMP blocks say."""
        return with_xmp(tags_from_segment(self.exif), self.xmp)


def with_coding(origin: Origin, header: JpegHeader) -> Origin:
    """The facts of a page with how its JPEG is coded."""
    return replace(
        origin,
        jpeg_quantisation=header.quantisation,
        jpeg_subsampling=header.subsampling,
        jpeg_scans=header.scans,
    )


def read_header(data: bytes, limits: Limits) -> JpegHeader:
    """Walk a JPEG's segments.

    Raises:
        InvalidDocument: ``file.damaged``, ``file.format.unsupported``, ``file.too_many_scans``
            or one of a wrong size.
    """
    with damage_refused():
        header = _walk(data, limits.max_jpeg_scans)
    if not header.scans:
        raise InvalidDocument("file.damaged")
    check_size(header.width_px, header.height_px, limits)
    if header.bits != 8:
        raise InvalidDocument("file.format.unsupported", name=f"{header.bits}-bit JPEG")
    return header


def decode(data: bytes, header: JpegHeader, turn: Turn) -> Raster:
    """The pixels of a JPEG whose header was read, turned upright.

    Raises:
        InvalidDocument: ``file.damaged``.
    """
    with damage_refused():
        if not header.has_end:
            data = _with_end(data)
        if header.components not in (1, 3):
            with Image.open(io.BytesIO(data)) as picture:
                return raster_of_pillow(picture, "colour", turn)
        if header.components == 1:
            luma = brightness(data, header.width_px, header.height_px)
            return Raster(turn.apply(luma), None)
        return raster_of_rgb(decoded(data, cv2.IMREAD_COLOR_RGB), turn)


def part_decoder(data: bytes, header: JpegHeader, turn: Turn) -> PartDecoder | None:
    """Brightness alone, and colour at a fraction of the size; None where both need all pixels.

    No colour is interpolated and converted only to be averaged away, and where the library is
    installed what is Huffman-coded is read once.
    """
    if not header.has_end or header.subsampling is None:
        return None
    stored = Stored(data, header.width_px, header.height_px, header.subsampling, turn)
    first, second = (two_passes, one_pass) if stored.is_likely_scan else (one_pass, two_passes)
    return first(stored) or second(stored)


def _walk(data: bytes, max_scans: int) -> JpegHeader:
    header = JpegHeader(tables={})
    at = 2
    for _ in range(_MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None:
            return header
        at = found.start()
        marker = data[at + 1]
        if marker == _EOI:
            header.has_end = True
            return header
        if marker in _WITHOUT_LENGTH:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        _read_segment(header, marker, data[at + 4 : at + 2 + length])
        at += 2 + length
        if marker == _SOS:
            header.scans += 1
            if header.scans > max_scans:
                raise InvalidDocument("file.too_many_scans", limit=max_scans, actual=header.scans)
            following = _end_of_scan(data, at)
            if following is None:
                return header
            at = following
    raise InvalidDocument("file.damaged")


def _end_of_scan(data: bytes, start: int) -> int | None:
    """Where the first marker behind entropy-coded data stands."""
    whole = np.frombuffer(data, np.uint8)
    for at in range(start, len(data) - 1, _PART_BYTES):
        part = whole[at : at + _PART_BYTES + 1]
        places = np.flatnonzero(part[:-1] == 0xFF)
        ends = places[_ENDS_SCAN[part[1:][places]]]
        if ends.size:
            return at + int(ends[0])
    return None


def _read_segment(header: JpegHeader, marker: int, body: bytes) -> None:
    if marker in _FRAMES and not header.components:
        _read_frame(header, body)
    elif marker == _DQT and not header.scans:
        _read_tables(header, body)
    elif marker == _APP0 and body[:5] == b"JFIF\0" and header.jfif_ppi is None:
        unit, x, y = struct.unpack(">BHH", body[7:12])
        header.jfif_ppi = lower_ppi(x, y, per_cm=unit == 2) if unit in (1, 2) else None
    elif marker == _APP1 and body[:6] == b"Exif\0\0" and header.exif is None:
        header.exif = body
    elif marker == _APP1 and body.startswith(_XMP_NAMESPACE) and header.xmp is None:
        header.xmp = body[len(_XMP_NAMESPACE) :]


def _read_frame(header: JpegHeader, body: bytes) -> None:
    header.bits, header.height_px, header.width_px, header.components = struct.unpack(
        ">BHHB", body[:6]
    )
    if header.components == 3:
        factors = [(body[at] >> 4, body[at] & 15) for at in (7, 10, 13)]
        (luma_x, luma_y), (chroma_x, chroma_y), last = factors
        ratio = (luma_x / chroma_x, luma_y / chroma_y)
        same = last == (chroma_x, chroma_y)
        header.subsampling = _SUBSAMPLING.get(ratio, "other") if same else "other"


def _read_tables(header: JpegHeader, body: bytes) -> None:
    assert header.tables is not None
    at = 0
    while at < len(body):
        is_16_bit, number = body[at] >> 4, body[at] & 15
        size = 128 if is_16_bit else 64
        values = struct.unpack(">64H" if is_16_bit else ">64B", body[at + 1 : at + 1 + size])
        header.tables[number] = tuple(values)
        at += 1 + size


def _with_end(data: bytes) -> bytes:
    """A JPEG without an end marker, completed; ``file.damaged`` unless its picture is whole.

    A decoder fills what is missing with zeros and says so only on stderr. So the file is decoded
    twice, with other bytes behind its end: they change the picture only where it is not whole.
    """
    data = data.rstrip(b"\xff")
    ended = data + b"\xff\xd9"
    first = decoded(ended, cv2.IMREAD_GRAYSCALE)
    second = decoded(data + _TAIL_NOISE + b"\xff\xd9", cv2.IMREAD_GRAYSCALE)
    if not np.array_equal(first, second):
        raise InvalidDocument("file.damaged")
    return ended
