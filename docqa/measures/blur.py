"""How blurred the writing is, relative to the width of its strokes.

Blur takes fine detail and leaves coarse detail. The detail of the writing
(``analysis/text_detail.py``) is read in the direction that has lost most and across it, so that
motion counts as well as defocus, and small trained networks turn it into the blur's standard
deviation over the stroke's width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from docqa.analysis.ink import ink, stroke_px
from docqa.analysis.networks import Networks, parse_networks
from docqa.analysis.text_detail import (
    FEATURES_COUNT,
    SHARPEST_FINE_STEPS,
    SOFTEST_FINE_STEPS,
    TextDetail,
    Vector,
    features,
    text_details,
)
from docqa.analysis.text_tiles import ZONES_COUNT, TextTile
from docqa.errors import CannotAssess
from docqa.page import Page, Region

MODEL = "blur/model.json"
OFFSET_RATIO = 0.15
"""The networks give the logarithm of the blur ratio plus this."""
MOST_BLUR_RATIO = 2.0
"""Nothing is left to be read long before; print more blurred than this was not learnt."""
FIRST_TILES = 8
BEARING_TILES = 2
"""So many next to a tile must be as blurred: a portrait or a signature reaches into two tiles."""
SURELY_SHARP_RATIO, SURELY_NO_WORSE_RATIO = 0.25, 0.45
"""Where so many tiles are typically and at worst less blurred, no others are looked at."""
SHARP_BLUR_RATIO = 0.45
"""Under this the strokes keep their full contrast: no kind of blur is named."""
MOTION_STEP_LEVELS = 0.22
"""Where the finest steps of the two directions differ by more, the blur has a direction: motion."""
LOW_RESOLUTION_STROKE_PX = 1.7
"""Thinner strokes are blurred by the pixels themselves."""


@dataclass(frozen=True, slots=True)
class Blur:
    """Blur of the writing; lower is better."""

    blur_ratio: float
    """0 to 2: standard deviation of the blur over stroke width, typical of the page's writing."""
    worst_blur_ratio: float
    """0 to 2: the same of the most blurred part: the most blurred tile that the two
    nearest bear out, because the edge of a portrait or a stamp is no blurred writing."""
    stroke_width_px: float
    """Stroke width of the writing."""
    kind: Literal["none", "defocus", "motion", "low_resolution"]
    """The likely cause; a hint for the citizen, less certain than the ratio."""
    regions: tuple[Region, ...]
    """The most blurred tile."""


def load(data: bytes) -> Networks:
    """The networks of ``models/blur/model.json``. Raises InvalidModel."""
    return parse_networks(data, FEATURES_COUNT, f"models/{MODEL}")


def blur_ratios(networks: Networks, known: Vector) -> Vector:
    """(n,) 0 to MOST_BLUR_RATIO of (n, 31) features."""
    ratios = np.exp(np.minimum(networks.levels(known), 2.0)) - OFFSET_RATIO
    return np.asarray(np.clip(ratios, 0.0, MOST_BLUR_RATIO), np.float64)


def measure(page: Page, model: Networks) -> Blur:
    """Measure the blur. Raises CannotAssess on a page without writing."""
    stroke = stroke_px(page.derive(ink))
    if stroke is None:
        raise CannotAssess("there is no writing on the page to judge its sharpness by")
    for most_tiles in (FIRST_TILES, ZONES_COUNT):
        details = text_details(page, most_tiles=most_tiles)
        if not details:
            continue
        level = details[0].stroke_level
        each = np.stack([detail.levels for detail in details])
        known = features(np.concatenate([each.mean(axis=0)[None], each]), level)
        typical, *ratios = blur_ratios(model, known).tolist()
        worst, worst_ratio = _worst(details, np.array(ratios))
        is_sure = typical < SURELY_SHARP_RATIO and worst_ratio < SURELY_NO_WORSE_RATIO
        if is_sure or details[0].tiles_count <= FIRST_TILES:
            break
    if not details:
        raise CannotAssess("the writing on the page is too faint to judge its sharpness")
    return Blur(
        blur_ratio=typical,
        worst_blur_ratio=max(worst_ratio, typical),
        stroke_width_px=stroke,
        kind=kind_of(typical, known[0], stroke),
        regions=(_region(details[worst].tile),),
    )


def _worst(details: tuple[TextDetail, ...], ratios: Vector) -> tuple[int, float]:
    """Index of the most blurred tile, and how blurred those next to it bear out that it is."""
    places = np.array([(one.tile.left_px, one.tile.top_px) for one in details], np.float64)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, : 1 + BEARING_TILES]
    borne_out = ratios[nearest].min(axis=1)
    # Those that bear each other out are equally blurred so: the one that shows most is named.
    worst = int(np.lexsort((ratios, borne_out))[-1])
    return worst, float(borne_out[worst])


def kind_of(
    blur: float, known: Vector, stroke: float
) -> Literal["none", "defocus", "motion", "low_resolution"]:
    """The likely cause of a blur ratio with these features, on strokes of this width in pixels."""
    if stroke < LOW_RESOLUTION_STROKE_PX:
        return "low_resolution"
    if blur < SHARP_BLUR_RATIO:
        return "none"
    apart = known[SHARPEST_FINE_STEPS].mean() - known[SOFTEST_FINE_STEPS].mean()
    return "motion" if apart > MOTION_STEP_LEVELS else "defocus"


def _region(tile: TextTile) -> Region:
    height, width = (n * tile.scale for n in tile.pixels.shape)
    left, top = float(tile.left_px), float(tile.top_px)
    right, bottom = left + width, top + height
    return Region("text", ((left, top), (right, top), (right, bottom), (left, bottom)))
