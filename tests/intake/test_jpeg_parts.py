"""A JPEG's small views, decoded apart, show what its full decoding shows."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from docqa.intake import Limits, jpeg, jpeg_colour, open_document, turbojpeg
from docqa.page import COARSE_COLOUR_SIDE_PX, Page, Pixels

_ORIENTATION = 0x0112
_SAMPLING = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:4:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "4:1:1": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
}


def _picture(width: int, height: int, noise: float = 0.0) -> Pixels:
    """Smooth colours; noise makes the file long for its pixels."""
    rng = np.random.default_rng(4)
    coarse = rng.integers(30, 226, (height // 64 + 1, width // 64 + 1, 3), np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, noise, (height, width, 1))
    return np.clip(smooth + grain, 0, 255).astype(np.uint8)


def _encoded(
    pixels: Pixels, subsampling: str, turn: int = 1, *, progressive: bool = False
) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, 92]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SAMPLING[subsampling]]
    options += [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    data = cv2.imencode(".jpg", pixels, options)[1].tobytes()
    exif = Image.Exif()
    exif[_ORIENTATION] = turn
    segment = exif.tobytes()
    return data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]


def _page(data: bytes) -> Page:
    return next(open_document(data, limits=Limits(), renderer=None).pages)


def _reduced(pixels: Pixels, scale: int) -> cv2.typing.MatLike:
    height, width = (side // scale for side in pixels.shape[:2])
    whole = pixels[: height * scale, : width * scale]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)


def _planes_are_used(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of every call of the one-pass decoder, whether it gave anything."""
    calls: list[bool] = []
    real = turbojpeg.planes

    def planes(data: bytes, width_px: int, height_px: int) -> object:
        found = real(data, width_px, height_px)
        calls.append(found is not None)
        return found

    monkeypatch.setattr(turbojpeg, "planes", planes)
    return calls


@pytest.mark.parametrize("has_library", [True, False])
@pytest.mark.parametrize("subsampling", list(_SAMPLING))
@pytest.mark.parametrize("turn", [1, 3, 6])
@pytest.mark.parametrize("longer", [808, COARSE_COLOUR_SIDE_PX + 40])
def test_views_show_the_full_picture_turned(
    longer: int, turn: int, subsampling: str, has_library: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_library:
        monkeypatch.setattr(turbojpeg, "is_installed", lambda: False)
    page = _page(_encoded(_picture(longer, 640), subsampling, turn))
    full = page.raster()
    assert full.colour is not None
    assert page.luma().shape == full.luma.shape
    assert page.luma().flags.c_contiguous
    assert np.abs(page.luma().astype(int) - full.luma).max() <= 3
    for scale in (8, 4):
        wanted = _reduced(full.colour, scale)
        assert page.colour(scale).shape == wanted.shape
        assert np.abs(page.colour(scale).astype(int) - wanted).mean() < 1.0


@pytest.mark.parametrize("subsampling", list(_SAMPLING))
def test_views_of_odd_sizes_show_the_full_picture(subsampling: str) -> None:
    page = _page(_encoded(_picture(805, 643, noise=9), subsampling))
    full = page.raster()
    assert full.colour is not None
    for scale in (8, 4):
        wanted = _reduced(full.colour, scale)
        assert page.colour(scale).shape == wanted.shape
        assert np.abs(page.colour(scale).astype(int) - wanted).mean() < 1.0


def test_the_order_of_asking_changes_no_view() -> None:
    for longer in (808, COARSE_COLOUR_SIDE_PX + 40):
        data = _encoded(_picture(longer, 640), "4:2:0")
        one, other = (_page(data) for _ in range(2))
        first, second = one.colour(8), one.colour(4)
        assert np.array_equal(other.colour(4), second)
        assert np.array_equal(other.colour(8), first)


@pytest.mark.parametrize("progressive", [True, False])
@pytest.mark.parametrize("subsampling", list(_SAMPLING))
def test_one_pass_gives_the_brightness_of_a_decoding_of_brightness(
    subsampling: str, progressive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _planes_are_used(monkeypatch)
    data = _encoded(_picture(805, 643, noise=9), subsampling, progressive=progressive)
    wanted = jpeg_colour.decoded(data, cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(_page(data).luma(), wanted)
    assert calls == [True]


def test_a_file_short_for_its_colour_is_decoded_in_two_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = _planes_are_used(monkeypatch)
    _page(_encoded(np.full((640, 808, 3), 200, np.uint8), "4:4:4")).luma()
    assert calls == []


@pytest.mark.parametrize(("width", "in_one_pass"), [(2077, False), (2203, True)])
def test_of_a_large_picture_of_a_sheet_s_shape_colour_is_decoded_when_it_is_asked_for(
    width: int, in_one_pass: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _planes_are_used(monkeypatch)
    page = _page(_encoded(_picture(width, 2937, noise=9), "4:2:0"))
    page.luma()
    assert calls == [True] * in_one_pass
    full = page.raster()
    assert full.colour is not None
    assert np.abs(page.colour(8).astype(int) - _reduced(full.colour, 8)).mean() < 1.0


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2"])
def test_a_damaged_file_is_decoded_as_without_the_library(
    subsampling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _encoded(_picture(808, 640, noise=9), subsampling)
    data = whole[: len(whole) // 2] + b"\xff\xd9"
    calls = _planes_are_used(monkeypatch)
    page = _page(data)
    page.luma()
    assert calls == [False]
    full = page.raster()
    assert full.colour is not None
    assert np.abs(page.luma().astype(int) - full.luma).mean() < 1.0
    assert np.abs(page.colour(4).astype(int) - _reduced(full.colour, 4)).mean() < 1.5


def test_a_jpeg_that_stores_rgb_keeps_its_colours() -> None:
    out = io.BytesIO()
    Image.fromarray(_picture(808, 640)).save(out, "JPEG", quality=92, keep_rgb=True)
    page = _page(out.getvalue())
    full = page.raster()
    assert full.colour is not None
    assert np.abs(page.luma().astype(int) - full.luma).max() <= 1
    assert np.abs(page.colour(4).astype(int) - _reduced(full.colour, 4)).mean() < 1.0


@pytest.mark.parametrize("is_grey", [True, False])
@pytest.mark.parametrize("has_library", [True, False])
def test_brightness_alone_is_that_of_opencv(
    has_library: bool, is_grey: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_library:
        monkeypatch.setattr(turbojpeg, "is_installed", lambda: False)
    pixels = _picture(805, 643, noise=9)
    data = _encoded(pixels[..., 0] if is_grey else pixels, "4:4:4")
    wanted = jpeg_colour.decoded(data, cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(jpeg_colour.brightness(data, 805, 643), wanted)


def test_brightness_goes_by_the_header_that_was_checked() -> None:
    data = _encoded(_picture(808, 640, noise=9), "4:4:4")
    assert turbojpeg.brightness(data, 808, 640) is not None
    assert turbojpeg.brightness(data, 800, 640) is None
    assert turbojpeg.brightness(data[:200], 808, 640) is None
    assert turbojpeg.brightness(data[: len(data) // 2] + b"\xff\xd9", 808, 640) is None


@pytest.mark.parametrize("offset", [-2, -1, 0, 1])
def test_the_end_is_found_where_two_parts_of_the_file_meet(
    offset: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _encoded(_picture(808, 640, noise=9), "4:2:0")
    scan = data.rindex(b"\xff\xda")
    length = int.from_bytes(data[scan + 2 : scan + 4], "big")
    behind = len(data) - 2 - (scan + 2 + length)
    monkeypatch.setattr(jpeg, "_PART_BYTES", behind + offset)
    header = jpeg.read_header(data, Limits())
    assert (header.has_end, header.scans) == (True, 1)
    monkeypatch.setattr(jpeg, "_PART_BYTES", 1 << 17)
    assert not jpeg.read_header(data[:-1], Limits()).has_end


def test_planes_go_by_the_header_that_was_checked() -> None:
    data = _encoded(_picture(808, 640, noise=9), "4:2:0")
    assert turbojpeg.planes(data, 808, 640) is not None
    assert turbojpeg.planes(data, 800, 640) is None
    assert turbojpeg.planes(data[:200], 808, 640) is None
