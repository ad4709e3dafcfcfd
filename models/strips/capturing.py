"""Printed lines as scanners and cameras give them, cut into strips as docqa cuts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels
from docqa.reading.strips import Strip, strip_of
from models.strips.faces import EM_PX
from models.strips.printing import HEIGHT_PX, PrintedLine

Singles = npt.NDArray[np.float32]

LEAST_EM_PX, MOST_EM_PX = 17.0, 46.0
"""7-point print at 200 ppi to 9-point print at 370: finer scans are reduced to 300 ppi first."""
SHEET_EM_PX = (26.0, 46.0)
"""The same print at 300 ppi, to which sheets are brought."""
STRETCH_DEVIATION = 0.12
ESTIMATE_DEVIATION = 0.14
"""Of the logarithm of the em that docqa's finding of lines gives."""


Device = Callable[[Singles, float, np.random.Generator], Pixels]
"""Makes a file's pixels of ink on paper (0 to 255) at so many pixels of the em."""


def captured_strip(
    line: PrintedLine, rng: np.random.Generator, device: Device | None = None
) -> Strip:
    """The strip that docqa would make of a capture of the line, by any device or this one."""
    em = float(np.exp(rng.uniform(np.log(LEAST_EM_PX), np.log(MOST_EM_PX))))
    ink, box = _laid(line, em, rng)
    picture = (device or by_any_device)(_inked(ink, em, rng), em, rng)
    if rng.random() < 0.5:
        ratio = float(rng.uniform(*SHEET_EM_PX)) / em
        way = cv2.INTER_LINEAR if ratio > 0.7 else cv2.INTER_AREA
        resized = cv2.resize(picture, None, fx=ratio, fy=ratio, interpolation=way)
        picture = cast("Pixels", resized)
        em, box = em * ratio, box * ratio
    return strip_of(picture, *_found(box, em, rng))


def _laid(
    line: PrintedLine, em: float, rng: np.random.Generator
) -> tuple[Singles, npt.NDArray[np.float64]]:
    """The ink at ``em`` pixels, a little turned, slanted, stretched and bent; and its box."""
    shrink = em / EM_PX
    source = _with_neighbours(line, rng)
    if shrink < 0.8:
        source = cast("Singles", cv2.GaussianBlur(source, (0, 0), 0.38 / shrink))
    across = float(np.exp(np.clip(rng.normal(0, STRETCH_DEVIATION), -0.3, 0.3)))
    angle = float(np.radians(np.clip(rng.normal(0, 0.45), -1.5, 1.5)))
    slant = float(rng.normal(0, 0.12)) if rng.random() < 0.4 else 0.0
    height = round(HEIGHT_PX * shrink)
    width = max(round(source.shape[1] * shrink * across), 8)
    down = ((np.arange(height, dtype=np.float32) + 0.5) / shrink - 0.5)[:, None]
    along = ((np.arange(width, dtype=np.float32) + 0.5) / (shrink * across) - 0.5)[None]
    middle_x, middle_y = (line.box[0] + line.box[2]) / 2, (line.box[1] + line.box[3]) / 2
    x = np.asarray(along + slant * (down - middle_y), np.float32)
    y = np.asarray(down + np.tan(angle) * (along - middle_x), np.float32)
    if rng.random() < 0.7:
        bend = rng.uniform(0, 2.2)
        for field in (x, y):
            rough = rng.normal(0, bend, (4, max(width // round(0.5 * em + 4), 3)))
            field += cv2.resize(
                rough.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
            )
    ink = cv2.remap(source, x, y, cv2.INTER_LINEAR)
    left, top, right, bottom = line.box
    rise = abs(np.tan(angle)) * (right - left) / 2
    lean = abs(slant) * (bottom - top) / 2
    box = np.array([(left - lean) * across, top - rise, (right + lean) * across, bottom + rise])
    return np.asarray(ink, np.float32), box * shrink


def _with_neighbours(line: PrintedLine, rng: np.random.Generator) -> Singles:
    """The ink, sometimes with the line above or below it, and the rules of a form."""
    ink = line.ink.copy()
    _, top, _, bottom = line.box
    for towards in (-1, 1):
        if rng.random() < 0.3:
            away = (bottom - top) * rng.uniform(1.08, 1.5) + 0.05 * EM_PX
            moved = np.roll(line.ink, int(rng.integers(line.ink.shape[1])), axis=1)
            shift = np.array([[1, 0, 0], [0, 1, towards * away]])
            ink = np.maximum(ink, cv2.warpAffine(moved, shift, ink.shape[::-1]))
    if rng.random() < 0.12:
        at = int(bottom + rng.uniform(0.12, 0.5) * EM_PX)
        if rng.random() < 0.3:
            at = int(top - rng.uniform(0.12, 0.4) * EM_PX)
        thick = int(rng.integers(1, 5))
        step = int(rng.integers(2, 5)) * thick if rng.random() < 0.4 else 0
        rule = slice(max(at, 0), max(at, 0) + thick)
        ink[rule] = np.maximum(ink[rule], rng.uniform(0.3, 1.0))
        if step:
            ink[rule, (np.arange(ink.shape[1]) % (2 * step)) < step] = 0
    if rng.random() < 0.08:
        side = line.box[0] - rng.uniform(0.25, 0.6) * EM_PX if rng.random() < 0.5 else (
            line.box[2] + rng.uniform(0.25, 0.6) * EM_PX)  # fmt: skip
        at = int(np.clip(side, 0, ink.shape[1] - 4))
        ink[:, at : at + int(rng.integers(1, 4))] = rng.uniform(0.3, 1.0)
    return ink


def _inked(ink: Singles, em: float, rng: np.random.Generator) -> Singles:
    """Ink on paper, 0 to 255: plain, or under the fine waves and rosettes of a card."""
    height, width = ink.shape
    y = (np.arange(height, dtype=np.float32) / em)[:, None]
    x = (np.arange(width, dtype=np.float32) / em)[None]
    light = float(rng.uniform(190, 255))
    paper = np.full((height, width), light, np.float32)
    paper += np.float32(rng.normal(0, 6)) * (x / max(width / em, 1))
    if rng.random() < 0.65:
        for _ in range(int(rng.integers(1, 3))):
            paper -= _lines(x, y, rng)
    black = float(rng.uniform(0, 90) if rng.random() < 0.85 else rng.uniform(60, 120))
    inked = paper + ink * (np.minimum(np.float32(black), paper - 45) - paper)
    return np.asarray(inked, np.float32)


def _lines(x: Singles, y: Singles, rng: np.random.Generator) -> Singles:
    """Darkness of a family of thin curves; ``x`` is a row and ``y`` a column, in em."""
    pitch = float(rng.uniform(0.22, 1.3))
    if rng.random() < 0.65:
        waves = [rng.uniform(0, 0.6) * np.sin(x * rng.uniform(0.15, 2.5) + rng.uniform(0, 6))
                 for _ in range(2)]  # fmt: skip
        phase = (y + (waves[0] + waves[1] + x * rng.normal(0, 0.25)).astype(np.float32)) / pitch
    else:
        centre_x, centre_y = rng.uniform(-2, float(x[0, -1]) + 2), rng.uniform(-5, 8)
        from_x, from_y = np.broadcast_arrays(x - np.float32(centre_x), y - np.float32(centre_y))
        away = cv2.cartToPolar(np.array(from_x), np.array(from_y))
        phase = (away[0] + 0.7 * np.cos(int(rng.integers(5, 14)) * away[1])) / pitch
    fine = np.abs(phase - np.rint(phase)) * (pitch / float(rng.uniform(0.02, 0.08)))
    return np.asarray(np.maximum(1 - fine, 0) * rng.uniform(6, 62), np.float32)


def by_any_device(picture: Singles, em: float, rng: np.random.Generator) -> Pixels:
    """Optics, light, noise, sharpening, tone, and the file format of a scanner or a phone."""
    is_camera = rng.random() < 0.12
    sigma = rng.uniform(0.25, 0.95) if not is_camera else rng.uniform(0.6, 1.5)
    out = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(sigma * max(em / 34, 0.8))))
    if is_camera:
        height, width = out.shape
        corners = rng.uniform(0.6, 1.1, (2, 3)).astype(np.float32)
        out = out * cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:
        out = out + rng.uniform(0.3, 1.3) * (out - cv2.GaussianBlur(out, (0, 0), 1.4))
    noise = rng.standard_normal(out.shape, dtype=np.float32) * np.float32(rng.uniform(0.3, 9))
    if rng.random() < 0.3:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * 1.6
    out = out + noise
    if rng.random() < 0.4:
        black, white = rng.uniform(0, 30), rng.uniform(215, 250)
        out = (out - black) * (255 / (white - black))
    if rng.random() < 0.06:
        low, high = np.percentile(out, (2, 90))
        out = np.where(out < low + rng.uniform(0.35, 0.6) * (high - low), 0.0, 255.0)
    return _filed(out, rng, least_quality=55, compressed=0.75)


def by_scanner(picture: Singles, em: float, rng: np.random.Generator) -> Pixels:
    """As a scanner in order gives it, at JPEG 75 or better: less blurred and less noisy."""
    sigma = float(rng.uniform(0.25, 0.75) * max(em / 34, 0.8))
    out = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma))
    if rng.random() < 0.2:
        out = out + rng.uniform(0.3, 1.0) * (out - cv2.GaussianBlur(out, (0, 0), 1.4))
    out = out + rng.standard_normal(out.shape, dtype=np.float32) * np.float32(rng.uniform(0.3, 3))
    if rng.random() < 0.6:
        black, white = rng.uniform(0, 30), rng.uniform(215, 250)
        out = (out - black) * (255 / (white - black))
    return _filed(out, rng, least_quality=75, compressed=0.9)


def _filed(
    picture: npt.NDArray[np.integer | np.floating], rng: np.random.Generator, *, least_quality: int,
    compressed: float,
) -> Pixels:  # fmt: skip
    """Eight bits, in that share of cases through JPEG."""
    pixels = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    if rng.random() < compressed:
        quality = int(rng.integers(least_quality, 97))
        coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        pixels = cast("Pixels", cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))
    return pixels


def _found(
    box: npt.NDArray[np.float64], em: float, rng: np.random.Generator
) -> tuple[tuple[int, int, int, int], float]:
    """The box and em as a rough finding of lines gives them."""
    rough = box + rng.normal(0, 0.05, 4) * em
    if rng.random() < 0.2:
        rough[1 if rng.random() < 0.5 else 3] += rng.uniform(-0.28, 0.28) * em
    rough[0] -= rng.exponential(0.1) * em
    rough[2] += rng.exponential(0.1) * em
    left, top, right, bottom = (round(float(v)) for v in rough)
    estimate = em * float(np.exp(np.clip(rng.normal(0, ESTIMATE_DEVIATION), -0.35, 0.35)))
    if rng.random() < 0.15:
        estimate = float(np.clip(bottom - top, 0.65 * em, 1.45 * em))
    return (left, top, max(right, left + 4), max(bottom, top + 4)), estimate
