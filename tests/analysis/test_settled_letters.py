from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from docqa.analysis import settled_letters as settled_letters_module
from docqa.analysis.letter_pairs import LetterPairs
from docqa.analysis.letter_windows import LetterWindows
from docqa.analysis.settled_letters import WINDOWS_COUNT, settled_letters
from docqa.intake import Limits, open_document
from docqa.page import Origin, Page, page_from_pixels
from fixtures.synthesize.pages import letter


def opened(data: bytes) -> Page:
    return next(iter(open_document(data, limits=Limits(), renderer=None).pages))


def lettered(rng: np.random.Generator, *, own: float) -> Page:
    """A page of one letter in black, of which so many, by chance, have rims of their own."""
    glyph = np.full((20, 14), 255, np.uint8)
    glyph[2:18, 2:5] = glyph[2:5, 2:12] = glyph[9:12, 2:12] = 0
    page = np.full((1600, 1200), 255, np.uint8)
    for row in range(20, 1580, 40):
        for column in range(20, 1180, 40):
            drawn = glyph.copy()
            if rng.random() < own:
                drawn[5 + rng.choice(12, 5, replace=False), 5] = 0
                drawn[12, 3 + rng.choice(8, 4, replace=False)] = 0
            page[row : row + 20, column : column + 14] = drawn
    return page_from_pixels(page, origin=Origin("png", "image/png", colour_mode="bilevel"))


@pytest.mark.parametrize(("own", "windows_count"), [(0.0, 1), (0.6, WINDOWS_COUNT), (1.0, 1)])
def test_in_two_levels_all_windows_are_looked_at_only_in_doubt(
    own: float, windows_count: int
) -> None:
    pairs = lettered(np.random.default_rng(8), own=own).derive(settled_letters).pairs
    assert pairs.letters_count > 40
    assert pairs.windows_count == windows_count


def test_no_more_windows_are_looked_at_than_it_takes() -> None:
    drawn = page_from_pixels(letter(script="latin", seed=33, ppi=150).pixels)
    assert drawn.derive(settled_letters).pairs.windows_count == 1
    blank = page_from_pixels(np.full((2400, 1800), 250, np.uint8))
    assert blank.derive(settled_letters).pairs.windows_count == WINDOWS_COUNT


@pytest.mark.parametrize("seed", [34, 35, 36])
def test_a_drawn_page_is_not_taken_for_print_however_it_was_made_smaller(seed: int) -> None:
    fine = letter(script="latin", seed=seed, ppi=300).pixels
    small = cv2.resize(fine, None, fx=0.77, fy=0.77, interpolation=cv2.INTER_AREA)
    file = io.BytesIO()
    Image.fromarray(np.asarray(small)).save(file, "JPEG", quality=85)
    found = opened(file.getvalue()).derive(settled_letters)
    assert not found.are_printed


@pytest.mark.parametrize(
    ("pairs_count", "nearest", "scatter", "answer"),
    [
        (10, 0.02, 0.005, True),
        (9, 0.02, 0.005, False),
        (10, 0.02, 0.004, False),
        (39, 0.019, 0.005, False),  # near another: it takes more to say so
        (40, 0.019, 0.005, True),
        (400, 0.010, 0.005, False),  # close
    ],
)
def test_like_letters_that_hold_other_ink_are_print(
    pairs_count: int,
    nearest: float,
    scatter: float,
    answer: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    differences = np.full(pairs_count, 0.3)
    differences[0] = nearest
    places = np.arange(pairs_count)

    def some_pairs(_: LetterWindows, windows_count: int) -> LetterPairs:
        return LetterPairs(windows_count, 39, places, places, differences)

    monkeypatch.setattr(settled_letters_module, "letter_pairs", some_pairs)
    monkeypatch.setattr(
        settled_letters_module, "ink_differences", lambda *_: np.full(pairs_count, scatter)
    )
    found = page_from_pixels(letter(script="latin", seed=34, ppi=100).pixels).derive(
        settled_letters
    )
    assert found.are_printed == answer
