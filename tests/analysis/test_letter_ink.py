from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from docqa.analysis.letter_ink import LEAST_PAIRS_COUNT, LetterInk, letter_ink
from docqa.analysis.letter_windows import (
    LEAST_CONTRAST_LEVELS,
    WINDOW_PX,
    WINDOWS_COUNT,
    letter_windows,
)
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


def of(page: Page) -> LetterInk:
    found = letter_ink(page)
    assert found is not None
    return found


@pytest.mark.parametrize("factor", [0.93, 0.81, 0.67])
def test_drawn_letters_hold_the_same_ink_however_much_they_were_made_smaller(factor: float) -> None:
    found = of(shrunk(factor))
    assert found.letters_count > 50
    assert found.scatter_fraction < 0.0015


@pytest.mark.parametrize("seed", [51, 52, 53])
def test_printed_letters_do_not(seed: int) -> None:
    drawing = letter(script="latin", seed=seed, ppi=300)
    printed = opened(scan(drawing, seed=seed, ppi=240, skew_deg=0.2).data)
    assert of(printed).scatter_fraction > 2 * of(shrunk(0.8, seed)).scatter_fraction
    assert of(printed).scatter_fraction > 0.002


def lettered(spread: float) -> Page:
    """Letters that stand alone, each held a little lighter or darker than the others."""
    rng = np.random.default_rng(3)
    page = np.full((1000, 1000), 255, np.uint8)
    for row in range(40, 960, 40):
        for column in range(40, 960, 40):
            glyph = np.full((240, 240), 255, np.uint8)
            shift = int(rng.integers(0, 8)), int(rng.integers(0, 8))
            cv2.putText(glyph, "R", (40 + shift[0], 190 + shift[1]), 0, 5.0, (0,), 24, cv2.LINE_AA)
            darkness = 0.8 * (1 + spread * float(rng.standard_normal()))
            faint = np.rint(255 - darkness * (255.0 - glyph)).astype(np.uint8)
            small = cv2.resize(faint, (30, 30), interpolation=cv2.INTER_AREA)
            page[row : row + 30, column : column + 30] = small
    return page_from_pixels(page)


def test_the_scatter_is_that_of_the_ink() -> None:
    assert 2 * of(lettered(0.0)).scatter_fraction < of(lettered(0.1)).scatter_fraction


def test_letters_of_other_sizes_are_not_compared() -> None:
    page = np.full((500, 900), 255, np.uint8)
    for place in range(18):
        size = 0.6 + 0.08 * place
        cv2.putText(page, "E", (20 + 46 * place, 200), 0, size, (0,), 2, cv2.LINE_AA)
    assert letter_ink(page_from_pixels(page)) is None


def test_nothing_is_said_without_like_letters() -> None:
    rng = np.random.default_rng(4)
    noise = rng.integers(0, 256, (900, 700), dtype=np.uint8)
    for pixels in (np.full((900, 700), 250, np.uint8), noise, np.full((40, 700), 250, np.uint8)):
        assert letter_ink(page_from_pixels(pixels)) is None


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


def printed(count: int, *, darkness: int = 200) -> Page:
    """So many equal letters on white paper."""
    glyph = np.full((24, 24), 255, np.uint8)
    cv2.putText(glyph, "R", (3, 19), 0, 0.7, (255 - darkness,), 2, cv2.LINE_AA)
    page = np.full((360, 360), 255, np.uint8)
    for number in range(count):
        row, column = divmod(number, 10)
        page[10 + 34 * row : 34 + 34 * row, 10 + 34 * column : 34 + 34 * column] = glyph
    return page_from_pixels(page)


def test_it_takes_twenty_letters_to_say_something() -> None:
    assert letter_ink(printed(LEAST_PAIRS_COUNT - 1)) is None
    assert of(printed(LEAST_PAIRS_COUNT)) == LetterInk(LEAST_PAIRS_COUNT, 0.0)


def test_letters_too_faint_to_be_weighed_are_left_out() -> None:
    assert letter_ink(printed(50, darkness=LEAST_CONTRAST_LEVELS - 5)) is None
    assert of(printed(50, darkness=2 * LEAST_CONTRAST_LEVELS)).letters_count == 50
