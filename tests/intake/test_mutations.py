"""Whatever happens to a valid file, it decodes or is refused; nothing else is raised."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from docqa.errors import InvalidDocument
from docqa.intake import Limits, open_document
from tests.faults.minimal_pdf import image_stream, page_pdf

_LIMITS = Limits(
    max_bytes=1_000_000, max_pixels=200_000, max_side_px=1_000, max_pages=3, render_ppi=20
)
_SETTINGS = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _valid_files() -> dict[str, bytes]:
    shades = np.random.default_rng(5).integers(0, 256, (6, 8, 3), np.uint8)
    colour = Image.fromarray(np.kron(shades, np.ones((8, 8, 1), np.uint8)))
    exif = Image.Exif()
    exif[271], exif[274], exif[282] = "Canon", 6, 300.0
    saved: dict[str, tuple[Image.Image, str, dict[str, Any]]] = {
        "jpeg": (colour, "JPEG", {"exif": exif, "dpi": (300, 300)}),
        "progressive": (colour, "JPEG", {"progressive": True}),
        "cmyk": (colour.convert("CMYK"), "JPEG", {}),
        "png": (colour, "PNG", {"exif": exif, "dpi": (300, 300)}),
        "palette": (colour.quantize(8), "PNG", {}),
        "tiff": (colour, "TIFF", {"compression": "tiff_lzw"}),
        "fax": (colour.convert("1"), "TIFF", {"compression": "group4"}),
        "bigtiff": (colour.convert("L"), "TIFF", {"big_tiff": True}),
    }
    files = {}
    for name, (picture, kind, options) in saved.items():
        out = io.BytesIO()
        picture.save(out, kind, **options)
        files[name] = out.getvalue()
    body = image_stream(
        files["jpeg"], 64, 48, colour_space=b"/DeviceRGB", bits=8, more=b"/Filter /DCTDecode"
    )
    files["scan pdf"] = page_pdf(b"64 0 0 48 0 0 cm /X0 Do", [(b"X0", body)], size_pt=(64, 48))
    mask = image_stream(b"\x5a" * 8 * 64, 64, 64, colour_space=b"", bits=1, more=b"/ImageMask true")
    files["layered pdf"] = page_pdf(
        b"q 64 0 0 48 0 0 cm /X0 Do /X1 Do Q BT 3 Tr ET 0 0 9 9 re W n",
        [(b"X0", body), (b"X1", mask)],
        size_pt=(64, 48),
    )
    return files


_FILES = _valid_files()
_TOKENS = [b"\xff\xda", b"\xff\xd9", b"\xff\xc4", b"IEND", b"/Kids", b"4 0 R", b"-1", b"99999999"]

_EDIT = st.tuples(
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 12),
    st.one_of(st.binary(max_size=6), st.sampled_from(_TOKENS)),
)


def _open_all(data: bytes) -> str:
    try:
        intake = open_document(data, limits=_LIMITS, renderer=None)
        for page in intake.pages:
            assert page.luma().ndim == 2
            assert page.luma().size <= _LIMITS.max_pixels
            assert page.colour(8).shape[2] == 3
    except InvalidDocument as refusal:
        return refusal.code
    return "decoded"


def test_the_files_are_valid_before_they_are_changed() -> None:
    assert {name: _open_all(data) for name, data in _FILES.items()} == dict.fromkeys(
        _FILES, "decoded"
    )


@_SETTINGS
@given(name=st.sampled_from(sorted(_FILES)), edits=st.lists(_EDIT, min_size=1, max_size=6))
def test_an_edited_file_decodes_or_is_refused(
    name: str, edits: list[tuple[float, int, bytes]]
) -> None:
    data = _FILES[name]
    for place, removed, inserted in edits:
        at = int(place * len(data))
        data = data[:at] + inserted + data[at + removed :]
    outcome = _open_all(data)
    assert outcome == "decoded" or outcome.startswith("file.")


@_SETTINGS
@given(name=st.sampled_from(sorted(_FILES)), keep=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_decodes_or_is_refused(name: str, keep: float) -> None:
    _open_all(_FILES[name][: int(len(_FILES[name]) * keep)])


@_SETTINGS
@given(
    head=st.sampled_from([data[:length] for data in _FILES.values() for length in (4, 12, 40)]),
    tail=st.binary(max_size=300),
)
def test_noise_behind_a_valid_beginning_is_refused(head: bytes, tail: bytes) -> None:
    assert _open_all(head + tail).startswith("file.")


@_SETTINGS
@given(data=st.binary(max_size=64))
def test_noise_is_refused(data: bytes) -> None:
    assert _open_all(data).startswith("file.")
