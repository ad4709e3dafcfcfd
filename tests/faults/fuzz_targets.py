"""docqa's own parsers, each as a function of bytes that may raise only what it promises."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from docqa import measures, wiring
from docqa.dates import parse_date
from docqa.documents import parse_document_type
from docqa.errors import InvalidDocument, InvalidModel, InvalidRequest
from docqa.fields import compare, difference, parse_claims
from docqa.intake import Limits, open_document
from docqa.intake.exif import tags_from_segment
from docqa.intake.jpeg import read_header as read_jpeg
from docqa.intake.png import read_header as read_png
from docqa.intake.sniff import sniff
from docqa.intake.tiff import read_frames, read_page
from docqa.policy import parse_policy
from docqa.reading.barcode import IdBarcode, parse_parts
from docqa.reading.mrz import parse_zone
from docqa.reading.mrz_text import LINE_LENGTH
from docqa.text import canonical, graphemes, loose
from tests.faults.minimal_pdf import image_stream, page_pdf, write_pdf
from tests.faults.pictures import pictures

ROOT = Path(__file__).parents[2]
LIMITS = Limits(
    max_bytes=1_000_000, max_pixels=200_000, max_side_px=1_000, max_pages=3, render_ppi=20
)


@dataclass(frozen=True, slots=True)
class Target:
    """A parser under attack."""

    run: Callable[[bytes], object]
    """Raises one of ``promised`` or nothing."""
    promised: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    """Valid inputs to start from."""
    tokens: tuple[bytes, ...] = ()
    """Pieces of the format."""


def _png(data: bytes) -> object:
    header = read_png(data, LIMITS)
    return header.tags(), header.colour_mode


def _jpeg(data: bytes) -> object:
    header = read_jpeg(data, LIMITS)
    return header.tags(), header.colour_mode


def _tiff(data: bytes) -> object:
    return [read_page(data, frame, LIMITS) for frame in read_frames(data, LIMITS)]


def _whole(data: bytes) -> object:
    pages = open_document(data, limits=LIMITS, renderer=None).pages
    return [page.luma().mean() for page in pages]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _mrz(data: bytes) -> object:
    upper, _, lower = _text(data).partition("\n")
    fillers = np.zeros((2, LINE_LENGTH), bool)
    fillers[0, 20:] = fillers[1, 30:40] = True
    return [
        parse_zone([(upper, lower), (lower, upper)], ((0, 0),), each) for each in (None, fillers)
    ]


def _barcode(data: bytes) -> object:
    parts = parse_parts(data)
    if parts is None:
        return None
    found = IdBarcode(parts, ((0.0, 0.0),))
    return [found.value(at, kind) for at in range(len(parts)) for kind in ("place", "date")]


def _claims(data: bytes) -> object:
    try:
        typed = json.loads(_text(data))
    except (ValueError, RecursionError):
        return None
    claims = parse_claims(typed, datetime.date.max)
    for one in claims.values():
        for other in claims.values():
            for kind in ("given_name", "family_name", "mother_name", "place", "date", "number"):
                compare(kind, one, other)  # type: ignore[arg-type]  # every kind there is
                difference(kind, one, other)  # type: ignore[arg-type]
    return claims


def _plain(data: bytes) -> object:
    text = _text(data)
    return canonical(text), loose(text), graphemes(text), parse_date(text)


@cache
def _codes() -> frozenset[str]:
    return wiring.load_catalogue(ROOT / "models").codes


def _policy(data: bytes) -> object:
    types = ("a4-generic", "sy-id-front", "sy-id-back", "civil-extract", "passport")
    return parse_policy(_text(data), resolve=measures.resolve, codes=_codes(), document_types=types)


def _document_type(data: bytes) -> object:
    return parse_document_type(_text(data))


@cache
def targets() -> Mapping[str, Target]:
    """Every target by name."""
    saved = pictures()
    pdfs = _pdfs(saved["jpeg"])
    everything = (*saved.values(), *pdfs)
    refused = (InvalidDocument,)
    models = ROOT / "models"

    def of_kind(*magic: bytes) -> tuple[bytes, ...]:
        return tuple(data for data in saved.values() if data.startswith(magic))

    exif = tuple(data[data.find(b"Exif\0\0") :][:400] for data in saved.values() if b"Exif" in data)
    return {
        "sniff": Target(sniff, refused, everything, (b"ftyp", b"heic", b"<svg", b"%PDF-", b"BM")),
        "png": Target(_png, refused, of_kind(b"\x89PNG"), (b"IHDR", b"IDAT", b"IEND", b"eXIf")),
        "jpeg": Target(
            _jpeg, refused, of_kind(b"\xff\xd8"), (b"\xff\xda", b"\xff\xd9", b"\xff\xc0")
        ),
        "tiff": Target(_tiff, refused, of_kind(b"II", b"MM"), (b"\x0c\0", b"\x10\0", b"\x04\0")),
        "exif": Target(tags_from_segment, (), exif, (b"II*\0", b"MM\0*", b"\x05\0")),
        "file": Target(_whole, refused, everything),
        "pdf": Target(
            _whole,
            refused,
            pdfs,
            (
                b"/Kids",
                b"/Pages",
                b"4 0 R",
                b"5 0 R",
                b"-1",
                b"1e39",
                b"99999999",
                b"[",
                b"<<",
                b">>",
                b"/MediaBox",
                b"/Filter /FlateDecode",
                b"/SMask 5 0 R",
                b"q",
                b"Do",
                b"cm",
                b"/Parent 3 0 R",
            ),
        ),
        "mrz": Target(
            _mrz,
            (),
            (
                b"P<SYRALHALABI<<AMNA<<<<<<<<<<<<<<<<<<<<<<<<<<\n"
                b"N012345678SYR9005040F3005046<<<<<<<<<<<<<<<2",
            ),
            (b"<<", b"0O", b"8B", "\u0661".encode(), "\u0130".encode(), "\u00b2".encode()),
        ),
        "barcode": Target(
            _barcode,
            (),
            (
                "آمنة#الحلبي#سامر#هدى الأحمد#دمشق 4-5-1990#01234567890#".encode("cp1256")
                + b"\1#\2\xff",
            ),
            (b"#", b"-", "\u0661".encode(), b"\xff\xfe", b"01234567890"),
        ),
        "policy": Target(
            _policy,
            (InvalidModel,),
            tuple(path.read_bytes() for path in sorted((models / "policy").glob("*.toml"))),
            (
                b"nan",
                b"inf",
                b"-1",
                b"[[",
                b"]]",
                b"true",
                b'""',
                b"1979-05-27",
                b"{}",
                b"[type]",
                b"9" * 400,
            ),
        ),
        "document type": Target(
            _document_type,
            (InvalidModel,),
            tuple(path.read_bytes() for path in sorted((models / "documents").glob("*.toml"))),
            (b"nan", b"inf", b"-1", b"[[", b"]]", b"true", b'""', b"[]", b"{}", b"[[fields]]"),
        ),
        "claims": Target(
            _claims,
            (InvalidRequest,),
            (
                '{"given_name": "آمنة", "birth_date": "4-5-1990"}'.encode(),
                '{"national_number": "٠١٢٣٤٥٦٧٨٩٠", "family_name": "الحلبي"}'.encode(),
                '{"mother_name": "هدى  الأحمد", "birth_place": "دمشق"}'.encode(),
                b'{"passport_number": "N0123"}',
            ),
            (
                b"null",
                b"[",
                b"{",
                b'"',
                b"\\ud800",
                b"\\u0000",
                "\u202e".encode(),
                "\u0654".encode(),
                "\u06f0".encode(),
                b"1e999",
                b"31-2-1990",
                b"0000-00-00",
            ),
        ),
        "text": Target(
            _plain,
            (),
            ("آمنة الحلبي ٤/٥/١٩٩٠".encode(), b"1990-05-04"),
            (
                "\u0654".encode(),
                "\u200d".encode(),
                "\u06f4".encode(),
                b"99999-1-1",
                "\U0001d7d8".encode(),
            ),
        ),
    }


def _pdfs(jpeg: bytes) -> tuple[bytes, ...]:
    picture = image_stream(
        jpeg, 64, 48, colour_space=b"/DeviceRGB", bits=8, more=b"/Filter /DCTDecode"
    )
    mask = image_stream(b"\x5a" * 512, 64, 64, colour_space=b"", bits=1, more=b"/ImageMask true")
    form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 64 48] /Length 6 >>"
    form += b"\nstream\n/X0 Do\nendstream"
    return (
        page_pdf(b"64 0 0 48 0 0 cm /X0 Do", [(b"X0", picture)], size_pt=(64, 48)),
        page_pdf(
            b"q 64 0 0 48 0 0 cm /X0 Do /X1 Do Q BT 3 Tr ET 0 0 9 9 re W n",
            [(b"X0", picture), (b"X1", mask), (b"X2", form)], size_pt=(64, 48),
            page_entries=b"/Rotate 90 /CropBox [0 0 60 40]",
        ),
        write_pdf([
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 595 842] >>",
            b"<< /Type /Page /Parent 2 0 R >>", b"<< /Type /Page /Parent 2 0 R >>",
        ]),
    )  # fmt: skip


def attack(name: str, data: bytes) -> str | None:
    """What the target ``name`` did wrong with ``data``; None when it kept its promise."""
    target = targets()[name]
    try:
        target.run(data)
    except target.promised:
        return None
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
        return f"{type(error).__name__} at {place}"
    return None


if __name__ == "__main__":  # a finding again: python -m tests.faults.fuzz_targets pdf FILE
    sys.exit(attack(sys.argv[1], Path(sys.argv[2]).read_bytes()))
