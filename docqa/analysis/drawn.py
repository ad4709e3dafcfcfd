"""Whether a program drew the page: its letters repeat exactly, as no sensor sees them."""

from __future__ import annotations

from docqa.analysis.letter_twins import letter_twins
from docqa.analysis.texture import ink_mode_fraction, is_noiseless
from docqa.page import Page

TWINS_FRACTION = 0.03
TWINS_COUNT = 20
"""Letters with an exact twin, and how many letters it takes to say so."""
LOW_RESOLUTION_PX = 1200
"""Pages whose longer side is under this are the size of a display's window. Their letters are too
small to have many exact twins, and a scan so coarse is noisy where it is not clipped."""
INK_MODE_FRACTION, NEAR_TWINS_FRACTION = 0.35, 0.05


def is_drawn(page: Page) -> bool:
    """True where letters repeat on noiseless paper. Call it as ``page.derive(is_drawn)``."""
    if not is_noiseless(page):
        return False
    twins = page.derive(letter_twins)
    if twins.letters_count >= TWINS_COUNT and twins.exact_fraction >= TWINS_FRACTION:
        return True
    is_small = max(page.width_px, page.height_px) < LOW_RESOLUTION_PX
    return is_small and (
        twins.near_fraction >= NEAR_TWINS_FRACTION or ink_mode_fraction(page) >= INK_MODE_FRACTION
    )
