from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from docqa.measures.content import measure
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
