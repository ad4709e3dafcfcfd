"""Pages that a program drew, against the same pages printed and scanned."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
import pytest
from PIL import Image

from docqa.analysis import drawn
from docqa.analysis.drawn import is_drawn
from docqa.analysis.letter_ink import LetterInk
from docqa.analysis.letter_twins import LetterTwins, letter_twins
from docqa.analysis.texture import is_two_level
from docqa.analysis.whitening import Whitening
from docqa.intake import Limits, open_document
from docqa.page import Origin, Page, Pixels, page_from_pixels
from fixtures.synthesize.pages import letter
from fixtures.synthesize.scanner import scan

Script = Literal["latin", "arabic"]
TIFF = Origin("tiff", "image/tiff", colour_mode="bilevel")
PDF = Origin("pdf", "application/pdf", colour_mode="bilevel", pdf_layering="image")
JBIG2 = replace(PDF, has_jbig2=True)


def opened(data: bytes) -> Page:
    return next(iter(open_document(data, limits=Limits(), renderer=None).pages))


def exported(script: Script, seed: int, quality: int) -> bytes:
    """As a viewer saves a page: letters stand between pixels, and JPEG changes each a little."""
    fine = letter(script=script, seed=seed, ppi=300).pixels
    size = (round(fine.shape[1] * 0.75), round(fine.shape[0] * 0.75))
    file = io.BytesIO()
    pixels = cv2.resize(fine, size, interpolation=cv2.INTER_AREA)
    Image.fromarray(np.asarray(pixels)).save(file, "JPEG", quality=quality)
    return file.getvalue()


def two_levels(pixels: Pixels, origin: Origin) -> Page:
    return page_from_pixels(np.where(pixels.mean(axis=2) < 128, 0, 255).astype(np.uint8),
                            origin=origin)  # fmt: skip


@pytest.mark.parametrize(("script", "quality"), [("latin", 80), ("latin", 92), ("arabic", 92)])
def test_a_page_saved_by_a_viewer_is_drawn(script: Script, quality: int) -> None:
    assert opened(exported(script, 41, quality)).derive(is_drawn)


@pytest.mark.parametrize("seed", [42, 43, 44])
@pytest.mark.parametrize("ppi", [200, 300])
@pytest.mark.parametrize("script", ["latin", "arabic"])
def test_a_scan_of_it_is_not(script: Script, ppi: int, seed: int) -> None:
    turn = (seed - 43) * 0.3
    made = scan(letter(script=script, seed=seed, ppi=300), seed=seed, ppi=ppi, skew_deg=turn)
    assert not opened(made.data).derive(is_drawn)


@pytest.mark.parametrize(
    ("script", "blur_sigma_px"), [("latin", 1.0), ("latin", 2.0), ("arabic", 2.0)]
)
def test_a_soft_scan_is_not_though_its_letters_are_alike(
    script: Script, blur_sigma_px: float
) -> None:
    drawing = letter(script=script, seed=500)
    page = opened(scan(drawing, seed=500, blur_sigma_px=blur_sigma_px).data)
    assert page.derive(letter_twins).near_fraction > drawn.NEAR_TWINS_FRACTION
    assert not page.derive(is_drawn)


@pytest.mark.parametrize(
    ("found", "answer"),
    [(Whitening(0.4, 0.0, 1.0), True), (Whitening(0.39, 0.0, 1.0), False), (None, True)],
)
def test_how_soft_letters_may_be_that_repeat(
    found: Whitening | None, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn, "letter_twins", lambda _: LetterTwins(200, 1.0, 1.0, 1.0, 0.0))
    monkeypatch.setattr(drawn, "whitening", lambda _: found)
    grey = page_from_pixels(np.full((1400, 1000), 180, np.uint8))
    assert grey.derive(is_drawn) == answer


def test_in_two_levels_only_what_agrees_more_than_by_chance_is_drawn() -> None:
    drawing = letter(script="latin", seed=45, ppi=200)
    page = two_levels(drawing.pixels, TIFF)
    assert is_two_level(page) and page.derive(is_drawn)
    scanned = opened(scan(drawing, seed=45, skew_deg=0.3, bilevel=True, format="tiff").data)
    assert is_two_level(scanned) and not scanned.derive(is_drawn)


@pytest.mark.parametrize(("origin", "answer"), [(PDF, True), (JBIG2, False)])
def test_a_pdf_in_two_levels_may_repeat_letters_where_jbig2_does(
    origin: Origin, answer: bool
) -> None:
    page = two_levels(letter(script="latin", seed=45, ppi=200).pixels, origin)
    assert is_two_level(page) and page.derive(is_drawn) == answer


@pytest.mark.parametrize(
    ("twins", "answer"),
    [
        (LetterTwins(19, 1.0, 1.0, 1.0, 0.05), False),
        (LetterTwins(35, 2 / 35, 2 / 35, 2 / 35, 0.05), False),
        (LetterTwins(35, 4 / 35, 4 / 35, 4 / 35, 0.05), True),
        (LetterTwins(200, 0.02, 0.049, 0.1, 0.05), False),
        (LetterTwins(200, 0.0, 0.05, 0.1, 0.05), True),
        (LetterTwins(200, 0.03, 0.03, 0.03, 0.05), True),
        (LetterTwins(99, 0.0, 0.0, 0.9, 0.05), False),
        (LetterTwins(100, 0.0, 0.0, 0.25, 0.05), True),
    ],
)
def test_how_many_letters_have_to_repeat(
    twins: LetterTwins, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn, "letter_twins", lambda _: twins)
    grey = page_from_pixels(np.full((1400, 1000), 180, np.uint8))
    assert grey.derive(is_drawn) == answer


@pytest.mark.parametrize(
    ("likeness", "ink", "answer"),
    [
        (0.045, LetterInk(20, 0.0014), True),
        (0.045, LetterInk(20, 0.0015), False),  # as print may scatter
        (0.046, LetterInk(200, 0.0), False),  # not asked
        (0.045, None, False),  # too few to tell
    ],
)
def test_letters_that_hold_the_same_ink_are_drawn(
    likeness: float,
    ink: LetterInk | None,
    answer: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drawn, "letter_twins", lambda _: LetterTwins(200, 0, 0, 0, likeness))
    monkeypatch.setattr(drawn, "letter_ink", lambda _: ink)
    grey = page_from_pixels(np.full((1400, 1000), 180, np.uint8))
    assert grey.derive(is_drawn) == answer
