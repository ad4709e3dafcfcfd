from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.whitening import Whitening, whitening
from docqa.intake import Limits, open_document
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.pages import letter
from fixtures.synthesize.scanner import scan


def scanned() -> Pixels:
    data = scan(letter(script="latin", seed=41, ppi=200), seed=41, ppi=200).data
    return next(iter(open_document(data, limits=Limits(), renderer=None).pages)).luma()


def of(pixels: Pixels) -> Whitening:
    found = whitening(page_from_pixels(np.asarray(pixels, np.uint8)))
    assert found is not None
    return found


def test_softer_letters_have_flatter_edges() -> None:
    page = scanned()
    steps = [of(page).edge_step_fraction]
    steps += [
        of(np.asarray(cv2.GaussianBlur(page, (0, 0), sigma), np.uint8)).edge_step_fraction
        for sigma in (0.8, 1.5)
    ]
    assert steps[0] > steps[1] > steps[2]


def test_clipped_paper_leaves_nothing_and_grey_patches_do() -> None:
    page = scanned()
    clean = of(page)
    assert clean.residue_fraction < 0.01
    patchy = page.astype(np.int16)
    rows, columns = np.mgrid[0 : page.shape[0], 0 : page.shape[1]]
    patchy[(rows // 40 + columns // 40) % 9 == 0] -= 40
    left = of(np.clip(patchy, 0, 255).astype(np.uint8))
    assert left.residue_fraction > clean.residue_fraction + 0.03


def test_a_page_without_writing_is_not_measured() -> None:
    assert whitening(page_from_pixels(np.full((900, 700), 255, np.uint8))) is None


def test_faint_print_is_no_uneven_paper_but_a_stain_as_dark_is() -> None:
    page = scanned()
    rows, columns = np.mgrid[0 : page.shape[0], 0 : page.shape[1]]
    lined = np.where((columns % 9 < 2) & (page > 200), 215, page)
    stained = np.where(((rows // 40 + columns // 40) % 4 == 0) & (page > 200), 215, page)
    assert of(lined.astype(np.uint8)).residue_fraction < 0.01
    assert of(stained.astype(np.uint8)).residue_fraction > 0.1


def test_a_finer_scan_has_no_softer_letters() -> None:
    drawing = letter(script="latin", seed=43, ppi=400)
    steps = []
    for ppi, blur_sigma_px in ((300, 0.7), (400, 0.9)):
        made = scan(drawing, seed=43, ppi=ppi, blur_sigma_px=blur_sigma_px, grey=True)
        steps.append(of(cv2.cvtColor(made.pixels, cv2.COLOR_RGB2GRAY)).edge_step_fraction)  # type: ignore[arg-type]  # of cv2
    assert steps[1] >= steps[0]


def test_a_page_a_little_larger_than_a_window_is_measured_too() -> None:
    page = scanned()
    cut = page[300:700, 200:760]
    assert of(cut).edge_step_fraction == pytest.approx(of(page).edge_step_fraction, abs=0.1)


def test_stains_between_the_windows_looked_at_first_are_found() -> None:
    """Half of the windows are enough where they are clean; one grey patch in them is not."""
    page = scanned()
    height, width = page.shape
    stained = page.copy()
    for row in range(4):
        for column in range(4):
            if (row + column) % 2 == 0:
                patch = stained[
                    row * height // 4 : (row + 1) * height // 4,
                    column * width // 4 : (column + 1) * width // 4,
                ]
                patch[::2][patch[::2] > 200] = 225
    assert of(page).is_clear()
    assert not of(stained).is_clear()
