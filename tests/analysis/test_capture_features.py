from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from docqa.analysis.capture_features import FEATURES, light_features, whitening_features
from docqa.analysis.paper import Paper, paper
from docqa.analysis.whitening import Whitening
from docqa.page import page_from_pixels


def light(**changes: float) -> Paper:
    """Of white paper whose border is grey."""
    page = np.full((400, 300), 250, np.uint8)
    return replace(paper(page_from_pixels(page)), border_level=200.0, **changes)  # type: ignore[arg-type]  # levels only


def of(name: str, seen: Paper) -> float:
    return float(light_features(seen)[FEATURES.index(name)])


def test_a_slope_that_scanners_have_does_not_count() -> None:
    slopes = [of("slope", light(gradient_x_levels=levels)) for levels in (0, 3, 12, 60)]
    assert slopes[0] == slopes[1] == 0 < slopes[2] < slopes[3]


def test_a_white_even_border_takes_back_the_slope() -> None:
    seen = light(gradient_y_levels=30)
    bordered = replace(seen, border_level=250.0, even_border_fraction=1.0)
    assert of("slope", bordered) < of("slope", seen)
    assert of("white_border", seen) == 0
    assert of("white_border", bordered) == 1


def test_darker_paper_is_further_from_white() -> None:
    far = [of("white_distance", light(brightest_level=level)) for level in (255, 240, 180)]
    assert far[0] == 0 < far[1] < far[2]


@pytest.mark.parametrize(
    ("changed", "column"), [({"edge_step_fraction": 0.4}, 0), ({"residue_fraction": 0.2}, 1)]
)
def test_what_an_app_leaves_raises_its_own_feature_alone(
    changed: dict[str, float], column: int
) -> None:
    clean = Whitening(edge_step_fraction=0.8, residue_fraction=0.0, white_fraction=1.0)
    before = whitening_features(clean, light())
    after = whitening_features(replace(clean, **changed), light())
    assert after[column] > before[column] == 0
    assert np.array_equal(np.delete(after, column), np.delete(before, column))
