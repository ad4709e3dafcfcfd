from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from docqa.errors import CannotAssess, InvalidModel
from docqa.measures.blur import MODEL, Blur, load, measure
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.pages import letter

SCRIPTS = ("arabic", "latin")
DATA = (Path(__file__).parents[2] / "models" / MODEL).read_bytes()


@cache
def sharp(script: str, ppi: int = 200) -> Pixels:
    drawn = letter(script="arabic" if script == "arabic" else "latin", seed=5, ppi=ppi).pixels
    return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY), np.uint8)


def blurred(pixels: Pixels, sigma_px: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma_px), np.uint8)


def noisy(pixels: Pixels, deviation: float) -> Pixels:
    noise = np.random.default_rng(7).normal(0, deviation, pixels.shape)
    return np.clip(pixels * 0.85 + 15 + noise, 0, 255).astype(np.uint8)


def of(pixels: Pixels) -> Blur:
    return measure(page_from_pixels(pixels), load(DATA))


@pytest.mark.parametrize("script", SCRIPTS)
def test_more_blur_reads_worse(script: str) -> None:
    found = [of(sharp(script)).blur_ratio]
    found += [of(blurred(sharp(script), sigma)).blur_ratio for sigma in (1.0, 1.7, 2.7, 4.0)]
    assert found == sorted(found)
    assert found[0] < 0.3
    assert found[-1] > 0.8


def test_ratio_is_near_the_blur_put_on() -> None:
    stroke = of(sharp("latin")).stroke_width_px
    found = of(blurred(sharp("latin"), 0.7 * stroke)).blur_ratio
    assert found == pytest.approx(0.7, abs=0.2)


@pytest.mark.parametrize("sigma_px", [0.3, 1.5, 2.7])
def test_noise_does_not_read_as_sharpness(sigma_px: float) -> None:
    page = blurred(sharp("latin"), sigma_px)
    assert of(noisy(page, 8)).blur_ratio > of(page).blur_ratio - 0.1


def test_resolution_of_a_sharp_scan_does_not_matter_much() -> None:
    found = [of(sharp("latin", ppi)).blur_ratio for ppi in (150, 200, 300)]
    assert max(found) < 0.3


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_page_on_its_side_is_as_blurred_as_upright(script: str) -> None:
    page = blurred(sharp(script), 2.7)
    lying = np.ascontiguousarray(np.rot90(page))
    assert of(lying).blur_ratio == pytest.approx(of(page).blur_ratio, abs=0.1)


def test_one_blurred_corner_is_the_worst_tile() -> None:
    page = sharp("latin").copy()
    half = page.shape[0] // 2
    page[half:] = blurred(page, 3.0)[half:]
    found = of(page)
    assert found.worst_blur_ratio > 0.6
    assert found.worst_blur_ratio > found.blur_ratio + 0.1 or found.blur_ratio > 0.6
    assert min(y for _, y in found.regions[0].polygon) >= half - 256


def streak(length_px: int, upright: bool) -> npt.NDArray[np.float32]:
    kernel = np.zeros((length_px, length_px), np.float32)
    kernel[length_px // 2] = 1 / length_px
    return kernel.T if upright else kernel


@pytest.mark.parametrize("upright", [True, False])
def test_motion_is_blur_in_any_direction(upright: bool) -> None:
    moved = np.asarray(cv2.filter2D(sharp("arabic", 300), -1, streak(15, upright)), np.uint8)
    assert of(moved).blur_ratio > 0.45


def test_upright_motion_is_named() -> None:
    moved = np.asarray(cv2.filter2D(sharp("arabic", 300), -1, streak(15, True)), np.uint8)
    assert of(moved).kind == "motion"


@pytest.mark.parametrize("angle_deg", [20, 45, 110, 160])
def test_slanting_motion_is_named(angle_deg: float) -> None:
    turn = cv2.getRotationMatrix2D((10, 10), angle_deg, 1.0)
    kernel = cv2.warpAffine(np.pad(streak(17, False), 2), turn, (21, 21))
    moved = cv2.filter2D(sharp("latin", 300), -1, kernel / kernel.sum())
    found = of(np.asarray(moved, np.uint8))
    assert found.blur_ratio > 0.45
    assert found.kind == "motion"


@pytest.mark.parametrize("script", SCRIPTS)
def test_two_levels_faint_ink_and_coarse_jpeg_are_not_blurred(script: str) -> None:
    page = sharp(script)
    faint = np.asarray(170 + page * (80 / 255), np.uint8)
    coded = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    coarse = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    for sharp_page in (np.where(page < 128, 0, 255).astype(np.uint8), faint, coarse):
        assert of(sharp_page).blur_ratio < 0.35


def test_defocus_is_named_and_sharp_print_is_not() -> None:
    assert of(blurred(sharp("latin", 300), 4.0)).kind == "defocus"
    assert of(sharp("latin", 300)).kind == "none"


@pytest.mark.parametrize("level", [0, 200, 255])
def test_page_without_writing_is_refused(level: int) -> None:
    with pytest.raises(CannotAssess, match="no writing"):
        of(np.full((900, 700), level, np.uint8))


def test_noise_and_tiny_pages_give_finite_numbers_or_a_refusal() -> None:
    rng = np.random.default_rng(0)
    for shape in ((33, 40), (400, 300), (1000, 800)):
        try:
            found = of(rng.integers(0, 256, shape, dtype=np.uint8))
        except CannotAssess:
            continue
        assert np.isfinite([found.blur_ratio, found.worst_blur_ratio]).all()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"least": [], "most": [], "layers": []}',
        json.dumps({**json.loads(DATA), "most": json.loads(DATA)["least"]}).encode(),
        json.dumps({**json.loads(DATA), "layers": json.loads(DATA)["layers"][1:]}).encode(),
        json.dumps({**json.loads(DATA), "layers": []}).encode(),
        DATA.replace(b"0.", b"1e999 + 0.", 1),
    ],
)
def test_a_broken_model_is_named(data: bytes) -> None:
    with pytest.raises(InvalidModel, match="blur"):
        load(data)
