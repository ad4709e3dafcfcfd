"""Lines set from left to right piece by piece, so that what stands where is known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from docqa.page import Pixels
from models.strips.faces import EM_PX, Face, opened

Singles = npt.NDArray[np.float32]

HEIGHT_PX = round(3.0 * EM_PX)
BASELINE_PX = round(1.75 * EM_PX)
SIDE_PX = EM_PX
"""Paper at both ends."""
LEAST_INK_FRACTION = 0.55
"""Thinning that leaves less of a line's ink is not kept."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, a number or a sign; pieces stand in a line from left to right."""

    text: str
    """In logical order; empty is a space."""
    face: Face
    darkness: float = 1.0
    """Of its ink, 0 to 1."""
    gap_em: float = 0.0
    """Width of a space, or what is left free after the piece."""


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line at EM_PX."""

    ink: Singles
    """(HEIGHT_PX, W) coverage times darkness, 0 to 1."""
    box: tuple[int, int, int, int]
    """Left, top, right, bottom of the line's own ink, without its neighbours."""


def printed(pieces: list[Piece], rng: np.random.Generator) -> PrintedLine:
    """Set the pieces on one baseline, with strokes a little thicker or thinner than the font's."""
    lengths = [_advance(piece) for piece in pieces]
    width = int(sum(lengths)) + 2 * SIDE_PX
    image = Image.new("L", (width, HEIGHT_PX), 0)
    draw = ImageDraw.Draw(image)
    x = float(SIDE_PX)
    for piece, length in zip(pieces, lengths, strict=True):
        if piece.text:
            draw.text(
                (x, BASELINE_PX), piece.text, fill=round(255 * piece.darkness),
                font=opened(piece.face.path, piece.face.size), anchor="ls",
                direction="rtl" if _is_arabic(piece.text) else "ltr",
            )  # fmt: skip
        x += length
    ink = _weighted(np.array(image), rng)
    rows, columns = np.flatnonzero(ink.max(axis=1) > 60), np.flatnonzero(ink.max(axis=0) > 60)
    if not rows.size:
        raise ValueError("the pieces of a line draw nothing")
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return PrintedLine(ink.astype(np.float32) / np.float32(255), box)


def _advance(piece: Piece) -> float:
    if not piece.text:
        return piece.gap_em * EM_PX
    font = opened(piece.face.path, piece.face.size)
    direction = "rtl" if _is_arabic(piece.text) else "ltr"
    return float(font.getlength(piece.text, direction=direction)) + piece.gap_em * EM_PX


def _is_arabic(text: str) -> bool:
    """Whether it runs from right to left; numbers are set from left to right in any script."""
    return any("\u0621" <= c <= "\u064a" for c in text)


def _weighted(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Bolder, finer, uneven or as the font has it."""
    choice = rng.random()
    if choice < 0.3:
        across, down = (int(v) for v in rng.integers(1, 5, 2))
        return _ellipse(cv2.dilate, ink, across, down)
    if choice < 0.45:
        across, down = (int(v) for v in rng.integers(1, 3, 2))
        finer = _ellipse(cv2.erode, ink, across, down)
        return finer if finer.sum() > LEAST_INK_FRACTION * ink.sum() else ink
    if choice < 0.65:
        # Ink that ran, or type that wore off: the edge moves with a soft noise.
        soft = cv2.GaussianBlur(ink, (0, 0), float(rng.uniform(0.8, 2.3)))
        rows, columns = ink.shape[0] // 6, max(ink.shape[1] // 6, 2)
        noise = rng.normal(0, rng.uniform(0, 28), (rows, columns)).astype(np.float32)
        limit = rng.uniform(80, 150) + cv2.resize(noise, ink.shape[::-1])
        edge = np.clip((soft - limit) * 6 + 128, 0, 255) * (float(ink.max()) / 255)
        return edge.astype(np.uint8) if edge.sum() > LEAST_INK_FRACTION * ink.sum() else ink
    return ink


def _ellipse(operation: Callable[..., object], ink: Pixels, across: int, down: int) -> Pixels:
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, down))
    return np.asarray(operation(ink, element), np.uint8)
