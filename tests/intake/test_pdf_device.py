"""What a PDF says of the device and the program that its pages come from."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from docqa.intake import Limits, open_document
from docqa.page import Origin
from tests.faults.minimal_pdf import image_stream, page_pdf, stream, write_pdf

WIDTH_PX, HEIGHT_PX = 96, 64
FONT = b"/Font << /F0 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
PLACE = b"q 96 0 0 64 0 0 cm /X0 Do Q "
PHONE = {271: "Apple", 272: "iPhone 14"}


def _jpeg(tags: dict[int, str], **options: Any) -> bytes:
    exif = Image.Exif()
    exif.update(tags)
    shades = np.random.default_rng(len(tags)).integers(0, 256, (HEIGHT_PX, WIDTH_PX), np.uint8)
    out = io.BytesIO()
    Image.fromarray(shades).save(out, "JPEG", exif=exif, **options)
    return image_stream(
        out.getvalue(), WIDTH_PX, HEIGHT_PX, colour_space=b"/DeviceGray", bits=8,
        more=b"/Filter /DCTDecode",
    )  # fmt: skip


def _plain(value: int = 250) -> bytes:
    pixels = np.full((HEIGHT_PX, WIDTH_PX), value, np.uint8)
    return image_stream(
        zlib.compress(pixels.tobytes()), WIDTH_PX, HEIGHT_PX, colour_space=b"/DeviceGray", bits=8,
        more=b"/Filter /FlateDecode",
    )  # fmt: skip


def _origin(data: bytes) -> Origin:
    return next(open_document(data, limits=Limits(), renderer=None).pages).origin


def _page(content: bytes, *pictures: bytes, entries: bytes = b"") -> Origin:
    named = [(b"X%d" % number, picture) for number, picture in enumerate(pictures)]
    data = page_pdf(
        content, named, size_pt=(WIDTH_PX, HEIGHT_PX), more_resources=FONT, page_entries=entries
    )
    return _origin(data)


@pytest.mark.parametrize(
    ("content", "entries", "layering"),
    [
        (PLACE, b"", "image"),
        (PLACE + b"BT /F0 6 Tf 3 3 Td (1) Tj ET", b"", "marked"),
        (PLACE + b"2 2 m 8 2 l S", b"", "marked"),
        (PLACE, b"/CropBox [2 2 94 62]", "layered"),
        (b"q 96 0 0 60 0 0 cm /X0 Do Q", b"", "layered"),
        (b"q 40 0 0 27 9 9 cm /X0 Do Q BT /F0 6 Tf 3 3 Td (1) Tj ET", b"", "rendered"),
    ],
)
def test_a_picture_names_its_camera_whatever_else_is_on_the_page(
    content: bytes, entries: bytes, layering: str
) -> None:
    origin = _page(content, _jpeg(PHONE, progressive=True, quality=50), entries=entries)
    assert origin.pdf_layering == layering
    assert (origin.make, origin.model, origin.has_exif) == ("Apple", "iPhone 14", True)
    assert origin.jpeg_scans >= 4
    assert origin.jpeg_quantisation


def test_of_several_pictures_the_largest_that_names_a_device_speaks() -> None:
    phone, app, silent = _jpeg(PHONE), _jpeg({305: "CamScanner"}), _jpeg({})
    halves = b"q 48 0 0 64 0 0 cm /X0 Do Q q 48 0 0 60 48 0 cm /X1 Do Q"
    assert _page(halves, silent, phone).make == "Apple"
    assert _page(halves, app, phone).software == "CamScanner"
    assert _page(halves, phone, app).make == "Apple"
    assert _page(halves, phone, silent).jpeg_quantisation == ()  # not the whole page's


def test_a_small_picture_on_a_scan_says_nothing_of_the_scan() -> None:
    signature = b"q 20 0 0 12 9 9 cm /X1 Do Q"
    for scan in (_jpeg({}), _plain()):
        origin = _page(PLACE + signature, scan, _jpeg(PHONE))
        assert (origin.pdf_layering, origin.make) == ("layered", None)


_ATTRIBUTES = (
    b'<rdf:Description pdf:Producer="intsig.com pdf producer" xmp:CreatorTool="CamScanner"/>'
)
_ELEMENTS = (
    b"<pdf:Producer>intsig.com pdf producer</pdf:Producer>"
    b"<xmp:CreatorTool>CamScanner</xmp:CreatorTool><dc:creator>SECRET</dc:creator>"
)


@pytest.mark.parametrize("packet", [_ATTRIBUTES, _ELEMENTS])
@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (b"", ("intsig.com pdf producer", "CamScanner")),
        (b"/Producer (Skia)", ("Skia", "CamScanner")),
        (b"/Producer (A) /Creator (B)", ("A", "B")),
    ],
)
def test_producer_and_creator_may_stand_in_the_xmp_packet(
    packet: bytes, info: bytes, expected: tuple[str, str]
) -> None:
    packet = b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>' + packet + b'<?xpacket end="w"?>'
    data = write_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 96 64] >>",
            stream(packet, b"/Type /Metadata /Subtype /XML"),
            b"<< %s >>" % info,
        ],
        trailer=b"/Info 5 0 R",
    )
    origin = _origin(data)
    assert (origin.pdf_producer, origin.pdf_creator) == expected
    assert "SECRET" not in repr(origin)


_STRETCHED = b"q 96 0 0 60 0 0 cm /X0 Do Q"
_LINE = b"2 2 m 8 2 l S"


@pytest.mark.parametrize(
    ("content", "stated_ppi", "layering", "is_own"),
    [
        (PLACE, 72, "image", True),
        (PLACE, 100, "image", False),
        (PLACE, None, "image", False),
        (_STRETCHED, 72, "layered", True),
        (_STRETCHED, None, "layered", False),
        (PLACE + _LINE, 72, "marked", True),
        (PLACE + _LINE, None, "marked", False),
        (b"q 24 0 0 16 0 0 cm /X0 Do Q " + _LINE, 288, "rendered", False),
    ],
)
def test_a_density_is_a_pictures_own_where_the_picture_states_it(
    content: bytes, stated_ppi: int | None, layering: str, is_own: bool
) -> None:
    stated = {"dpi": (stated_ppi, stated_ppi)} if stated_ppi else {}
    origin = _page(content, _jpeg({}, **stated))
    assert (origin.pdf_layering, origin.is_ppi_own) == (layering, is_own)


def test_the_density_of_a_marked_scan_that_is_drawn_coarser_is_not_its_own() -> None:
    content = b"q 9.6 0 0 6.4 0 0 cm /X0 Do Q 1 1 m 2 1 l S"
    picture = _jpeg({}, dpi=(720, 720))
    origin = _origin(page_pdf(content, [(b"X0", picture)], size_pt=(9.6, 6.4)))
    assert (origin.pdf_layering, origin.ppi_tag, origin.is_ppi_own) == ("marked", 300, False)


def test_a_picture_that_is_no_jpeg_has_no_density_of_its_own() -> None:
    assert not _page(PLACE, _plain()).is_ppi_own
