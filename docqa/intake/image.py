"""JPEG, PNG and TIFF files as pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from docqa.intake import jpeg, png, tiff
from docqa.intake.exif import with_tags
from docqa.intake.limits import Limits
from docqa.intake.sniff import MEDIA_TYPES
from docqa.page import Format, Origin, Page


def open_image(data: bytes, file_format: Format, limits: Limits) -> tuple[int, Iterator[Page]]:
    """The number of pages, and the pages as they are asked for.

    Args:
        data: the file.
        file_format: ``jpeg``, ``png`` or ``tiff``.
        limits: what is allowed.

    Raises:
        InvalidDocument: a header is broken or beyond a limit.
    """
    if file_format == "tiff":
        frames = tiff.read_frames(data, limits)
        return len(frames), (
            _tiff_page(data, *numbered, limits) for numbered in enumerate(frames, 1)
        )
    # The pages are made when asked for, and kept by nobody here.
    if file_format == "jpeg":
        return 1, (_jpeg_page(data, header) for header in (jpeg.read_header(data, limits),))
    return 1, (_png_page(data, header) for header in (png.read_header(data, limits),))


def _jpeg_page(data: bytes, header: jpeg.JpegHeader) -> Page:
    tags = header.tags()
    ppi = header.jfif_ppi or tags.ppi
    plain = Origin("jpeg", MEDIA_TYPES["jpeg"], header.colour_mode, ppi_tag=ppi)
    origin = jpeg.with_coding(with_tags(plain, tags), header)
    parts = jpeg.part_decoder(data, header, tags.turn)
    return Page(1, origin, lambda: jpeg.decode(data, header, tags.turn), parts)


def _png_page(data: bytes, header: png.PngHeader) -> Page:
    tags = header.tags()
    named = replace(tags, software=tags.software or header.software)
    ppi = header.ppi or tags.ppi
    plain = Origin("png", MEDIA_TYPES["png"], header.colour_mode, ppi_tag=ppi)
    return Page(1, with_tags(plain, named), lambda: png.decode(data, header, tags.turn))


def _tiff_page(data: bytes, index: int, frame: int, limits: Limits) -> Page:
    page = tiff.read_page(data, frame, limits)
    plain = Origin("tiff", MEDIA_TYPES["tiff"], page.colour_mode, ppi_tag=page.tags.ppi)
    return Page(index, with_tags(plain, page.tags), lambda: tiff.decode(data, page))
