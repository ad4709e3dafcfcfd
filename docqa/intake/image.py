"""JPEG, PNG and TIFF files as pages."""

from __future__ import annotations

from collections.abc import Iterator

from docqa.intake import jpeg, png, tiff
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
    origin = Origin(
        "jpeg",
        MEDIA_TYPES["jpeg"],
        header.colour_mode,
        ppi_tag=header.jfif_ppi or tags.ppi,
        make=tags.make,
        model=tags.model,
        software=tags.software,
        has_exif=tags.has_exif,
        states_exposure=tags.states_exposure,
        jpeg_quantisation=header.quantisation,
        jpeg_subsampling=header.subsampling,
        jpeg_scans=header.scans,
    )
    parts = jpeg.part_decoder(data, header, tags.turn)
    return Page(1, origin, lambda: jpeg.decode(data, header, tags.turn), parts)


def _png_page(data: bytes, header: png.PngHeader) -> Page:
    tags = header.tags()
    origin = Origin(
        "png",
        MEDIA_TYPES["png"],
        header.colour_mode,
        ppi_tag=header.ppi or tags.ppi,
        make=tags.make,
        model=tags.model,
        software=tags.software or header.software,
        has_exif=tags.has_exif,
        states_exposure=tags.states_exposure,
    )
    return Page(1, origin, lambda: png.decode(data, header, tags.turn))


def _tiff_page(data: bytes, index: int, frame: int, limits: Limits) -> Page:
    page = tiff.read_page(data, frame, limits)
    origin = Origin(
        "tiff",
        MEDIA_TYPES["tiff"],
        page.colour_mode,
        ppi_tag=page.tags.ppi,
        make=page.tags.make,
        model=page.tags.model,
        software=page.tags.software,
        has_exif=page.tags.has_exif,
        states_exposure=page.tags.states_exposure,
    )
    return Page(index, origin, lambda: tiff.decode(data, page))
