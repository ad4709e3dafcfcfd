"""Resolution is pixels per inch of the document, by what is known of its size."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from docqa.analysis.formats import Seen, best_explanation
from docqa.errors import CannotAssess
from docqa.measures.resolution import Resolution, measure
from docqa.page import Origin, Pixels, page_from_pixels
from fixtures.synthesize.cards import id_back, id_front
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.pages import civil_extract, letter
from fixtures.synthesize.passport import passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan


def _measured(pixels: Pixels, tag: float | None = None) -> Resolution:
    return measure(page_from_pixels(pixels, origin=Origin("png", "image/png", ppi_tag=tag)))


def _blank(width: int, height: int) -> Pixels:
    return np.full((height, width), 250, np.uint8)


def _on_ground(frame: tuple[int, int], sheet: tuple[int, int], ground: int, paper: int) -> Pixels:
    """A sheet of (width, height) turned by 2 degrees in the middle of a frame."""
    pixels = np.full((frame[1], frame[0], 3), ground, np.uint8)
    box = cv2.boxPoints(((frame[0] / 2, frame[1] / 2), (sheet[0], sheet[1]), 2.0))
    colour = (paper, paper + 3, paper - 2)
    cv2.fillConvexPoly(pixels, np.rint(box * 16).astype(np.int32), colour, cv2.LINE_AA, 4)
    return pixels


@pytest.mark.parametrize(("width", "height", "ppi"), [(1240, 1754, 150), (1700, 2200, 200)])
def test_a_frame_of_paper_shape_is_that_paper(width: int, height: int, ppi: int) -> None:
    for pixels in (_blank(width, height), _blank(height, width)):
        found = _measured(pixels)
        assert found.effective_ppi == pytest.approx(ppi, rel=0.01)
        assert found.evidence == "frame"
        assert found.tag_ratio is None


def test_a_false_tag_shows_in_its_ratio() -> None:
    found = _measured(_blank(1240, 1754), tag=72.0)
    assert found.effective_ppi == pytest.approx(150, rel=0.01)
    assert found.tag_ratio == pytest.approx(72 / 150, rel=0.01)


def test_the_tag_tells_formats_of_one_shape_apart() -> None:
    assert _measured(_blank(1748, 2480), tag=300.0).effective_ppi == pytest.approx(300, rel=0.01)
    assert _measured(_blank(1477, 1039), tag=300.0).effective_ppi == pytest.approx(300, rel=0.01)


def test_a_card_on_a_bed_is_measured_by_its_own_size() -> None:
    found = _measured(_on_ground((1240, 1754), (506, 319), 250, 222))
    assert found.evidence == "outline"
    assert found.effective_ppi == pytest.approx(150, rel=0.03)


def test_a_sheet_on_a_table_is_measured_by_its_own_size() -> None:
    found = _measured(_on_ground((1500, 2000), (1050, 1485), 60, 235), tag=72.0)
    assert found.evidence == "outline"
    assert found.effective_ppi == pytest.approx(127, rel=0.03)


def test_twice_the_pixels_are_twice_the_resolution() -> None:
    once, twice = _measured(_blank(1240, 1754)), _measured(_blank(2480, 3508))
    assert twice.effective_ppi == pytest.approx(2 * once.effective_ppi)


def test_an_unknown_shape_falls_back_on_a_plausible_tag_only() -> None:
    assert _measured(_blank(1000, 1000), tag=240.0).effective_ppi == 240.0
    for tag in (None, 72.0, 96.0, 1.0, 90000.0):
        with pytest.raises(CannotAssess):
            _measured(_blank(1000, 1000), tag=tag)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1)])
def test_tiny_pages_are_not_assessed(shape: tuple[int, int]) -> None:
    with pytest.raises(CannotAssess):
        _measured(np.full(shape, 128, np.uint8))


def _print(width: int, height: int, seed: int = 3) -> Pixels:
    """Lines of strokes on paper with a scanner's blur and noise."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width), 240.0, np.float32)
    for top in range(30, height - 40, 34):
        at = 30
        while at < width - 40:
            wide, high = int(rng.integers(2, 5)), int(rng.integers(8, 18))
            pixels[top + 18 - high : top + 18, at : at + wide] = 20
            if rng.random() < 0.5:
                level = top + int(rng.integers(2, 16))
                pixels[level : level + 3, at : at + int(rng.integers(6, 14))] = 20
            at += int(rng.integers(6, 17))
    seen = cv2.GaussianBlur(pixels, (0, 0), 0.6) + rng.normal(0, 1.5, pixels.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


def _pressed(pixels: Pixels, quality: int) -> Pixels:
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _enlarged(pixels: Pixels, factor: float, interpolation: int) -> Pixels:
    return np.asarray(
        cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=interpolation), np.uint8
    )


@pytest.mark.parametrize("tag", [150.0, 300.0, 600.0])
def test_no_format_of_the_same_shape_bears_out_a_false_tag(tag: float) -> None:
    found = _measured(_blank(1654, 2339), tag=tag)
    assert found.effective_ppi == pytest.approx(200, rel=0.01)
    assert found.tag_mismatch_fraction == pytest.approx(1 - min(tag / 200, 200 / tag), abs=0.01)


def test_a_tag_that_agrees_or_means_nothing_is_no_mismatch() -> None:
    assert _measured(_blank(1240, 1754), tag=150.0).tag_mismatch_fraction < 0.01
    for tag in (None, 72.0, 96.0):
        assert _measured(_blank(1240, 1754), tag=tag).tag_mismatch_fraction == 0.0


def test_a_bed_as_wide_as_letter_and_as_long_as_a4_is_known() -> None:
    found = _measured(_blank(1700, 2339))
    assert found.effective_ppi == pytest.approx(200, rel=0.005)


def test_a_picture_of_no_format_and_no_density_is_short_by_what_it_lacks_to_a6() -> None:
    found = _measured(_print(700, 521))
    longer_mm = 700 / found.effective_ppi * 25.4
    assert found.evidence == "text"
    assert found.short_fraction == pytest.approx(1 - longer_mm / 148)
    assert found.short_fraction > 0.12
    assert _measured(_print(1800, 1340)).short_fraction == 0.0


@pytest.mark.parametrize(("width", "height", "tag"), [(700, 521, 200.0), (506, 319, None)])
def test_a_density_or_a_card_s_shape_says_how_large_it_is(
    width: int, height: int, tag: float | None
) -> None:
    assert _measured(_print(width, height), tag=tag).short_fraction == 0.0


def test_print_of_usual_size_gives_a_usual_density_where_no_format_fits() -> None:
    found = _measured(_print(900, 900))
    assert found.evidence == "text"
    assert 150 <= found.effective_ppi <= 300
    assert _measured(_print(900, 900), tag=240.0).evidence == "tag"


def test_a_card_that_only_its_pattern_shows_is_measured() -> None:
    card = np.full((638, 1012), 250, np.uint8)
    rows = np.arange(0, 638, 9)
    for row in rows:
        along = np.arange(1012)
        at = np.clip(row + np.rint(3 * np.sin(along / 20)), 0, 637).astype(int)
        for thick in range(3):
            card[np.clip(at + thick, 0, 637), along] = 205
    frame = np.full((840, 1230), 250, np.uint8)
    frame[100:738, 110:1122] = card
    found = _measured(np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.6), np.uint8))
    assert found.effective_ppi == pytest.approx(300, rel=0.02)
    assert found.evidence == "outline"


@pytest.mark.parametrize("ppi", [200, 300, 400, 600])
@pytest.mark.parametrize("draw", [passport_page, id_front, id_back])
def test_what_was_cut_out_with_a_little_lid_is_no_larger_sheet(
    draw: Callable[..., Drawing], ppi: int
) -> None:
    drawing = draw(person(9004), seed=9004, ppi=ppi)
    made = scan(drawing, seed=9004, ppi=ppi, density_tag=False, skew_deg=0.4)
    assert measure(page_from_pixels(made.pixels)).effective_ppi == pytest.approx(ppi, rel=0.02)


def test_a_coarse_sheet_of_a_cut_out_passports_size_stays_one() -> None:
    seen = Seen((1524.0, 1088.0), None, False, None, text_height_px=12.0)
    coarse = best_explanation(seen)
    assert coarse is not None
    assert coarse.ppi == pytest.approx(131, rel=0.01)


@pytest.mark.parametrize("factor", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("interpolation", [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4])
def test_enlarged_print_is_told_with_its_factor(factor: float, interpolation: int) -> None:
    found = _measured(_pressed(_enlarged(_print(720, 720), factor, interpolation), 90), tag=300.0)
    assert found.upscaling_ratio == factor
    assert found.detail_ppi == pytest.approx(found.effective_ppi / factor)


@pytest.mark.parametrize("quality", [75, 85, 95])
@pytest.mark.parametrize("interpolation", [cv2.INTER_CUBIC, cv2.INTER_LANCZOS4])
def test_a_coarse_scan_enlarged_four_times_is_told_by_what_is_not_there(
    interpolation: int, quality: int
) -> None:
    coarse = scan(letter(script="latin", seed=5), seed=5, ppi=150, grey=True, skew_deg=0.7)
    part = np.ascontiguousarray(coarse.pixels[200:680, 200:680, 0])
    found = _measured(_pressed(_enlarged(part, 4.0, interpolation), quality), tag=600.0)
    assert found.upscaling_ratio == 4.0


def test_repeated_pixels_are_enlargement() -> None:
    found = _measured(_enlarged(_print(720, 720), 2.0, cv2.INTER_NEAREST))
    assert found.upscaling_ratio == 2.0


@pytest.mark.parametrize("quality", [95, 75, 60, 30])
def test_no_scan_is_enlarged_by_compression(quality: int) -> None:
    assert _measured(_pressed(_print(1440, 1440), quality), tag=300.0).upscaling_ratio == 1.0


@pytest.mark.parametrize("sigma_px", [0.0, 1.0, 2.0, 3.0])
def test_a_soft_scan_is_not_enlarged(sigma_px: float) -> None:
    pixels = _print(1440, 1440)
    if sigma_px:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma_px), np.uint8)
    found = _measured(_pressed(pixels, 85), tag=300.0)
    assert found.upscaling_ratio == 1.0
    assert found.detail_ppi == found.effective_ppi


@pytest.mark.parametrize("pitch_px", [36, 60, 75])
@pytest.mark.parametrize("quality", [80, 95])
def test_the_rules_of_a_level_table_are_no_enlargement(pitch_px: int, quality: int) -> None:
    pixels = _print(1440, 1440)
    for at in range(30, 1440, pitch_px):
        pixels[at : at + 2, 30:1410] = 60
    for at in range(30, 1440, 2 * pitch_px):
        pixels[30:1410, at : at + 2] = 60
    assert _measured(_pressed(pixels, quality), tag=150.0).upscaling_ratio == 1.0


def test_a_ruled_page_scanned_level_has_the_detail_of_its_pixels() -> None:
    made = scan(civil_extract(person(3), seed=3), seed=3, ppi=150)
    found = _measured(made.pixels, tag=150.0)
    assert found.detail_ppi == found.effective_ppi


@pytest.mark.parametrize("factor", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("interpolation", [cv2.INTER_LINEAR, cv2.INTER_CUBIC])
def test_an_enlarged_table_is_still_told_with_its_factor(factor: float, interpolation: int) -> None:
    pixels = _print(720, 720)
    pixels[30::65, 30:690] = 60
    pixels[30:690, 30::65] = 60
    found = _measured(_pressed(_enlarged(pixels, factor, interpolation), 90), tag=300.0)
    assert found.upscaling_ratio == factor


def test_black_and_white_and_smaller_and_blank_pages_are_not_enlarged() -> None:
    pixels = _print(1440, 1440)
    bilevel = np.where(pixels < 128, 0, 255).astype(np.uint8)
    smaller = np.asarray(
        cv2.resize(pixels, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA), np.uint8
    )
    for each in (bilevel, smaller, _blank(1240, 1754)):
        assert _measured(each, tag=300.0).upscaling_ratio == 1.0
