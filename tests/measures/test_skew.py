"""Skew is the angle that the content was turned by, and is refused where it cannot be told."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.outline import sheets
from docqa.analysis.print_direction import PrintDirection
from docqa.analysis.steep_lines import steep_angle
from docqa.analysis.straight_edges import StraightEdges
from docqa.analysis.text_angle import AngleEstimate
from docqa.errors import CannotAssess
from docqa.measures import skew
from docqa.measures.skew import measure
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.cards import id_back, id_front
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import Bed, scan
from tests.cards_on_glass import lay


def _text(height: int = 1754, width: int = 1240, seed: int = 1) -> Pixels:
    """Words of letter-like bars in lines."""
    page = np.full((height, width), 240, np.uint8)
    rng = np.random.default_rng(seed)
    for y in range(150, height - 150, 34):
        x = 130
        while x < width - 160:
            for _ in range(int(rng.integers(2, 9))):
                tall = 9 if rng.random() < 0.25 else 0
                cv2.rectangle(page, (x, y - tall), (x + 3, y + 12), 35, -1)
                cv2.rectangle(page, (x, y + 10), (x + 8, y + 12), 35, -1)
                x += 11
            x += 12
    return page


def _turned(pixels: Pixels, angle_deg: float, fill: int = 240) -> Pixels:
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, 1.0)
    turned = cv2.warpAffine(
        pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(fill,) * 3
    )
    return np.asarray(turned, np.uint8)


def _angle(pixels: Pixels) -> float:
    return measure(page_from_pixels(pixels)).angle_deg


@pytest.mark.parametrize("angle_deg", [-14.0, -5.3, -0.4, 0.0, 0.07, 2.0, 9.9, 14.0])
def test_angle_is_the_turn_of_the_text_anticlockwise_positive(angle_deg: float) -> None:
    assert _angle(_turned(_text(), angle_deg)) == pytest.approx(angle_deg, abs=0.05)


@pytest.mark.parametrize("angle_deg", [-44.0, -30.0, -17.0, 16.0, 22.0, 44.0])
def test_a_page_that_lies_far_from_level_is_told_by_how_much(angle_deg: float) -> None:
    assert _angle(_turned(_text(), angle_deg)) == pytest.approx(angle_deg, abs=0.3)


@pytest.mark.parametrize("turn_deg", [60.0, -60.0])
def test_beyond_half_a_right_angle_the_page_lies_on_its_side(turn_deg: float) -> None:
    angle_deg = turn_deg - np.copysign(90.0, turn_deg)
    assert _angle(_turned(_text(), turn_deg)) == pytest.approx(angle_deg, abs=0.3)


def test_a_sheet_whose_level_sides_are_seen_is_not_asked_for_steep_lines() -> None:
    sheet = _turned(_text(), 30.0)
    found = page_from_pixels(sheet).derive(steep_angle)
    assert found is not None and found.angle_deg == pytest.approx(30.0, abs=0.3)
    bed = np.full((sheet.shape[0] + 400, sheet.shape[1] + 400), 40, np.uint8)
    bed[200:-200, 200:-200] = sheet
    assert page_from_pixels(bed).derive(steep_angle) is None


def test_more_turn_is_a_larger_angle() -> None:
    angles = [_angle(_turned(_text(), turn)) for turn in (0.0, 0.5, 1.0, 3.0, 7.0)]
    assert angles == sorted(angles)


def test_turning_back_by_the_angle_levels_the_page() -> None:
    turned = _turned(_text(), 4.37)
    assert abs(_angle(_turned(turned, -_angle(turned)))) < 0.05


def test_a_page_on_its_side_has_the_same_angle() -> None:
    page = _turned(_text(), 3.0)
    on_its_side = np.asarray(cv2.rotate(page, cv2.ROTATE_90_CLOCKWISE), np.uint8)
    assert _angle(on_its_side) == pytest.approx(3.0, abs=0.1)


def test_a_card_on_a_bed_is_measured_by_its_edges() -> None:
    bed = np.full((1754, 1240, 3), 250, np.uint8)
    box = cv2.boxPoints(((600.0, 700.0), (506.0, 319.0), -6.0))
    cv2.fillConvexPoly(bed, np.rint(box * 16).astype(np.int32), (222, 228, 218), cv2.LINE_AA, 4)
    assert _angle(bed) == pytest.approx(6.0, abs=0.15)


@pytest.mark.parametrize("bed", ["a4", "page", "black"])
@pytest.mark.parametrize("seed", [5102, 5111])
def test_a_patterned_card_is_measured_to_a_twentieth_of_a_degree(seed: int, bed: Bed) -> None:
    for draw in (id_front, id_back):
        drawing = draw(person(seed), seed=seed, ppi=400)
        capture = scan(drawing, seed=seed, bed=bed, skew_deg=-0.8, ppi=200)
        assert _angle(capture.pixels) == pytest.approx(capture.truth.skew_deg, abs=0.05)


@pytest.mark.parametrize("turn_deg", [-1.2, 0.8])
@pytest.mark.parametrize("seed", [1, 2])
def test_of_two_cards_turned_apart_the_first_is_measured(seed: int, turn_deg: float) -> None:
    """Text that is not sharp asks the edges, and the other card's say nothing of it."""
    glass = np.full((1754, 1240, 3), 246, np.uint8)
    front = id_front(person(seed), seed=seed, ppi=150, design="lines")
    lay(front.pixels, glass, (620, 500), turn_deg)
    lay(id_back(person(seed), seed=seed, ppi=150).pixels, glass, (620, 980), -turn_deg)
    page = page_from_pixels(np.asarray(cv2.GaussianBlur(glass, (0, 0), 0.6), np.uint8))
    first, second = page.derive(sheets)
    assert first.side_turns_deg()[0] * second.side_turns_deg()[0] < 0
    assert measure(page).angle_deg == pytest.approx(-first.side_turns_deg()[0], abs=0.15)


def test_confidence_is_a_share() -> None:
    assert 0.5 < measure(page_from_pixels(_text())).confidence <= 1.0


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((1200, 900), 255, np.uint8),
        np.full((1200, 900), 0, np.uint8),
        np.full((1, 1), 90, np.uint8),
        np.full((1, 400), 90, np.uint8),
        np.random.default_rng(2).integers(0, 256, (900, 700), dtype=np.uint8),
        np.random.default_rng(2).integers(0, 256, (20, 20), dtype=np.uint8),
    ],
    ids=["white", "black", "one pixel", "one row", "noise", "tiny noise"],
)
def test_without_text_there_is_no_skew(pixels: Pixels) -> None:
    with pytest.raises(CannotAssess):
        measure(page_from_pixels(pixels))


@pytest.mark.parametrize(
    ("prominence", "edges_deg", "count", "answer_deg"),
    [
        (0.4, -0.6, 18, -0.4),
        (0.4, 0.5, 3, 0.3),
        (0.4, 2.0, 18, None),  # the edges bear out neither
        (0.4, -0.6, 2, None),  # too few of them
        (0.3, -0.6, 18, None),  # the text says nothing itself
    ],
)
def test_of_two_differing_estimates_the_one_counts_that_edges_bear_out(
    monkeypatch: pytest.MonkeyPatch,
    prominence: float,
    edges_deg: float,
    count: int,
    answer_deg: float | None,
) -> None:
    text = PrintDirection(
        AngleEstimate(-0.4, 0.5), AngleEstimate(0.3, prominence), False, prominence, 0.1, 0.3
    )
    unclear = StraightEdges(edges_deg, 2.5, 0.2, count)
    monkeypatch.setattr(skew, "print_direction", lambda _: text)
    monkeypatch.setattr(skew, "straight_edges", lambda _: unclear)
    page = page_from_pixels(np.full((300, 300), 255, np.uint8))
    if answer_deg is None:
        with pytest.raises(CannotAssess):
            measure(page)
    else:
        assert measure(page).angle_deg == answer_deg
