"""How much of a card's known size a picture leaves out.

A card on a white lid shows no outline, so one whose other half lies beyond the frame looks like a
sheet that fills it. Where the file states a scanner's density, the picture has a size: what is
smaller than the card cannot show all of it.
"""

from __future__ import annotations

from docqa.analysis.formats import (
    FORMATS_MM,
    MM_PER_INCH,
    STANDARD_PPI,
    STANDARD_TOLERANCE,
    Sides,
    format_aspect,
)
from docqa.analysis.outline import LEAST_SCANNER_PPI, Outline, outline
from docqa.page import Origin, Page

WHOLE_ASPECT_TOLERANCE = 0.03
"""An outline within the frame that has the card's shape is the card, whatever the file states."""
LEAST_WHOLE_SIDE, MOST_WHOLE_SIDE = 0.97, 1.2
"""A side in parts of the card's own, with a little lid: what is cut is short one way. What is short
both ways was made smaller, or its density is wrong."""
SHAPE_TOLERANCE = 0.1
"""What was made smaller still has the card's shape, but for the lid around it."""


def short_of(page: Page, name: str) -> float:
    """0 to 1: what is missing of the longer or shorter side of the card of that format.

    0.0 where the file states no density, or one that the card's own outline does not bear out.
    """
    ppi = page.origin.ppi_tag
    if ppi is None or not _is_scanners(page.origin, ppi):
        return 0.0
    sheet = page.derive(outline)
    if sheet is not None and sheet.fills_frame:
        sheet = None
    cut = sheet if sheet is not None and any(sheet.touching) else None
    if sheet is not None and cut is None:
        misfit = sheet.aspect_ratio() / format_aspect(name) - 1
        if abs(misfit) <= WHOLE_ASPECT_TOLERANCE:
            return 0.0
    longer_mm, shorter_mm = (side / ppi * MM_PER_INCH for side in _seen_px(page, cut))
    card_longer_mm, card_shorter_mm, _ = FORMATS_MM[name]
    shares = (longer_mm / card_longer_mm, shorter_mm / card_shorter_mm)
    if max(shares) >= LEAST_WHOLE_SIDE:
        return max(1.0 - min(shares), 0.0)
    # Of a card that lost half its length, the shorter side is the longer one now.
    has_shape = longer_mm / shorter_mm >= (1 - SHAPE_TOLERANCE) * format_aspect(name)
    is_half = LEAST_WHOLE_SIDE <= longer_mm / card_shorter_mm <= MOST_WHOLE_SIDE
    return 1.0 - min(shares) if is_half and not has_shape else 0.0


def _is_scanners(origin: Origin, ppi: float) -> bool:
    """Whether a picture of that density shows a size: one placed on a page may have any."""
    tolerance = STANDARD_TOLERANCE["tag"]
    is_usual = any(abs(ppi / usual - 1) <= tolerance for usual in STANDARD_PPI)
    return ppi >= LEAST_SCANNER_PPI and (origin.is_ppi_own or is_usual)


def _seen_px(page: Page, sheet: Outline | None) -> Sides:
    """Longer and shorter side of the sheet that the frame cuts, or of the frame."""
    across, down = float(page.width_px), float(page.height_px)
    if sheet is not None:
        top, right, bottom, left = sheet.side_lengths_px()
        across, down = (top + bottom) / 2, (left + right) / 2
    return max(across, down), min(across, down)
