"""Maker and model are read from XMP where EXIF names none."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from docqa.intake import Limits, open_document
from docqa.page import Origin

ATTRIBUTES = '<rdf:Description tiff:Make="Apple" tiff:Model="iPhone XR"/>'
ELEMENTS = "<tiff:Make>Apple</tiff:Make><tiff:Model>iPhone XR</tiff:Model>"


def origin_of(data: bytes) -> Origin:
    return next(iter(open_document(data, limits=Limits(), renderer=None).pages)).origin


def png_with(packet: str) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (300, 400), 200).save(stream, "PNG")
    data = stream.getvalue()
    body = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + packet.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]


def jpeg_with(packet: str, make: str | None = None) -> bytes:
    stream = io.BytesIO()
    exif = Image.Exif()
    if make:
        exif[271] = make
    Image.new("L", (300, 400), 200).save(stream, "JPEG", exif=exif)
    body = b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()
    data = stream.getvalue()
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


@pytest.mark.parametrize("packet", [ATTRIBUTES, ELEMENTS])
def test_the_maker_is_read_from_xmp(packet: str) -> None:
    for data in (png_with(packet), jpeg_with(packet)):
        assert (origin_of(data).make, origin_of(data).model) == ("Apple", "iPhone XR")


def test_exif_comes_before_xmp() -> None:
    assert origin_of(jpeg_with(ATTRIBUTES, make="EPSON")).make == "EPSON"


@pytest.mark.parametrize("packet", ["", "<x/>", "tiff:Make=", 'tiff:Make="' + "A" * 5000])
def test_a_packet_that_names_no_maker_says_nothing(packet: str) -> None:
    for data in (png_with(packet), jpeg_with(packet)):
        assert origin_of(data).make is None


def test_other_properties_and_long_packets_are_not_looked_at() -> None:
    beyond = " " * 70_000 + ATTRIBUTES
    assert origin_of(png_with('exif:GPSLatitude="33,30N" tiff:Artist="A"')).make is None
    assert origin_of(png_with(beyond)).make is None
