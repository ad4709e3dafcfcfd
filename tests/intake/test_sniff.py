"""The format of a file goes by its bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from docqa.errors import InvalidDocument
from docqa.intake.sniff import sniff
from tests.faults import bad_files
from tests.faults.minimal_pdf import page_pdf

_PHONE_FORMATS = {"HEIC", "AVIF", "WebP"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_pictures_are_told_apart(kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (40, 40)).save(out, kind)
    assert sniff(out.getvalue()) == kind.lower()


@pytest.mark.parametrize(
    ("magic", "expected"),
    [
        (b"II*\0", "tiff"),
        (b"MM\0*", "tiff"),
        (b"II+\0", "tiff"),
        (b"MM\0+", "tiff"),
        (b"\xff\xd8\xff\xdb", "jpeg"),
        (b"%PDF-1.4", "pdf"),
        (b"\xef\xbb\xbf%PDF-1.4", "pdf"),
        (b"\r\n" * 400 + b"%PDF-1.4", "pdf"),
    ],
)
def test_magic_bytes_decide(magic: bytes, expected: str) -> None:
    assert sniff(magic + bytes(100)) == expected


@pytest.mark.parametrize(
    "data",
    [
        b" " * 1020 + b"%PDF-1.4",
        b"hello %PDF-1.4",
        b"PK\x03\x04%PDF-1.4",
        b"<html>%PDF-1.4",
        b"BMI of the patient: 24",
        b"\xff\xd8",
        b"\x00\x00\x00\x20ftypisom" + bytes(40),
        b"x",
    ],
)
def test_what_is_no_known_format_is_unknown(data: bytes) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        sniff(data)
    assert refusal.value.code == "file.format.unknown"


def test_a_picture_with_a_pdf_behind_it_is_the_picture() -> None:
    gif = bad_files.refused_formats()["GIF"]
    with pytest.raises(InvalidDocument) as refusal:
        sniff(gif[:20] + page_pdf(b""))
    assert refusal.value.facts == {"name": "GIF"}


@pytest.mark.parametrize("name", sorted(bad_files.refused_formats()))
def test_other_picture_formats_are_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        sniff(bad_files.refused_formats()[name])
    area = "phone" if name in _PHONE_FORMATS else "unsupported"
    assert refusal.value.code == f"file.format.{area}"
    assert refusal.value.facts == {"name": name}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xff\x4f\xff\x51" + bytes(40), "JPEG 2000"),
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (b"\x00\x00\x00\x1cftypmif1\0\0\0\0mif1avif" + bytes(40), "AVIF"),
        (b"<svg width='1'/>", "SVG"),
    ],
)
def test_rarer_forms_of_the_refused_formats_are_recognised(data: bytes, name: str) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        sniff(data)
    assert refusal.value.facts == {"name": name}
