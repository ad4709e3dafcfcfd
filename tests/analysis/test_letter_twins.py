from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.letter_twins import (
    WINDOWS_COUNT,
    LetterTwins,
    letter_twins,
    settled_pairs,
)
from docqa.intake import Limits, open_document
from docqa.page import Origin, Page, page_from_pixels
from fixtures.synthesize.pages import letter
from fixtures.synthesize.scanner import scan


def test_rendered_letters_have_twins() -> None:
    page = page_from_pixels(letter(script="latin", seed=31, ppi=150).pixels)
    found = letter_twins(page)
    assert found.letters_count > 100
    assert found.exact_fraction > 0.2
    assert found.near_fraction >= found.close_fraction >= found.exact_fraction
    assert found.likeness_fraction < 0.005


@pytest.mark.parametrize("script", ["latin", "arabic"])
def test_scanned_letters_have_none(script: str) -> None:
    drawing = letter(script="latin" if script == "latin" else "arabic", seed=32, ppi=200)
    data = scan(drawing, seed=32, ppi=200).data
    page = next(iter(open_document(data, limits=Limits(), renderer=None).pages))
    found = letter_twins(page)
    assert found.letters_count > 50
    assert found.close_fraction < 0.01
    assert found.likeness_fraction > 0.01


def test_a_page_without_writing_has_no_letters() -> None:
    blank = page_from_pixels(np.full((600, 400), 250, np.uint8))
    assert letter_twins(blank) == LetterTwins(0, 0.0, 0.0, 0.0, 1.0)


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
    pairs = lettered(np.random.default_rng(8), own=own).derive(settled_pairs)
    assert pairs.letters_count > 40
    assert pairs.windows_count == windows_count


def test_no_more_windows_are_looked_at_than_it_takes() -> None:
    drawn = page_from_pixels(letter(script="latin", seed=33, ppi=150).pixels)
    assert drawn.derive(settled_pairs).windows_count == 1
    blank = page_from_pixels(np.full((2400, 1800), 250, np.uint8))
    assert blank.derive(settled_pairs).windows_count == WINDOWS_COUNT
