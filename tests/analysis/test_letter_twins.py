from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.letter_twins import LetterTwins, letter_twins
from docqa.intake import Limits, open_document
from docqa.page import page_from_pixels
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
