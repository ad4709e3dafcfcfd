"""Bad files are refused with the right code, and never cost much."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from PIL import ImageFile

from docqa.errors import InvalidDocument
from docqa.intake import Limits, open_document
from docqa.intake.limits import damage_refused
from tests.faults import bad_files

_ADDRESSES_BYTES = 1_500_000_000
_MEMORY_BYTES = 200_000_000
"""Less than the largest of them would need decoded, and far more than any needs."""
_CPU_S = 60


def _code(data: bytes, limits: Limits | None = None) -> str:
    try:
        intake = open_document(data, limits=limits or Limits(), renderer=None)
        for page in intake.pages:
            page.luma()
    except InvalidDocument as refusal:
        return refusal.code
    return "accepted"


@pytest.mark.parametrize("name", sorted(bad_files.bad_files()))
def test_a_bad_file_is_refused_with_its_code(name: str) -> None:
    make, code = bad_files.bad_files()[name]
    assert _code(make()) == code


def test_all_bad_files_together_need_little_memory_and_time() -> None:
    """Each is opened in a child whose memory and processor time are limited by the kernel.

    How much it needs at most, counted from what the child held before the first, says whether
    anything large was decoded.
    """
    child = (
        "import resource, sys\n"
        "from tests.faults.bad_files import bad_files\n"
        "files = {name: (make(), code) for name, (make, code) in bad_files().items()}\n"
        "from tests.intake.test_refusals import _code\n"
        "def kept(name):\n"
        "    lines = open('/proc/self/status')\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({_ADDRESSES_BYTES}, {_ADDRESSES_BYTES}))\n"
        f"resource.setrlimit(resource.RLIMIT_CPU, ({_CPU_S}, {_CPU_S}))\n"
        "open('/proc/self/clear_refs', 'w').write('5')\n"  # the most counts from here
        "before = kept('VmRSS')\n"
        "print([name for name, (data, code) in files.items() if _code(data) != code])\n"
        "print(kept('VmHWM') - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", child],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    wrong, growth = done.stdout.split("\n")[:2]
    assert wrong == "[]"
    # Not by getrusage: that of a child counts what the process held that started it.
    assert int(growth) < _MEMORY_BYTES


def _decoded(*_: object, **__: object) -> None:
    raise AssertionError("decoded before its limits were checked")


@pytest.mark.parametrize(
    ("make", "limits", "code", "limit", "actual"),
    [
        (bad_files.oversized, Limits(max_bytes=1000), "file.too_large", 1000, 25_000_001),
        (bad_files.png_flood, Limits(), "file.too_many_pixels", 80_000_000, 400_000_000),
        (bad_files.long_strip, Limits(), "file.side_too_long", 20_000, 21_000),
        (bad_files.tiny_image, Limits(), "file.too_small", 32, 16),
        (bad_files.pdf_with_pages, Limits(), "file.too_many_pages", 20, 500),
        (bad_files.many_page_tiff, Limits(max_pages=7), "file.too_many_pages", 7, 30),
        (bad_files.many_scan_jpeg, Limits(max_jpeg_scans=30), "file.too_many_scans", 30, 31),
    ],
)
def test_a_limit_is_told_with_what_the_file_has(
    make: object,
    limits: Limits,
    code: str,
    limit: int,
    actual: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert callable(make)
    made = make()
    monkeypatch.setattr(cv2, "imdecode", _decoded)
    monkeypatch.setattr(ImageFile.ImageFile, "load", _decoded)
    with pytest.raises(InvalidDocument) as refusal:
        open_document(made, limits=limits, renderer=None)
    assert refusal.value.code == code
    assert refusal.value.facts == {"limit": limit, "actual": actual}


def test_a_file_at_its_limits_is_let_in() -> None:
    data = bad_files.pdf_with_pages(3)
    assert _code(data, Limits(max_bytes=len(data), max_pages=3, render_ppi=40)) == "accepted"
    scans = bad_files.many_scan_jpeg(64, side_px=64)
    assert _code(scans, Limits(max_pixels=64 * 64, max_side_px=64)) == "accepted"
    assert _code(bad_files.tiny_image(32)) == "accepted"
    assert _code(bad_files.many_segment_jpeg(4900)) == "accepted"


def test_want_of_memory_is_not_the_files_fault() -> None:
    with pytest.raises(MemoryError), damage_refused():
        raise MemoryError


def test_a_circular_tiff_ends() -> None:
    assert _code(bad_files.cyclic_tiff()) == "file.damaged"


@pytest.mark.parametrize("keep_fraction", [0.05, 0.3, 0.7, 0.95])
def test_a_cut_picture_is_damaged_wherever_it_is_cut(keep_fraction: float) -> None:
    for cut in (
        bad_files.truncated_jpeg,
        bad_files.truncated_progressive_jpeg,
        bad_files.truncated_png,
        bad_files.truncated_tiff,
        bad_files.truncated_pdf,
    ):
        assert _code(cut(keep_fraction)) == "file.damaged", cut.__name__


def test_the_fax_that_is_cut_elsewhere_is_valid_when_whole() -> None:
    assert _code(bad_files.truncated_fax_tiff(1.0)) == "accepted"


@pytest.mark.parametrize(("missing_bytes", "code"), [(0, "accepted"), (1, "file.damaged")])
def test_a_pdf_made_for_the_web_says_how_long_it_is(missing_bytes: int, code: str) -> None:
    data = bad_files.pdf_with_pages(1)
    note = b"%% << /Linearized 1 /L %6d >>\n"
    length = len(data) + len(note % 0)
    whole = data.replace(b"1 0 obj", note % (length + missing_bytes) + b"1 0 obj", 1)
    assert len(whole) == length
    assert _code(whole, Limits(render_ppi=20)) == code


@pytest.mark.parametrize("missing_bytes", [1, 2])
def test_a_whole_jpeg_without_its_end_marker_is_let_in(missing_bytes: int) -> None:
    for whole in (bad_files.truncated_jpeg(1.0), bad_files.truncated_progressive_jpeg(1.0)):
        assert _code(whole[:-missing_bytes]) == "accepted"


def test_a_page_five_metres_wide_is_drawn_coarsely() -> None:
    limits = Limits(max_pixels=1_000_000)
    intake = open_document(bad_files.giant_page_pdf(), limits=limits, renderer=None)
    page = next(intake.pages)
    assert 900_000 < page.width_px * page.height_px <= 1_000_000
    assert page.origin.ppi_tag == pytest.approx(1000 / 200, rel=0.01)
    assert page.luma().min() < 128 < page.luma().max()
