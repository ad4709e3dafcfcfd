"""What a PDF says of the device and the programs that its pages come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pypdfium2 as pdfium

from docqa.intake.exif import clean_name, with_tags, xmp_name
from docqa.intake.jpeg import JpegHeader, with_coding
from docqa.intake.limits import damage_refused
from docqa.intake.pdf_objects import Picture
from docqa.intake.sniff import MEDIA_TYPES
from docqa.page import Origin

_MAX_NAME_CHARS = 120
_XMP_WITHIN = 800
"""A name between two tags is found by the second."""
_SPEAKING_AREA_FRACTION = 0.5
"""Of the largest picture's: smaller ones, a signature say, tell nothing of the page."""
_SAME_PPI = 1.0


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
        is_ppi_own=False,
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
    return with_coding(with_tags(origin, header.tags()), header)


def with_device(
    origin: Origin, pictures: tuple[Picture, ...], headers: Sequence[JpegHeader | None]
) -> Origin:
    """What the one JPEG on a drawn page says; of several pictures, what the largest names."""
    largest = max((one.area_fraction for one in pictures), default=0.0)
    jpegs = [
        (picture, header)
        for picture, header in zip(pictures, headers, strict=True)
        if header and picture.area_fraction >= _SPEAKING_AREA_FRACTION * largest
    ]
    if not jpegs:
        return origin
    _, header = max(jpegs, key=lambda one: (_names_device(one[1]), one[0].area_fraction))
    told = with_tags(origin, header.tags())
    told = replace(told, is_ppi_own=any(_is_drawn_as_stated(origin, *one) for one in jpegs))
    return with_coding(told, header) if len(pictures) == 1 else told


def states_density(picture: Picture, header: JpegHeader) -> bool:
    """Whether a JPEG's file says of itself what its place on the page makes of it."""
    own = header.jfif_ppi or header.tags().ppi
    return own is not None and min(abs(own - placed) for placed in picture.ppi) < _SAME_PPI


def _names_device(header: JpegHeader) -> bool:
    tags = header.tags()
    return bool(tags.make or tags.software or tags.states_exposure)


def _is_drawn_as_stated(origin: Origin, picture: Picture, header: JpegHeader) -> bool:
    is_as_fine = abs(picture.finest_ppi - (origin.ppi_tag or 0)) < _SAME_PPI
    is_scan = origin.pdf_layering == "layered" or (origin.pdf_layering == "marked" and is_as_fine)
    return is_scan and states_density(picture, header)
