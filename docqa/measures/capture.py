"""Whether a scanner, a camera, a scanner app, a screen or a program made the page.

Pixels decide, the file may only take away. A logistic model on photometric cues (clipped paper,
slope and range of the light, border, colour) tells a flat even page from a camera's; explicit
rules then look for what is flat but no scan. Metadata of a camera or an app caps the probability;
metadata of a scanner never lifts a page over ``FILE_CEILING``, because it is easily forged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from docqa.analysis.capture_features import FEATURES, capture_features
from docqa.analysis.file_evidence import FileEvidence, file_evidence
from docqa.analysis.logistic import Logistic, parse_logistic
from docqa.analysis.paper import Paper, paper
from docqa.analysis.texture import Texture, texture
from docqa.page import Page

MODEL = "capture/model.json"

Source = Literal["scanner", "camera", "camera-cropped", "screen", "screenshot", "born-digital"]
Suspect = Literal["camera", "camera-cropped", "screen", "screenshot", "born-digital", "unclear"]

CAMERA_FILE_CAP = 0.02
APP_FILE_CAP = 0.05
DRAWN_FILE_CAP = 0.02
DRAWN_CAP = 0.5
"""What a drawn look leaves: copiers with a binarised text layer look drawn as well."""
FILE_CEILING = 0.75
"""Up to here, and no further, may a scanner's metadata lift a page."""
FILE_LIFT_LOGITS = 0.7
SOFT_EDGE_RATIO = 0.44
"""A resampled camera page of grey or colour has a gradient energy ratio under this."""
SOFT_EDGE_WIDTH = 0.012
SOFT_FLOOR = 0.4
"""Share of the probability that soft edges leave: never enough to reject on their own."""
DRAWN_INK_FRACTION = 0.35
DRAWN_PAPER_NOISE_LEVELS = 0.5
DRAWN_EXTREMES = (0.4, 0.995)
"""Share of black and white: less is a picture or a card, more is a scan in two levels."""
SCREEN_PEAK_RATIO = 25.0
"""A spectral peak this far above its ring is a display's grid (9 in 10 photos stay under 16)."""


@dataclass(frozen=True, slots=True)
class Capture:
    """How the page was captured."""

    source: Source
    """The most probable class."""
    scanner_probability: float
    """0 to 1, higher is better: the page is a scanner's."""
    suspect: Suspect
    """The most probable other class; ``unclear`` over 0.5 or when none stands out."""
    evidence: tuple[str, ...]
    """Codes of what was found, strongest kind first: file, then light, then texture."""


def load(data: bytes) -> Logistic:
    """The model of ``models/capture/model.json``. Raises InvalidModel."""
    return parse_logistic(data, FEATURES, f"models/{MODEL}")


def measure(page: Page, model: Logistic) -> Capture:
    """Judge the capture. Raises CannotAssess on pages too small to tell."""
    light, grain, file = page.derive(paper), page.derive(texture), file_evidence(page)
    flat = model.probability(capture_features(page))
    soft = _soft(page, grain)
    drawn = _drawn(page, grain)
    born_digital = page.origin.has_visible_text and page.origin.pdf_layering == "rendered"
    pixels = flat * (1 - (1 - SOFT_FLOOR) * soft)
    probability = _with_file(pixels, file)
    if drawn or born_digital:
        probability = min(probability, DRAWN_FILE_CAP if drawn and born_digital else DRAWN_CAP)
    suspect = _suspect(flat, soft, drawn or born_digital, grain, file)
    evidence = (
        *file.camera, *file.app, *file.screenshot,
        *(("born_digital_text",) if born_digital else ()),
        *_light_evidence(page, light), *file.weak_camera,
        *(("soft_edges",) if soft > 0.5 else ()), *(("drawn_ink",) if drawn else ()),
        *(("screen_grid",) if grain.grid_peak_ratio > SCREEN_PEAK_RATIO and flat < 0.5 else ()),
        *file.scanner,
    )  # fmt: skip
    if probability > 0.5:
        return Capture("scanner", probability, "unclear", evidence)
    return Capture("camera" if suspect == "unclear" else suspect, probability, suspect, evidence)


def _soft(page: Page, grain: Texture) -> float:
    """0 (crisp) to 1 (soft). Pages of two levels have no softness to judge."""
    if page.origin.colour_mode == "bilevel" or grain.bilevel_fraction > 0.99:
        return 0.0
    z = (grain.edge_ratio - SOFT_EDGE_RATIO) / SOFT_EDGE_WIDTH
    return 1 / (1 + math.exp(max(-30.0, min(30.0, z))))


def _drawn(page: Page, grain: Texture) -> bool:
    """All ink on one level, yet soft-edged letters: no sensor does that, a program does."""
    is_image = page.origin.format != "pdf" or page.origin.pdf_layering == "rendered"
    if not is_image or page.origin.colour_mode == "bilevel":
        return False  # a copier's PDF lays binarised text over a picture
    low, high = DRAWN_EXTREMES
    return (
        grain.ink_mode_fraction >= DRAWN_INK_FRACTION
        and grain.paper_noise_levels < DRAWN_PAPER_NOISE_LEVELS
        and low < grain.bilevel_fraction < high
    )


def _with_file(pixels: float, file: FileEvidence) -> float:
    if file.camera:
        return min(pixels, CAMERA_FILE_CAP)
    if file.app or file.screenshot:
        return min(pixels, APP_FILE_CAP)
    step = FILE_LIFT_LOGITS * (len(file.scanner) - 1.5 * len(file.weak_camera))
    inner = min(max(pixels, 1e-6), 1 - 1e-6)
    moved = 1 / (1 + math.exp(-(math.log(inner / (1 - inner)) + step)))
    return moved if moved <= pixels else max(pixels, min(moved, FILE_CEILING))


def _suspect(flat: float, soft: float, drawn: bool, grain: Texture, file: FileEvidence) -> Suspect:
    if file.app:
        return "camera-cropped"
    if file.screenshot:
        return "screenshot"
    if flat < 0.5:
        return (
            "screen" if grain.grid_peak_ratio > SCREEN_PEAK_RATIO and not file.camera else "camera"
        )
    if drawn:
        return "born-digital"
    if file.camera or soft > 0.5:
        return "camera-cropped"
    return "unclear"


def _light_evidence(page: Page, light: Paper) -> tuple[str, ...]:
    found = {
        "bilevel": page.origin.colour_mode == "bilevel",
        "white_clipped": light.clipped_white_fraction > 0.3,
        "paper_dim": light.brightest_level < 225,
        "illumination_gradient": math.hypot(light.gradient_x_levels, light.gradient_y_levels) > 15,
        "background": light.paper_fraction < 0.8 and light.border_level < light.paper_level - 30,
        "colour_cast": light.colour_cast_levels > 6,
    }
    return tuple(code for code, is_found in found.items() if is_found)
