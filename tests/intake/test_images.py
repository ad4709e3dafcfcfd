"""Every format and colour mode decodes to the pixels that were put in."""

from __future__ import annotations

import gc
import io
import struct
import weakref
import zlib
from itertools import product
from typing import Any, cast

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from docqa.errors import InvalidDocument
from docqa.intake import Limits, open_document
from docqa.intake.exif import clean_name
from docqa.page import ColourMode, Page, Pixels

WIDTH_PX, HEIGHT_PX, BLOCK_PX = 96, 64, 8
_EXIF_IFD_ORIENTATION = 274
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Column, row and steps of each pass of an interlaced PNG."""


def _blocks(values: int = 256, channels: int = 3) -> Pixels:
    """Blocks of one colour each, so that halving keeps the values; not symmetric in any way."""
    size = (HEIGHT_PX // BLOCK_PX, WIDTH_PX // BLOCK_PX, channels)
    coarse = np.random.default_rng(7).integers(0, values, size, np.uint8)
    return cast("Pixels", np.kron(coarse, np.ones((BLOCK_PX, BLOCK_PX, 1), np.uint8)))


def _colour_picture() -> Image.Image:
    return Image.fromarray(_blocks())


def _gray_picture() -> Image.Image:
    return Image.fromarray(_blocks(channels=1)[:, :, 0])


def _bilevel_picture() -> Image.Image:
    return Image.fromarray(_blocks(2, 1)[:, :, 0] * 255).convert("1")


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _page(data: bytes) -> Page:
    return next(open_document(data, limits=Limits(), renderer=None).pages)


def _check(data: bytes, expected: Image.Image, mode: ColourMode, tolerance: int = 0) -> None:
    page = _page(data)
    rgb = np.asarray(expected.convert("RGB"))
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    assert page.origin.colour_mode == mode
    assert np.abs(page.luma().astype(int) - luma).max() <= tolerance + 1
    coloured = rgb if mode == "colour" else np.repeat(luma[:, :, None], 3, axis=2)
    quarter = (rgb.shape[1] // 4, rgb.shape[0] // 4)
    wanted = cv2.resize(coloured, quarter, interpolation=cv2.INTER_AREA)
    assert np.abs(page.colour(4).astype(int) - wanted).max() <= tolerance + 1


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("kind", ["gray", "colour", "bilevel"])
def test_png(kind: ColourMode, interlaced: bool) -> None:
    picture = {"gray": _gray_picture, "colour": _colour_picture, "bilevel": _bilevel_picture}[
        kind
    ]()
    data = _interlaced(picture) if interlaced else _saved(picture, "PNG")
    _check(data, picture, kind)


def test_png_with_a_colour_palette() -> None:
    picture = _colour_picture().quantize(16)
    _check(_saved(picture, "PNG"), picture, "colour")


@pytest.mark.parametrize(("levels", "mode"), [(16, "gray"), (2, "bilevel")])
def test_png_with_a_palette_of_greys_has_no_colour(levels: int, mode: ColourMode) -> None:
    indices = _blocks(levels, 1)[:, :, 0]
    picture = Image.fromarray(indices, "P")
    picture.putpalette([level * 255 // (levels - 1) for level in range(levels) for _ in range(3)])
    _check(_saved(picture, "PNG"), picture, mode)


def test_png_with_16_bits_keeps_the_upper_8() -> None:
    deep = _blocks(channels=1)[:, :, 0].astype(np.uint16) * 256 + 77
    _check(_saved(Image.fromarray(deep), "PNG"), _gray_picture(), "gray")


def test_colour_png_with_16_bits_keeps_the_upper_8() -> None:
    deep = np.ascontiguousarray(_blocks()[:, :, ::-1]).astype(np.uint16) * 256 + 77
    _check(cv2.imencode(".png", deep)[1].tobytes(), _colour_picture(), "colour")


@pytest.mark.parametrize("kind", ["RGBA", "LA"])
def test_transparency_lies_on_white_paper(kind: str) -> None:
    opaque = _colour_picture().convert(kind[:-1] if kind == "LA" else "RGB")
    layer = opaque.convert(kind)
    alpha = np.full((HEIGHT_PX, WIDTH_PX), 255, np.uint8)
    alpha[: HEIGHT_PX // 2] = 0
    layer.putalpha(Image.fromarray(alpha))
    expected = np.asarray(opaque).copy()
    expected[: HEIGHT_PX // 2] = 255
    mode: ColourMode = "gray" if kind == "LA" else "colour"
    _check(_saved(layer, "PNG"), Image.fromarray(expected), mode)


@pytest.mark.parametrize("kind", ["RGBA", "LA"])
def test_a_layer_through_which_nothing_shines_changes_nothing(kind: str) -> None:
    opaque = _colour_picture().convert(kind[:-1] if kind == "LA" else "RGB")
    mode: ColourMode = "gray" if kind == "LA" else "colour"
    _check(_saved(opaque.convert(kind), "PNG"), opaque, mode)


def test_a_transparent_palette_entry_lies_on_white_paper() -> None:
    picture = Image.fromarray(_blocks(4, 1)[:, :, 0], "P")
    picture.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200, 10, 20, 30])
    expected = np.asarray(picture.convert("RGB")).copy()
    expected[np.asarray(picture) == 3] = 255
    _check(_saved(picture, "PNG", transparency=3), Image.fromarray(expected), "colour")


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("kind", ["gray", "colour", "bilevel"])
def test_tiff(kind: ColourMode, compression: str) -> None:
    picture = {"gray": _gray_picture, "colour": _colour_picture, "bilevel": _bilevel_picture}[
        kind
    ]()
    _check(_saved(picture, "TIFF", compression=compression), picture, kind)


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_fax_tiff_is_not_inverted(compression: str, photometric: int) -> None:
    picture = _bilevel_picture()
    data = _saved(picture, "TIFF", compression=compression, tiffinfo={262: photometric})
    _check(data, picture, "bilevel")


def test_jpeg_tiff() -> None:
    picture = _colour_picture()
    data = _saved(picture, "TIFF", compression="jpeg", quality=100)
    _check(data, picture, "colour", tolerance=12)


def test_big_tiff() -> None:
    picture = _gray_picture()
    _check(_saved(picture, "TIFF", big_tiff=True), picture, "gray")


@pytest.mark.parametrize("photometric", [0, 1])
def test_tiff_with_16_bits_keeps_the_upper_8(photometric: int) -> None:
    deep = _blocks(channels=1)[:, :, 0].astype(np.uint16) * 256 + 77
    data = _saved(Image.fromarray(deep), "TIFF")
    # Pillow writes the other polarity under either name.
    tag = data.index(struct.pack("<HHI", 262, 3, 1)) + 8
    data = data[:tag] + struct.pack("<H", photometric) + data[tag + 2 :]
    gray = _gray_picture()
    _check(data, gray if photometric else ImageOps.invert(gray), "gray")


def test_tiff_with_a_palette() -> None:
    picture = _colour_picture().quantize(16)
    _check(_saved(picture, "TIFF"), picture, "colour")
    gray = _gray_picture().convert("P")
    _check(_saved(gray, "TIFF"), gray, "gray")


def test_cmyk_tiff() -> None:
    picture = _colour_picture().convert("CMYK")
    _check(_saved(picture, "TIFF"), picture, "colour")


def test_tiff_with_samples_too_deep_is_refused_by_name() -> None:
    data = _saved(Image.fromarray(_blocks(channels=1)[:, :, 0].astype(np.float32)), "TIFF")
    with pytest.raises(InvalidDocument) as refusal:
        _page(data).luma()
    assert refusal.value.code == "file.format.unsupported"


def test_a_whole_tiff_of_a_kind_that_is_not_known_is_not_called_damaged() -> None:
    out = io.BytesIO()
    _gray_picture().save(out, "TIFF", tiffinfo={262: 32844})  # brightness as a logarithm
    with pytest.raises(InvalidDocument) as refused:
        _page(out.getvalue())
    assert refused.value.code == "file.format.unsupported"


def test_the_sizes_of_a_big_tiff_are_read_in_either_byte_order() -> None:
    entries = [(256, 900), (257, 700), (258, 8), (259, 1), (262, 1), (277, 1), (278, 700)]
    directory = struct.pack(">Q", len(entries))
    for tag, value in entries:
        directory += struct.pack(">HHQL4x", tag, 4, 1, value)
    data = b"MM" + struct.pack(">HHHQ", 43, 8, 0, 16) + directory + bytes(8)
    with pytest.raises(InvalidDocument) as refused:
        _page(data)
    assert refused.value.code == "file.format.unsupported"


@pytest.mark.parametrize("marked", [{254: 1}, {255: 2}])
def test_tiff_previews_are_no_pages(marked: dict[int, int]) -> None:
    preview = Image.new("L", (40, 40))
    preview.encoderinfo = {"tiffinfo": marked}
    out = io.BytesIO()
    _gray_picture().save(out, "TIFF", save_all=True, append_images=[preview, _colour_picture()])
    intake = open_document(out.getvalue(), limits=Limits(), renderer=None)
    assert intake.page_count == 2
    assert [page.origin.colour_mode for page in intake.pages] == ["gray", "colour"]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_colour_jpeg(subsampling: str, progressive: bool) -> None:
    data = _saved(
        _colour_picture(), "JPEG", quality=100, subsampling=subsampling, progressive=progressive
    )
    _check(data, Image.open(io.BytesIO(data)), "colour", tolerance=30)
    origin = _page(data).origin
    assert origin.jpeg_subsampling == subsampling
    assert (origin.jpeg_scans > 1) == progressive


def test_grey_jpeg_has_no_colour() -> None:
    data = _saved(_gray_picture(), "JPEG", quality=100)
    _check(data, Image.open(io.BytesIO(data)), "gray", tolerance=1)
    assert _page(data).origin.jpeg_subsampling is None


def test_colour_jpeg_without_chroma_stays_colour() -> None:
    data = _saved(_gray_picture().convert("RGB"), "JPEG", quality=100)
    _check(data, _gray_picture(), "colour", tolerance=2)


def test_inverted_cmyk_jpeg_as_adobe_writes_it() -> None:
    picture = _colour_picture().convert("CMYK")
    data = _saved(picture, "JPEG", quality=100, subsampling=0)
    assert b"Adobe" in data
    _check(data, picture, "colour", tolerance=6)


def test_jpeg_tables_are_those_of_the_file() -> None:
    data = _saved(_colour_picture(), "JPEG", quality=71)
    with Image.open(io.BytesIO(data)) as picture:
        tables = cast("dict[int, list[int]]", cast("Any", picture).quantization)
    zigzag = data[data.index(b"\xff\xdb") + 5 :][:64]
    origin = _page(data).origin
    assert origin.jpeg_quantisation[0] == tuple(zigzag)
    assert [sorted(table) for table in origin.jpeg_quantisation] == [
        sorted(tables[number]) for number in sorted(tables)
    ]


@pytest.mark.parametrize(
    ("kind", "orientation"),
    [
        *product(("JPEG", "PNG", "TIFF", "gray JPEG", "lzw TIFF"), range(1, 9)),
        # libtiff, which writes LZW, refuses to write these.
        *product(("JPEG", "PNG", "TIFF"), (0, 9, 2049)),
    ],
)
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    picture = _gray_picture() if kind.startswith("gray") else _colour_picture()
    options: dict[str, Any] = {"quality": 100, "subsampling": 0} if "JPEG" in kind else {}
    if kind == "lzw TIFF":
        options["compression"] = "tiff_lzw"
    if "TIFF" in kind:
        options["tiffinfo"] = {_EXIF_IFD_ORIENTATION: orientation}
    else:
        exif = Image.Exif()
        exif[_EXIF_IFD_ORIENTATION] = orientation
        options["exif"] = exif
    data = _saved(picture, kind.split()[-1], **options)
    upright = picture.copy()
    upright.getexif()[_EXIF_IFD_ORIENTATION] = orientation
    expected = ImageOps.exif_transpose(upright) if 1 <= orientation <= 8 else picture
    mode: ColourMode = "gray" if kind.startswith("gray") else "colour"
    _check(data, expected, mode, tolerance=6)


def test_names_in_exif_are_short_clean_lines() -> None:
    exif = Image.Exif()
    exif[271], exif[272], exif[305] = "  Canon\x00\x07 ", "MG" + "x" * 200, " \t "
    origin = _page(_saved(_colour_picture(), "JPEG", exif=exif)).origin
    assert origin.has_exif
    assert (origin.make, origin.software) == ("Canon", None)
    assert origin.model == "MG" + "x" * 78


def test_formatting_characters_are_dropped_from_names() -> None:
    assert clean_name("a\u202eb\u200bc\ufeff\x1b[31m\ud800") == "abc[31m"
    assert clean_name("\u202e") is None
    assert clean_name(b"bytes") is None


def test_nothing_private_is_kept_of_exif() -> None:
    exif = Image.Exif()
    exif[271] = "Canon"
    exif[315] = "SECRET artist"
    exif[0xA431] = "SECRET serial"
    exif[0x9286] = b"ASCII\0\0\0SECRET comment"
    exif.get_ifd(0x8825)[1] = "SECRET north"
    data = _saved(_colour_picture(), "JPEG", exif=exif, comment="SECRET comment")
    assert b"SECRET" in data
    page = _page(data)
    assert page.origin.make == "Canon"
    assert "SECRET" not in repr(page.origin)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize(
    ("tags", "is_stated"),
    [
        ({33434: 0.04}, True),
        ({33437: 2.8}, True),
        ({37386: 4.2}, True),
        ({33434: 0.0, 33437: 0.0}, False),  # writers put 0 where they know nothing
        ({36867: "2020:01:01 00:00:00", 40962: 700}, False),
        ({}, False),
    ],
)
def test_exposures_are_told_from_other_exif(
    kind: str, tags: dict[int, object], is_stated: bool
) -> None:
    exif = Image.Exif()
    exif[271] = "Specimen"
    exif.get_ifd(34665).update(tags)
    blocks = {"tiffinfo": {271: "Specimen", 34665: tags}} if kind == "TIFF" else {"exif": exif}
    origin = _page(_saved(_colour_picture(), kind, **blocks)).origin
    assert origin.make == "Specimen"
    assert origin.states_exposure == is_stated


def test_an_exif_directory_that_is_broken_takes_no_names_along() -> None:
    exif = Image.Exif()
    exif[271] = "Specimen"
    exif.get_ifd(34665)[33434] = 0.04
    data = _saved(_colour_picture(), "JPEG", exif=exif)
    pointer = data.index(struct.pack(">H", 34665) if b"MM\0*" in data else b"\x69\x87") + 8
    broken = data[:pointer] + b"\x7f" * 4 + data[pointer + 4 :]
    origin = _page(broken).origin
    assert (origin.make, origin.states_exposure) == ("Specimen", False)


@pytest.mark.parametrize(
    "garbage", [b"", b"II", b"\xff" * 40, b"II*\0\x08\0\0\0\xff\xff" + b"\x0f" * 90]
)
def test_broken_exif_says_nothing_and_harms_nothing(garbage: bytes) -> None:
    data = _saved(_gray_picture(), "JPEG")
    block = b"Exif\0\0" + garbage
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
    page = _page(data)
    assert page.luma().shape == (HEIGHT_PX, WIDTH_PX)
    assert page.origin.make is None


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("JPEG", {"dpi": (300, 300)}, 300),
        ("JPEG", {"dpi": (200, 100)}, 100),
        ("JPEG", {}, None),
        ("PNG", {"dpi": (300, 300)}, 300),
        ("PNG", {}, None),
        ("TIFF", {"dpi": (400, 400)}, 400),
        ("TIFF", {"resolution": 118.11, "resolution_unit": "cm"}, 300),
        ("TIFF", {}, None),
    ],
)
def test_claimed_resolution(kind: str, options: dict[str, Any], expected: float | None) -> None:
    ppi = _page(_saved(_gray_picture(), kind, **options)).origin.ppi_tag
    assert ppi == (None if expected is None else pytest.approx(expected, abs=0.1))


def test_a_png_that_gives_only_the_shape_of_its_pixels_claims_no_resolution() -> None:
    data = _saved(_gray_picture(), "PNG", dpi=(300, 300))
    at = data.index(b"pHYs")
    without_unit = data[at : at + 12] + b"\0"
    check = struct.pack(">I", zlib.crc32(without_unit))
    assert _page(data[:at] + without_unit + check + data[at + 17 :]).origin.ppi_tag is None


@pytest.mark.parametrize(
    ("unit", "density", "expected"), [(2, 240, 240), (3, 100, 254), (1, 240, None), (2, 0, None)]
)
def test_claimed_resolution_in_exif(unit: int, density: int, expected: float | None) -> None:
    exif = Image.Exif()
    exif[282], exif[283], exif[296] = float(density), float(density), unit
    page = _page(_saved(_gray_picture(), "JPEG", exif=exif))
    assert page.origin.ppi_tag == (None if expected is None else pytest.approx(expected))


def test_png_software_is_read_from_its_text() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "gnome-screenshot")
    text.add_text("Author", "SECRET")
    origin = _page(_saved(_gray_picture(), "PNG", pnginfo=text)).origin
    assert origin.software == "gnome-screenshot"
    assert "SECRET" not in repr(origin)


def test_a_bomb_in_a_png_text_is_not_unpacked() -> None:
    text = PngImagePlugin.PngInfo()
    text.add(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9))
    _check(_saved(_gray_picture(), "PNG", pnginfo=text), _gray_picture(), "gray")


def test_a_page_that_was_handed_out_is_not_kept() -> None:
    for kind, pictures in (("TIFF", 3), ("JPEG", 1), ("PNG", 1)):
        out = io.BytesIO()
        more = {"save_all": True, "append_images": [_gray_picture()] * 2} if kind == "TIFF" else {}
        _gray_picture().save(out, kind, **more)
        intake = open_document(out.getvalue(), limits=Limits(), renderer=None)
        assert intake.page_count == pictures
        kept = []
        for page in intake.pages:
            pixels = page.luma()
            kept.append(weakref.ref(pixels))
            del page, pixels
            gc.collect()
            assert [one() for one in kept] == [None] * len(kept)
        assert len(kept) == pictures


def _interlaced(picture: Image.Image) -> bytes:
    """The picture as an interlaced PNG (Adam7), which Pillow does not write."""
    depth, colour_type = {"1": (1, 0), "L": (8, 0), "RGB": (8, 2)}[picture.mode]
    pixels = np.asarray(picture)
    raw = b""
    for x, y, step_x, step_y in _ADAM7:
        for row in pixels[y::step_y, x::step_x]:
            raw += b"\0" + (np.packbits(row) if depth == 1 else row).tobytes()
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", *picture.size, depth, colour_type, 0, 0, 1)),
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
