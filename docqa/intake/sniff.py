"""Which format a file is, by its first bytes alone: names and content types can lie."""

from __future__ import annotations

from docqa.errors import InvalidDocument
from docqa.page import Format

_PDF_HEADER_WITHIN = 1024
"""Readers accept ``%PDF-`` anywhere in this many bytes."""

_BLANK = b"\xef\xbb\xbf\xfe\xff\x00 \t\r\n\f"
"""Byte order marks and white space, which some programs write before a header."""

_DOCUMENTS: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
)
_REFUSED = (
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

MEDIA_TYPES: dict[Format, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "tiff": "image/tiff",
    "pdf": "application/pdf",
}


def sniff(data: bytes) -> Format:
    """The format of a document.

    Raises:
        InvalidDocument: ``file.empty``; ``file.format.phone`` for HEIC, AVIF and WebP;
            ``file.format.unsupported`` for other picture formats, both with the ``name``;
            ``file.format.unknown`` for anything else.
    """
    if not data:
        raise InvalidDocument("file.empty")
    for magic, document in _DOCUMENTS:
        if data.startswith(magic):
            return document
    phone = _phone_format(data)
    if phone:
        raise InvalidDocument("file.format.phone", name=phone)
    refused = _refused_format(data)
    if refused:
        raise InvalidDocument("file.format.unsupported", name=refused)
    if data[:_PDF_HEADER_WITHIN].lstrip(_BLANK).startswith(b"%PDF-"):
        return "pdf"
    raise InvalidDocument("file.format.unknown")


def _phone_format(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
    if not brands.isdisjoint(_AVIF_BRANDS):
        return "AVIF"
    return None if brands.isdisjoint(_HEIF_BRANDS) else "HEIC"


def _refused_format(data: bytes) -> str | None:
    for magic, name in _REFUSED:
        if data.startswith(magic):
            return name
    if data.startswith(b"BM") and data[6:10] == b"\0\0\0\0":
        return "BMP"
    text = data[:_PDF_HEADER_WITHIN].lstrip(_BLANK)
    is_markup = text.startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg"))
    if text.startswith(b"<svg") or (is_markup and b"<svg" in text):
        return "SVG"
    return None
