from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis import letter_shapes as letter_shapes_module
from docqa.analysis.letter_shapes import (
    LETTERS_COUNT,
    MOST_SIDE_PX,
    WINDOW_LETTERS_COUNT,
    LetterShapes,
    letter_shapes,
)
from docqa.page import Pixels, page_from_pixels

CELL_PX = 60


def sheet(glyphs: list[Pixels], *, rows: int = 12, columns: int = 10) -> Pixels:
    """The glyphs by turns, each in the middle of a cell of its own."""
    page = np.full((rows * CELL_PX, columns * CELL_PX), 255, np.uint8)
    for number in range(rows * columns):
        row, column = divmod(number, columns)
        glyph = glyphs[number % len(glyphs)]
        high, wide = glyph.shape
        top, left = (CELL_PX - high) // 2, (CELL_PX - wide) // 2
        y, x = CELL_PX * row + top, CELL_PX * column + left
        page[y : y + high, x : x + wide] = glyph
    return page


def ell(scale: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> Pixels:
    """A letter like an L, drawn so much larger and so far between the pixels."""
    fine = np.full((480, 480), 255, np.uint8)
    thick, high, wide = round(60 * scale), round(280 * scale), round(200 * scale)
    x, y = 120 + round(10 * shift[0]), 120 + round(10 * shift[1])
    fine[y : y + high, x : x + thick] = 0
    fine[y + high - thick : y + high, x : x + wide] = 0
    return np.asarray(cv2.resize(fine, (48, 48), interpolation=cv2.INTER_AREA), np.uint8)


def of(pixels: Pixels) -> LetterShapes:
    found = letter_shapes(page_from_pixels(pixels))
    assert found is not None
    return found


@pytest.mark.parametrize("scale", [1.0, 1.1, 1.2])
def test_the_size_is_that_of_the_ink_wherever_a_letter_stands(scale: float) -> None:
    shifts = [(0.0, 0.0), (0.3, 0.6), (0.5, 0.2), (0.8, 0.9)]
    found = of(sheet([ell(scale, shift) for shift in shifts]))
    assert len(found.sizes) > 30
    # Of the upright and of the foot, each a box.
    thick, high, wide = 6 * scale, 28 * scale, 20 * scale
    areas = np.array([high * thick, (wide - thick) * thick])
    middles = np.array([[thick / 2, high / 2], [(thick + wide) / 2, high - thick / 2]])
    own = np.array([[thick, high], [wide - thick, thick]]) ** 2 / 12
    mean = areas @ middles / areas.sum()
    expected = np.sqrt(areas @ (own + (middles - mean) ** 2) / areas.sum())
    assert np.exp(found.sizes) == pytest.approx(np.tile(expected, (len(found.sizes), 1)), rel=0.03)
    assert found.sizes.std(axis=0).max() < 0.02


def test_what_is_beside_a_letter_is_no_part_of_it() -> None:
    alone = ell()
    beside = alone.copy()
    beside[13:22, 30:42] = 0  # in the box of the letter, and out of it
    sizes = [of(sheet([glyph])).sizes.max(axis=0) for glyph in (alone, beside)]
    assert sizes[0] == pytest.approx(sizes[1], abs=0.03)


def test_places_are_those_of_the_letters() -> None:
    places = of(sheet([ell()])).places  # 600 by 720 pixels
    centres = (places * 720 + np.array([600, 720])) / 2
    assert (np.abs(places).max(axis=0) <= np.array([600, 720]) / 720).all()
    assert np.ptp(centres, axis=0).min() >= 240
    assert (centres % CELL_PX).std(axis=0).max() < 0.2
    assert (np.abs(centres % CELL_PX - CELL_PX / 2) < 8).all()


def test_bars_frames_and_dots_are_no_letters() -> None:
    bar = np.full((28, 20), 255, np.uint8)
    bar[:, 3:17] = 0
    frame = np.full((30, 30), 255, np.uint8)
    cv2.rectangle(frame, (3, 3), (26, 26), (0,), 2)
    dot = np.full((6, 6), 255, np.uint8)
    dot[2:4, 2:4] = 0
    found = of(sheet([ell(), bar, ell(), frame, ell(), dot]))
    assert len(found.sizes) > 20
    assert np.ptp(found.sizes, axis=0).max() < 0.01


def test_a_page_has_no_more_letters_than_are_compared() -> None:
    small = np.asarray(cv2.resize(ell(), (24, 24), interpolation=cv2.INTER_AREA), np.uint8)
    page = np.full((1600, 1600), 255, np.uint8)
    for y in range(4, 1570, 26):
        for x in range(4, 1570, 26):
            page[y : y + 24, x : x + 24] = small
    found = of(page)
    assert WINDOW_LETTERS_COUNT < len(found.patches) == len(found.places) <= LETTERS_COUNT


def test_nothing_is_found_where_nothing_is_written() -> None:
    assert letter_shapes(page_from_pixels(np.full((600, 500), 250, np.uint8))) is None


def test_where_nothing_is_written_noise_makes_no_letters() -> None:
    written = sheet([ell()])
    rng = np.random.default_rng(7)
    noise = cv2.GaussianBlur(rng.normal(0, 1, written.shape), (0, 0), 4)
    blank = np.rint(250 + 2 * noise / noise.std()).clip(0, 255).astype(np.uint8)
    both = np.concatenate([written, blank])
    found = of(both)
    rows = (found.places[:, 1] * len(both) + len(both)) / 2
    assert len(rows) > 20
    assert rows.max() < len(written)


def test_nothing_is_said_where_all_that_was_found_are_blots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(letter_shapes_module, "MOST_EXTENT", 0.01)
    assert letter_shapes(page_from_pixels(sheet([ell()]))) is None


def test_nothing_is_said_of_a_page_longer_than_can_be_drawn_from() -> None:
    written = sheet([ell()])
    long = np.full((MOST_SIDE_PX + 2, written.shape[1]), 255, np.uint8)
    long[: len(written)] = written
    assert letter_shapes(page_from_pixels(long)) is None
    assert letter_shapes(page_from_pixels(long[: MOST_SIDE_PX - 1])) is not None
