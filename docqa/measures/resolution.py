"""How many pixels an inch of the document has, and how tall its text is in pixels.

The pixels are known and the inches are inferred: from the edges of a sheet or card of a known
format (ID-1, TD3, A4 …), from a frame that has such a format's shape, from the density that the
file states, and from the usual size of print. No one of them is to be believed alone, so the
explanation that agrees best with all of them is taken. Pixels that software made are counted too;
how many of them hold detail is said apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from docqa.analysis.enlargement import upscaling_ratio
from docqa.analysis.formats import (
    FORMATS_MM,
    MM_PER_INCH,
    Evidence,
    Explanation,
    Seen,
    best_explanation,
)
from docqa.analysis.ink import ink
from docqa.analysis.outline import Outline, outline
from docqa.analysis.patterned_card import patterned_card
from docqa.errors import CannotAssess
from docqa.page import Page

UNKNOWN_TAGS_PPI = (72.0, 96.0)
"""What software writes when it knows nothing."""
PLAUSIBLE_TAG_PPI = (70.0, 2400.0)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Pixels per inch of the document."""

    effective_ppi: float
    """Pixels per inch of the document itself; higher is better."""
    evidence: Evidence
    """What the inches were inferred from; ``text`` tells the usual densities apart at best."""
    tag_ratio: float | None
    """The file's stated density over ``effective_ppi``: 1.0 where it tells the truth, None where
    it states nothing."""
    tag_mismatch_fraction: float
    """How far the stated density is off, 0 to 1, lower is better: 0.5 for twice or half of what
    is there. 0.0 where it agrees, and where the file states none or one that means nothing."""
    upscaling_ratio: float
    """Pixels per pixel of detail: 1.0 for a scan, 2.0 where software doubled it; lower is better.
    At least 1.5 where it is not 1.0."""
    detail_ppi: float
    """``effective_ppi`` over ``upscaling_ratio``: what was scanned; higher is better."""
    text_height_px: float | None
    """Height of the typical text component (about an x-height); None without text."""
    short_fraction: float
    """0 to 1, lower is better: by how much a picture of no known format, in a file that states no
    density, is shorter than A6, the smallest sheet of paper. It shows a piece of a page, or a page
    in fewer pixels than its print makes one think. 0.0 for all others."""


def measure(page: Page) -> Resolution:
    """The resolution of a page.

    Raises:
        CannotAssess: no format fits what was found, the file states no plausible density, and
            there is no text.
    """
    tag = page.origin.ppi_tag
    tag = tag if tag and tag > 0 else None
    trusted = tag if tag and _is_plausible(tag) else None
    text_height_px = page.derive(ink).text_height_px
    sheet = page.derive(outline)
    sides_px = _sides_px(sheet)
    ground_px = page.derive(patterned_card) if sides_px is None else None
    seen = Seen(
        frame_px=_sorted(page.width_px, page.height_px),
        outline_px=sides_px or ground_px,
        is_on_lid=sides_px is not None and sheet is not None and sheet.background == "light",
        is_outline_rough=ground_px is not None,
        tag_ppi=trusted,
        text_height_px=text_height_px,
    )
    found = best_explanation(seen)
    if found is None:
        raise CannotAssess("neither a known paper or card format nor a stated density was found")
    ratio = tag / found.ppi if tag else None
    told = trusted / found.ppi if trusted else 1.0
    enlarged = page.derive(upscaling_ratio)
    return Resolution(
        effective_ppi=found.ppi,
        evidence=found.evidence,
        tag_ratio=ratio,
        tag_mismatch_fraction=1.0 - min(told, 1.0 / told),
        upscaling_ratio=enlarged,
        detail_ppi=found.ppi / enlarged,
        text_height_px=text_height_px,
        short_fraction=_short_fraction(seen, found),
    )


def _short_fraction(seen: Seen, found: Explanation) -> float:
    if found.evidence != "text":
        return 0.0
    longer_mm = seen.frame_px[0] / found.ppi * MM_PER_INCH
    return max(1.0 - longer_mm / FORMATS_MM["a6"][0], 0.0)


def _is_plausible(tag_ppi: float) -> bool:
    low, high = PLAUSIBLE_TAG_PPI
    return low <= tag_ppi <= high and not any(abs(tag_ppi - x) < 0.5 for x in UNKNOWN_TAGS_PPI)


def _sides_px(sheet: Outline | None) -> tuple[float, float] | None:
    """Of an outline whose every side was seen: one that the frame cuts, or a bent one, has no
    shape.
    """
    if sheet is None or sheet.fills_frame or any(sheet.touching) or sheet.bow_fraction > 0:
        return None
    top, right, bottom, left = sheet.side_lengths_px()
    return _sorted((top + bottom) / 2, (left + right) / 2)


def _sorted(width_px: float, height_px: float) -> tuple[float, float]:
    return (float(max(width_px, height_px)), float(min(width_px, height_px)))
