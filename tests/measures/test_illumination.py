from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from docqa.errors import CannotAssess
from docqa.measures.illumination import Illumination, measure
from docqa.page import Pixels, page_from_pixels


def lit(right_levels: float, down_levels: float = 0.0) -> Pixels:
    """A printed page whose paper grows brighter by so many levels."""
    page = np.full((1100, 800), 190.0)
    page += np.linspace(-right_levels / 2, right_levels / 2, 800)[None, :]
    page += np.linspace(-down_levels / 2, down_levels / 2, 1100)[:, None]
    page[300:800:14, 100:700] -= 120
    return np.asarray(np.clip(page, 0, 255), np.uint8)


def of(pixels: Pixels) -> Illumination:
    return measure(page_from_pixels(pixels))


def test_even_light_is_zero() -> None:
    found = of(lit(0))
    assert found.gradient_levels < 1
    assert found.range_levels < 1
    assert found.uneven_levels < 1


def test_more_slope_reads_more() -> None:
    found = [of(lit(levels)).gradient_levels for levels in (0, 10, 30, 60, 100)]
    assert found == sorted(found)
    assert found[2] == pytest.approx(30, rel=0.15)


def test_direction_does_not_matter() -> None:
    assert of(lit(40)).gradient_levels == pytest.approx(of(lit(0, 40)).gradient_levels, rel=0.1)
    assert of(lit(30, 40)).gradient_levels == pytest.approx(50, rel=0.15)


def test_shadow_is_uneven_but_no_slope_of_its_own() -> None:
    page = lit(0)
    page[450:650] = (page[450:650] * 0.93).astype(np.uint8)
    found = of(page)
    assert found.uneven_levels > 3
    assert found.gradient_levels < 8


def test_dark_table_does_not_tilt_the_light() -> None:
    page = np.full((1100, 800), 50, np.uint8)
    page[100:1000, 250:790] = lit(0)[100:1000, 130:670]
    assert of(page).gradient_levels < 20


def test_a_scrap_of_paper_in_the_dark_is_refused() -> None:
    page = np.full((1100, 800), 40, np.uint8)
    page[300:580, 200:400] = 235
    with pytest.raises(CannotAssess, match="too little"):
        of(page)


@pytest.mark.parametrize("seed", [0, 1])
def test_noise_and_tiny_pages_give_finite_numbers_or_a_refusal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for shape in ((33, 40), (300, 500)):
        try:
            found = of(rng.integers(0, 256, shape, dtype=np.uint8))
        except CannotAssess:
            continue
        assert np.isfinite([found.gradient_levels, found.range_levels, found.uneven_levels]).all()


def printed(width: int = 1240, height: int = 1754) -> npt.NDArray[np.float64]:
    """A4 at 150 ppi: lines of words on white."""
    page = np.full((height, width), 235.0)
    rng = np.random.default_rng(4)
    for top in range(160, height - 160, 32):
        page[top : top + 14, 130 : width - 130][:, rng.random(width - 260) < 0.5] = 30
    return page


def shaded(page: npt.NDArray[np.float64], kept: float, penumbra_px: float) -> Pixels:
    """A shadow over the lower right, its edge aslant."""
    y, x = np.mgrid[: page.shape[0], : page.shape[1]]
    depth = (0.5 * x + y - 0.9 * page.shape[0]) / penumbra_px
    light = 1 - (1 - kept) / (1 + np.exp(-np.clip(depth, -30, 30)))
    return np.asarray(page * light, np.uint8)


@pytest.mark.parametrize("penumbra_px", [8, 15, 30])
def test_shadow_has_an_edge_on_the_page(penumbra_px: float) -> None:
    found = of(shaded(printed(), 0.75, penumbra_px))
    assert found.shadow_edge_levels == pytest.approx(0.25 * 235, rel=0.35)
    assert 0.15 < found.shadow_area_fraction < 0.6
    (region,) = found.regions
    assert region.kind == "shadow"


def test_deeper_shadow_reads_more() -> None:
    levels = [of(shaded(printed(), kept, 15)).shadow_edge_levels for kept in (1, 0.85, 0.7, 0.55)]
    assert levels[0] == 0
    assert levels == sorted(levels)
    assert len(set(levels)) == len(levels)


def test_slanting_light_is_no_shadow() -> None:
    page = printed() * np.linspace(1, 0.6, 1240)[None, :]
    assert of(np.asarray(page, np.uint8)).shadow_edge_levels == 0


def test_print_pictures_and_filled_cells_are_no_shadow() -> None:
    page = printed()
    page[300:900, 200:1000] = 150  # a filled table
    page[1000:1500, 700:1100] = np.random.default_rng(2).normal(90, 40, (500, 400))  # a picture
    page[1100:1400, 150:600] = 60  # a black box
    assert of(np.asarray(np.clip(page, 0, 255), np.uint8)).shadow_edge_levels == 0


def test_coloured_wash_is_no_shadow() -> None:
    grey = shaded(printed(), 0.75, 30).astype(np.float64)
    kept = printed()
    wash = np.asarray(np.stack([kept, kept - (kept - grey) * 0.8, grey], axis=2), np.uint8)
    shadow = np.asarray(np.stack([grey] * 3, axis=2), np.uint8)
    assert of(wash).shadow_edge_levels == 0
    assert of(shadow).shadow_edge_levels > 20


def test_dark_table_around_the_sheet_is_no_shadow() -> None:
    table = np.full((2100, 1700), 70.0)
    table[150:1904, 200:1440] = printed()
    assert of(np.asarray(table, np.uint8)).shadow_edge_levels == 0
