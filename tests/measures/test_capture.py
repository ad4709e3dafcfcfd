from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from docqa.analysis.capture_features import FEATURES, WHITENING_FEATURES
from docqa.analysis.file_evidence import FILE_CEILING
from docqa.errors import CannotAssess, InvalidModel
from docqa.intake import Limits, open_document
from docqa.measures.capture import MODEL, Capture, CaptureModel, load, measure
from docqa.page import Origin, Page, Pixels, page_from_pixels
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.cards import id_front
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.pages import letter
from fixtures.synthesize.people import person
from fixtures.synthesize.recapture import photograph_screen
from fixtures.synthesize.scanner import scan

UNTAGGED_FILE = Origin("pdf", "application/pdf", pdf_layering="image")
MODELS = Path(__file__).parents[2] / "models"
SCANNER_FILE = Origin(
    "pdf",
    "application/pdf",
    ppi_tag=300.0,
    pdf_producer="Adobe PSL 1.3e for Canon",
    pdf_creator="Canon iR-ADV C5535",
    pdf_layering="image",
)


@cache
def model() -> CaptureModel:
    return load((MODELS / MODEL).read_bytes())


@cache
def page_of(text: bool) -> Drawing:
    if text:
        return letter(script="arabic", seed=11, ppi=150)
    return id_front(person(11), seed=11, ppi=300)


@cache
def photographed(text: bool) -> bytes:
    return photograph(page_of(text), seed=11).data


@cache
def scanned(text: bool) -> bytes:
    return scan(page_of(text), seed=11, ppi=150 if text else 300).data


def opened(data: bytes) -> Page:
    return next(iter(open_document(data, limits=Limits(), renderer=None).pages))


def of(page: Page) -> Capture:
    return measure(page, model())


def pixels_of(page: Page) -> Pixels:
    """(H, W, 3)"""
    raster = page.raster()
    return np.repeat(raster.luma[:, :, None], 3, axis=2) if raster.colour is None else raster.colour


def test_a_fine_scan_is_a_scanners_though_its_edges_take_more_pixels() -> None:
    drawing = letter(script="latin", seed=408, ppi=600)
    page = opened(scan(drawing, seed=408, ppi=600, skew_deg=0.3, blur_sigma_px=1.2).data)
    found = of(page)
    assert found.source == "scanner"
    assert found.scanner_probability > 0.8


@pytest.mark.parametrize("text", [True, False])
def test_scan_is_a_scanners(text: bool) -> None:
    found = of(opened(scanned(text)))
    assert found.source == "scanner"
    assert found.suspect == "unclear"
    assert found.scanner_probability > 0.8


@pytest.mark.parametrize("text", [True, False])
def test_photograph_is_a_cameras_even_without_metadata(text: bool) -> None:
    bare = page_from_pixels(pixels_of(opened(photographed(text))))
    found = of(bare)
    assert found.source == found.suspect == "camera"
    assert found.scanner_probability < 0.1
    assert "illumination_gradient" in found.evidence


def test_photograph_of_a_screen_is_no_scan() -> None:
    page = opened(photograph_screen(page_of(True), seed=3, width_px=1200).data)
    assert of(page_from_pixels(pixels_of(page))).scanner_probability < 0.1


@pytest.mark.parametrize("text", [True, False])
def test_scanner_metadata_on_a_photograph_is_not_accepted(text: bool) -> None:
    forged = page_from_pixels(pixels_of(opened(photographed(text))), origin=SCANNER_FILE)
    found = of(forged)
    assert found.scanner_probability <= 0.2
    assert "pdf_producer_scanner" in found.evidence


def test_metadata_never_lifts_a_page_over_the_ceiling() -> None:
    rng = np.random.default_rng(2)
    for white in range(150, 256, 7):
        page = np.clip(rng.normal(white, 3, (900, 640)) + np.linspace(-9, 9, 640), 0, 255)
        bare = of(page_from_pixels(page.astype(np.uint8), origin=UNTAGGED_FILE))
        tagged = of(page_from_pixels(page.astype(np.uint8), origin=SCANNER_FILE))
        assert tagged.scanner_probability <= max(bare.scanner_probability, FILE_CEILING) + 1e-9


@pytest.mark.parametrize(
    ("make", "camera"),
    [
        ("Apple", True),
        ("samsung", True),
        ("Canon", True),
        ("SONY", True),
        ("EPSON", False),
        ("FUJITSU", False),
        ("Plustek", False),
    ],
)
def test_maker_of_cameras_caps_the_probability(make: str, camera: bool) -> None:
    origin = Origin("jpeg", "image/jpeg", make=make, model="X1", has_exif=True)
    found = of(page_from_pixels(pixels_of(opened(scanned(True))), origin=origin))
    assert ("exif_make" in found.evidence) == camera
    assert (found.scanner_probability <= 0.02) == camera


def test_model_tells_a_canon_scanner_from_a_canon_camera() -> None:
    for name, camera in (("CanoScan LiDE 400", False), ("Canon EOS 5D", True)):
        origin = Origin("jpeg", "image/jpeg", make="Canon", model=name, has_exif=True)
        found = of(page_from_pixels(pixels_of(opened(scanned(True))), origin=origin))
        assert ("exif_make" in found.evidence) == camera


@pytest.mark.parametrize(
    ("make", "model"),
    [("Canon", "MG3600 series"), ("HP", "HP psc1400"), ("Unheard Of", "A4 Reader 3")],
)
def test_a_scan_keeps_its_pixels_word_whatever_maker_its_tags_name(make: str, model: str) -> None:
    """A page of a paper's size: what nobody knows must not reject it."""
    origin = Origin("jpeg", "image/jpeg", make=make, model=model, has_exif=True, ppi_tag=150.0)
    found = of(page_from_pixels(pixels_of(opened(scanned(True))), origin=origin))
    assert found.source == "scanner"
    assert found.scanner_probability > 0.8


@pytest.mark.parametrize(
    "producer", ["intsig.com pdf producer", "CamScanner", "Adobe Scan for iOS"]
)
def test_app_that_names_itself_is_caught(producer: str) -> None:
    origin = dataclasses.replace(SCANNER_FILE, pdf_producer=producer, pdf_creator=None)
    found = of(page_from_pixels(pixels_of(opened(scanned(True))), origin=origin))
    assert found.source == found.suspect == "camera-cropped"
    assert found.scanner_probability <= 0.05


@pytest.mark.parametrize(
    "producer", ["Mac OS X 10.12.6 Quartz PDFContext", "iLovePDF", "GPL Ghostscript 9.50"]
)
def test_programs_that_only_rewrite_say_nothing(producer: str) -> None:
    origin = dataclasses.replace(SCANNER_FILE, pdf_producer=producer, pdf_creator=None)
    found = of(page_from_pixels(pixels_of(opened(scanned(True))), origin=origin))
    assert not {"pdf_producer_app", "pdf_producer_scanner"} & set(found.evidence)


def test_drawn_page_is_not_accepted() -> None:
    origin = Origin(
        "pdf", "application/pdf", pdf_layering="rendered", is_typeset=True, ppi_tag=None
    )
    found = of(page_from_pixels(page_of(True).pixels, origin=origin))
    assert found.source == found.suspect == "born-digital"
    assert found.scanner_probability <= 0.5
    assert "born_digital_text" in found.evidence


def test_scan_with_a_stamped_footer_is_no_drawn_page() -> None:
    """Text that a program wrote over a scan does not make the scan a program's."""
    pixels = pixels_of(opened(scanned(True)))
    marked = dataclasses.replace(SCANNER_FILE, pdf_layering="marked", is_typeset=True)
    drawn = dataclasses.replace(marked, pdf_layering="rendered")
    assert of(page_from_pixels(pixels, origin=marked)).scanner_probability > 0.8
    assert of(page_from_pixels(pixels, origin=drawn)).scanner_probability < 0.5


def test_photograph_in_grey_is_not_accepted() -> None:
    grey = of(page_from_pixels(opened(photographed(True)).luma()))
    assert grey.scanner_probability < 0.5
    assert grey.suspect == "camera"


def test_picture_of_a_display_size_is_a_screenshot() -> None:
    page = np.full((2340, 1080, 3), 255, np.uint8)
    page[400:1600:40, 100:900] = 0
    found = of(page_from_pixels(page))
    assert found.source == "screenshot"
    assert found.scanner_probability <= 0.05


def test_rendered_page_is_not_accepted_whatever_its_file_says() -> None:
    """Its letters repeat to the last grey level, which no scan's do."""
    rendered = page_from_pixels(page_of(True).pixels, origin=SCANNER_FILE)
    found = of(rendered)
    assert "repeated_letters" in found.evidence
    assert found.suspect == "born-digital"
    assert found.scanner_probability < 0.5


@pytest.mark.parametrize("format_name", ["png", "tiff"])
def test_two_levels_need_a_scanners_file_to_be_accepted(
    format_name: Literal["png", "tiff"],
) -> None:
    """Nothing in a picture of two levels speaks of a lens: review, unless the file says more."""
    data = scan(page_of(True), seed=4, ppi=150, bilevel=True, format=format_name).data
    page = opened(data)
    trimmed = page_from_pixels(
        page.luma()[40:-70, 50:-30].copy(), origin=dataclasses.replace(page.origin, ppi_tag=None)
    )
    found = of(trimmed)
    assert (found.scanner_probability >= 0.8) == (format_name == "tiff")
    assert found.scanner_probability >= 0.1


def tilted(sheet: Pixels, by: float) -> Pixels:
    """Wider towards the bottom, as what was not quite straightened."""
    height, width = sheet.shape
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    bent = frame + np.array([(0, 0), (0, 0), (-by, 0), (by, 0)], np.float32) * width
    matrix = cv2.getPerspectiveTransform(frame, bent.astype(np.float32))
    seen = cv2.warpPerspective(
        sheet, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=(255,)
    )
    return np.asarray(seen, np.uint8)


def test_in_two_levels_letters_of_one_size_speak_for_a_scanner() -> None:
    """What an app straightened and flattened to two levels keeps the bends of the paper."""
    drawing = letter(script="arabic", seed=4, ppi=300)
    page = opened(scan(drawing, seed=4, ppi=200, bilevel=True, format="png").data)
    sheet = np.ascontiguousarray(page.luma()[40:-70, 50:-30])
    nameless = dataclasses.replace(page.origin, ppi_tag=None)
    flat, drifting = (
        of(page_from_pixels(pixels, origin=nameless)) for pixels in (sheet, tilted(sheet, 0.04))
    )
    assert "steady_letters" in flat.evidence
    assert flat.scanner_probability >= 0.8
    assert "steady_letters" not in drifting.evidence
    assert drifting.scanner_probability <= 0.6


def test_where_light_leaves_a_doubt_letters_of_one_size_and_the_file_free_it() -> None:
    raw = json.loads((MODELS / MODEL).read_bytes())
    raw["light"] |= {"weights": [0.0] * len(FEATURES), "bias": 0.0}
    raw["whitening"] |= {"weights": [0.0] * len(WHITENING_FEATURES), "bias": -30.0}
    doubting = load(json.dumps(raw).encode())
    drawing = letter(script="arabic", seed=4, ppi=300)
    # No size of a paper, which would speak for a scanner as well.
    sheet = np.ascontiguousarray(opened(scan(drawing, seed=4, ppi=200).data).luma()[40:-70, 50:-30])

    def given(pixels: Pixels, origin: Origin) -> float:
        return measure(page_from_pixels(pixels, origin=origin), doubting).scanner_probability

    assert given(sheet, SCANNER_FILE) >= 0.8
    assert given(tilted(sheet, 0.04), SCANNER_FILE) <= FILE_CEILING
    assert given(sheet, UNTAGGED_FILE) == pytest.approx(0.5)


def test_soft_letters_on_uneven_white_are_an_apps() -> None:
    """Either alone occurs on scans; both together are what an app leaves of a photograph."""
    clean = opened(scanned(True)).luma()
    soft = np.asarray(cv2.GaussianBlur(clean, (0, 0), 1.4), np.uint8)
    rows, columns = 2 * np.pi * np.indices(clean.shape) / 400
    shade = 25 * np.maximum(np.cos(rows) * np.cos(columns), 0)
    noise = np.random.default_rng(7).normal(0, 1, clean.shape) * shade / 4
    both = np.clip(soft - shade + noise, 0, 255).astype(np.uint8)
    given = [of(page_from_pixels(picture)) for picture in (clean, both)]
    assert given[0].scanner_probability > 0.8 > given[1].scanner_probability
    assert "whitened_unevenly" in given[1].evidence
    assert "whitened_unevenly" not in given[0].evidence


def test_soft_white_paper_is_doubted_more_where_the_file_names_nothing() -> None:
    sheet = opened(scanned(True)).luma()[40:-70, 50:-30]
    blurred = cv2.GaussianBlur(sheet, (0, 0), 1.1).astype(np.int16)
    noise = np.random.default_rng(3).integers(-3, 4, blurred.shape)
    soft = np.clip(blurred + noise, 0, 255).astype(np.uint8)
    origins = [Origin("jpeg", "image/jpeg", ppi_tag=ppi) for ppi in (300.0, None)]
    named, nameless = (of(page_from_pixels(soft, origin=o)) for o in origins)
    assert 0.2 < nameless.scanner_probability < named.scanner_probability


@pytest.mark.parametrize("fall_levels", [0, 110])
def test_a_tint_is_named_only_where_the_light_is_uneven(fall_levels: int) -> None:
    """A yellow sheet is no sign of a camera; a yellow one under a lamp may be."""
    sheet = pixels_of(opened(scanned(True))).astype(np.float64)
    sheet -= np.linspace(0, fall_levels, sheet.shape[1])[None, :, None]
    sheet[:, :, 2] *= 0.8
    found = of(page_from_pixels(np.clip(sheet, 0, 255).astype(np.uint8)))
    assert ("colour_cast" in found.evidence) == (fall_levels > 0)


@pytest.mark.parametrize(
    ("dark_side", "light_from"), [("left", "right"), ("right", "left"), (None, "everywhere")]
)
def test_the_side_that_the_light_comes_from_is_named(
    dark_side: str | None, light_from: str
) -> None:
    slope = np.linspace(0, 60 if dark_side else 0, 640)
    slope = slope[::-1] if dark_side == "left" else slope
    page = np.broadcast_to(200 - slope, (900, 640)).astype(np.uint8)
    found = of(page_from_pixels(page))
    assert found.light_from == light_from
    assert found.gradient_levels == pytest.approx(60 if dark_side else 0, abs=8)


@pytest.mark.parametrize("shape", [(33, 40), (40, 33), (700, 500)])
def test_noise_black_white_and_tiny_pages_give_a_probability(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for pixels in (noise, np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)):
        assert 0 <= of(page_from_pixels(pixels)).scanner_probability <= 1


def test_icons_are_refused() -> None:
    with pytest.raises(CannotAssess):
        of(page_from_pixels(np.zeros((12, 300), np.uint8)))


@pytest.mark.parametrize(
    "change",
    [
        {"features": ["no such feature"] * len(FEATURES)},
        {"weights": [1.0]},
        {"scale": [0.0] * len(FEATURES)},
        {"bias": float("nan")},
        {"mean": None},
    ],
)
def test_broken_model_is_named(change: dict[str, object]) -> None:
    raw = json.loads((MODELS / MODEL).read_bytes())
    raw["light"] |= change
    with pytest.raises(InvalidModel, match=r"capture/model\.json"):
        load(json.dumps(raw).encode())


def test_model_without_its_second_half_is_named() -> None:
    raw = json.loads((MODELS / MODEL).read_bytes())
    del raw["whitening"]
    with pytest.raises(InvalidModel, match=r"capture/model\.json"):
        load(json.dumps(raw).encode())


def test_model_that_is_no_json_is_named() -> None:
    with pytest.raises(InvalidModel, match=r"capture/model\.json"):
        load(b"\xff\xfe not json")


def thresholded(data: bytes) -> Pixels:
    grey = cv2.cvtColor(pixels_of(opened(data)), cv2.COLOR_RGB2GRAY)
    way = cv2.ADAPTIVE_THRESH_GAUSSIAN_C
    return cv2.adaptiveThreshold(grey, 255, way, cv2.THRESH_BINARY, 31, 12).astype(np.uint8)


@pytest.mark.parametrize("quality", [60, 75, 90, 95])
def test_a_black_and_white_picture_does_not_turn_into_a_scanners_by_being_saved_as_a_jpeg(
    quality: int,
) -> None:
    black_and_white = thresholded(photographed(text=True))
    saved = cv2.imencode(".jpg", black_and_white, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    plain = of(page_from_pixels(black_and_white)).scanner_probability
    assert of(opened(saved)).scanner_probability <= plain <= 0.2


def on_white_a4(picture: Pixels) -> Page:
    """The picture across half of an empty white page."""
    sheet = np.full((1754, 1240, 3), 255, np.uint8)
    height, width = picture.shape[:2]
    size = (620, 620 * height // width)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    sheet[250 : 250 + size[1], 310 : 310 + size[0]] = small
    return page_from_pixels(sheet)


@pytest.mark.parametrize("text", [True, False])
def test_a_photograph_laid_on_an_empty_white_page_is_looked_at_by_a_person(text: bool) -> None:
    """As apps' modes for cards do; white paper round a picture is no lid."""
    found = of(on_white_a4(pixels_of(opened(photographed(text)))))
    assert 0.1 < found.scanner_probability <= 0.5
    assert found.suspect == "unclear"
    assert "picture_on_white" in found.evidence


@pytest.mark.parametrize("count", [1, 2])
def test_scanned_cards_laid_on_an_empty_white_page_stay_a_scanners(count: int) -> None:
    cards = [scanned(text=False), scan(id_front(person(12), seed=12, ppi=300), seed=12).data]
    sheet = np.full((1754, 1240, 3), 255, np.uint8)
    for number, card in enumerate(cards[:count]):
        laid = on_white_a4(pixels_of(opened(card))).raster().colour
        assert laid is not None
        sheet[240 + 800 * number : 740 + 800 * number] = laid[240:740]
    found = of(page_from_pixels(sheet))
    assert found.scanner_probability > 0.8
    assert "picture_on_white" not in found.evidence


def test_one_photograph_among_scanned_cards_on_a_page_is_enough() -> None:
    scan_of_card = on_white_a4(pixels_of(opened(scanned(text=False)))).raster().colour
    photo = on_white_a4(pixels_of(opened(photographed(text=False)))).raster().colour
    assert scan_of_card is not None and photo is not None
    sheet = scan_of_card.copy()
    sheet[900:1500] = photo[200:800]
    assert of(page_from_pixels(sheet)).scanner_probability <= 0.5


def test_a_portrait_in_a_written_document_is_no_picture_laid_on_a_page() -> None:
    sheet = pixels_of(opened(scanned(text=True))).copy()
    plain = of(page_from_pixels(sheet.copy()))
    height, width = sheet.shape[:2]
    portrait = pixels_of(opened(photographed(text=False)))
    size = (width // 3, height // 4)
    sheet[height // 20 :][: size[1], width // 2 :][:, : size[0]] = cv2.resize(portrait, size)
    found = of(page_from_pixels(sheet))
    assert found.scanner_probability == pytest.approx(plain.scanner_probability, abs=0.05)
    assert "picture_on_white" not in found.evidence
