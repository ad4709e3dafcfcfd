"""Whether a scanner, a camera, a scanner app, a screen or a program made the page.

Pixels decide, the file may only take away. Two logistic models look for what a scanner never does:
uneven light (a camera), and soft letters on unevenly whitened paper (an app). Letters that repeat
exactly were drawn by a program; where doubt is left, letters of one size show a flat bed. Metadata
of a camera or an app caps the probability; a scanner's alone lifts no page over 0.75 in grey or
colour, but frees one in two levels, whose pixels say nothing of light or lens.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from docqa.analysis.binarised import is_black_and_white
from docqa.analysis.capture_evidence import Evidence, LightFrom, light_evidence, light_from
from docqa.analysis.capture_features import FEATURES, WHITENING_FEATURES
from docqa.analysis.drawn import is_drawn
from docqa.analysis.even_light import SURELY_UNEVEN, even_light
from docqa.analysis.file_evidence import FileEvidence, file_evidence, with_file
from docqa.analysis.letter_sizes import keep_size
from docqa.analysis.logistic import Logistic, parse_logistic, with_odds
from docqa.analysis.paper import paper
from docqa.analysis.placed_pictures import placed_light
from docqa.analysis.texture import grid_peak_ratio
from docqa.analysis.whitened_sheet import whitened_by_app
from docqa.errors import InvalidModel
from docqa.page import Page

MODEL = "capture/model.json"

Source = Literal["scanner", "camera", "camera-cropped", "screen", "screenshot", "born-digital"]
Suspect = Literal["camera", "camera-cropped", "screen", "screenshot", "born-digital", "unclear"]

DRAWN_CAP, DRAWN_FILE_CAP = 0.12, 0.02
"""What a page keeps whose letters or whose file look drawn; the second where both do. Of 24 real
files that look so by one of them two were scans."""
TWO_LEVELS_CAP, STEADY_TWO_LEVELS_CAP = 0.2, 0.87
"""Nothing in a picture of two levels speaks of light or lens: its file must name a scanner, or its
letters keep their size. Of eleven real ones without a name four did, all of them scans."""
APP_ODDS, NAMELESS_APP_ODDS = 1 / 9, 1 / 3
"""That an app made a white sheet with grey left on it, before its edges and paper are looked at;
the second where the file says nothing that speaks for a scanner, as apps' files hardly ever do."""
STEADY_ODDS, NO_DOUBT = 6.0, 0.9
"""Times as high for a scanner where letters keep their size, which real scans do six times as often
as straightened photographs; asked under the second where the file speaks for a scanner as well."""
PLACED_CAP = 0.5
"""What a page keeps on which a picture in a camera's light was laid: a person looks at it."""
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
    evidence: tuple[Evidence, ...]
    """Codes of what was found, strongest kind first: file, then light, then texture."""
    gradient_levels: float
    """0 to about 300: how much brighter the paper is on one side of the page than on the other."""
    light_from: LightFrom
    """Where the page is brightest; ``everywhere`` on evenly lit ones."""


@dataclass(frozen=True, slots=True)
class CaptureModel:
    """The two trained models."""

    light: Logistic
    """Probability that light and colour are a scanner's."""
    whitening: Logistic
    """Probability that an app whitened the page."""


def load(data: bytes) -> CaptureModel:
    """The models of ``models/capture/model.json``. Raises InvalidModel."""
    try:
        raw = json.loads(data)
        light, white = raw["light"], raw["whitening"]
    except (KeyError, TypeError, ValueError) as error:
        remake = "cannot be read; remake it with train.py"
        raise InvalidModel(f"models/{MODEL} {remake}: {error!r}") from error
    return CaptureModel(
        parse_logistic(light, FEATURES, f"models/{MODEL} (light)"),
        parse_logistic(white, WHITENING_FEATURES, f"models/{MODEL} (whitening)"),
    )


def measure(page: Page, model: CaptureModel) -> Capture:
    """Judge the capture. Raises CannotAssess on pages too small to tell."""
    light, two_levels, file = page.derive(paper), is_black_and_white(page), file_evidence(page)
    flat = even_light(page, model.light)
    is_even = flat > SURELY_UNEVEN
    traces = whitened_by_app(page, model.whitening) if is_even and not two_levels else 0.0
    seen = flat * (1 - with_odds(traces, APP_ODDS if file.scanner else NAMELESS_APP_ODDS))
    born_digital = page.origin.is_typeset and page.origin.pdf_layering == "rendered"
    repeats = is_even and page.derive(is_drawn)
    is_nameless = two_levels and not file.names_scanner_of_two_levels
    in_doubt = is_nameless or (bool(file.scanner) and SURELY_UNEVEN < seen < NO_DOUBT)
    steady = in_doubt and not repeats and page.derive(keep_size)
    probability = with_file(with_odds(seen, STEADY_ODDS if steady else 1.0), file)
    if is_nameless:
        probability = min(probability, STEADY_TWO_LEVELS_CAP if steady else TWO_LEVELS_CAP)
    if repeats or born_digital:
        probability = min(probability, DRAWN_FILE_CAP if repeats and born_digital else DRAWN_CAP)
    placed = placed_light(page, model.light) if is_even else 1.0
    probability = min(probability, max(placed, PLACED_CAP))
    is_screen = flat < 0.5 and page.derive(grid_peak_ratio) > SCREEN_PEAK_RATIO
    suspect = _suspect(flat, traces, repeats or born_digital, is_screen, file)
    evidence: tuple[Evidence, ...] = (
        *file.camera, *file.app, *file.screenshot,
        *(("born_digital_text",) if born_digital else ()),
        *light_evidence(page, is_even=flat >= 0.5), *file.weak_camera, *file.messenger,
        *(("picture_on_white",) if placed < 0.5 else ()),
        *(("whitened_unevenly",) if traces > 0.5 else ()),
        *(("repeated_letters",) if repeats else ()), *(("screen_grid",) if is_screen else ()),
        *(("steady_letters",) if steady else ()), *file.scanner,
    )  # fmt: skip
    other: Source = "camera" if suspect == "unclear" else suspect
    source: Source = "scanner" if probability > 0.5 else other
    return Capture(
        source,
        probability,
        "unclear" if source == "scanner" else suspect,
        evidence,
        light.gradient_levels,
        light_from(light),
    )


def _suspect(
    flat: float, traces: float, drawn: bool, is_screen: bool, file: FileEvidence
) -> Suspect:
    if file.app:
        return "camera-cropped"
    if file.screenshot:
        return "screenshot"
    if flat < 0.5:
        return "screen" if is_screen and not file.camera else "camera"
    if drawn:
        return "born-digital"
    return "camera-cropped" if file.camera or traces > 0.5 else "unclear"
