from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from docqa.analysis.letter_scatter import LetterScatter, letter_scatter
from docqa.analysis.letter_windows import WINDOW_PX, WINDOWS_COUNT, letter_windows
from docqa.intake import Limits, open_document
from docqa.page import Page, page_from_pixels
from fixtures.synthesize.pages import letter
from fixtures.synthesize.scanner import scan


def opened(data: bytes) -> Page:
    return next(iter(open_document(data, limits=Limits(), renderer=None).pages))


def shrunk(factor: float, seed: int = 51) -> Page:
    """Drawn, made smaller so that letters stand anywhere between pixels, and saved as JPEG."""
    fine = letter(script="latin", seed=seed, ppi=300).pixels
    small = cv2.resize(fine, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    file = io.BytesIO()
    Image.fromarray(np.asarray(small)).save(file, "JPEG", quality=90)
    return opened(file.getvalue())


def of(page: Page) -> LetterScatter:
    found = letter_scatter(page)
    assert found is not None
    return found


@pytest.mark.parametrize("factor", [0.93, 0.81, 0.67])
def test_drawn_letters_have_one_size_however_much_they_were_made_smaller(factor: float) -> None:
    found = of(shrunk(factor))
    assert found.pairs_count > 50
    assert found.scatter_fraction < 0.002


@pytest.mark.parametrize("seed", [51, 52, 53])
def test_printed_letters_have_not(seed: int) -> None:
    drawing = letter(script="latin", seed=seed, ppi=300)
    printed = opened(scan(drawing, seed=seed, ppi=240, skew_deg=0.2).data)
    assert of(printed).scatter_fraction > of(shrunk(0.8, seed)).scatter_fraction
    assert of(printed).scatter_fraction > 0.002


def test_the_scatter_is_that_of_the_sizes() -> None:
    """Of letters that stand alone, each drawn a little larger or smaller than the others."""
    rng = np.random.default_rng(3)
    measured = []
    for spread in (0.01, 0.03):
        page = np.full((1000, 1000), 255, np.uint8)
        for row in range(40, 960, 40):
            for column in range(40, 960, 40):
                glyph = np.full((240, 240), 255, np.uint8)
                size = 5.0 * (1 + spread * float(rng.standard_normal()))
                cv2.putText(glyph, "R", (40, 190), 0, size, (0,), 24, cv2.LINE_AA)
                small = cv2.resize(glyph, (30, 30), interpolation=cv2.INTER_AREA)
                page[row : row + 30, column : column + 30] = small
        measured.append(of(page_from_pixels(page)).scatter_fraction)
    assert measured[1] > 1.5 * measured[0] > 0.0


def test_nothing_is_said_without_like_letters() -> None:
    rng = np.random.default_rng(4)
    noise = rng.integers(0, 256, (900, 700), dtype=np.uint8)
    for pixels in (np.full((900, 700), 250, np.uint8), noise, np.full((40, 700), 250, np.uint8)):
        assert letter_scatter(page_from_pixels(pixels)) is None


def test_the_windows_with_most_writing_come_first() -> None:
    """The inkiest part of the page is a picture, which has no letters."""
    page = np.full((1600, 1200), 255, np.uint8)
    page[:380, :380] = 40
    text = letter(script="latin", seed=54, ppi=150).pixels[300:900, 200:900, 0]
    page[800:1400, 300:1000] = text
    windows = page_from_pixels(page).derive(letter_windows)
    assert len(windows) == WINDOWS_COUNT
    assert len(windows[0].boxes) > 20
    for window in (windows[0], windows[1]):
        x, y, width, height = window.boxes.T
        assert (x > 0).all() and (x + width < WINDOW_PX).all()
        assert (y > 0).all() and (y + height < WINDOW_PX).all()
        assert [letter.shape for letter in window.letters()] == [
            (h, w) for w, h in window.boxes[:, 2:].tolist()
        ]
