"""Print with a known blur: prose and forms, Arabic and Latin, through noise, tone and JPEG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

import cv2
import numpy as np
import numpy.typing as npt
from skimage.morphology import skeletonize

from docqa.page import Pixels
from fixtures.synthesize.drawing import Sheet
from fixtures.synthesize.prose import PARAGRAPHS, Script
from fixtures.synthesize.typesetting import FONTS, arabic_indic

Floats = npt.NDArray[np.float32]
Kind = Literal["none", "gauss", "motion", "defocus"]

LATIN = ("LiberationSans", "LiberationSansBold", "LiberationSerif", "LiberationMono",
         "DejaVuSans", "DejaVuSansBold", "DejaVuSansMono")  # fmt: skip
ARABIC = (*(name for name in FONTS if name not in LATIN), "DejaVuSans")
ARABIC_SHARE = 0.6
PROSE_SHARE = 0.5
DRAWN_PPI = 600
MM_PER_POINT = 25.4 / 72
WIDTH_MM = 88.0
COPIES = 6
"""Copies of each sheet, each with a blur, a resolution and a noise of its own."""
RESOLUTIONS_PPI = (90, 120, 150, 200, 300, 300, 400)
MOST_RATIO = 1.7
LEADING = {"latin": 1.4, "arabic": 1.9}
STROKE_ROWS_PX = 700
"""Strokes are measured on this much of a sheet."""


@dataclass(frozen=True, slots=True)
class Print:
    """A part of a page of print as a scanner or a camera gives it."""

    pixels: Pixels
    blur_ratio: float
    """Standard deviation of the blur in its widest direction over the width of the strokes."""
    kind: Kind
    script: Script
    is_prose: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A clean sheet."""

    pixels: Pixels
    """(H, W) at DRAWN_PPI."""
    stroke_px: float
    """Width of its print's strokes at DRAWN_PPI."""


def prints(seed: int, sheets: Iterable[int]) -> Iterator[Print]:
    """COPIES of each numbered sheet, the same every time; the first copy is not blurred."""
    for index in sheets:
        rng = np.random.default_rng((seed, index))
        script: Script = "arabic" if rng.random() < ARABIC_SHARE else "latin"
        is_prose = bool(rng.random() < PROSE_SHARE)
        drawn = _prose(script, rng) if is_prose else _form(script, rng)
        for copy in range(COPIES):
            is_sharp = copy == 0 or (copy == 1 and not is_prose)
            kind = cast("Kind", "none" if is_sharp else rng.choice(["gauss", "motion", "defocus"]))
            ratio = 0.0 if is_sharp else float(rng.uniform(0.08, MOST_RATIO))
            yield Print(_captured(drawn, kind, ratio, rng), ratio, kind, script, is_prose)


def _prose(script: Script, rng: np.random.Generator) -> Drawn:
    height_mm, size_pt = float(rng.uniform(25, 60)), float(rng.uniform(7, 16))
    sheet, family = Sheet(WIDTH_MM, height_mm, DRAWN_PPI), _family(script, rng)
    words, pitch = _words(script, rng), size_pt * MM_PER_POINT * LEADING[script]
    room, y, at = int((WIDTH_MM - 12) / (size_pt * 0.19)), pitch * 1.1, 0
    while y < height_mm - 2:
        line = ""
        while len(line) + len(words[at % len(words)]) < room:
            line += " " + words[at % len(words)]
            at += 1
        _set(sheet, script, line.strip(), 5, y, size_pt, family)
        y += pitch
    pixels = _grey(sheet)
    return Drawn(pixels, _stroke_px(pixels))


def _form(script: Script, rng: np.random.Generator) -> Drawn:
    """Words and numbers far apart, among boxes, bubbles, rules and handwriting."""
    height_mm, size_pt = float(rng.uniform(30, 60)), float(rng.uniform(7, 16))
    sheet, family, words = (
        Sheet(WIDTH_MM, height_mm, DRAWN_PPI), _family(script, rng), _words(script, rng)
    )  # fmt: skip
    columns, gap = int(rng.integers(1, 5)), float(rng.uniform(1.2, 3))
    column_mm = (WIDTH_MM - 6) / columns
    y, places = size_pt * MM_PER_POINT * 1.6, []
    while y < height_mm - 2:
        for column in range(columns):
            word = words[int(rng.integers(len(words)))]
            number = str(rng.integers(1, 200))
            if script == "arabic" and rng.random() < 0.5:
                number = arabic_indic(number)
            x = 3 + column * column_mm
            _set(sheet, script, word if rng.random() < 0.5 else number, x, y, size_pt, family)
            start = x + 10 if script == "latin" else WIDTH_MM - x - column_mm
            places.append((start, y, column_mm - 12))
        y += size_pt * MM_PER_POINT * LEADING[script] * gap
    pixels = _grey(sheet)
    stroke_px = _stroke_px(pixels)
    ink = int(rng.integers(0, 170))
    pixels = np.asarray(ink + pixels * ((255 - ink) / 255), np.uint8)
    _answers(pixels, places, size_pt, rng)
    if rng.random() < 0.5:
        _rules(pixels, rng)
    if rng.random() < 0.5:
        _handwriting(pixels, rng)
    return Drawn(pixels, stroke_px)


def _family(script: Script, rng: np.random.Generator) -> str:
    return str(rng.choice(LATIN if script == "latin" else ARABIC))


def _words(script: Script, rng: np.random.Generator) -> list[str]:
    paragraphs = PARAGRAPHS[script]
    return " ".join(paragraphs[i] for i in rng.permutation(len(paragraphs))).split()


def _set(
    sheet: Sheet, script: Script, text: str, start_mm: float, y_mm: float, pt: float, family: str
) -> None:
    """One line from the left in Latin and from the right in Arabic script."""
    if script == "latin":
        sheet.text(text, start_mm, y_mm, pt, family=family, align="left")
    else:
        sheet.text(text, WIDTH_MM - start_mm, y_mm, pt, family=family)


def _grey(sheet: Sheet) -> Pixels:
    return cast("Pixels", cv2.cvtColor(sheet.painted(), cv2.COLOR_RGB2GRAY))


def _stroke_px(pixels: Pixels) -> float:
    """Twice the median depth of the strokes along their middle."""
    is_ink = pixels[:STROKE_ROWS_PX] < 128
    depth = cv2.distanceTransform(is_ink.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    middle = np.asarray(cast("Any", skeletonize)(is_ink), np.bool_)
    return max(1.0, float(2 * np.median(np.asarray(depth)[middle]) - 1)) if middle.any() else 8.0


def _answers(
    pixels: Pixels, places: list[tuple[float, float, float]], pt: float, rng: np.random.Generator
) -> None:
    """Boxes or bubbles to mark beside the words, some of them filled."""
    shape = str(rng.choice(["box", "bubble", "none"], p=[0.4, 0.35, 0.25]))
    if shape == "none":
        return
    per_mm = DRAWN_PPI / 25.4
    thickness, outline = max(1, int(rng.uniform(0.08, 0.6) * per_mm)), int(rng.integers(0, 190))
    pen = int(rng.integers(0, 80)) if rng.random() < 0.6 else outline
    filled, count = rng.uniform(0, 0.6), int(rng.integers(1, 6))
    height = rng.uniform(0.6, 1.6) * pt * MM_PER_POINT
    width = height * float(rng.choice([1, 1, 2, 3]))
    for x, y, room in places:
        for place in range(count):
            if (place + 1) * width * 1.5 > room + 4:
                break
            left, right = (int((x + place * width * 1.5 + w) * per_mm) for w in (0, width))
            top, bottom = int((y - height) * per_mm), int(y * per_mm)
            line, tone = (-1, pen) if rng.random() < filled else (thickness, outline)
            if shape == "box":
                cv2.rectangle(pixels, (left, top), (right, bottom), tone, line, cv2.LINE_AA)
            else:
                middle = ((left + right) // 2, (top + bottom) // 2)
                axes = (max(1, (right - left) // 2), max(1, (bottom - top) // 2))
                cv2.ellipse(pixels, middle, axes, 0, 0, 360, tone, line, cv2.LINE_AA)


def _rules(pixels: Pixels, rng: np.random.Generator) -> None:
    height, width = pixels.shape
    for _ in range(int(rng.integers(2, 12))):
        y, thickness = int(rng.uniform(0, height)), int(rng.uniform(0.08, 0.4) * DRAWN_PPI / 25.4)
        cv2.line(pixels, (0, y), (width, y), int(rng.integers(0, 190)), max(1, thickness))


def _handwriting(pixels: Pixels, rng: np.random.Generator) -> None:
    """Wavy strokes of one pen."""
    per_mm = DRAWN_PPI / 25.4
    height, width = (n / per_mm for n in pixels.shape)
    pen, tone = max(2, int(rng.uniform(0.15, 0.6) * per_mm)), int(rng.integers(20, 170))
    t = np.linspace(0, 1, 80)
    for _ in range(int(rng.integers(2, 25))):
        swing = rng.normal(0, 1, (6, 2)) * rng.uniform(1, 3)
        waves = np.stack([np.sin((2 + 3 * j) * t * 3) / (1 + j * 0.5) for j in range(6)], axis=1)
        points = np.array([rng.uniform(4, width - 25), rng.uniform(4, height - 4)]) + waves @ swing
        points[:, 0] += 18 * t
        fixed = np.asarray(points * per_mm * 16, np.int32)
        cv2.polylines(pixels, [fixed], False, tone, pen, cv2.LINE_AA, 4)


def _captured(drawn: Drawn, kind: Kind, ratio: float, rng: np.random.Generator) -> Pixels:
    """Scaled, blurred, toned, noisy, at times processed as scanners do, through JPEG."""
    factor = float(rng.choice(RESOLUTIONS_PPI)) / DRAWN_PPI
    picture = cast(
        "Floats",
        cv2.resize(drawn.pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA),
    ).astype(np.float32)
    sigma = ratio * drawn.stroke_px * factor
    if kind != "none":
        picture = _blurred(picture, kind, sigma, float(rng.uniform(0, np.pi)))
    dark, light = float(rng.uniform(5, 50)), float(rng.uniform(210, 253))
    picture = dark + picture * np.float32((light - dark) / 255)
    if rng.random() < 0.25:
        grain = rng.normal(0, rng.uniform(1, 6), [n // 3 for n in picture.shape])
        size = (picture.shape[1], picture.shape[0])
        picture += np.asarray(cv2.resize(grain.astype(np.float32), size), np.float32)
    picture += rng.normal(0, rng.uniform(0.3, 7), picture.shape).astype(np.float32)
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    if kind == "none" or ratio < 0.2:
        pixels = _processed(pixels, dark, light, rng)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 97))]
    coded = cv2.imencode(".jpg", pixels, quality)[1]
    return cast("Pixels", cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def _processed(pixels: Pixels, dark: float, light: float, rng: np.random.Generator) -> Pixels:
    """Two-level, sharpened, or its paper whitened; half of the time none of these."""
    choice = rng.random()
    if choice < 0.2:
        return np.where(pixels < (dark + light) / 2, 0, 255).astype(np.uint8)
    if choice < 0.4:
        soft = cv2.GaussianBlur(pixels, (0, 0), 1)
        return cast("Pixels", cv2.addWeighted(pixels, 1.8, soft, -0.8, 0))
    if choice < 0.5:
        return np.where(pixels > light - 25, 255, pixels).astype(np.uint8)
    return pixels


def _blurred(picture: Floats, kind: Kind, sigma_px: float, angle_rad: float) -> Floats:
    """By a kernel of that standard deviation in its widest direction."""
    if kind == "gauss":
        return cast("Floats", cv2.GaussianBlur(picture, (0, 0), sigma_px))
    fine, size = 8, sigma_px * (12**0.5 if kind == "motion" else 2)
    reach = int(np.ceil(size / 2 if kind == "motion" else size)) + 1
    side = 2 * reach + 1
    y, x = (np.mgrid[: side * fine, : side * fine] - (side * fine - 1) / 2) / fine
    if kind == "defocus":
        weight = x**2 + y**2 <= size**2
    else:
        along = x * np.cos(angle_rad) + y * np.sin(angle_rad)
        across = y * np.cos(angle_rad) - x * np.sin(angle_rad)
        weight = (np.abs(along) <= size / 2) & (np.abs(across) <= 0.5)
    kernel = weight.reshape(side, fine, side, fine).sum(axis=(1, 3)).astype(np.float32)
    return cast(
        "Floats",
        cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE),
    )
