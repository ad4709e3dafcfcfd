from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from docqa.measures.content import (
    BLANK_INK_FRACTION,
    LEAST_ROW_FRACTION,
    LEAST_TEXT_COUNT,
    measure,
)
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.cards import id_back, id_front
from fixtures.synthesize.pages import civil_extract, letter
from fixtures.synthesize.passport import passport_page
from fixtures.synthesize.people import person


def kind(pixels: Pixels) -> str:
    return measure(page_from_pixels(pixels)).kind


@pytest.mark.parametrize("script", ["arabic", "latin"])
def test_letters_are_documents_whichever_way_up(script: str) -> None:
    drawn = letter(script="arabic" if script == "arabic" else "latin", seed=1, ppi=150).pixels
    assert kind(drawn) == "document"
    assert kind(np.ascontiguousarray(np.rot90(drawn))) == "document"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cards_passports_and_forms_are_documents(seed: int) -> None:
    who = person(seed)
    for drawing in (
        id_front(who, seed=seed, ppi=300),
        id_back(who, seed=seed, ppi=300),
        passport_page(who, seed=seed, ppi=300),
        civil_extract(who, seed=seed, ppi=150),
    ):
        assert kind(drawing.pixels) == "document", drawing.document_type


def test_stamp_and_three_lines_are_a_document() -> None:
    page = np.full((1650, 1200), 245, np.uint8)
    cv2.circle(page, (800, 1300), 120, 60, 6)
    for row, text in enumerate(("To whom it may concern", "the bearer is known here", "Office 4")):
        cv2.putText(page, text, (120, 200 + 50 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 30, 2)
    assert kind(page) == "document"


@pytest.mark.parametrize("level", [0, 200, 255])
def test_even_page_is_blank(level: int) -> None:
    assert kind(np.full((1000, 700), level, np.uint8)) == "blank"


def test_blank_paper_with_noise_and_dust_is_blank() -> None:
    rng = np.random.default_rng(4)
    page = np.clip(rng.normal(235, 4, (1400, 1000)), 0, 255).astype(np.uint8)
    for x, y in rng.integers(20, 900, (5, 2)):
        page[y : y + 6, x : x + 6] = 80
    assert kind(page) == "blank"


def test_a_short_note_on_a_large_page_is_a_document() -> None:
    page = np.full((2800, 2000), 245, np.uint8)
    for y in (600, 640):
        for x in range(300, 560, 22):
            cv2.rectangle(page, (x, y), (x + 12, y + 16), 30, 2)
    note = measure(page_from_pixels(page))
    assert note.ink_fraction < BLANK_INK_FRACTION and note.kind == "document"


def test_a_few_strong_strokes_are_not_blank() -> None:
    page = np.full((1400, 1000), 245, np.uint8)
    for y in (300, 500, 700):
        cv2.line(page, (200, y), (800, y + 60), 30, 9)
    strokes = measure(page_from_pixels(page))
    assert strokes.text_count < LEAST_TEXT_COUNT and strokes.kind != "blank"


def test_writing_in_columns_is_writing() -> None:
    page = np.full((1754, 1240), 246, np.uint8)
    for x in range(130, 1000, 200):
        for y in range(140, 1600, 26):
            cv2.rectangle(page, (x, y), (x + 16, y + 14), 35, 3)
    assert measure(page_from_pixels(page)).row_fraction > 0.9


def scattered(ground: int, levels: tuple[int, ...]) -> Pixels:
    """Strokes of these levels by turns, none beside another of its height."""
    rng = np.random.default_rng(1)
    page = np.full((1400, 1000), ground, np.uint8)
    for number in range(120):
        x, y = rng.integers(50, (900, 1300))
        page[y : y + 6 + 3 * (number % 5), x : x + 8] = levels[number % len(levels)]
    return page


@pytest.mark.parametrize(
    ("ground", "levels"),
    [
        pytest.param(245, (30,), id="no shades"),
        pytest.param(140, (20, 110, 110, 255, 255, 255), id="more light than dark"),
    ],
)
def test_one_sign_of_writing_is_enough(ground: int, levels: tuple[int, ...]) -> None:
    found = measure(page_from_pixels(scattered(ground, levels)))
    assert found.document_fraction == pytest.approx(1 / 3)
    assert found.row_fraction < LEAST_ROW_FRACTION
    assert found.kind == "document"


@pytest.mark.parametrize("picture", ["chelsea", "astronaut", "coffee"])
def test_photograph_of_something_is_no_document(picture: str) -> None:
    pixels = getattr(data, picture)()
    assert kind(np.asarray(pixels, np.uint8)) == "not_document"


def test_text_gone_from_a_page_lowers_its_count() -> None:
    drawn = letter(script="latin", seed=2, ppi=150).pixels.copy()
    full = measure(page_from_pixels(drawn)).text_count
    drawn[drawn.shape[0] // 3 :] = 255
    assert measure(page_from_pixels(drawn)).text_count < full


def test_noise_and_tiny_pages_get_an_answer() -> None:
    rng = np.random.default_rng(0)
    for shape in ((33, 40), (800, 600)):
        found = measure(page_from_pixels(rng.integers(0, 256, shape, dtype=np.uint8)))
        assert 0 <= found.row_fraction <= 1
        assert np.isfinite([found.shade_ratio, found.light_ratio]).all()
