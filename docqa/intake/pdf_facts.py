"""What a PDF says of the device and the programs that its pages come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pypdfium2 as pdfium

from docqa.intake.exif import clean_name, xmp_name
from docqa.intake.jpeg import JpegHeader
from docqa.intake.limits import damage_refused
from docqa.intake.pdf_objects import Picture
from docqa.intake.sniff import MEDIA_TYPES
from docqa.page import Origin

_MAX_NAME_CHARS = 120
_XMP_WITHIN = 800
"""A name between two tags is found by the second."""
_SPEAKING_AREA_FRACTION = 0.5
"""Of the largest picture's: smaller ones, a signature say, tell nothing of the page."""


def facts_of_document(data: bytes, document: pdfium.PdfDocument) -> Origin:
    """What holds for all pages."""
    with damage_refused():
        producer, creator = (
            clean_name(document.get_metadata_value(name), _MAX_NAME_CHARS)
            for name in ("Producer", "Creator")
        )
    return Origin(
        "pdf",
        MEDIA_TYPES["pdf"],
        pdf_producer=producer or _name_in_xmp(data, "pdf:Producer"),
        pdf_creator=creator or _name_in_xmp(data, "xmp:CreatorTool"),
    )


def _name_in_xmp(data: bytes, name: str) -> str | None:
    """From the last XMP packet: it stands as plain text in the file, so that programs find it."""
    at = data.rfind(name.encode("ascii"))
    near = data[max(at - _XMP_WITHIN, 0) : at + _XMP_WITHIN] if at >= 0 else b""
    return xmp_name(near.decode("utf-8", "replace"), name)


def with_jpeg_facts(origin: Origin, header: JpegHeader) -> Origin:
    """What a JPEG says that is the page."""
    # The EXIF orientation does not count: viewers go by the page's own matrix.
    tags = header.tags()
    return replace(
        origin,
        make=tags.make,
        model=tags.model,
        software=tags.software,
        has_exif=tags.has_exif,
        jpeg_quantisation=header.quantisation,
        jpeg_subsampling=header.subsampling,
        jpeg_scans=header.scans,
    )


def with_device(
    origin: Origin, pictures: tuple[Picture, ...], headers: Sequence[JpegHeader | None]
) -> Origin:
    """What the one JPEG on a drawn page says; of several pictures, what the largest names."""
    large = _SPEAKING_AREA_FRACTION * max((one.area_fraction for one in pictures), default=0.0)
    speaking = [
        (bool(header.tags().make or header.tags().software), picture.area_fraction, number)
        for number, (picture, header) in enumerate(zip(pictures, headers, strict=True))
        if header is not None and picture.area_fraction >= large
    ]
    header = headers[max(speaking)[2]] if speaking else None
    if header is None:
        return origin
    told = with_jpeg_facts(origin, header)
    if len(pictures) == 1:
        return told
    return replace(
        told,
        jpeg_quantisation=origin.jpeg_quantisation,
        jpeg_subsampling=origin.jpeg_subsampling,
        jpeg_scans=origin.jpeg_scans,
    )
