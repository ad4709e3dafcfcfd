"""Files that must be refused with the right code, within bounded time and memory.

Each function returns the bytes of one file. The files are made here and hold no document.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image, TiffImagePlugin

from tests.faults.minimal_pdf import image_stream, page_pdf, write_pdf

_CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"


def empty() -> bytes:
    """No bytes at all."""
    return b""


def plain_text() -> bytes:
    """A text file: no format that docqa knows."""
    return b"This is not a document.\n" * 40


def office_file() -> bytes:
    """The beginning of a ZIP archive, which is what Office files are."""
    return b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00" + bytes(200)


def web_page() -> bytes:
    """An HTML page."""
    return b"<!DOCTYPE html>\n<html><body>%PDF-1.7 is only mentioned here</body></html>\n"


def oversized(size_bytes: int = 25_000_001) -> bytes:
    """A JPEG followed by zeros up to the size."""
    return _jpeg().ljust(size_bytes, b"\0")


def png_flood(side_px: int = 20_000) -> bytes:
    """A square 1-bit PNG of a few dozen kB that decodes to ``side_px`` squared pixels."""
    header = struct.pack(">IIBBBBB", side_px, side_px, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = b"\0" + bytes((side_px + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(side_px)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _png_chunk(kind, body)
        for kind, body in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


def png_endless_chunk() -> bytes:
    """A small PNG whose last chunk claims four gigabytes."""
    data = _saved(_picture(), "PNG")
    return data[:-12] + b"\xf0\0\0\0" + data[-8:]


def png_two_headers() -> bytes:
    """A PNG with a header of a small picture behind that of a large one."""
    flood = png_flood()
    return (
        flood[:33]
        + _png_chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 1, 0, 0, 0, 0))
        + flood[33:]
    )


def png_without_width() -> bytes:
    """A PNG that says it is no pixel wide."""
    data = _saved(_picture(), "PNG")
    return data[:8] + _png_chunk(b"IHDR", bytes(4) + data[20:29]) + data[33:]


def png_cut_palette() -> bytes:
    """A PNG of colours by number whose palette ends within a colour."""
    data = _saved(_picture().convert("P"), "PNG")
    at = data.index(b"PLTE") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    return data[:at] + _png_chunk(b"PLTE", bytes(4)) + data[at + 12 + length :]


def png_without_palette() -> bytes:
    """A PNG of colours by number that says of none of them which it is."""
    data = _saved(_picture().convert("P"), "PNG")
    at = data.index(b"PLTE") - 4
    return data[:at] + data[at + 12 + int.from_bytes(data[at : at + 4], "big") :]


def tiff_hidden_flood(side_px: int = 12_000) -> bytes:
    """A TIFF whose width is written in eight bytes, at an offset that looks like a width."""
    data = bytearray(_tiff(100, side_px, next_directory=0).ljust(400, b"\0"))
    data[10 + 2 : 10 + 12] = struct.pack("<HII", 16, 1, 300)
    data[300:308] = struct.pack("<Q", side_px)
    return bytes(data)


def tiff_flood(side_px: int = 20_000) -> bytes:
    """A TIFF whose header claims ``side_px`` squared pixels and that holds next to none."""
    return _tiff(side_px, side_px, next_directory=0)


def long_strip(length_px: int = 21_000) -> bytes:
    """A PNG with few pixels and one side that is too long."""
    return _saved(Image.new("L", (length_px, 40), 255), "PNG")


def tiny_image(side_px: int = 16) -> bytes:
    """An icon."""
    return _saved(Image.new("RGB", (side_px, side_px), "white"), "PNG")


def many_scan_jpeg(scans: int = 500, side_px: int = 1000) -> bytes:
    """A progressive JPEG whose last scan is repeated until it has ``scans`` of them.

    Every scan costs a pass over all coefficients: a small file can take minutes to decode.
    """
    page = Image.new("RGB", (side_px, side_px), "white")
    data = _saved(page, "JPEG", progressive=True)
    last_scan = data[data.rfind(b"\xff\xda") : -2]
    repeats = scans - data.count(b"\xff\xda")
    return data[:-2] + last_scan * repeats + data[-2:]


def hidden_scan_jpeg(scans: int = 500) -> bytes:
    """As many_scan_jpeg, with a comment before the last scans that holds an end-of-image marker."""
    data = many_scan_jpeg(scans)
    second_scan = data.find(b"\xff\xda", data.find(b"\xff\xda") + 2)
    comment = b"\xff\xfe\x00\x06\xff\xd9\xff\xd9"
    return data[:second_scan] + comment + data[second_scan:]


def many_segment_jpeg(segments: int = 6000) -> bytes:
    """A JPEG with so many empty segments before its picture."""
    data = _jpeg()
    return data[:2] + b"\xff\xe5\0\x02" * segments + data[2:]


def truncated_jpeg(keep_fraction: float = 0.6) -> bytes:
    """A baseline JPEG that ends in the middle of its scan."""
    return _cut(_jpeg(), keep_fraction)


def truncated_progressive_jpeg(keep_fraction: float = 0.6) -> bytes:
    """A progressive JPEG that ends in the middle of a scan."""
    return _cut(_jpeg(progressive=True), keep_fraction)


def headless_jpeg() -> bytes:
    """A JPEG that ends before its picture begins."""
    data = _jpeg()
    return data[: data.find(b"\xff\xda")]


def truncated_png(keep_fraction: float = 0.6) -> bytes:
    """A PNG that ends in the middle of its pixels."""
    return _cut(_saved(_picture(), "PNG"), keep_fraction)


def truncated_tiff(keep_fraction: float = 0.6) -> bytes:
    """A TIFF whose strips reach beyond the end of the file."""
    data = _saved(_picture(), "TIFF")
    return _cut(data, keep_fraction)


def truncated_fax_tiff(keep_fraction: float = 0.8) -> bytes:
    """A Group 4 TIFF, directory first, that ends in the middle of its only strip."""
    picture = Image.effect_noise((320, 240), 60).convert("1")
    saved = Image.open(io.BytesIO(_saved(picture, "TIFF", compression="group4")))
    assert isinstance(saved, TiffImagePlugin.TiffImageFile)
    start, length = saved.tag_v2[273][0], saved.tag_v2[279][0]
    assert saved.fp is not None
    saved.fp.seek(start)
    strip = saved.fp.read(length)
    fax = {258: 1, 259: 4, 262: saved.tag_v2[262], 279: length}
    return _cut(_tiff(320, 240, next_directory=0, entries=fax)[:200] + strip, keep_fraction)


def cyclic_tiff() -> bytes:
    """A TIFF whose only directory names itself as the next one."""
    return _tiff(100, 100, next_directory=8)


def many_page_tiff(pages: int = 30) -> bytes:
    """A TIFF of small 1-bit pages."""
    page = Image.new("1", (64, 64), 1)
    out = io.BytesIO()
    page.save(out, "TIFF", save_all=True, append_images=[page] * (pages - 1))
    return out.getvalue()


def truncated_pdf(keep_fraction: float = 0.6) -> bytes:
    """A PDF that ends in the middle of its only picture."""
    return _cut(_jpeg_pdf(), keep_fraction)


def garbage_pdf() -> bytes:
    """A PDF header followed by nothing that makes sense."""
    return b"%PDF-1.7\n" + bytes(range(256)) * 8


def encrypted_pdf() -> bytes:
    """A PDF that opens only with a password (RC4, 40 bit), which nobody knows."""
    lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <%s> /U <%s> >>" % (
        b"5a" * 32,
        b"a5" * 32,
    )
    return page_pdf(b"", trailer=lock + b" /ID [<00112233> <00112233>]")


def pdf_with_pages(pages: int = 500) -> bytes:
    """A PDF of empty A4 pages."""
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 3 + pages))
    tree = b"<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 595 842] >>" % (kids, pages)
    return write_pdf([_CATALOGUE, tree, *[b"<< /Type /Page /Parent 2 0 R >>"] * pages])


def zero_page_pdf() -> bytes:
    """A PDF without a page."""
    return write_pdf([_CATALOGUE, b"<< /Type /Pages /Kids [] /Count 0 >>"])


def giant_page_pdf(side_pt: int = 14_400) -> bytes:
    """A page five metres square with a few strokes on it: 60 000 pixels a side at 300 ppi."""
    content = b"40 w 0 0 m %d %d l S 1 0 0 rg 100 100 %d %d re f" % (
        side_pt,
        side_pt,
        side_pt // 4,
        side_pt // 4,
    )
    return page_pdf(content, size_pt=(side_pt, side_pt))


def pdf_picture_flood(side_px: int = 20_000) -> bytes:
    """A small PDF whose one picture decodes to ``side_px`` squared grey pixels."""
    packed = zlib.compress(bytes(side_px) * 64, 9)
    picture = image_stream(
        packed, side_px, side_px, colour_space=b"/DeviceGray", bits=8, more=b"/Filter /FlateDecode"
    )
    return page_pdf(b"595 0 0 842 0 0 cm /X0 Do", [(b"X0", picture)])


def many_scan_pdf(scans: int = 500) -> bytes:
    """A PDF whose one picture is the JPEG of many scans."""
    return _jpeg_pdf(many_scan_jpeg(scans))


def refused_formats() -> dict[str, bytes]:
    """The beginning of one file of each format that is recognised and refused, by its name."""
    picture = Image.new("RGB", (64, 64), "gray")

    def box(brand: bytes) -> bytes:
        return b"\x00\x00\x00\x18ftyp" + brand + b"\0\0\0\0mif1" + brand + bytes(64)

    return {
        "HEIC": box(b"heic"),
        "AVIF": box(b"avif"),
        "WebP": _saved(picture, "WEBP"),
        "GIF": _saved(picture, "GIF"),
        "BMP": _saved(picture, "BMP"),
        "SVG": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
        "JPEG 2000": _saved(picture, "JPEG2000"),
        "JPEG XL": b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(64),
    }


def bad_files() -> dict[str, tuple[Callable[[], bytes], str]]:
    """Every bad file by name: what makes it, and the code it is refused with."""
    return {
        "empty": (empty, "file.empty"),
        "plain_text": (plain_text, "file.format.unknown"),
        "office_file": (office_file, "file.format.unknown"),
        "web_page": (web_page, "file.format.unknown"),
        "oversized": (oversized, "file.too_large"),
        "png_flood": (png_flood, "file.too_many_pixels"),
        "png_endless_chunk": (png_endless_chunk, "file.damaged"),
        "png_two_headers": (png_two_headers, "file.damaged"),
        "png_without_width": (png_without_width, "file.damaged"),
        "png_cut_palette": (png_cut_palette, "file.damaged"),
        "png_without_palette": (png_without_palette, "file.damaged"),
        "tiff_hidden_flood": (tiff_hidden_flood, "file.too_many_pixels"),
        "tiff_flood": (tiff_flood, "file.too_many_pixels"),
        "long_strip": (long_strip, "file.side_too_long"),
        "tiny_image": (tiny_image, "file.too_small"),
        "many_scan_jpeg": (many_scan_jpeg, "file.too_many_scans"),
        "hidden_scan_jpeg": (hidden_scan_jpeg, "file.too_many_scans"),
        "many_segment_jpeg": (many_segment_jpeg, "file.damaged"),
        "truncated_jpeg": (truncated_jpeg, "file.damaged"),
        "truncated_progressive_jpeg": (truncated_progressive_jpeg, "file.damaged"),
        "headless_jpeg": (headless_jpeg, "file.damaged"),
        "truncated_png": (truncated_png, "file.damaged"),
        "truncated_tiff": (truncated_tiff, "file.damaged"),
        "truncated_fax_tiff": (truncated_fax_tiff, "file.damaged"),
        "many_page_tiff": (many_page_tiff, "file.too_many_pages"),
        "truncated_pdf": (truncated_pdf, "file.damaged"),
        "garbage_pdf": (garbage_pdf, "file.damaged"),
        "encrypted_pdf": (encrypted_pdf, "file.encrypted"),
        "pdf_with_pages": (pdf_with_pages, "file.too_many_pages"),
        "zero_page_pdf": (zero_page_pdf, "file.no_pages"),
        "pdf_picture_flood": (pdf_picture_flood, "file.too_many_pixels"),
        "many_scan_pdf": (many_scan_pdf, "file.too_many_scans"),
    }


def _picture() -> Image.Image:
    """A picture with enough detail that a file of it has a middle to be cut in."""
    ramp = Image.linear_gradient("L").resize((320, 240))
    return Image.merge("RGB", (ramp, ramp.rotate(180), Image.effect_noise((320, 240), 60)))


def _jpeg(*, progressive: bool = False) -> bytes:
    return _saved(_picture(), "JPEG", quality=90, progressive=progressive)


def _jpeg_pdf(jpeg: bytes | None = None) -> bytes:
    picture = image_stream(
        jpeg or _jpeg(), 320, 240, colour_space=b"/DeviceRGB", bits=8, more=b"/Filter /DCTDecode"
    )
    return page_pdf(b"595 0 0 446 0 0 cm /X0 Do", [(b"X0", picture)], size_pt=(595, 446))


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _cut(data: bytes, keep_fraction: float) -> bytes:
    return data[: int(len(data) * keep_fraction)]


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def _tiff(
    width_px: int, height_px: int, *, next_directory: int, entries: dict[int, int] | None = None
) -> bytes:
    """One directory at offset 8, and 16 bytes of pixels at offset 200; 8-bit grey, uncompressed."""
    tags = {
        256: width_px,
        257: height_px,
        258: 8,
        259: 1,
        262: 1,
        273: 200,
        277: 1,
        278: height_px,
        279: 16,
    } | (entries or {})
    directory = struct.pack("<H", len(tags))
    directory += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory += struct.pack("<I", next_directory)
    return (b"II*\0\x08\0\0\0" + directory).ljust(216, b"\x80")
