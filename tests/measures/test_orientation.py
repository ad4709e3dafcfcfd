"""Orientation: turned pages are told, upright ones are never called turned, in any script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from docqa.errors import CannotAssess, InvalidModel
from docqa.measures.orientation import MODEL, Weights, load, measure
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.documents import civil_extract, id_back, id_front, letter, passport_page
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

DATA = (Path(__file__).parents[2] / "models" / MODEL).read_bytes()
SURE = 0.9
DOCUMENTS: dict[str, Callable[[int], Drawing]] = {
    "Latin letter": lambda seed: letter(script="latin", seed=seed, ppi=200),
    "Arabic letter": lambda seed: letter(script="arabic", seed=seed, ppi=200),
    "Arabic form": lambda seed: civil_extract(person(seed), seed=seed, ppi=200),
    "card front": lambda seed: id_front(person(seed), seed=seed, ppi=300),
    "card back": lambda seed: id_back(person(seed), seed=seed, ppi=300),
    "passport": lambda seed: passport_page(person(seed), seed=seed, ppi=300),
}


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load(DATA)


def _turned(pixels: Pixels, turn_deg: int) -> Pixels:
    return np.ascontiguousarray(np.rot90(pixels, -turn_deg // 90))


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_turn_is_right_or_unsure(kind: str, weights: Weights) -> None:
    pixels = scan(DOCUMENTS[kind](5301), seed=5301, ppi=200, skew_deg=1.2).pixels
    for turn_deg in (0, 90, 180, 270):
        found = measure(page_from_pixels(_turned(pixels, turn_deg)), weights)
        assert found.turn_deg in (turn_deg, None)
        assert found.turn_deg is not None or found.confidence < SURE
        if turn_deg == 0:
            assert found.turned_probability < 0.5
        assert 0.25 <= found.confidence <= 1.0


@pytest.mark.parametrize("script", ["latin", "arabic"])
@pytest.mark.parametrize("turn_deg", [90, 180, 270])
def test_a_turned_letter_is_told(script: str, turn_deg: int, weights: Weights) -> None:
    pixels = scan(DOCUMENTS[f"{script.title()} letter"](5302), seed=5302, ppi=200).pixels
    found = measure(page_from_pixels(_turned(pixels, turn_deg)), weights)
    assert found.turn_deg == turn_deg
    assert found.turned_probability == found.confidence >= SURE


@pytest.mark.parametrize("draw", [id_front, id_back])
def test_a_card_on_a_bed_is_looked_at_by_itself(
    draw: Callable[..., Drawing], weights: Weights
) -> None:
    pixels = scan(draw(person(4302), seed=4302), seed=4302, bed="a4", ppi=200).pixels
    found = measure(page_from_pixels(pixels), weights)
    assert found.turn_deg in (0, None)
    assert found.turned_probability < 0.5


def test_an_upright_page_leaves_little_for_any_turn(weights: Weights) -> None:
    pixels = scan(DOCUMENTS["Arabic form"](5303), seed=5303, ppi=200).pixels
    found = measure(page_from_pixels(pixels), weights)
    assert found.turn_deg == 0
    assert found.turned_probability <= 1.0 - found.confidence


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((1200, 900), 255, np.uint8),
        np.full((1, 1), 90, np.uint8),
        np.full((1, 400), 90, np.uint8),
        np.tile(np.linspace(80, 220, 900).astype(np.uint8), (1200, 1)),
    ],
    ids=["white", "one pixel", "one row", "gradient"],
)
def test_without_writing_there_is_no_orientation(pixels: Pixels, weights: Weights) -> None:
    with pytest.raises(CannotAssess):
        measure(page_from_pixels(pixels), weights)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"weights": []}',
        b'{"weights": "x"}',
        json.dumps({"weights": [[1.0] * 512]}).encode(),
        json.dumps({"weights": [[float("nan")] * 512] * 4}).encode(),
    ],
)
def test_a_broken_model_is_named(data: bytes) -> None:
    with pytest.raises(InvalidModel, match="orientation"):
        load(data)
