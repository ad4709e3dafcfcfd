"""No page that intake lets through stops a measure: each answers, or says why it cannot."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from docqa import wiring
from docqa.measures import Assessed, NotAssessed, assess
from docqa.page import Origin, Page, Pixels, page_from_pixels
from docqa.pipeline import Engine
from docqa.settings import Settings

SHAPES = ((32, 32), (33, 701), (37, 10_000), (10_000, 100), (60, 6_001), (699, 701), (1_401, 999))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return wiring.load_engine(Settings())


def _print(shape: tuple[int, int]) -> Pixels:
    """Lines of marks over the whole page."""
    page = np.full(shape, 235, np.uint8)
    rng = np.random.default_rng(6)
    for top in range(6, shape[0] - 16, 24):
        for left in range(5, shape[1] - 8, 11):
            page[top + int(rng.integers(5)) : top + 12, left : left + int(rng.integers(2, 8))] = 30
    return page


def _shaded(shape: tuple[int, int]) -> Pixels:
    page = _print(shape)
    page[:, shape[1] // 2 :] = page[:, shape[1] // 2 :] // 10 * 6
    return page


CONTENTS: dict[str, Callable[[tuple[int, int]], Pixels]] = {
    "white": lambda shape: np.full(shape, 255, np.uint8),
    "black": lambda shape: np.zeros(shape, np.uint8),
    "noise": lambda shape: np.random.default_rng(1).integers(0, 256, shape, np.uint8),
    "colour": lambda shape: np.random.default_rng(2).integers(0, 256, (*shape, 3), np.uint8),
    "print": _print,
    "shaded": _shaded,
    "two levels": lambda shape: np.where(_print(shape) > 127, 255, 0).astype(np.uint8),
}


def _every_measure(engine: Engine, page: Page) -> dict[str, Assessed | NotAssessed]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return {name: assess(take, page) for name, take in engine.measures.items()}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_measure_answers_or_says_why_not(
    engine: Engine, shape: tuple[int, int], content: str
) -> None:
    found = _every_measure(engine, page_from_pixels(CONTENTS[content](shape)))
    assert set(found) == set(engine.measures)
    assert isinstance(found["exposure"], Assessed | NotAssessed)


def test_letters_as_high_as_a_hand_are_measured(engine: Engine) -> None:
    """A poster in two levels, whose letters are asked whether they keep their size."""
    page = np.full((3300, 2000), 255, np.uint8)
    for place in range(12):
        row, column = divmod(place, 3)
        cv2.circle(page, (350 + 620 * column, 420 + 800 * row), 160, 0, 60)
    origin = Origin("png", "image/png", "bilevel")
    found = _every_measure(engine, page_from_pixels(page, origin=origin))
    assert isinstance(found["capture"], Assessed)


def test_a_small_sheet_on_a_very_fine_page_is_measured(engine: Engine) -> None:
    """Such as a receipt that a camera of 24 MP took from afar."""
    page = np.full((4850, 4850), 40, np.uint8)
    page[1900:2740, 1800:2940] = 240
    for top in range(1960, 2680, 40):
        for left in range(1860, 2860, 18):
            page[top : top + 16, left : left + 9] = 30
    found = _every_measure(engine, page_from_pixels(page))
    assert isinstance(found["skew"], Assessed)
