from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np
import pytest

from docqa.analysis.whitened_sheet import whitened_sheet
from docqa.analysis.whitening import whitening
from docqa.intake import Limits, open_document
from docqa.page import Page, page_from_pixels
from fixtures.synthesize.cards import id_back, id_front
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.pages import letter
from fixtures.synthesize.people import person
from fixtures.synthesize.recapture import app_crop
from fixtures.synthesize.scanner import scan


def opened(data: bytes) -> Page:
    return next(iter(open_document(data, limits=Limits(), renderer=None).pages))


def test_an_apps_crop_of_a_letter_is_looked_at() -> None:
    page = opened(app_crop(letter(script="latin", seed=41, ppi=200), seed=41, width_px=1800).data)
    assert whitened_sheet(page) == whitening(page) is not None


@pytest.mark.parametrize("bed", ["white", "page"])
@pytest.mark.parametrize("side", [id_front, id_back])
def test_a_scanned_card_is_no_whitened_sheet(
    side: Callable[..., Drawing], bed: Literal["white", "page"]
) -> None:
    page = opened(scan(side(person(7), seed=7, ppi=400), seed=7, ppi=400, bed=bed).data)
    assert whitening(page) is not None, "its print is followed, so that something must rule it out"
    assert whitened_sheet(page) is None


def test_a_sheet_in_two_levels_and_one_of_grey_paper_are_not_looked_at() -> None:
    luma = opened(scan(letter(script="latin", seed=41, ppi=200), seed=41, ppi=200).data).luma()
    two_levels = cv2.threshold(luma, 128, 255, cv2.THRESH_BINARY)[1]
    assert whitened_sheet(page_from_pixels(np.asarray(two_levels, np.uint8))) is None
    grey = np.asarray(luma * 0.8, np.uint8)
    assert whitening(page_from_pixels(grey)) is not None
    assert whitened_sheet(page_from_pixels(grey)) is None
