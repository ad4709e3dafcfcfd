"""Two cards close together are two sheets; what else a cut goes around stays one."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from docqa.analysis.outline import sheets
from docqa.measures import perspective
from docqa.page import Page, Pixels, page_from_pixels
from fixtures.synthesize.cards import id_back, id_front
from fixtures.synthesize.people import person
from tests.cards_on_glass import lay

MM_PX = 300 / 25.4
CARD_HEIGHT_MM = 53.98


@cache
def cards(seed: int) -> tuple[Pixels, Pixels]:
    front = id_front(person(seed), seed=seed, ppi=300, design="lines")
    return front.pixels, id_back(person(seed), seed=seed, ppi=300).pixels


def on_glass(seed: int, gap_mm: float, turns_deg: tuple[float, float], *, turned: bool) -> Page:
    """Front above back, on A4."""
    glass = np.full((3507, 2480, 3), 250, np.uint8)
    y = 1000.0
    for card, turn_deg in zip(cards(seed), turns_deg, strict=True):
        lay(card, glass, (1240, round(y)), turn_deg, shadow_px=3.5)
        y += (CARD_HEIGHT_MM + gap_mm) * MM_PX
    glass = np.asarray(cv2.GaussianBlur(glass, (0, 0), 0.6), np.uint8)
    return page_from_pixels(np.ascontiguousarray(np.rot90(glass)) if turned else glass)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("turns_deg", [(0.7, -0.9), (1.2, 0.2), (-0.8, 0.6)])
@pytest.mark.parametrize("gap_mm", [2.0, 4.0])
def test_two_cards_turned_apart_are_two_rectangles(
    gap_mm: float, turns_deg: tuple[float, float], turned: bool
) -> None:
    page = on_glass(1, gap_mm, turns_deg, turned=turned)
    found = sorted(-np.mean(sheet.side_turns_deg()) for sheet in sheets(page))
    assert found == pytest.approx(sorted(turns_deg), abs=0.15)
    assert perspective.measure(page).keystone_deg < 0.5


@pytest.mark.parametrize("angle_deg", [0.0, 0.8])
def test_a_page_of_two_cards_shape_is_one_sheet(angle_deg: float) -> None:
    """A rule runs across its middle."""
    glass = np.full((3507, 2480, 3), 250, np.uint8)
    page = np.full((1320, 1020, 3), 225, np.uint8)
    page[100:560:40, 100:900], page[700:1200:40, 100:900], page[655:665] = 60, 60, 40
    lay(page, glass, (1240, 1300), angle_deg, shadow_px=3.5)
    (found,) = sheets(page_from_pixels(glass))
    assert found.aspect_ratio() == pytest.approx(1320 / 1020, abs=0.02)


def test_a_sheet_seen_at_an_angle_stays_one() -> None:
    glass = np.full((1754, 1240, 3), 250, np.uint8)
    corners = np.array([(320, 400), (830, 400), (845, 1060), (305, 1060)], np.int32)
    cv2.fillConvexPoly(glass, corners, (215, 218, 222))
    glass[700:1000:30, 400:760] = 60
    page = page_from_pixels(np.asarray(cv2.GaussianBlur(glass, (0, 0), 0.8), np.uint8))
    assert len(sheets(page)) == 1
    assert perspective.measure(page).keystone_deg == pytest.approx(2.6, abs=0.2)
