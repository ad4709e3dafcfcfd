"""What is let go before it is drawn to its edges, and what is not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from docqa.analysis import outline as outline_module
from docqa.analysis.outline import sheets
from docqa.analysis.sheet_screen import SheetScreen
from docqa.page import Origin, Page, Pixels, page_from_pixels
from fixtures.synthesize.documents import id_front
from fixtures.synthesize.people import person

QUAD = np.array([(40.0, 30.0), (160.0, 30.0), (160.0, 110.0), (40.0, 110.0)])


def _ground(level: int) -> Pixels:
    return np.full((150, 200), level, np.uint8)


def _with_text(luma: Pixels) -> Pixels:
    """Strokes within the quadrilateral only, two pixels of every four."""
    for top in range(32, 108, 4):
        luma[top : top + 2, 42:158:3] = 40
    return luma


@pytest.mark.parametrize("step", [-30, -4, 4, 30])
def test_a_sheet_that_differs_from_its_ground_may_be_one(step: int) -> None:
    luma = _ground(180)
    luma[30:110, 40:160] = 180 + step
    assert SheetScreen(_with_text(luma)).may_be_sheet(QUAD)


def test_a_block_of_text_amid_its_own_paper_is_none() -> None:
    assert not SheetScreen(_with_text(_ground(240))).may_be_sheet(QUAD)


def test_a_sheet_cut_off_has_to_be_brighter_on_every_side_that_is_seen() -> None:
    cut = np.array([(0.0, 30.0), (160.0, 30.0), (160.0, 110.0), (0.0, 110.0)])
    for level, answer in ((220, True), (140, False)):
        luma = _ground(180)
        luma[30:110, :160] = level
        assert SheetScreen(luma).may_be_sheet(cut) is answer


def _card(ppi: float | None) -> Page:
    """A card that fills its frame with a ground of bars."""
    pixels = np.asarray(id_front(person(7), seed=7).pixels)
    side = (round(53.98 / 25.4 * 150), round(85.6 / 25.4 * 150))
    rows = np.linspace(0, pixels.shape[0] - 1, side[0]).astype(int)
    columns = np.linspace(0, pixels.shape[1] - 1, side[1]).astype(int)
    small = np.ascontiguousarray(pixels[rows][:, columns])
    small[::20], small[1::20], small[2::20], small[3::20] = 130, 130, 130, 130  # its printed ground
    return page_from_pixels(small, origin=Origin("jpeg", "image/jpeg", "colour", ppi))


def test_no_lines_are_sought_in_a_scanners_own_crop_of_a_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sought: list[int] = []

    def none(luma: Pixels, *, count: int) -> list[npt.NDArray[np.float64]]:
        sought.append(count)
        return []

    monkeypatch.setattr(outline_module, "quads_from_lines", none)
    assert _card(150.0).derive(sheets) == ()
    assert not sought
    for other in (None, 72.0, 300.0):
        _card(other).derive(sheets)
    assert len(sought) == 3
