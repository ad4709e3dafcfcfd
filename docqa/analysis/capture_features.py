"""The numbers by which light alone tells a scan from a camera's picture, and an app's white paper.

No number here comes from the file's metadata. They are few on purpose: judged by repositories a
model had not seen, each further cue of ``paper.py`` and ``whitening.py`` made the answers worse.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from docqa.analysis.paper import Paper
from docqa.analysis.whitening import Whitening

Features = npt.NDArray[np.float64]

FEATURES = ("white_distance", "slope", "white_border")
"""Names of the columns of ``light_features``, in order; a trained model names those it uses."""

SCANNER_GRADIENT_LEVELS = 4
"""So much brighter than the other may one side of a page be on a scanner or a copier."""
WHITE_BORDER_LEVELS = (215.0, 240.0)
WHITE_BORDER_FRACTION = 0.4
"""More of a white border than this says no more of a lid or of a sheet that fills the glass."""
BORDER_TRUST = 0.7
"""How far a white even border takes back what the picture inside says of the light: the pattern
of a card under a white lid is no shadow."""


def light_features(light: Paper) -> Features:
    """(3,) float64: how dark the brightest paper is (0 to 5.5), how far the light falls off beyond
    what a scanner's does (0 to 4), both logarithms of grey levels, and how white and even the
    outermost strip is (0 to 1).
    """
    low, high = WHITE_BORDER_LEVELS
    whiteness = min(max((light.border_level - low) / (high - low), 0.0), 1.0)
    border = whiteness * light.even_border_fraction
    return np.array(
        [
            _log(255 - light.brightest_level),
            _slope(light, 1 - BORDER_TRUST * border),
            min(border / WHITE_BORDER_FRACTION, 1.0),
        ]
    )


WHITENING_FEATURES = ("softness", "residue", "slope")
"""Names of the columns of ``whitening_features``, in order."""

SOFT_STEP_FRACTIONS = (0.7, 0.4)
SOFTEST = 1.5
LEAST_RESIDUE_FRACTION = 0.01


def whitening_features(found: Whitening, light: Paper) -> Features:
    """(3,) float64, each from 0 (none) to about 3: softness of the letters, squared, as a little of
    it occurs on scans and much hardly does; what is grey on white paper; and how far the light
    falls off beyond what a scanner's does: on scans clipped to white it hardly ever falls off.
    """
    crisp, soft = SOFT_STEP_FRACTIONS
    softness = min(max((crisp - found.edge_step_fraction) / (crisp - soft), 0.0), SOFTEST)
    residue = math.log1p(found.residue_fraction / LEAST_RESIDUE_FRACTION)
    return np.array([softness**2, residue, _slope(light, 1.0)])


def _slope(light: Paper, trust: float) -> float:
    return max(_log(light.gradient_levels) * trust - _log(SCANNER_GRADIENT_LEVELS), 0.0)


def _log(levels: float) -> float:
    return math.log1p(max(levels, 0.0))
