"""How bright the paper is, and whether the picture is clipped: under- or over-exposed.

Paper is the bright plane of ``analysis/paper.py``. How dark the writing is against it is told by
``contrast``.
"""

from __future__ import annotations

from dataclasses import dataclass

from docqa.analysis.paper import paper
from docqa.page import Page


@dataclass(frozen=True, slots=True)
class Exposure:
    """Exposure of a page; levels are 0 (black) to 255 (white)."""

    paper_level: float
    """Brightest paper (95th percentile of its blocks); higher is better, scans have over 240."""
    clipped_dark_fraction: float
    """0 to 1: share of pixels at 2 or below; a page of print has a few hundredths."""
    clipped_white_fraction: float
    """0 to 1: share of pixels at 254 or above; near the share of blank paper in most scans."""


def measure(page: Page) -> Exposure:
    """Measure the exposure. Raises CannotAssess on pages too small to show paper."""
    light = page.derive(paper)
    return Exposure(
        paper_level=light.brightest_level,
        clipped_dark_fraction=light.clipped_dark_fraction,
        clipped_white_fraction=light.clipped_white_fraction,
    )
