"""How much of the document has a colour of its own, whatever the lamp's cast.

Whether a document must have colour depends on what it is: only a policy that names this measure
pays for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from docqa.analysis.colour_area import colour_fraction
from docqa.page import Page


@dataclass(frozen=True, slots=True)
class Colour:
    """Colour of the document's own."""

    area_fraction: float
    """0 to 1: share of the document's area with a colour of its own. 0 in grey scans, black and
    white copies and photographs of them; a coloured card has 0.002, where little but a
    pale tint is on it, to 0.5."""


def measure(page: Page) -> Colour:
    """Measure the coloured area. Always answers."""
    return Colour(page.derive(colour_fraction))
