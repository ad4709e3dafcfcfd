"""How blurred the writing is, relative to the width of its strokes.

Every tile of writing is brought to strokes of ``STROKE_PX``. The energy of its gradients there,
over that at half the size, falls as blur grows; what the same filter finds on bare paper is noise
and is taken off both. Energies are 2x2 tensors, and their smallest generalised eigenvalue is the
ratio in the most blurred direction, so that motion counts as well as defocus. The ratio is read as
the standard deviation of a Gaussian blur from a table made on print, Arabic and Latin alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import Ink, ink
from docqa.analysis.text_tiles import TextTile, text_tiles
from docqa.errors import CannotAssess
from docqa.page import Page, Pixels, Region

Tensor = npt.NDArray[np.float64]

STROKE_PX = 4.0
STROKE_TO_TEXT_HEIGHT_RATIO = 0.18
"""Of ordinary print. Blur fattens strokes before it raises letters: the smaller one is taken."""
ENERGY_RATIOS = (0.269, 0.277, 0.292, 0.325, 0.415, 0.465, 0.500, 0.555, 0.590)
BLUR_RATIOS = (1.56, 1.30, 1.04, 0.78, 0.52, 0.40, 0.26, 0.13, 0.0)
"""Gaussian standard deviation over stroke width that gives each energy ratio."""
INK_REACH_PX = 9
BARE_REACH_PX = 17
"""Gradients within the first of ink are its edges; paper beyond the second is bare."""
LEAST_PIXELS = 50
LEAST_ENERGY = 1.0
SHARP_BLUR_RATIO = 0.45
"""Under this the strokes keep their full contrast: no kind of blur is named."""
MOTION_ANISOTROPY_RATIO = 1.45
LOW_RESOLUTION_STROKE_PX = 1.7
"""Thinner strokes are blurred by the pixels themselves."""


@dataclass(frozen=True, slots=True)
class Blur:
    """Blur of the writing; lower is better."""

    blur_ratio: float
    """0 to 1.56: standard deviation of the blur over stroke width, median of the tiles. Print from
    a scanner has under 0.3, at 0.5 letters begin to merge, at 1 they are gone."""
    worst_blur_ratio: float
    """0 to 1.56: the same of the most blurred tile."""
    stroke_width_px: float
    """Stroke width that both are relative to."""
    kind: Literal["none", "defocus", "motion", "low_resolution"]
    """The likely cause; a hint for the citizen, less certain than the ratio."""
    regions: tuple[Region, ...]
    """The most blurred tile."""


def measure(page: Page) -> Blur:
    """Measure the blur. Raises CannotAssess on a page without writing."""
    found = page.derive(ink)
    stroke = _stroke_px(found)
    scale = 1 if stroke < 1.5 * STROKE_PX else 2 if stroke < 3 * STROKE_PX else 4
    tiles = text_tiles(page, scale)
    measured = [
        (tile, pair) for tile in tiles if (pair := _energy_ratios(tile, stroke)) is not None
    ]
    if not measured:
        raise CannotAssess(
            "the writing on the page is too faint or too small to judge its sharpness"
        )
    blurs = [float(np.interp(low, ENERGY_RATIOS, BLUR_RATIOS)) for _, (low, _) in measured]
    typical = float(np.median(blurs))
    worst = int(np.argmax(blurs))
    anisotropy = float(np.median([high / low for _, (low, high) in measured]))
    return Blur(
        blur_ratio=typical,
        worst_blur_ratio=blurs[worst],
        stroke_width_px=stroke,
        kind=_kind(typical, anisotropy, stroke),
        regions=(_region(measured[worst][0]),),
    )


def _stroke_px(found: Ink) -> float:
    if found.stroke_width_px is None or found.text_height_px is None:
        raise CannotAssess("there is no writing on the page to judge its sharpness by")
    return max(1.0, min(found.stroke_width_px, STROKE_TO_TEXT_HEIGHT_RATIO * found.text_height_px))


def _energy_ratios(tile: TextTile, stroke_px: float) -> tuple[float, float] | None:
    """Smallest and largest generalised eigenvalue of fine against coarse; None without ink."""
    factor = STROKE_PX * tile.scale / stroke_px
    how = cv2.INTER_LINEAR if factor < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(tile.pixels, None, fx=factor, fy=factor, interpolation=how)
    height, width = (n // 2 * 2 for n in picture.shape[:2])
    if min(height, width) < 2 * BARE_REACH_PX:
        return None
    fine = cast("Pixels", picture[:height, :width])
    reach = np.ones((BARE_REACH_PX, BARE_REACH_PX), np.uint8)
    depth = cv2.morphologyEx(fine, cv2.MORPH_BLACKHAT, reach)
    dark = (depth > 0.4 * np.percentile(depth[::2, ::2], 98)).astype(np.uint8)
    near = cv2.dilate(dark, np.ones((INK_REACH_PX, INK_REACH_PX), np.uint8)) > 0
    bare = cv2.dilate(dark, reach) == 0
    coarse = cast(
        "Pixels", cv2.resize(fine, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    )
    sharp, smooth = _energy(fine, near, bare), _energy(coarse, near[::2, ::2], bare[::2, ::2])
    if min(np.linalg.eigvalsh(sharp)[0], np.linalg.eigvalsh(smooth)[0]) < LEAST_ENERGY:
        return None
    low, high = np.sort(np.linalg.eigvals(np.linalg.solve(smooth, sharp)).real)
    return (float(low), float(high)) if low > 0 else None


def _energy(picture: Pixels, near: npt.NDArray[np.bool_], bare: npt.NDArray[np.bool_]) -> Tensor:
    """Mean gradient tensor near ink, less that of bare paper."""
    level = picture.astype(np.float32)
    along_x = level[1:-1, 2:] - level[1:-1, :-2]
    along_y = level[2:, 1:-1] - level[:-2, 1:-1]
    near, bare = near[1:-1, 1:-1], bare[1:-1, 1:-1]

    def tensor(where: npt.NDArray[np.bool_]) -> Tensor:
        if np.count_nonzero(where) < LEAST_PIXELS:
            return np.zeros((2, 2))
        x, y = along_x[where], along_y[where]
        return np.array([[x @ x, x @ y], [x @ y, y @ y]], np.float64) / x.size

    return tensor(near) - tensor(bare)


def _kind(
    blur: float, anisotropy: float, stroke_px: float
) -> Literal["none", "defocus", "motion", "low_resolution"]:
    if stroke_px < LOW_RESOLUTION_STROKE_PX:
        return "low_resolution"
    if blur < SHARP_BLUR_RATIO:
        return "none"
    return "motion" if anisotropy > MOTION_ANISOTROPY_RATIO else "defocus"


def _region(tile: TextTile) -> Region:
    height, width = (n * tile.scale for n in tile.pixels.shape)
    left, top = float(tile.left_px), float(tile.top_px)
    right, bottom = left + width, top + height
    return Region("text", ((left, top), (right, top), (right, bottom), (left, bottom)))
