"""PDF pages: the right way to pixels, the right pixels, the right way up."""

from __future__ import annotations

import gc
import io
import weakref
import zlib
from typing import Any, cast

import cv2
import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image

from docqa.errors import EngineFault, InvalidDocument, MissingDependency
from docqa.intake import Limits, open_document
from docqa.page import Page, Pixels
from docqa.ports import PdfRenderer
from tests.faults import bad_files
from tests.faults.minimal_pdf import (
    image_stream,
    page_pdf,
    restricted_scan_pdf,
    stream,
    write_pdf,
)

WIDTH_PX, HEIGHT_PX = 96, 64
TEXT = b"BT /F0 12 Tf 20 20 Td (visible) Tj ET"
HIDDEN_TEXT = b"BT 3 Tr /F0 12 Tf 20 20 Td (hidden) Tj ET"
FONT = b"/Font << /F0 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
FULL_PAGE = b"q 595 0 0 842 0 0 cm /X0 Do Q"


class _Renderer:
    """A renderer that is there to be called, or to fail."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.asked_ppi: list[float] = []

    def render(self, document: bytes, page_index: int, *, ppi: float) -> Pixels:
        self.asked_ppi.append(ppi)
        if self.fault:
            raise self.fault
        return np.full((50, 40, 3), 77, np.uint8)


def _shades() -> Pixels:
    """Blocks of grey, not symmetric in any way."""
    coarse = np.random.default_rng(3).integers(0, 256, (HEIGHT_PX // 8, WIDTH_PX // 8), np.uint8)
    return cast("Pixels", np.kron(coarse, np.ones((8, 8), np.uint8)))


def _bits() -> Pixels:
    """0 and 1; more of the first."""
    return (_shades() > 170).astype(np.uint8)


def _flate(
    pixels: Pixels, *, colour_space: bytes = b"/DeviceGray", bits: int = 8, more: bytes = b""
) -> bytes:
    rows = np.packbits(pixels, axis=1) if bits == 1 else pixels
    return image_stream(
        zlib.compress(rows.tobytes()),
        pixels.shape[1],
        pixels.shape[0],
        colour_space=colour_space,
        bits=bits,
        more=b"/Filter /FlateDecode " + more,
    )


def _jpeg(picture: Image.Image | None = None, **options: Any) -> tuple[bytes, bytes]:
    """A JPEG file of grey blocks, and the same as an image object."""
    out = io.BytesIO()
    picture = picture or Image.fromarray(_shades())
    picture.save(out, "JPEG", quality=95, **options)
    space = {"L": b"/DeviceGray", "RGB": b"/DeviceRGB", "CMYK": b"/DeviceCMYK"}[picture.mode]
    more = b"/Filter /DCTDecode"
    if picture.mode == "CMYK":
        more += b" /Decode [1 0 1 0 1 0 1 0]"
    body = image_stream(out.getvalue(), *picture.size, colour_space=space, bits=8, more=more)
    return out.getvalue(), body


def _page(
    data: bytes, *, limits: Limits | None = None, renderer: PdfRenderer | None = None
) -> Page:
    intake = open_document(data, limits=limits or Limits(), renderer=renderer)
    assert intake.format == "pdf"
    assert intake.media_type == "application/pdf"
    return next(intake.pages)


def _scan(
    picture: bytes, *more: tuple[bytes, bytes], content: bytes = FULL_PAGE, **kwargs: Any
) -> bytes:
    return page_pdf(content, [(b"X0", picture), *more], more_resources=FONT, **kwargs)


def _square_page(picture: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """The picture at 72 ppi, filling its page."""
    content = b"q %d 0 0 %d 0 0 cm /X0 Do Q" % (WIDTH_PX, HEIGHT_PX)
    return _scan(picture, *more, content=content, size_pt=(WIDTH_PX, HEIGHT_PX))


def test_a_scanned_jpeg_is_decoded_itself() -> None:
    file, body = _jpeg(Image.fromarray(_shades()).convert("RGB"), subsampling="4:2:0")
    page = _page(_square_page(body))
    with Image.open(io.BytesIO(file)) as picture:
        expected = np.asarray(picture.convert("L"))
    assert np.abs(page.luma().astype(int) - expected).max() <= 2
    assert page.origin.pdf_layering == "image"
    assert page.origin.colour_mode == "colour"
    assert page.origin.jpeg_subsampling == "4:2:0"
    assert page.origin.jpeg_scans == 1
    assert len(page.origin.jpeg_quantisation) == 2
    assert page.origin.ppi_tag == pytest.approx(72)


def test_a_jpeg_behind_a_simple_filter_is_found() -> None:
    file, _ = _jpeg()
    wrapped = image_stream(
        file.hex().encode() + b">",
        WIDTH_PX,
        HEIGHT_PX,
        colour_space=b"/DeviceGray",
        bits=8,
        more=b"/Filter [/ASCIIHexDecode /DCTDecode]",
    )
    page = _page(_square_page(wrapped))
    assert page.origin.jpeg_scans == 1
    assert np.abs(page.luma().astype(int) - _shades()).max() <= 12


def test_exif_of_a_jpeg_inside_counts_but_not_its_orientation() -> None:
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Apple", "iPhone", 6
    _, body = _jpeg(exif=exif)
    page = _page(_square_page(body))
    assert (page.origin.make, page.origin.model, page.origin.has_exif) == ("Apple", "iPhone", True)
    assert page.luma().shape == (HEIGHT_PX, WIDTH_PX)


_RGB_INVERTED = b"[/Indexed /DeviceRGB 1 <ffffff000000>]"
_REVERSED_GRAYS = b"[/Indexed /DeviceGray 255 <" + bytes(range(256))[::-1].hex().encode() + b">]"


@pytest.mark.parametrize(
    ("picture", "expected", "mode"),
    [
        (_flate(_shades()), _shades(), "gray"),
        (_flate(_shades(), more=b"/Decode [1 0]"), 255 - _shades(), "gray"),
        (_flate(_shades(), colour_space=_REVERSED_GRAYS), 255 - _shades(), "colour"),
        (_flate(_bits(), bits=1), _bits() * 255, "bilevel"),
        (_flate(_bits(), bits=1, more=b"/Decode [1 0]"), 255 - _bits() * 255, "bilevel"),
        (_flate(_bits(), bits=1, colour_space=_RGB_INVERTED), 255 - _bits() * 255, "bilevel"),
        # A stencil paints its zeros black.
        (
            _flate(_bits(), bits=1, colour_space=b"", more=b"/ImageMask true"),
            _bits() * 255,
            "bilevel",
        ),
        (
            _flate(_bits(), bits=1, colour_space=b"", more=b"/ImageMask true /Decode [1 0]"),
            255 - _bits() * 255,
            "bilevel",
        ),
        # A colour key: the value is not painted.
        (
            _flate(_bits() * 255, more=b"/Mask [0 0]"),
            np.full((HEIGHT_PX, WIDTH_PX), 255, np.uint8),
            "gray",
        ),
    ],
)
def test_black_stays_black(picture: bytes, expected: Pixels, mode: str) -> None:
    page = _page(_square_page(picture))
    assert np.array_equal(page.luma(), expected)
    assert page.origin.pdf_layering == "image"
    assert page.origin.colour_mode == mode


@pytest.mark.parametrize("group", [3, 4])
@pytest.mark.parametrize("black_is_1", [b"true", b"false"])
def test_fax_picture_is_not_inverted(group: int, black_is_1: bytes) -> None:
    tiff = io.BytesIO()
    Image.fromarray(_bits() * 255).convert("1").save(
        tiff, "TIFF", compression=f"group{group}", tiffinfo={262: 0, 278: HEIGHT_PX}
    )
    with Image.open(tiff) as saved:
        tags = cast("Any", saved).tag_v2
        start, length = tags[273][0], tags[279][0]
    more = b"/Filter /CCITTFaxDecode /DecodeParms << /K %d /Columns %d /BlackIs1 %s >>" % (
        -1 if group == 4 else 0,
        WIDTH_PX,
        black_is_1,
    )
    data = tiff.getvalue()[start : start + length]
    picture = image_stream(
        data, WIDTH_PX, HEIGHT_PX, colour_space=b"/DeviceGray", bits=1, more=more
    )
    expected = _bits() * 255 if black_is_1 == b"false" else 255 - _bits() * 255
    assert np.array_equal(_page(_square_page(picture)).luma(), expected)


@pytest.mark.parametrize(
    ("filters", "has_jbig2"),
    [
        (b"/Filter /JBIG2Decode", True),
        (b"/Filter [/ASCIIHexDecode /JBIG2Decode]", True),
        (b"/Filter /CCITTFaxDecode", False),
        (b"", False),
    ],
)
@pytest.mark.parametrize("more", [b"", b" q 30 0 0 20 0 0 cm /X0 Do Q", b" 2 2 m 8 2 l S"])
def test_a_page_says_whether_jbig2_stored_it(filters: bytes, has_jbig2: bool, more: bytes) -> None:
    picture = image_stream(
        b"a stream of some length", WIDTH_PX, HEIGHT_PX, colour_space=b"/DeviceGray", bits=1,
        more=filters,
    )  # fmt: skip
    content = b"q 96 0 0 64 0 0 cm /X0 Do Q" + more
    page = _page(page_pdf(content, [(b"X0", picture)], size_pt=(96, 64)))
    assert page.origin.has_jbig2 == has_jbig2


def test_jpeg_2000_inside_is_decoded() -> None:
    out = io.BytesIO()
    Image.fromarray(_shades()).save(out, "JPEG2000")
    picture = image_stream(
        out.getvalue(), WIDTH_PX, HEIGHT_PX, colour_space=b"/DeviceGray", bits=8,
        more=b"/Filter /JPXDecode",
    )  # fmt: skip
    page = _page(_square_page(picture))
    assert np.array_equal(page.luma(), _shades())


def test_a_colour_picture_without_a_jpeg_keeps_its_colours() -> None:
    pixels = np.full((HEIGHT_PX, WIDTH_PX, 3), (200, 100, 50), np.uint8)
    page = _page(_square_page(_flate(pixels, colour_space=b"/DeviceRGB")))
    assert page.colour(4)[3, 3].tolist() == [200, 100, 50]
    assert page.origin.colour_mode == "colour"


def test_inverted_cmyk_jpeg_inside_is_not_a_negative() -> None:
    _, body = _jpeg(Image.new("CMYK", (WIDTH_PX, HEIGHT_PX), (0, 0, 0, 20)))
    assert _page(_square_page(body)).luma().mean() > 200


@pytest.mark.parametrize("decode", [b"/Decode [1 0]", b"/Decode 6 0 R", b"/D#65code 6 0 R"])
def test_a_jpeg_whose_values_the_page_turns_round_is_turned_round(decode: bytes) -> None:
    file, _ = _jpeg()
    body = image_stream(
        file, WIDTH_PX, HEIGHT_PX, colour_space=b"/DeviceGray", bits=8,
        more=b"/Filter /DCTDecode " + decode,
    )  # fmt: skip
    page = _page(_square_page(body, (b"", b"[1 0]")))
    assert np.abs(page.luma() - (255.0 - _shades())).max() <= 12


def test_parameters_of_the_filter_do_not_map_values() -> None:
    file, _ = _jpeg()
    more = b"/Filter /DCTDecode /DecodeParms << /Quality 90 >> /Decode [0 1]"
    body = image_stream(file, WIDTH_PX, HEIGHT_PX, colour_space=b"/DeviceGray", bits=8, more=more)
    page = _page(_square_page(body))
    assert np.abs(page.luma() - _shades().astype(float)).max() <= 12


def test_a_restricted_scan_needs_no_password() -> None:
    page = _page(restricted_scan_pdf(_shades().tobytes(), WIDTH_PX, HEIGHT_PX))
    assert np.array_equal(page.luma(), _shades())
    assert page.origin.pdf_layering == "image"
    assert page.origin.colour_mode == "gray"


def test_a_mask_of_a_picture_is_applied() -> None:
    half = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    half[:, : WIDTH_PX // 2] = 255
    black = _flate(np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8), more=b"/SMask 6 0 R")
    page = _page(_square_page(black, (b"", _flate(half))))
    assert np.array_equal(page.luma(), 255 - half)


def test_a_fine_mask_over_a_coarse_picture_sets_the_resolution() -> None:
    coarse = _flate(np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8), more=b"/SMask 6 0 R")
    mask = np.kron(_bits() * 255, np.ones((4, 4), np.uint8))
    page = _page(_square_page(coarse, (b"", _flate(mask))))
    assert page.origin.pdf_layering == "layered"
    assert page.origin.ppi_tag == pytest.approx(4 * 72)
    assert np.array_equal(page.luma(), 255 - mask)


# The corners of the unit square go to those of the page in eight ways.
_MATRICES = (
    b"96 0 0 64 0 0",
    b"-96 0 0 64 96 0",
    b"96 0 0 -64 0 64",
    b"-96 0 0 -64 96 64",
    b"0 96 64 0 0 0",
    b"0 -96 64 0 0 96",
    b"0 96 -64 0 64 0",
    b"0 -96 -64 0 64 96",
)


@pytest.mark.parametrize("rotate_deg", [0, 90, 180, 270, -90, 450])
@pytest.mark.parametrize("matrix", _MATRICES)
@pytest.mark.parametrize("nested", [False, True])
def test_a_picture_lies_as_a_viewer_shows_it(matrix: bytes, rotate_deg: int, nested: bool) -> None:
    upright = matrix.split()[0] != b"0"
    size = (WIDTH_PX, HEIGHT_PX) if upright else (HEIGHT_PX, WIDTH_PX)
    picture = _flate(_shades())
    content = matrix + b" cm /X0 Do"
    resources = [(b"X0", picture)]
    if nested:
        form = stream(
            content,
            b"/Type /XObject /Subtype /Form /BBox [0 0 96 96] /Matrix [2 0 0 2 0 0]"
            b" /Resources << /XObject << /X0 6 0 R >> >>",
        )
        content, resources = b".5 0 0 .5 0 0 cm /F Do", [(b"F", form), (b"", picture)]
    data = page_pdf(content, resources, size_pt=size, page_entries=b"/Rotate %d" % rotate_deg)
    shown = cv2.cvtColor(pdfium.PdfDocument(data)[0].render().to_numpy(), cv2.COLOR_BGR2GRAY)
    page = _page(data)
    assert page.origin.pdf_layering == "image"
    assert np.array_equal(page.luma(), shown)


_SQUARE = b"q 595 0 0 396.67 0 0 cm /X0 Do Q "


@pytest.mark.parametrize(
    ("content", "layering", "is_typeset"),
    [
        (_SQUARE, "image", False),
        (_SQUARE + HIDDEN_TEXT, "image", False),
        (HIDDEN_TEXT + _SQUARE, "image", False),
        (TEXT + _SQUARE, "image", False),  # below the picture
        (b"1 g 0 0 595 842 re f " + _SQUARE, "image", False),  # white paper below
        (_SQUARE + b"BT /F0 12 Tf 20 20 Td (  ) Tj ET", "image", False),
        (_SQUARE + b"10 10 50 50 re n", "image", False),  # paints nothing
        (_SQUARE + b"BT /F0 12 Tf 2000 20 Td (off the page) Tj ET", "image", False),
        (_SQUARE + TEXT, "marked", True),  # a footer stamped on a scan
        (b"q 300 0 0 200 0 0 cm /X0 Do Q " + TEXT, "rendered", True),  # a picture in a text
        (_SQUARE + b"1 0 0 rg 10 10 50 50 re f", "marked", False),
        (_SQUARE + b"1 g 10 10 50 50 re f", "marked", False),  # something is whited out
        (_SQUARE + b"0 0 m 50 50 l S", "marked", False),
        (TEXT, "rendered", True),
        (b"", "rendered", True),  # lines or nothing: no scan at all
        (_SQUARE + b"q 60 0 0 40 10 10 cm /X0 Do Q", "layered", False),
        (b"q 60 0 0 40 10 10 cm /X0 Do Q " + _SQUARE, "image", False),  # below the picture
        (b"q 240 0 0 160 100 100 cm /X0 Do Q", "image", False),  # a card in the middle
        (b"q 240 0 0 160 0 200 cm /X0 Do Q q 240 0 0 160 300 0 cm /X0 Do Q", "layered", False),
        (b"q 591 60 -40 392 0 0 cm /X0 Do Q", "layered", False),  # turned a little
        (b"q 595 0 0 200 0 0 cm /X0 Do Q", "layered", False),  # squeezed
        (b"q 0 0 200 200 re W n 595 0 0 396.67 0 0 cm /X0 Do Q", "layered", False),  # clipped
        (b"q 0 0 595 397 re W n 595 0 0 396.67 0 0 cm /X0 Do Q", "image", False),
    ],
)
def test_how_a_page_becomes_pixels(content: bytes, layering: str, is_typeset: bool) -> None:
    data = _scan(_jpeg()[1], content=content, size_pt=(595, 396.67))
    page = _page(data, limits=Limits(render_ppi=40))
    assert page.origin.pdf_layering == layering
    assert page.origin.is_typeset == is_typeset
    assert page.luma().shape[1] > 90


@pytest.mark.parametrize(
    ("subtype", "flags", "layering"),
    [(b"Stamp", 4, "marked"), (b"Stamp", 2, "image"), (b"Link", 4, "image")],
)
def test_an_annotation_that_shows_makes_a_page_mixed(
    subtype: bytes, flags: int, layering: str
) -> None:
    drawing = stream(b"1 0 0 rg 0 0 50 50 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 50 50]")
    note = b"/Annots [<< /Type /Annot /Subtype /%s /Rect [10 10 60 60] /F %d /AP << /N 6 0 R >> >>]"
    data = _scan(
        _jpeg()[1],
        (b"", drawing),
        content=_SQUARE,
        size_pt=(595, 396.67),
        page_entries=note % (subtype, flags),
    )
    assert _page(data).origin.pdf_layering == layering


@pytest.mark.parametrize(
    ("content", "rect", "within", "is_typeset"),
    [
        (b"", b"0 0 595 397", b"595 0 0 397 0 0 cm /X0 Do", False),
        (TEXT, b"0 0 595 397", b"595 0 0 397 0 0 cm /X0 Do", True),
        (b"0 0 m 9 9 l S", b"10 10 60 50", b"595 0 0 397 0 0 cm /X0 Do", True),  # a signature
        (b"", b"0 0 595 397", b"1 0 0 rg 0 0 50 50 re f", True),
    ],
)
def test_a_scan_placed_as_a_stamp_is_not_typeset(
    content: bytes, rect: bytes, within: bytes, is_typeset: bool
) -> None:
    drawing = stream(
        within,
        b"/Type /XObject /Subtype /Form /BBox [0 0 595 397] /Resources << /XObject << /X0 5 0 R >>"
        b" >>",
    )
    note = b"/Annots [<< /Type /Annot /Subtype /Stamp /Rect [%s] /F 4 /AP << /N 6 0 R >> >>]" % rect
    data = _scan(_jpeg()[1], (b"", drawing), content=content, size_pt=(595, 397), page_entries=note)
    page = _page(data)
    assert (page.origin.pdf_layering, page.origin.is_typeset) == ("rendered", is_typeset)


def test_a_layered_copy_is_composed_at_its_finest_layer() -> None:
    """A copier's page: paper at 72 ppi, black letters as a stencil at 288 ppi."""
    paper = np.full((HEIGHT_PX, WIDTH_PX), 240, np.uint8)
    letters = np.kron(_bits(), np.ones((4, 4), np.uint8))
    stencil = _flate(1 - letters, bits=1, colour_space=b"", more=b"/ImageMask true")
    content = b"96 0 0 64 0 0 cm /X0 Do 0 g /X1 Do"
    data = page_pdf(content, [(b"X0", _flate(paper)), (b"X1", stencil)], size_pt=(96, 64))
    page = _page(data)
    assert page.origin.pdf_layering == "layered"
    assert page.origin.ppi_tag == pytest.approx(288)
    assert page.origin.colour_mode == "gray"
    assert np.array_equal(page.luma(), np.where(letters == 1, 0, 240))


@pytest.mark.parametrize(
    ("content", "ppi"),
    [
        (b"q 96 0 0 64 0 0 cm /X0 Do Q q 30 0 0 20 0 0 cm /X1 Do Q", 72),  # a logo of 4 x 72 ppi
        (b"q 30 0 0 20 0 0 cm /X1 Do Q q 96 0 0 44 0 20 cm /X0 Do Q", 72),  # beside it
        (b"q 48 0 0 32 0 0 cm /X0 Do Q q 48 0 0 32 48 0 cm /X0 Do Q", 144),
        (b"q 48 0 0 32 0 0 cm /X0 Do Q q 40 0 0 27 48 0 cm /X1 Do Q", 216),
        (b"96 0 0 32 0 0 cm /X0 Do", 72),  # squeezed: no finer across
        (b"48 0 0 64 0 0 cm /X0 Do", 72),
        (b"q 96 0 0 64 0 0 cm /X0 Do Q q 48 0 0 32 0 0 cm /X2 Do Q", 288),  # letters, a stencil
        (b"q 96 0 0 64 0 0 cm /X0 Do Q q 96 0 0 64 0 0 cm /X3 Do Q", 288),  # letters, a mask
    ],
)
def test_a_page_is_drawn_as_fine_as_its_large_pictures_or_its_letters(
    content: bytes, ppi: float
) -> None:
    fine = np.kron(_shades(), np.ones((2, 2), np.uint8))
    letters = np.kron(_bits(), np.ones((2, 2), np.uint8))
    mask = np.kron(_bits() * 255, np.ones((4, 4), np.uint8))
    pictures = [
        (b"X0", _flate(_shades())),
        (b"X1", _flate(np.kron(fine, np.ones((2, 2), np.uint8))[:80, :120])),
        (b"X2", _flate(letters, bits=1, colour_space=b"", more=b"/ImageMask true")),
        (b"X3", _flate(255 - _shades(), more=b"/SMask 9 0 R")),
        (b"", _flate(mask)),
    ]
    page = _page(page_pdf(content, pictures, size_pt=(96, 64)))
    assert page.origin.pdf_layering == "layered"
    assert page.origin.ppi_tag == pytest.approx(ppi)


@pytest.mark.parametrize("times", [2, 4, 8])
@pytest.mark.parametrize("nested", [False, True])
def test_coarse_paper_below_fine_letters_is_enlarged_without_squares(
    times: int, nested: bool
) -> None:
    """Squares of 4 or 8 pixels look like the blocks of a strong compression."""
    wave = (150 + 70 * np.sin(np.arange(WIDTH_PX) * np.pi / 12)).astype(np.uint8)
    across = wave[None, :].repeat(HEIGHT_PX, axis=0)
    paper = np.ascontiguousarray(np.dstack([across, across, 255 - across]))
    letters = np.zeros((HEIGHT_PX * times, WIDTH_PX * times), np.uint8)
    letters[times:-times:7, times:-times:5] = 1
    stencil = _flate(1 - letters, bits=1, colour_space=b"", more=b"/ImageMask true")
    pictures = [(b"X0", _flate(paper, colour_space=b"/DeviceRGB")), (b"X1", stencil)]
    content = b"96 0 0 64 0 0 cm /X0 Do 0 g /X1 Do"
    if nested:
        form = stream(
            content,
            b"/Type /XObject /Subtype /Form /BBox [0 0 96 64]"
            b" /Resources << /XObject << /X0 5 0 R /X1 6 0 R >> >>",
        )
        content, pictures = b"/F Do", [*((b"", body) for _, body in pictures), (b"F", form)]
    page = _page(page_pdf(content, pictures, size_pt=(96, 64)))
    colour = page.raster().colour
    assert page.origin.ppi_tag == pytest.approx(72 * times)
    assert colour is not None
    assert (colour[letters == 1] < 60).all()
    row = colour[0].astype(int)
    assert np.abs(row[::times, 0] - wave).max() <= 18
    assert np.abs(row[::times, 2] - (255 - wave)).max() <= 18
    steepest = np.abs(np.diff(wave.astype(int))).max()
    assert np.abs(np.diff(row[:, 0])).max() <= 1.5 * steepest / times


def test_a_picture_enlarged_on_one_page_is_as_it_was_on_the_next() -> None:
    letters = np.zeros((HEIGHT_PX * 4, WIDTH_PX * 4), np.uint8)
    whole = b"96 0 0 64 0 0 cm /X0 Do "
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 96 64] /Contents %d 0 R"
        b" /Resources << /XObject << /X0 7 0 R /X1 8 0 R >> >> >>"
    )
    data = write_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
            page % 5,
            page % 6,
            stream(whole + b"/X1 Do"),
            stream(whole),
            _flate(_shades()),
            _flate(1 - letters, bits=1, colour_space=b"", more=b"/ImageMask true"),
        ]
    )
    pages = open_document(data, limits=Limits(), renderer=None).pages
    layered = next(pages)
    first, again = layered.raster().luma, layered.raster().luma
    assert first.shape == letters.shape
    assert np.array_equal(first, again)
    assert np.array_equal(next(pages).luma(), _shades())


@pytest.mark.parametrize(
    "coarse",
    [
        b"q 96 0 0 64 0 0 cm /X0 Do Q",
        b"q 96000000 0 0 64000000 -9000000 -9000000 cm /X0 Do Q",  # nearly all of it off the page
        b"q 96 0 0 62 0 0 cm /X0 Do Q " * 9,
        b"q 96 0 0 62 0 0 cm /X2 Do Q ",  # broken
    ],
)
def test_enlarging_takes_no_more_than_the_page(coarse: bytes) -> None:
    letters = _flate(
        np.zeros((HEIGHT_PX * 16, WIDTH_PX * 16), np.uint8), bits=1, colour_space=b"",
        more=b"/ImageMask true",
    )  # fmt: skip
    broken = image_stream(
        b"\xff\xd8\xff\xe0broken paper", 4, 4, colour_space=b"/DeviceRGB", bits=8,
        more=b"/Filter /DCTDecode",
    )  # fmt: skip
    pictures = [(b"X0", _flate(_shades())), (b"X1", letters), (b"X2", broken)]
    data = page_pdf(coarse + b" q 48 0 0 32 0 0 cm /X1 Do Q", pictures, size_pt=(96, 64))
    page = _page(data)
    assert page.origin.ppi_tag == 600
    assert page.luma()[-1, 0] == 0


@pytest.mark.parametrize("colour", [b"0 0 0 1 k", b"0 g", b"0.1 0.1 0.12 rg"])
def test_printers_black_is_no_colour(colour: bytes) -> None:
    stencil = _flate(_bits(), bits=1, colour_space=b"", more=b"/ImageMask true")
    data = page_pdf(colour + b" 96 0 0 64 0 0 cm /X0 Do", [(b"X0", stencil)], size_pt=(96, 64))
    assert _page(data).origin.colour_mode == "bilevel"


def test_a_stencil_in_colour_makes_a_page_coloured() -> None:
    stencil = _flate(_bits(), bits=1, colour_space=b"", more=b"/ImageMask true")
    data = page_pdf(b"1 0 0 rg 96 0 0 64 0 0 cm /X0 Do", [(b"X0", stencil)], size_pt=(96, 64))
    page = _page(data)
    assert page.origin.colour_mode == "colour"
    assert page.colour(4)[_bits()[::4, ::4] == 0].tolist()[0] == [255, 0, 0]


def test_strips_are_put_together() -> None:
    strips = [_flate(_bits()[at : at + 16], bits=1) for at in range(0, HEIGHT_PX, 16)]
    content = b" ".join(
        b"q 96 0 0 16 0 %d cm /X%d Do Q" % (48 - 16 * n, n) for n in range(len(strips))
    )
    data = page_pdf(
        content, [(b"X%d" % n, strip) for n, strip in enumerate(strips)], size_pt=(96, 64)
    )
    page = _page(data)
    assert page.origin.pdf_layering == "layered"
    assert page.origin.colour_mode == "bilevel"
    assert np.array_equal(page.luma(), _bits() * 255)


def test_resolution_comes_from_the_placed_size() -> None:
    data = _scan(_jpeg()[1], content=b"24 0 0 16 200 300 cm /X0 Do")
    page = _page(data)
    assert page.origin.pdf_layering == "image"
    assert page.origin.ppi_tag == pytest.approx(288)
    assert page.luma().shape == (HEIGHT_PX, WIDTH_PX)


def test_a_marked_scan_is_not_drawn_finer_than_it_is() -> None:
    renderer = _Renderer()
    data = _scan(_jpeg()[1], content=_SQUARE + TEXT, size_pt=(595, 396.67))
    page = _page(data, renderer=renderer)
    page.luma()
    assert renderer.asked_ppi == [pytest.approx(96 / 595 * 72)]
    assert page.origin.ppi_tag == pytest.approx(96 / 595 * 72, abs=0.01)


def test_the_renderer_draws_what_is_no_scan_and_nothing_else() -> None:
    renderer = _Renderer()
    drawn = _page(page_pdf(TEXT, more_resources=FONT), renderer=renderer)
    assert renderer.asked_ppi == []  # not before somebody asks for pixels
    assert drawn.luma().shape == (50, 40)
    assert renderer.asked_ppi == [300]
    _page(_square_page(_jpeg()[1]), renderer=renderer).luma()
    assert renderer.asked_ppi == [300]


@pytest.mark.parametrize("fault", [None, EngineFault("x"), MissingDependency("x", "y")])
def test_pdfium_draws_where_the_renderer_cannot(fault: Exception | None) -> None:
    renderer = _Renderer(fault) if fault else None
    data = page_pdf(b"1 0 0 rg 0 0 72 72 re f", size_pt=(144, 72))
    page = _page(data, limits=Limits(render_ppi=150), renderer=renderer)
    assert page.luma().shape == (150, 300)
    assert page.colour(4)[20, 10].tolist() == [255, 0, 0]
    assert page.colour(4)[20, 60].tolist() == [255, 255, 255]


def test_a_page_that_pdfium_cannot_load_is_left_to_the_renderer() -> None:
    data = write_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [9 0 R] /Count 1 >>",
        ]
    )
    page = _page(data, renderer=_Renderer())
    assert page.luma().shape == (50, 40)
    assert not page.origin.is_ppi_own
    for renderer in (None, _Renderer(EngineFault("x"))):
        with pytest.raises(InvalidDocument) as refusal:
            _page(data, renderer=renderer).luma()
        assert refusal.value.code == "file.damaged"


def test_a_broken_picture_in_a_whole_file_is_damage() -> None:
    file, _ = _jpeg()
    cut = image_stream(
        file[: len(file) * 2 // 3], WIDTH_PX, HEIGHT_PX, colour_space=b"/DeviceGray", bits=8,
        more=b"/Filter /DCTDecode",
    )  # fmt: skip
    with pytest.raises(InvalidDocument) as refusal:
        _page(_square_page(cut)).luma()
    assert refusal.value.code == "file.damaged"


def test_a_tiny_or_broken_logo_is_no_reason_to_refuse() -> None:
    logo = image_stream(
        b"\xff\xd8\xff\xe0broken logo data", 40, 40, colour_space=b"/DeviceRGB", bits=8,
        more=b"/Filter /DCTDecode",
    )  # fmt: skip
    data = _scan(
        _jpeg()[1],
        (b"X1", logo),
        content=_SQUARE + b"10 0 0 10 5 5 cm /X1 Do",
        size_pt=(595, 396.67),
    )
    assert _page(data).luma().size > 0


def test_a_picture_flood_is_refused_in_a_mixed_page_too() -> None:
    flood = bad_files.pdf_picture_flood()
    with pytest.raises(InvalidDocument) as refusal:
        _page(flood.replace(b"/X0 Do", b"/X0 Do 0 0 m 9 9 l S"))
    assert refusal.value.code == "file.too_many_pixels"


def test_a_picture_on_a_hidden_layer_is_not_taken_for_the_page() -> None:
    layer = b"<< /Type /OCG /Name (layer) >>"
    data = write_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R"
            b" /OCProperties << /OCGs [6 0 R] /D << /OFF [6 0 R] >> >> >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 96 64] /Contents 4 0 R"
            b" /Resources << /XObject << /X0 5 0 R >> /Properties << /L 6 0 R >> >> >>",
            stream(b"/OC /L BDC 96 0 0 64 0 0 cm /X0 Do EMC"),
            _flate(_shades()),
            layer,
        ]
    )
    assert (_page(data).luma() == 255).all()


@pytest.mark.parametrize(
    ("producer", "expected"),
    [
        (b"(Canon\\007 iR)", "Canon iR"),
        (b"<feff202e0041>", "A"),
        (b"(%s)" % (b"x" * 500), "x" * 120),
        (b"( )", None),
    ],
)
def test_producer_and_creator_are_short_clean_lines(producer: bytes, expected: str | None) -> None:
    info = b"<< /Producer %s /Creator (Scan) /Author (SECRET) >>" % producer
    origin = _page(page_pdf(b"", [(b"", info)], trailer=b"/Info 5 0 R")).origin
    assert (origin.pdf_producer, origin.pdf_creator) == (expected, "Scan")
    assert "SECRET" not in repr(origin)


def test_pages_come_one_by_one_and_are_not_kept() -> None:
    intake = open_document(bad_files.pdf_with_pages(4), limits=Limits(render_ppi=20), renderer=None)
    assert intake.page_count == 4
    kept: list[weakref.ref[Any]] = []
    indices = []
    for page in intake.pages:
        indices.append(page.index)
        pixels = page.luma()
        kept.append(weakref.ref(pixels))
        del page, pixels
        gc.collect()
        assert [one() for one in kept] == [None] * len(kept)
    assert indices == [1, 2, 3, 4]


def test_pages_decode_in_any_order_even_after_the_intake_is_gone() -> None:
    pages = list(
        open_document(
            bad_files.pdf_with_pages(3), limits=Limits(render_ppi=20), renderer=None
        ).pages
    )
    gc.collect()
    assert [page.luma().min() for page in reversed(pages)] == [255] * 3
