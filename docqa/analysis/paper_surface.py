"""The page with its ink closed: what light and shadow are read from.

A morphological closing fills strokes with the paper around them. It is done once, at a coarse size
that keeps nothing narrower than a heading's strokes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2

from docqa.page import Page, Pixels, halved

COARSE_SIDE_PX = 160
"""The coarsest luma whose short side still has this many pixels is taken."""
LARGE_SIDE_PX = 4 * COARSE_SIDE_PX
"""Where even an eighth of the page is this large, half of that is taken."""
CLOSING_FRACTION_OF_SHORT_SIDE = 1 / 40
"""Wider than the strokes of a heading, narrower than a table cell."""


@dataclass(frozen=True, slots=True)
class PaperSurface:
    """The page's luma with its ink closed."""

    scale: int
    """The page is this many times as large; 1, 2, 4, 8 or 16."""
    luma: Pixels
    """(H, W)"""
    closed: Pixels
    """(H, W)"""
    halved: Pixels
    """(H // 2, W // 2) the same at half the size, for means over blocks; an odd last row or column
    is left out."""


def paper_surface(page: Page) -> PaperSurface:
    """Call it as ``page.derive(paper_surface)``; for pages of 2 px and more."""
    short = min(page.width_px, page.height_px)
    scale = next((s for s in (8, 4, 2) if short // s >= COARSE_SIDE_PX), 1)
    luma = page.luma(scale)
    if min(luma.shape) >= LARGE_SIDE_PX:
        scale, luma = 2 * scale, page.luma(2 * scale)
    closed = with_ink_closed(luma)
    return PaperSurface(scale, luma, closed, halved(closed))


def with_ink_closed(pixels: Pixels) -> Pixels:
    """(H, W) or (H, W, 3) the same picture with its ink filled by the paper around it."""
    side = max(3, int(min(pixels.shape[:2]) * CLOSING_FRACTION_OF_SHORT_SIDE) | 1)
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    return cast("Pixels", cv2.morphologyEx(pixels, cv2.MORPH_CLOSE, element))
