from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.letter_pairs import (
    SAME_SIZE_COUNT,
    LetterPairs,
    ink_differences,
    letter_pairs,
)
from docqa.analysis.letter_windows import LetterWindows, letter_windows
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.pages import letter


def shape(darkness: int, height: int = 12) -> Pixels:
    """A letter like an E."""
    drawn = np.full((height, 10), 255, np.uint8)
    drawn[:, :3] = darkness
    for row in (0, height // 2, height - 2):
        drawn[row : row + 2] = darkness
    return drawn


def window(*letters: Pixels) -> Pixels:
    """They stand side by side."""
    made = np.full((60, 20 + 20 * len(letters)), 255, np.uint8)
    for place, drawn in enumerate(letters):
        height, width = drawn.shape
        made[20 : 20 + height, 10 + 20 * place : 10 + 20 * place + width] = drawn
    return made


def of(*windows: Pixels) -> LetterPairs:
    return letter_pairs(LetterWindows(windows), len(windows))


def darkest(*windows: Pixels) -> dict[tuple[int, int], tuple[int, int]]:
    """Height and darkness of each letter, to those of its partner."""
    found = LetterWindows(windows)
    letters = [each for number in range(len(found)) for each in found[number].letters()]
    seen = [(each.shape[0], int(each.min())) for each in letters]
    pairs = letter_pairs(found, len(windows))
    partners = pairs.numbers[pairs.partners]
    return {seen[one]: seen[other] for one, other in zip(pairs.numbers, partners, strict=True)}


def test_each_letter_is_paired_with_the_one_of_its_size_that_is_most_like_it() -> None:
    first = window(shape(0), shape(40), shape(0, 20))
    second = window(shape(50), shape(60, 20), shape(0, 30))
    assert of(first, second).letters_count == 6
    assert darkest(first, second) == {
        (12, 0): (12, 40),
        (12, 40): (12, 50),
        (12, 50): (12, 40),
        (20, 0): (20, 60),
        (20, 60): (20, 0),
    }  # the tallest stands alone


def test_the_difference_is_over_the_contrast_and_nothing_between_equals() -> None:
    pairs = of(window(shape(100), shape(100), shape(100)))
    assert pairs.differences.tolist() == [0.0, 0.0, 0.0]
    assert (pairs.partners != np.arange(3)).all()
    inked = float((shape(0) == 0).mean())
    apart = sorted(of(window(shape(0), shape(16))).differences.tolist())
    assert apart == pytest.approx([inked * 16 / 256, inked * 16 / 240])


def test_an_empty_window_between_moves_no_number() -> None:
    blank = np.full((60, 60), 255, np.uint8)
    pairs = of(window(shape(0)), blank, window(shape(0)))
    assert sorted(pairs.numbers.tolist()) == [0, 1]


def test_nothing_is_paired_without_letters() -> None:
    pairs = of(np.full((60, 60), 255, np.uint8))
    assert pairs.letters_count == 0
    assert len(pairs.numbers) == len(pairs.partners) == len(pairs.differences) == 0


def test_no_more_of_one_size_than_that_are_compared() -> None:
    pairs = of(window(*[shape(0)] * (SAME_SIZE_COUNT + 9)))
    assert len(pairs.numbers) == pairs.letters_count == SAME_SIZE_COUNT


def test_letters_in_the_cells_of_a_table_count() -> None:
    page = np.full((800, 600), 255, np.uint8)
    for row in range(20, 780, 60):
        for column in range(20, 580, 60):
            page[row : row + 50, column : column + 50] = 0
            page[row + 3 : row + 47, column + 3 : column + 47] = 255
            page[row + 15 : row + 27, column + 20 : column + 30] = shape(0)
    windows = page_from_pixels(page).derive(letter_windows)
    assert len(windows[0].boxes) >= 20
    assert set(map(tuple, windows[0].boxes[:, 2:].tolist())) == {(10, 12)}


def test_pages_of_writing_have_pairs_in_every_window() -> None:
    windows = page_from_pixels(letter(script="latin", seed=61, ppi=200).pixels).derive(
        letter_windows
    )
    counts = [len(letter_pairs(windows, count).numbers) for count in (1, 2, 3)]
    assert 0 < counts[0] < counts[1] < counts[2]


def test_ink_is_compared_wherever_a_letter_stands_and_what_is_faint_is_left_out() -> None:
    dark, faint = window(shape(40), shape(55)), window(shape(240), shape(244))
    windows = LetterWindows([dark, faint])
    pairs = letter_pairs(windows, 2)
    assert len(pairs.numbers) == 4
    apart = ink_differences(windows, pairs)
    assert apart.tolist() == pytest.approx([np.log(215 / 200)] * 2)
