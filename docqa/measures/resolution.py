"""How many pixels an inch of the document has, and how tall its text is in pixels.

The pixels are known and the inches are inferred, in this order:

1. the sheet or card seen on its background has the shape of a known format (ID-1, TD3, A4 …);
2. the page fills the frame, and the frame has the shape of a known format;
3. the density that the file states, unless it is one that software writes when it knows none;
   also before 2, where the two differ and the print then has the more usual size.

Formats of one shape (A4, A5, the passport's TD3) are told apart by the file's density where it is
plausible; without one a card-sized thing on a bed is TD3 and anything else A4. Content that was
enlarged by software is not recognised here: it has the pixels, if not the detail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from docqa.analysis.formats import CARDS_MM, MM_PER_INCH, SHEETS_MM, confirms, ppi_by_format
from docqa.analysis.ink import ink
from docqa.analysis.outline import Outline, outline
from docqa.errors import CannotAssess
from docqa.page import Page

Evidence = Literal["outline", "frame", "tag"]

OUTLINE_TOLERANCE = 0.06
"""How far the outline's aspect ratio may be off a format's: perspective shortens a side."""
FRAME_TOLERANCE = 0.025
"""The same for a frame, which a camera's 4:3 must not pass for Letter (1.333 and 1.294)."""
CARD_FRAME_TOLERANCE = 0.01
UNKNOWN_TAGS_PPI = (72.0, 96.0)
"""What software writes when it knows nothing."""
PLAUSIBLE_TAG_PPI = (90.0, 2400.0)
USUAL_TEXT_HEIGHT_MM = 2.0
"""Of an x-height of 11 point Latin print, or the body of an Arabic word."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Pixels per inch of the document."""

    effective_ppi: float
    """Pixels per inch of the document itself; higher is better."""
    evidence: Evidence
    """What the inches were inferred from."""
    tag_ratio: float | None
    """The file's stated density over ``effective_ppi``: 1.0 where it tells the truth, None where
    it states nothing."""
    text_height_px: float | None
    """Height of the typical text component (about an x-height); None without text."""


def measure(page: Page) -> Resolution:
    """The resolution of a page.

    Raises:
        CannotAssess: no format fits what was found, and the file states no plausible density.
    """
    tag = page.origin.ppi_tag
    tag = tag if tag and tag > 0 else None
    trusted = tag if tag and _is_plausible(tag) else None
    sheet = page.derive(outline)
    evidence: Evidence = "outline"
    if sheet is None or sheet.fills_frame:
        evidence = "frame"
        ppi = _of_frame(page.width_px, page.height_px, trusted)
    else:
        ppi = _of_outline(sheet, trusted)
    text_height_px = page.derive(ink).text_height_px
    if trusted is not None and (
        ppi is None or (evidence == "frame" and _tag_fits_better(ppi, trusted, text_height_px))
    ):
        evidence, ppi = "tag", trusted
    if ppi is None:
        raise CannotAssess("neither a known paper or card format nor a stated density was found")
    return Resolution(ppi, evidence, tag / ppi if tag else None, text_height_px)


def _tag_fits_better(ppi: float, tag_ppi: float, text_height_px: float | None) -> bool:
    """Where shape and stated density differ, the usual size of print decides.

    A card scanned with some bed around it may well have the shape of A4.
    """
    if confirms(ppi, tag_ppi) or text_height_px is None:
        return False
    by_shape, by_tag = (
        abs(math.log(text_height_px / each * MM_PER_INCH / USUAL_TEXT_HEIGHT_MM))
        for each in (ppi, tag_ppi)
    )
    return by_tag < by_shape


def _is_plausible(tag_ppi: float) -> bool:
    low, high = PLAUSIBLE_TAG_PPI
    return low <= tag_ppi <= high and not any(abs(tag_ppi - x) < 0.5 for x in UNKNOWN_TAGS_PPI)


def _of_outline(sheet: Outline, tag: float | None) -> float | None:
    """By the outline's shape; a side that the frame cuts gives no shape."""
    if any(sheet.touching):
        return None
    top, right, bottom, left = sheet.side_lengths_px()
    sides = (max(top + bottom, left + right) / 2, min(top + bottom, left + right) / 2)
    formats = {**CARDS_MM, **SHEETS_MM} if sheet.kind == "card" else {**SHEETS_MM, **CARDS_MM}
    return ppi_by_format(sides, list(formats.values()), OUTLINE_TOLERANCE, tag)


def _of_frame(width_px: int, height_px: int, tag: float | None) -> float | None:
    """By the frame's shape, as of a scan whose page fills it.

    Many a picture happens to have a card's shape, so that one must fit closely, and a plausible
    density must confirm it.
    """
    sides = (float(max(width_px, height_px)), float(min(width_px, height_px)))
    sheet = ppi_by_format(sides, list(SHEETS_MM.values()), FRAME_TOLERANCE, tag)
    if sheet is not None and (tag is None or confirms(sheet, tag)):
        return sheet
    tolerance = CARD_FRAME_TOLERANCE if tag is None else FRAME_TOLERANCE
    card = ppi_by_format(sides, list(CARDS_MM.values()), tolerance, tag)
    if card is not None and sheet is None and tag is None:
        return card
    return card if card is not None and tag is not None and confirms(card, tag) else sheet
