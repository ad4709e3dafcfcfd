"""The numbers by which light and colour alone tell a flat even page from a camera's picture.

No number here comes from the file's metadata. All are monotone transforms of the cues in
``paper.py`` to about the range 0 to 5.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from docqa.analysis.paper import paper
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
)
"""Names of the columns of ``capture_features``, in order; a trained model names those it uses."""


def capture_features(page: Page) -> Features:
    """(len(FEATURES),) float64. Raises CannotAssess on pages too small to tell."""
    light = page.derive(paper)
    gradient = math.hypot(light.gradient_x_levels, light.gradient_y_levels)
    return np.array(
        [
            2 * light.clipped_white_fraction,
            _log(255 - light.brightest_level),
            _log(255 - light.border_level),
            _log(gradient),
            _log(light.block_range_levels),
            _log(light.residual_levels),
            2 * (1 - light.paper_fraction),
            _log(light.colour_cast_levels),
            _log(light.colour_spread_levels),
        ]
    )


def _log(levels: float) -> float:
    return math.log1p(max(levels, 0.0))
