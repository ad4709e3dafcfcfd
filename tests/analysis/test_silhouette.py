"""A bent sheet is outlined by its silhouette; nothing that is no sheet has one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from docqa.analysis.covered_edges import covered_edges
from docqa.analysis.outline import Outline, outline
from docqa.analysis.silhouette import silhouette
from docqa.measures.perspective import measure
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.documents import civil_extract, letter
from fixtures.synthesize.people import person

Floats = npt.NDArray[np.float64]
WIDTH_PX = 1000
BOW = 0.012
"""Of the picture's longer side: more than edges stray from a straight side."""


def _wave(count: int, waves: float, phase: float, *, folded: bool) -> Floats:
    at = np.arange(count) / count * waves + phase
    if folded:
        return np.asarray(2 * np.abs(2 * (at - np.floor(at + 0.5))) - 1)
    return np.asarray(np.sin(2 * np.pi * at))


def _photographed(seed: int, *, folded: bool, bow: float = BOW) -> tuple[Pixels, Floats]:
    """A photograph of a sheet whose sides are bowed or folded, and its corners."""
    drawing = (
        civil_extract(person(seed), seed=seed, ppi=100)
        if seed % 2
        else letter(script="arabic", seed=seed, ppi=100)
    )
    taken = photograph(drawing, seed=300 + seed, width_px=WIDTH_PX, tilt_deg=9.0, fill=0.78)
    height, width = taken.pixels.shape[:2]
    rng = np.random.default_rng(seed)
    right = bow * height * _wave(height, rng.uniform(1.5, 3.5), rng.uniform(), folded=folded)
    down = 0.4 * bow * height * _wave(width, rng.uniform(1, 2.5), rng.uniform(), folded=folded)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    from_x, from_y = (x - right[:, None]).astype(np.float32), (y - down[None]).astype(np.float32)
    bent = cv2.remap(taken.pixels, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    corners = np.array(taken.truth.corners)
    moved = corners.copy()
    for _ in range(20):
        across = np.interp(moved[:, 1], np.arange(height), right)
        along = np.interp(moved[:, 0], np.arange(width), down)
        moved = corners + np.stack([across, along], axis=1)
    return np.asarray(bent, np.uint8), moved


def _found(pixels: Pixels) -> Outline:
    found = page_from_pixels(pixels).derive(outline)
    assert found is not None
    return found


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_corners_of_a_bent_sheet_are_found_to_a_fiftieth_of_its_length(
    seed: int, folded: bool
) -> None:
    pixels, corners = _photographed(seed, folded=folded)
    found = _found(pixels)
    assert found.bow_fraction > 0.003
    longest = max(found.side_lengths_px())
    assert np.abs(np.array(found.corners) - corners).max() < longest / 50
    assert found.touching == (False,) * 4


def test_straight_sides_have_no_bow() -> None:
    found = _found(_photographed(0, folded=False, bow=0.0)[0])
    assert found.bow_fraction == 0.0


def test_the_bow_grows_with_the_bend() -> None:
    bows = [_found(_photographed(3, folded=True, bow=bow)[0]).bow_fraction for bow in (0.012, 0.03)]
    assert bows[0] < bows[1]


def test_a_bent_sheet_is_called_bent_and_not_covered() -> None:
    page = page_from_pixels(_photographed(2, folded=True)[0])
    found = measure(page)
    assert found.distortion == "bent"
    assert found.bow_fraction > 0
    assert [region.kind for region in found.regions] == ["page"]
    assert page.derive(covered_edges).fraction == 0.0


def test_the_same_picture_has_the_same_silhouette() -> None:
    pixels = _photographed(1, folded=True)[0]
    small = np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5), np.uint8)
    cv2.setRNGSeed(77)
    first = silhouette(small)
    cv2.setRNGSeed(78)
    second = silhouette(small)
    assert first is not None
    assert second is not None
    assert np.array_equal(first.quad, second.quad)
    assert first.bow_fraction == second.bow_fraction


@pytest.mark.parametrize("paper", [110, 160, 220])
def test_a_block_of_print_on_a_page_that_fills_the_frame_is_no_sheet(paper: int) -> None:
    rng = np.random.default_rng(paper)
    page = np.full((500, 380, 3), paper, np.float64)
    for y in range(60, 440, 9):
        for x in range(50, 330, 4):
            page[y : y + 5, x : x + 3] = rng.integers(20, paper // 2)
    # Lit from one corner, as on a table.
    light = np.linspace(1.0, 0.7, 380)[None, :, None] * np.linspace(1.0, 0.8, 500)[:, None, None]
    lit = np.clip(page * light + rng.normal(0, 2, page.shape), 0, 255).astype(np.uint8)
    assert silhouette(lit) is None


@pytest.mark.parametrize("level", [0, 90, 255])
def test_an_even_picture_has_no_silhouette(level: int) -> None:
    assert silhouette(np.full((400, 300, 3), level, np.uint8)) is None


def test_a_sheet_that_the_frame_cuts_has_no_silhouette() -> None:
    pixels, corners = _photographed(2, folded=True)
    middle = int(corners[:, 1].mean())
    assert silhouette(np.asarray(pixels[:middle], np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (24, 24), (40, 4000), (128, 128), (129, 30)])
def test_any_shape_of_noise_is_refused_without_a_crash(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(6).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert silhouette(noise) is None
