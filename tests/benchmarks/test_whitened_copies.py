"""What the accuracy benchmark holds against the capture measure besides real files."""

from __future__ import annotations

import numpy as np

from docqa.intake import Limits, open_document
from docqa.page import Page, page_from_pixels
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.pages import letter
from models.capture.whitened_copies import cut_out_copy


def photographed() -> Page:
    data = photograph(letter(script="arabic", seed=8, ppi=150), seed=8, background="wood").data
    return next(iter(open_document(data, limits=Limits(), renderer=None).pages))


def test_the_sheet_of_a_photograph_is_cut_out_upright_and_white() -> None:
    copy = cut_out_copy(photographed(), seed=1)
    assert copy is not None
    assert abs(copy.height_px / copy.width_px - 297 / 210) < 0.06
    luma = copy.luma()
    assert np.median(luma) > 245
    assert np.median(luma[:, :20]) > 200 and np.median(luma[:, -20:]) > 200  # nothing of the table
    again = cut_out_copy(photographed(), seed=1)
    assert again is not None and np.array_equal(luma, again.luma())


def test_where_no_sheet_shows_there_is_nothing_to_cut_out() -> None:
    assert cut_out_copy(page_from_pixels(np.full((900, 700), 120, np.uint8)), seed=1) is None
