"""TIFF: walking the directories, and decoding (TIFF 6.0; BigTIFF).

The directories are walked here before Pillow sees the file: a chain can be circular, and the
sizes and the number of pages must be known before anything is decoded.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from docqa.errors import InvalidDocument
from docqa.intake.exif import Tags, tags_from_directory
from docqa.intake.limits import Limits, check_size, damage_refused
from docqa.intake.pixels import palette_mode, raster_of_pillow
from docqa.intake.turn import AS_STORED
from docqa.page import ColourMode, Raster

_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC = 254, 255, 256, 257, 258, 262
_PALETTE, _EXIF = 320, 34665
_NOT_A_PAGE = 1 | 4
"""Subfile bits: reduced copy of another picture, transparency mask."""
_OLD_REDUCED_COPY = 2
"""The same in the tag that came before."""
_WHITE_IS_ZERO = 0
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TYPE_BYTES_BIG = {16: 8, 17: 8, 18: 8}
_MAX_DIRECTORIES = 200
"""Pages, previews and masks together."""
_MAX_ENTRIES = 512
"""Of one directory; real ones have about twenty."""
_PIECES = (273, 279, 324, 325)
"""Offsets and sizes of strips and of tiles."""
_MAX_PIECES = 80_000
"""Each costs a decoder as much as a small picture; 20 000 rows in four planes have as many."""


@dataclass(frozen=True, slots=True)
class TiffPage:
    """One directory that is a page."""

    frame: int
    """Its place in the chain, from 0."""
    colour_mode: ColourMode
    bits: int
    """Per sample."""
    white_is_zero: bool
    tags: Tags


@dataclass(frozen=True, slots=True)
class _Layout:
    """The widths of numbers in this file."""

    order: Literal["little", "big"]
    count_bytes: int
    entry_bytes: int
    pointer_bytes: int


def read_frames(data: bytes, limits: Limits) -> list[int]:
    """The places in the chain of the directories that are pages, all within the limits.

    Raises:
        InvalidDocument: ``file.damaged``, ``file.no_pages``, ``file.too_many_pages`` or one of a
            wrong size.
    """
    with damage_refused():
        pages = [
            (frame, sizes)
            for frame, sizes in enumerate(_walk(data))
            if not sizes.get(_SUBFILE, 0) & _NOT_A_PAGE
            and sizes.get(_OLD_SUBFILE) != _OLD_REDUCED_COPY
        ]
        if not pages:
            raise InvalidDocument("file.no_pages")
        if len(pages) > limits.max_pages:
            raise InvalidDocument("file.too_many_pages", limit=limits.max_pages, actual=len(pages))
        for _, sizes in pages:
            check_size(sizes[_WIDTH], sizes[_HEIGHT], limits)
    return [frame for frame, _ in pages]


def read_page(data: bytes, frame: int, limits: Limits) -> TiffPage:
    """The facts of one page.

    Raises:
        InvalidDocument: ``file.damaged``, ``file.format.unsupported``, or one of a wrong size.
    """
    with damage_refused(), _opened(data) as picture:
        picture.seek(frame)
        assert isinstance(picture, TiffImagePlugin.TiffImageFile)
        # Pillow understands more ways to write a size than the walk above.
        check_size(*picture.size, limits)
        directory: dict[int, Any] = dict(picture.tag_v2)
        return TiffPage(
            frame,
            _colour_mode(picture, directory),
            max(directory.get(_BITS, (1,))),
            directory.get(_PHOTOMETRIC) == _WHITE_IS_ZERO,
            tags_from_directory(directory, data, has_exif=_EXIF in directory),
        )


def decode(data: bytes, page: TiffPage) -> Raster:
    """The pixels of one page, turned upright.

    Raises:
        InvalidDocument: ``file.damaged``, ``file.format.unsupported``.
    """
    with damage_refused(), _opened(data) as picture:
        picture.seek(page.frame)
        # Pillow itself turns a TIFF upright as it loads.
        raster = raster_of_pillow(picture, page.colour_mode, AS_STORED, bits=page.bits)
        if page.white_is_zero and picture.mode.startswith("I;16"):
            # Pillow turns the polarity round for all modes but this one.
            return Raster(~raster.luma, None)
        return raster


def _opened(data: bytes) -> Image.Image:
    """The file, whose directories have been walked: what is not known then is not broken."""
    try:
        return Image.open(io.BytesIO(data), formats=["TIFF"])
    except UnidentifiedImageError as unknown:
        raise InvalidDocument("file.format.unsupported", name="unusual TIFF") from unknown


def _colour_mode(picture: Image.Image, directory: dict[int, Any]) -> ColourMode:
    if picture.mode == "1":
        return "bilevel"
    if picture.mode in ("L", "LA") or picture.mode.startswith("I;16"):
        return "gray"
    if picture.mode in ("P", "PA") and _PALETTE in directory:
        return palette_mode(np.array(directory[_PALETTE]).reshape(3, -1).T)
    return "colour"


def _walk(data: bytes) -> list[dict[int, int]]:
    """Of each directory in the chain, its size and subfile tags."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    is_big = data[2:4] in (b"+\0", b"\0+")
    layout = _Layout(order, 8, 20, 8) if is_big else _Layout(order, 2, 12, 4)
    at = _number(data, 8 if is_big else 4, layout.pointer_bytes, layout)
    seen: set[int] = set()
    directories: list[dict[int, int]] = []
    while at and at not in seen:
        if len(seen) == _MAX_DIRECTORIES:
            raise InvalidDocument("file.damaged")
        seen.add(at)
        entries = _number(data, at, layout.count_bytes, layout)
        if entries > _MAX_ENTRIES:
            raise InvalidDocument("file.damaged")
        first = at + layout.count_bytes
        after = first + entries * layout.entry_bytes
        directories.append(_read_sizes(data, range(first, after, layout.entry_bytes), layout))
        at = _number(data, after, layout.pointer_bytes, layout)
    return directories


def _read_sizes(data: bytes, entries: range, layout: _Layout) -> dict[int, int]:
    sizes: dict[int, int] = {}
    value_bytes = 0
    for at in entries:
        tag, kind = _number(data, at, 2, layout), _number(data, at + 2, 2, layout)
        count = _number(data, at + 4, layout.pointer_bytes, layout)
        if tag in _PIECES and count > _MAX_PIECES:
            raise InvalidDocument("file.damaged")
        value_bytes += count * (_TYPE_BYTES | _TYPE_BYTES_BIG).get(kind, 1)
        if tag in (_WIDTH, _HEIGHT, _SUBFILE, _OLD_SUBFILE):
            width = min(_TYPE_BYTES.get(kind, layout.pointer_bytes), layout.pointer_bytes)
            sizes[tag] = _number(data, at + 4 + layout.pointer_bytes, width, layout)
    # Tags that all point at the same bytes would be read one by one.
    if value_bytes > 2 * len(data) + 4096:
        raise InvalidDocument("file.damaged")
    return sizes


def _number(data: bytes, at: int, size: int, layout: _Layout) -> int:
    if at + size > len(data):
        raise InvalidDocument("file.damaged")
    return int.from_bytes(data[at : at + size], layout.order)
