"""A JPEG's small views, decoded apart, show what its full decoding shows."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from docqa.intake import Limits, open_document
from docqa.page import COARSE_COLOUR_SIDE_PX, Page, Pixels

_ORIENTATION = 0x0112


def _picture(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(4)
    coarse = rng.integers(30, 226, (height // 64 + 1, width // 64 + 1, 3), np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return Image.fromarray(smooth)


def _page(picture: Image.Image, subsampling: str, turn: int = 1) -> Page:
    exif = Image.Exif()
    exif[_ORIENTATION] = turn
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92, subsampling=subsampling, exif=exif)
    return next(open_document(out.getvalue(), limits=Limits(), renderer=None).pages)


def _reduced(pixels: Pixels, scale: int) -> cv2.typing.MatLike:
    height, width = (side // scale for side in pixels.shape[:2])
    whole = pixels[: height * scale, : width * scale]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("turn", [1, 3, 6])
@pytest.mark.parametrize("longer", [808, COARSE_COLOUR_SIDE_PX + 40])
def test_views_show_the_full_picture_turned(longer: int, turn: int, subsampling: str) -> None:
    page = _page(_picture(longer, 640), subsampling, turn)
    full = page.raster()
    assert full.colour is not None
    assert page.luma().shape == full.luma.shape
    assert np.abs(page.luma().astype(int) - full.luma).max() <= 3
    for scale in (8, 4):
        wanted = _reduced(full.colour, scale)
        assert page.colour(scale).shape == wanted.shape
        assert np.abs(page.colour(scale).astype(int) - wanted).mean() < 1.0


def test_the_order_of_asking_changes_no_view() -> None:
    for longer in (808, COARSE_COLOUR_SIDE_PX + 40):
        one, other = (_page(_picture(longer, 640), "4:2:0") for _ in range(2))
        first, second = one.colour(8), one.colour(4)
        assert np.array_equal(other.colour(4), second)
        assert np.array_equal(other.colour(8), first)
