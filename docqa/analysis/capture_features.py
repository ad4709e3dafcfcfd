"""The numbers by which light and colour alone tell a flat even page from a camera's picture.

No number here comes from the file's metadata. All are monotone transforms of the cues in
``paper.py`` to about the range 0 to 5.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from docqa.analysis.paper import Paper, paper
from docqa.analysis.whitening import Whitening, whitening
from docqa.page import Page

Features = npt.NDArray[np.float64]

FEATURES = (
    "clipped_white",
    "white_distance",
    "border_distance",
    "gradient",
    "block_range",
    "residual",
    "background",
    "colour_cast",
    "colour_spread",
    "white_border",
    "soft_if_grey",
)
"""Names of the columns of ``capture_features``, in order; a trained model names those it uses."""

WHITE_BORDER_LEVELS = (215.0, 240.0)
BORDER_TRUST = 0.7
"""How far a white even border takes back what the picture inside says of the light: the pattern
of a card under a white lid is no shadow."""


def capture_features(page: Page) -> Features:
    """(len(FEATURES),) float64. Raises CannotAssess on pages too small to tell."""
    light = page.derive(paper)
    return light_features(light, _softness(page, grey_share(light)))


def grey_share(light: Paper) -> float:
    """-1 to 1, the weight of soft letters: none where half of the page is clipped to white."""
    return 1 - 2 * light.clipped_white_fraction


def light_features(light: Paper, soft_if_grey: float) -> Features:
    """The same from the paper and its last entry: 0 (crisp letters) to 1.5."""
    gradient = math.hypot(light.gradient_x_levels, light.gradient_y_levels)
    low, high = WHITE_BORDER_LEVELS
    whiteness = min(max((light.border_level - low) / (high - low), 0.0), 1.0)
    white_border = whiteness * light.even_border_fraction
    counted = 1 - BORDER_TRUST * white_border
    return np.array(
        [
            2 * light.clipped_white_fraction,
            _log(255 - light.brightest_level),
            _log(255 - light.border_level),
            _log(gradient) * counted,
            _log(light.block_range_levels) * counted,
            _log(light.residual_levels),
            2 * (1 - light.paper_fraction) * counted,
            _log(light.colour_cast_levels),
            _log(light.colour_spread_levels),
            2 * white_border,
            soft_if_grey,
        ]
    )


def _softness(page: Page, weight: float) -> float:
    if weight <= 0:
        return 0.0
    found = page.derive(whitening)
    return weight * (UNKNOWN_SOFTNESS if found is None else _soft(found))


def _log(levels: float) -> float:
    return math.log1p(max(levels, 0.0))


WHITENING_FEATURES = (
    "soft", "residue", "noise_spread", "soft_residue", "soft_noise_spread", "gradient", "shade",
    "steep",
)  # fmt: skip
"""Names of the columns of ``whitening_features``, in order."""

SOFT_STEP_FRACTIONS = (0.7, 0.4)
SOFTEST = 1.5
UNKNOWN_SOFTNESS = 0.5
"""Of a page without writing."""
LEAST_RESIDUE_FRACTION = 0.01
LEAST_NOISE_SPREAD_FRACTION = 0.0005
STEEP_LEVELS = 8
"""Of the real scans that are partly clipped to white a single one has a slope of more, 10."""


def whitening_features(found: Whitening, light: Paper) -> Features:
    """(8,) float64, each from 0 (none) to about 1 or 3: softness, uneven white, both, and what is
    left of the light: a page that is clipped to white elsewhere has no slope on a scanner, and
    hardly ever a steep one on a copier.
    """
    soft = _soft(found)
    residue = math.log1p(found.residue_fraction / LEAST_RESIDUE_FRACTION)
    noise = math.log1p(found.noise_spread_fraction / LEAST_NOISE_SPREAD_FRACTION)
    gradient = _log(math.hypot(light.gradient_x_levels, light.gradient_y_levels))
    steep = max(gradient - _log(STEEP_LEVELS), 0.0)
    left = (gradient, _log(light.residual_levels), steep)
    return np.array([soft, residue, noise, soft * residue, soft * noise, *left])


def _soft(found: Whitening) -> float:
    """0 (crisp) to 1.5."""
    crisp, soft = SOFT_STEP_FRACTIONS
    return min(max((crisp - found.edge_step_fraction) / (crisp - soft), 0.0), SOFTEST)
