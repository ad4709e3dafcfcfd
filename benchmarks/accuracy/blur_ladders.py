"""Crops of print with a known blur: text sizes, scripts, kinds of blur, noise, JPEG."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import cv2
import numpy as np
import numpy.typing as npt
from skimage.morphology import skeletonize

from benchmarks.accuracy.inputs import SEED, Options, noisy, write_jpeg
from docqa.page import Pixels
from fixtures.synthesize.drawing import Sheet
from fixtures.synthesize.prose import PARAGRAPHS, Script

Kind = Literal["gauss", "motion", "defocus"]

SIZES_PT = (8, 9, 10, 11, 12, 13, 14)
FAMILIES: dict[Script, tuple[str, ...]] = {
    "latin": ("LiberationSerif", "LiberationSans", "DejaVuSans"),
    "arabic": ("Amiri", "NotoNaskhArabic", "DejaVuSans", "Scheherazade"),
}
PPI = 300
OVERSAMPLING = 3
"""Crops are drawn this much finer, where their strokes are measured as well."""
WIDTH_MM = 88.0
LINES = 5
LEADING = {"latin": 1.4, "arabic": 1.9}
_MM_PER_POINT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Crop:
    """A few lines of clean print."""

    pixels: Pixels
    """(H, W) at PPI."""
    text: str
    stroke_px: float
    """Median stroke width at PPI."""
    size_pt: int
    script: Script


@dataclass(frozen=True, slots=True)
class Blurred:
    """A crop with a blur, as a file."""

    path: Path
    crop: Crop
    kind: Kind | None
    """None for the clean crop."""
    sigma_px: float
    """Standard deviation of the blur in its widest direction."""


def crops(script: Script, count: int) -> Iterator[Crop]:
    """Print of every size in turn."""
    for index in range(count):
        rng = np.random.default_rng(SEED + 2000 + index)
        size_pt = SIZES_PT[index % len(SIZES_PT)]
        families = FAMILIES[script]
        yield _crop(script, size_pt, families[index % len(families)], rng)


def _crop(script: Script, size_pt: int, family: str, rng: np.random.Generator) -> Crop:
    pitch_mm = size_pt * _MM_PER_POINT * LEADING[script]
    sheet = Sheet(WIDTH_MM, pitch_mm * (LINES + 1), PPI * OVERSAMPLING)
    words = " ".join(PARAGRAPHS[script][i] for i in rng.permutation(len(PARAGRAPHS[script])))
    # About 1.9 mm a character at 12 pt: lines end well inside the sheet.
    room = int((WIDTH_MM - 12) / (size_pt * 0.19))
    lines = _filled(words.split(), room)[:LINES]
    for number, line in enumerate(lines):
        is_arabic = script == "arabic"
        x_mm = WIDTH_MM - 5 if is_arabic else 5
        sheet.text(line, x_mm, pitch_mm * (number + 1.05), size_pt, family=family,
                   align="right" if is_arabic else "left")  # fmt: skip
    fine = cast("Pixels", cv2.cvtColor(sheet.painted(), cv2.COLOR_RGB2GRAY))
    size = (fine.shape[1] // OVERSAMPLING, fine.shape[0] // OVERSAMPLING)
    even = fine[: size[1] * OVERSAMPLING, : size[0] * OVERSAMPLING]
    pixels = cast("Pixels", cv2.resize(even, size, interpolation=cv2.INTER_AREA))
    stroke = _stroke_px(fine) / OVERSAMPLING
    return Crop(pixels, "\n".join(lines), stroke, size_pt, script)


def _filled(words: list[str], room: int) -> list[str]:
    lines, current = [], ""
    for word in words:
        longer = f"{current} {word}".strip()
        if current and len(longer) > room:
            lines.append(current)
            current = word
        else:
            current = longer
    return lines


def _stroke_px(fine: Pixels) -> float:
    """Twice the median depth of the strokes along their middle."""
    is_ink = fine < 128
    depth = cv2.distanceTransform(is_ink.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    middle = np.asarray(cast("Any", skeletonize)(is_ink), np.bool_)
    depths = np.asarray(depth, np.float64)[middle]
    return float(2 * np.median(depths) - 1)


def ladder(
    crop: Crop,
    steps: dict[Kind, tuple[float, ...]],
    options: Options,
    stem: str,
    rng: np.random.Generator,
    *,
    noise: tuple[float, float],
    quality: tuple[int, int],
) -> list[Blurred]:
    """The crop clean and with every step: gauss sigma, motion length, defocus radius, in pixels."""
    made = [_blurred(crop, None, 0.0, options, f"{stem}-clean", rng, (0.5, 1.0), (90, 96))]
    for kind, sizes in steps.items():
        made += [
            _blurred(crop, kind, size, options, f"{stem}-{kind}-{size:.1f}", rng, noise, quality)
            for size in sizes
        ]
    return made


def _blurred(
    crop: Crop,
    kind: Kind | None,
    size: float,
    options: Options,
    name: str,
    rng: np.random.Generator,
    noise: tuple[float, float],
    quality: tuple[int, int],
) -> Blurred:
    # Ink is not quite black and paper not quite white, so that noise is not clipped away.
    toned: npt.NDArray[Any] = 20 + crop.pixels.astype(np.float32) * np.float32(215 / 255)
    sigma = 0.0
    if kind is not None and size > 0:
        kernel, sigma = _kernel(kind, size, rng)
        toned = cv2.filter2D(toned, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    pixels = noisy(cast("Pixels", toned), float(rng.uniform(*noise)), rng)
    path = write_jpeg(options.scratch, f"{name}.jpg", pixels, int(rng.integers(*quality)))
    return Blurred(path, crop, kind, sigma)


def _kernel(kind: Kind, size: float, rng: np.random.Generator) -> tuple[Pixels, float]:
    """The kernel and its standard deviation in the widest direction."""
    fine, reach = 8, math.ceil(3 * size if kind == "gauss" else size + 1)
    side = 2 * reach + 1
    y, x = np.mgrid[: side * fine, : side * fine].astype(np.float64)
    x, y = (x - (side * fine - 1) / 2) / fine, (y - (side * fine - 1) / 2) / fine
    if kind == "gauss":
        weight, sigma = np.exp(-(x**2 + y**2) / (2 * size**2)), size
    elif kind == "defocus":
        weight, sigma = (x**2 + y**2 <= size**2).astype(np.float64), size / 2
    else:
        angle = rng.uniform(0, np.pi)
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        weight = ((np.abs(along) <= size / 2) & (np.abs(across) <= 0.5)).astype(np.float64)
        sigma = size / math.sqrt(12)
    kernel = weight.reshape(side, fine, side, fine).sum(axis=(1, 3))
    return cast("Pixels", (kernel / kernel.sum()).astype(np.float32)), sigma
