"""The accuracy benchmark's own arithmetic: figures, floors, tables, and the Jaccard index."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy import floors, tables
from benchmarks.accuracy.capture import calibration_error, reliability_svg
from benchmarks.accuracy.corners import jaccard
from benchmarks.accuracy.figures import (
    Better,
    Figure,
    Part,
    area_under_curve,
    rank_correlation,
    share,
)

SQUARE = np.array([(100.0, 100.0), (500.0, 100.0), (500.0, 500.0), (100.0, 500.0)])
KEYSTONED = np.array([(120.0, 90.0), (480.0, 130.0), (560.0, 520.0), (60.0, 470.0)])


@pytest.mark.parametrize("page", [SQUARE, KEYSTONED])
def test_the_true_corners_have_index_one_in_any_order(page: np.ndarray) -> None:
    assert jaccard(page.tolist(), page) == pytest.approx(1.0, abs=1e-4)
    assert jaccard(np.roll(page, 2, axis=0).tolist(), page) == pytest.approx(1.0, abs=1e-4)


def test_half_of_the_page_has_index_one_half() -> None:
    half = [(100.0, 100.0), (300.0, 100.0), (300.0, 500.0), (100.0, 500.0)]
    assert jaccard(half, SQUARE) == pytest.approx(0.5, abs=1e-4)


def test_twice_the_page_has_index_one_half() -> None:
    double = [(100.0, 100.0), (900.0, 100.0), (900.0, 500.0), (100.0, 500.0)]
    assert jaccard(double, SQUARE) == pytest.approx(0.5, abs=1e-4)


def test_an_area_beside_the_page_and_no_answer_have_index_zero() -> None:
    beside = [(600.0, 600.0), (700.0, 600.0), (700.0, 700.0), (600.0, 700.0)]
    assert jaccard(beside, SQUARE) == 0.0
    assert jaccard(None, SQUARE) == 0.0


def test_the_index_is_counted_in_the_pages_own_frame() -> None:
    """The far half of a receding page is few pixels, and still half of the page."""
    frame = np.array([(0, 0), (1000, 0), (1000, 1000), (0, 1000)], np.float32)
    warp = cv2.getPerspectiveTransform(frame, KEYSTONED.astype(np.float32))
    far = np.array([[(0, 0), (1000, 0), (1000, 500), (0, 500)]], np.float32)
    quad = cv2.perspectiveTransform(far, warp)[0]
    assert jaccard(quad.tolist(), KEYSTONED) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("value", "better", "target", "reached"),
    [
        (0.97, "higher", 0.97, True),
        (0.96, "higher", 0.97, False),
        (0.02, "lower", 0.02, True),
        (0.03, "lower", 0.02, False),
        (None, "lower", 0.02, False),
        (0.5, "lower", None, None),
    ],
)
def test_a_target_is_reached_on_its_better_side(
    value: float | None, better: Better, target: float | None, reached: bool | None
) -> None:
    assert Figure("f", value, better, 1, target).reached is reached


def test_statistics_of_what_cannot_be_compared_are_none() -> None:
    assert rank_correlation([1.0, 1.0], [1.0, 2.0]) is None
    assert area_under_curve([1.0, 2.0], [True, True]) is None
    assert share([]) is None


def test_a_perfect_order_has_correlation_and_area_one() -> None:
    assert rank_correlation([1, 2, 3, 4], [0.1, 0.2, 0.7, 0.9]) == pytest.approx(1.0)
    assert area_under_curve([1, 2, 3, 4], [False, False, True, True]) == 1.0
    assert area_under_curve([1, 2, 3, 4], [True, True, False, False]) == 0.0


def test_tied_scores_count_as_half_of_the_area() -> None:
    assert area_under_curve([1.0, 1.0], [True, False]) == 0.5


@given(
    st.floats(0, 1),
    st.one_of(st.none(), st.floats(0, 1)),
    st.sampled_from(["higher", "lower"]),
)
def test_a_floor_never_loosens_and_the_run_that_set_it_holds_it(
    value: float, known: float | None, better: Better
) -> None:
    part = Part("p", (Figure("f", value, better, 10),))
    before = {} if known is None else {"p": {"f": known}}
    after = floors.tightened([part], before)["p"]["f"]
    if known is not None:
        assert after >= known if better == "higher" else after <= known
    if known is None:
        assert not floors.broken([part], {"p": {"f": after}}, with_corpus=True)


def test_a_figure_beyond_its_floor_is_named() -> None:
    parts = [Part("p", (Figure("up", 0.5, "higher", 1), Figure("down", 0.5, "lower", 1)))]
    held = {"p": {"up": 0.5, "down": 0.5}}
    assert floors.broken(parts, held, with_corpus=True) == []
    lines = floors.broken(parts, {"p": {"up": 0.6, "down": 0.4}}, with_corpus=True)
    assert [line.split(":")[0] for line in lines] == ["p, up", "p, down"]


def test_a_figure_that_vanished_breaks_its_floor_only_where_it_could_be_measured() -> None:
    parts = [Part("p", (Figure("f", None, "higher", 0),))]
    assert floors.broken(parts, {"p": {"f": 0.5}}, with_corpus=False)
    assert floors.broken([Part("p", ())], {"p": {"f": 0.5}}, with_corpus=True)
    assert not floors.broken([Part("p", ())], {"p": {"f": 0.5}}, with_corpus=False)


def test_floors_survive_being_written(tmp_path: Path) -> None:
    written = {"p": {"a figure, in deg": 0.125}, "q": {"g": 3.0}}
    floors.write(written, tmp_path / "floors.toml")
    assert floors.read(tmp_path / "floors.toml") == written
    assert floors.read(tmp_path / "absent.toml") == {}


def test_the_table_shows_the_target_and_the_loss_beside_the_peers() -> None:
    missed = Figure("CE", 0.5, "higher", 8, 0.97, {"peer": 0.9, "absent": None})
    text = tables.markdown([Part("skew", (missed,))], "head", {"absent": "not installed"})
    assert "| CE | 8 | ≥ 0.97 | **0.500** | **no** | 0.900 | – |" in text
    assert "- absent: not installed" in text


def test_calibration_error_is_the_mean_distance_of_claim_and_truth() -> None:
    assert calibration_error([]) is None
    perfect = [(0.25, index == 0) for index in range(4)] + [(1.0, True)] * 4
    assert calibration_error(perfect) == pytest.approx(0.0)
    assert calibration_error([(0.9, False)] * 5) == pytest.approx(0.9)
    assert calibration_error([(0.9, False)] * 5 + [(0.1, False)] * 5) == pytest.approx(0.5)


def test_the_reliability_diagram_shows_a_circle_for_every_bin_with_files() -> None:
    drawn = reliability_svg([(0.05, False), (0.95, True), (0.97, True)])
    assert drawn.count("<circle") == 2
    assert "2 files: claimed 0.96, true 1.00" in drawn
