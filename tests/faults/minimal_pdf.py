"""PDF files written byte by byte, for what no library offers to write."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
"""Stands for an empty password: PDF 1.7, algorithm 2."""


def write_pdf(objects: Sequence[bytes], *, trailer: bytes = b"") -> bytes:
    """A PDF of the given objects, numbered from 1; the first one must be the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table_at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer)
    out += b"startxref\n%d\n%%%%EOF\n" % table_at
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object with further dictionary entries."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def image_stream(
    data: bytes, width_px: int, height_px: int, *, colour_space: bytes, bits: int, more: bytes = b""
) -> bytes:
    """An image object; an empty ``colour_space`` leaves the entry out, as a stencil mask must."""
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent %d %s" % (
        width_px,
        height_px,
        bits,
        more,
    )
    if colour_space:
        entries += b" /ColorSpace " + colour_space
    return stream(data, entries)


def page_pdf(
    content: bytes,
    resources: Sequence[tuple[bytes, bytes]] = (),
    *,
    size_pt: tuple[float, float] = (595, 842),
    page_entries: bytes = b"",
    more_resources: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    """A document of one page.

    Args:
        content: drawing operators.
        resources: objects that the content names as ``/X0``, ``/X1`` ...; each is a pair of
            name to draw it under (without the slash) and the object's bytes. An empty name adds
            the object without listing it. They are numbered from 5 in this order.
        size_pt: width and height of the media box.
        page_entries: further entries of the page, such as ``/Rotate 90``.
        more_resources: further entries of the resource dictionary.
        trailer: further entries of the trailer.
    """
    listed = b" ".join(
        b"/%s %d 0 R" % (name, number) for number, (name, _) in enumerate(resources, 5) if name
    )
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %g %g] /Contents 4 0 R %s" % (
        *size_pt,
        page_entries,
    )
    page += b" /Resources << /XObject << %s >> %s >> >>" % (listed, more_resources)
    return write_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            page,
            stream(content),
            *(body for _, body in resources),
        ],
        trailer=trailer,
    )


def restricted_scan_pdf(pixels: bytes, width_px: int, height_px: int) -> bytes:
    """A grey scan that opens without a password and may not be changed, as copiers make them.

    Encrypted as in PDF 1.7, 7.6 (standard security handler, revision 2, RC4 of 40 bit).
    """
    owner, identifier = b"\x5a" * 32, b"\x00\x11\x22\x33"
    seed = _PADDING + owner + (-4 & 0xFFFFFFFF).to_bytes(4, "little") + identifier
    key = hashlib.md5(seed, usedforsecurity=False).digest()[:5]

    def locked(data: bytes, number: int) -> bytes:
        seed = key + number.to_bytes(3, "little") + b"\0\0"
        return _rc4(hashlib.md5(seed, usedforsecurity=False).digest()[:10], data)

    picture = image_stream(
        locked(pixels, 5), width_px, height_px, colour_space=b"/DeviceGray", bits=8
    )
    content = b"%d 0 0 %d 0 0 cm /X0 Do" % (width_px, height_px)
    lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<%s> <%s>]" % (
        owner.hex().encode(),
        _rc4(key, _PADDING).hex().encode(),
        identifier.hex().encode(),
        identifier.hex().encode(),
    )
    return page_pdf(
        locked(content, 4), [(b"X0", picture)], size_pt=(width_px, height_px), trailer=lock
    )


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
