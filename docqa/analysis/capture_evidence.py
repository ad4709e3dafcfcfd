"""What the light on a page says of its capture, in codes that a reviewer can be told."""

from __future__ import annotations

import math
from typing import Literal

from docqa.analysis.paper import Paper, paper
from docqa.analysis.paper_colour import colour_cast_levels
from docqa.page import Page

LightFrom = Literal[
    "left", "upper_left", "top", "upper_right", "right", "lower_right", "bottom", "lower_left",
    "everywhere",
]  # fmt: skip

Evidence = Literal[
    "exif_make", "exif_exposure", "pdf_producer_app", "screenshot_program", "screenshot_size",
    "born_digital_text", "bilevel", "white_clipped", "paper_dim", "illumination_gradient",
    "background", "colour_cast", "phone_aspect_ratio", "messenger_picture", "picture_on_white",
    "whitened_unevenly", "repeated_letters", "screen_grid", "steady_letters", "exif_scanner",
    "pdf_producer_scanner", "exact_paper_size", "density_tag",
]  # fmt: skip
"""Every code that a capture's evidence may hold; ``models/reasons`` says each in a sentence."""

CLIPPED_WHITE_FRACTION = 0.3
DIM_PAPER_LEVEL = 225
SLANTING_LEVELS = 15
BACKGROUND_FRACTION = 0.2
BACKGROUND_STEP_LEVELS = 30
CAST_LEVELS = 6
_AROUND: tuple[LightFrom, ...] = (
    "right", "lower_right", "bottom", "lower_left", "left", "upper_left", "top", "upper_right",
)  # fmt: skip


def light_evidence(page: Page, is_even: bool) -> tuple[Evidence, ...]:
    """Codes of what light and paper show; the tint of paper only where the light is not even."""
    light = page.derive(paper)
    is_background = (
        light.paper_fraction < 1 - BACKGROUND_FRACTION
        and light.border_level < light.paper_level - BACKGROUND_STEP_LEVELS
    )
    found: dict[Evidence, bool] = {
        "bilevel": page.origin.colour_mode == "bilevel",
        "white_clipped": light.clipped_white_fraction > CLIPPED_WHITE_FRACTION,
        "paper_dim": light.brightest_level < DIM_PAPER_LEVEL,
        "illumination_gradient": light.gradient_levels > SLANTING_LEVELS,
        "background": is_background,
        "colour_cast": not is_even and colour_cast_levels(page) > CAST_LEVELS,
    }
    return tuple(code for code, is_found in found.items() if is_found)


def light_from(light: Paper) -> LightFrom:
    """The side on which the paper is brightest."""
    if light.gradient_levels <= SLANTING_LEVELS:
        return "everywhere"
    turn = math.atan2(light.gradient_y_levels, light.gradient_x_levels)
    return _AROUND[round(turn / (math.pi / 4)) % len(_AROUND)]
