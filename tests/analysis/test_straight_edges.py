"""Straight edges give the angle of frames and rules, and nothing for writing or noise alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.straight_edges import straight_edges
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.cards import id_front
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan


def _frame(angle_deg: float, ink: int = 225) -> Pixels:
    page = np.full((900, 1200), 245, np.uint8)
    corners = cv2.boxPoints(((600.0, 450.0), (856.0, 540.0), -angle_deg))
    cv2.fillConvexPoly(page, np.rint(corners * 16).astype(np.int32), ink, cv2.LINE_AA, 4)
    return page


@pytest.mark.parametrize("angle_deg", [-14.0, -3.2, 0.0, 0.4, 9.0])
def test_angle_is_that_of_the_edges_anticlockwise_positive(angle_deg: float) -> None:
    found = straight_edges(page_from_pixels(_frame(angle_deg)))
    assert found is not None
    assert found.angle_deg == pytest.approx(angle_deg, abs=0.05)
    assert found.agreement_fraction > 0.9
    assert found.count >= 4


def test_a_white_card_on_a_white_bed_shows_its_edges() -> None:
    drawing = id_front(person(5111), seed=5111, ppi=400)
    capture = scan(drawing, seed=5111, bed="a4", skew_deg=-2.3, ppi=200)
    found = straight_edges(page_from_pixels(capture.pixels))
    assert found is not None
    assert found.angle_deg == pytest.approx(capture.truth.skew_deg, abs=0.05)


def test_the_frame_of_the_picture_is_no_edge() -> None:
    page = np.full((900, 1200), 245, np.uint8)
    page[:2], page[:, -2:] = 20, 20
    assert straight_edges(page_from_pixels(page)) is None


@pytest.mark.parametrize("shape", [(900, 700), (1, 400), (20, 20)])
def test_a_plain_page_has_none(shape: tuple[int, int]) -> None:
    assert straight_edges(page_from_pixels(np.full(shape, 250, np.uint8))) is None
