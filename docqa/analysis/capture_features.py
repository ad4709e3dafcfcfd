"""The numbers by which pixels alone tell a scanner from a camera, a screen and a drawn page.

No number here comes from the file's metadata. Sources: the photometric cues of the project's own
measurements on real scans and photographs; all are monotone transforms to about the range 0 to 5.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from docqa.analysis.paper import Paper, paper
from docqa.analysis.texture import Texture, texture
from docqa.page import Page

Features = npt.NDArray[np.float64]

FEATURES = (
    "clipped_white",
    "white_nearness",
    "border_nearness",
    "gradient",
    "block_range",
    "residual",
    "background",
    "colour_cast",
    "colour_spread",
    "paper_noise",
    "ink_mode",
    "repeat",
    "edge",
    "bilevel",
    "used_levels",
    "grid_peak",
    "drawn",
)
"""Names of the columns of ``capture_features``, in order; a trained model lists the same."""


def capture_features(page: Page) -> Features:
    """(len(FEATURES),) float64. Raises CannotAssess on pages too small to tell."""
    return _vector(page.derive(paper), page.derive(texture))


def _vector(light: Paper, grain: Texture) -> Features:
    gradient = math.hypot(light.gradient_x_levels, light.gradient_y_levels)
    return np.array(
        [
            light.clipped_white_fraction * 2,
            _log(255 - light.brightest_level),
            _log(255 - light.border_level),
            _log(gradient),
            _log(light.block_range_levels),
            _log(light.residual_levels),
            (1 - light.paper_fraction) * 2,
            _log(light.colour_cast_levels),
            _log(light.colour_spread_levels),
            _log(grain.paper_noise_levels),
            grain.ink_mode_fraction * 2,
            grain.repeat_fraction * 2,
            math.log(min(max(grain.edge_ratio, 0.05), 5.0)) * 2,
            grain.bilevel_fraction * 2,
            grain.used_levels_fraction * 2,
            math.log(grain.grid_peak_ratio),
            2 * grain.ink_mode_fraction * (grain.bilevel_fraction < 0.995),
        ]
    )


def _log(levels: float) -> float:
    return math.log1p(max(levels, 0.0))
