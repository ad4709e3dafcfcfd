"""Which way up the page is: upright, on its side, or upside down.

The strokes of the writing decide, by a trained model that scores all four turns with the same
weights, whatever the script. They are not believed that a page lies on its side where its lines
clearly run across it, and few words count less than many: most scans are upright, and only real
evidence says that one is not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from docqa.analysis.print_direction import PrintDirection, print_direction
from docqa.analysis.stroke_patterns import (
    PATTERNS_COUNT,
    SPACINGS_PX,
    Patterns,
    looks,
    turned,
)
from docqa.errors import CannotAssess, InvalidModel
from docqa.page import Page

MODEL = "orientation/model.json"
ENOUGH_COMPONENTS_COUNT = 300
"""With fewer letters or words the evidence counts less, by the square root of their share."""
LINES_SLOPE = 200.0
"""How fast lines that run across outweigh the strokes of a page on its side: odds of e for each
0.005 of prominence."""
LINES_MARGIN = 0.1
"""So much more prominent must lines that run across be, before they speak: columns of figures are
lines as well."""
SURE_PROBABILITY, SURE_TURNED_PROBABILITY = 0.7, 0.9
"""Below these the turn is not told. Most scans are upright: to call one turned takes more. What a
policy accepts is another matter: where its limit lies higher, an accepted page may name a turn."""

SURE_UPRIGHT_PROBABILITIES = (0.95, 0.85, 0.0)
"""So sure after a look that the page is upright: the rest of its writing is not asked."""

Weights = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Orientation:
    """Which way up the page is."""

    turn_deg: int | None
    """0, 90, 180 or 270: how far the page is turned clockwise from upright; decisions go by
    ``turned_probability`` instead. None where no turn is sure: tables of figures, answer sheets,
    music and handwriting look alike several ways."""
    turned_probability: float
    """0 to 1, lower is better: probability of the likeliest turn other than 0. Low where there is
    little evidence, and where two turns share it: what looks alike both ways is no sure sign."""
    confidence: float
    """0.25 to 1, higher is surer: probability of the likeliest of the four turns."""


def load(data: bytes) -> Weights:
    """The weights, (spacings * 512,). Raises InvalidModel where the file is not such a model."""
    try:
        weights = np.asarray(json.loads(data)["weights"], np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidModel(
            f"models/{MODEL} cannot be read; remake it with train.py: {error!r}"
        ) from error
    if weights.shape != (len(SPACINGS_PX), PATTERNS_COUNT) or not np.isfinite(weights).all():
        raise InvalidModel(
            f"models/{MODEL} must hold {len(SPACINGS_PX)} x {PATTERNS_COUNT} numbers"
        )
    return weights


def measure(page: Page, weights: Weights) -> Orientation:
    """Which way up the page is.

    Raises:
        CannotAssess: there is hardly any writing.
    """
    lines = page.derive(print_direction)
    share = None
    if lines is not None:
        for patterns, enough in zip(looks(page), SURE_UPRIGHT_PROBABILITIES, strict=False):
            share = _shares(patterns, lines, weights)
            if share[0] >= enough:
                break
    if share is None:
        raise CannotAssess("there is too little writing to tell which way up the page is")
    best = int(share.argmax())
    is_sure = share[best] >= (SURE_TURNED_PROBABILITY if best else SURE_PROBABILITY)
    return Orientation(90 * best if is_sure else None, float(share[1:].max()), float(share[best]))


def _shares(patterns: Patterns, lines: PrintDirection, weights: Weights) -> Weights:
    """Probabilities of a turn by 0, 90, 180 and 270 degrees clockwise, (4,)."""
    scores = _scores(patterns, weights)
    across = lines.across_prominence - lines.down_prominence
    scores[[1, 3]] -= LINES_SLOPE * max(across - LINES_MARGIN, 0.0)
    share = np.exp(scores - scores.max())
    return cast("Weights", share / share.sum())


def _scores(patterns: Patterns, weights: Weights) -> Weights:
    """Log odds of a turn by 0, 90, 180 and 270 degrees clockwise, (4,)."""
    scores = np.empty(4)
    shares = patterns.shares
    for turns_back in range(4):
        scores[-turns_back % 4] = float((weights * shares).sum())
        shares = turned(shares)
    weight = min(1.0, patterns.component_count / ENOUGH_COMPONENTS_COUNT) ** 0.5
    return cast("Weights", weight * scores)
