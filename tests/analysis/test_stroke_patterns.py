"""Stroke patterns turn with the page, and do not depend on where or how large the writing is."""

from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.stroke_patterns import PATTERNS_COUNT, SPACINGS_PX, stroke_patterns, turned
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.documents import letter
from fixtures.synthesize.scanner import scan


@pytest.fixture(scope="module")
def upright() -> Pixels:
    return scan(letter(script="latin", seed=5101), seed=5101, ppi=150).pixels


def _shares(pixels: Pixels) -> np.ndarray:
    found = stroke_patterns(page_from_pixels(np.ascontiguousarray(pixels)))
    assert found is not None
    return found.shares


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turning_the_page_permutes_the_patterns(upright: Pixels, turns: int) -> None:
    expected = _shares(upright)
    asymmetry = np.linalg.norm(turned(expected) - expected)
    for _ in range(turns):
        expected = turned(expected)
    assert np.linalg.norm(_shares(np.rot90(upright, -turns)) - expected) < 0.2 * asymmetry


def test_four_quarter_turns_change_nothing(upright: Pixels) -> None:
    shares = _shares(upright)
    assert np.array_equal(turned(turned(turned(turned(shares)))), shares)
    assert not np.array_equal(turned(shares), shares)


def test_each_spacing_is_a_unit_vector_without_bare_paper(upright: Pixels) -> None:
    shares = _shares(upright)
    assert shares.shape == (len(SPACINGS_PX), PATTERNS_COUNT)
    assert np.linalg.norm(shares, axis=1) == pytest.approx(1.0)
    assert not shares[:, [0, PATTERNS_COUNT - 1]].any()


def test_a_blank_page_has_none() -> None:
    assert stroke_patterns(page_from_pixels(np.full((900, 700), 250, np.uint8))) is None
