"""The tiles of writing at full resolution, chosen once for all the measures that look at them."""

from __future__ import annotations

from docqa.analysis.text_tiles import TextTile, text_tiles
from docqa.page import Page


def full_size_tiles(page: Page) -> tuple[TextTile, ...]:
    """The inkiest full-resolution tile of each of up to 24 zones; call it by ``page.derive``."""
    return text_tiles(page, 1)
