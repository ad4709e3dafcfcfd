"""What every PdfRenderer does."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from docqa.adapters.poppler import PopplerRenderer
from docqa.errors import EngineFault, MissingDependency
from docqa.page import Pixels
from docqa.ports import PdfRenderer
from tests.faults import bad_files
from tests.faults.minimal_pdf import page_pdf, stream, write_pdf

_RED_CORNER = b"1 0 0 rg 0 0 36 36 re f"
"""Half an inch at the lower left."""

needs_poppler = pytest.mark.skipif(
    shutil.which("pdftoppm") is None, reason="Poppler is not installed"
)


@pytest.fixture(params=[pytest.param(PopplerRenderer, marks=needs_poppler)])
def renderer(request: pytest.FixtureRequest) -> PdfRenderer:
    made: PdfRenderer = request.param()
    return made


def _is_red(pixels: Pixels) -> list[bool]:
    """Of the corners: upper left, upper right, lower left, lower right."""
    corners = (pixels[5, 5], pixels[5, -5], pixels[-5, 5], pixels[-5, -5])
    return [corner.tolist() == [255, 0, 0] for corner in corners]


@pytest.mark.parametrize("ppi", [72.0, 150.0, 100.5])
def test_a_page_has_its_size_times_the_resolution(renderer: PdfRenderer, ppi: float) -> None:
    pixels = renderer.render(page_pdf(_RED_CORNER, size_pt=(288, 144)), 1, ppi=ppi)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (
        pytest.approx(144 / 72 * ppi, abs=1),
        pytest.approx(288 / 72 * ppi, abs=1),
        3,
    )
    assert _is_red(pixels) == [False, False, True, False]


@pytest.mark.parametrize(
    ("rotate_deg", "corners"),
    [
        (0, [False, False, True, False]),
        (90, [True, False, False, False]),
        (180, [False, True, False, False]),
        (270, [False, False, False, True]),
    ],
)
def test_a_page_is_turned_as_it_says(
    renderer: PdfRenderer, rotate_deg: int, corners: list[bool]
) -> None:
    data = page_pdf(_RED_CORNER, size_pt=(288, 144), page_entries=b"/Rotate %d" % rotate_deg)
    pixels = renderer.render(data, 1, ppi=72)
    assert pixels.shape == ((144, 288, 3) if rotate_deg % 180 == 0 else (288, 144, 3))
    assert _is_red(pixels) == corners


def test_only_the_crop_box_is_drawn(renderer: PdfRenderer) -> None:
    data = page_pdf(_RED_CORNER, size_pt=(288, 144), page_entries=b"/CropBox [0 0 72 36]")
    pixels = renderer.render(data, 1, ppi=72)
    assert pixels.shape == (36, 72, 3)
    assert _is_red(pixels) == [True, False, True, False]


def test_pages_are_numbered_from_one(renderer: PdfRenderer) -> None:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d 72] /Contents 5 0 R >>"
    data = write_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
            page % 72,
            page % 144,
            stream(b""),
        ]
    )
    assert renderer.render(data, 1, ppi=72).shape == (72, 72, 3)
    assert renderer.render(data, 2, ppi=72).shape == (72, 144, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bad_files.garbage_pdf(),
        bad_files.encrypted_pdf(),
        bad_files.zero_page_pdf(),
        bad_files.giant_page_pdf(),
    ],
)
def test_what_cannot_be_drawn_is_an_engine_fault(renderer: PdfRenderer, data: bytes) -> None:
    with pytest.raises(EngineFault):
        renderer.render(data, 1, ppi=300)


def test_a_page_that_is_not_there_is_an_engine_fault(renderer: PdfRenderer) -> None:
    with pytest.raises(EngineFault):
        renderer.render(page_pdf(b""), 2, ppi=72)


def test_faults_do_not_quote_the_document(renderer: PdfRenderer) -> None:
    broken = page_pdf(b"").replace(b"/Type /Catalog /Pages 2 0 R", b"/SECRET(SECRET)/T 99 0 R")
    with pytest.raises(EngineFault) as fault:
        renderer.render(broken, 1, ppi=72)
    assert "SECRET" not in str(fault.value)


def test_no_disk_sees_the_document_and_nothing_of_it_is_kept(
    renderer: PdfRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere, open_before = "/dev/null/none", _open_files()
    monkeypatch.setattr(tempfile, "tempdir", nowhere)
    monkeypatch.setenv("TMPDIR", nowhere)
    assert _is_red(renderer.render(page_pdf(_RED_CORNER), 1, ppi=72)) == [False, False, True, False]
    with pytest.raises(EngineFault):
        renderer.render(bad_files.garbage_pdf(), 1, ppi=72)
    assert _open_files() == open_before


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_missing_poppler_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingDependency) as missing:
        PopplerRenderer().render(page_pdf(b""), 1, ppi=72)
    assert missing.value.remedy == "apt-get install poppler-utils"
