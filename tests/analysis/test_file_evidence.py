from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.file_evidence import file_evidence
from docqa.page import Origin, page_from_pixels


@pytest.mark.parametrize(
    ("width_px", "height_px", "ppi_tag", "is_paper"),
    [
        (2480, 3508, None, True),
        (3508, 2480, 300.0, True),
        (2484, 3503, 300.0, True),  # a few pixels off
        (2490, 3508, 300.0, False),  # too wide: no scanner adds to a line
        (2528, 3300, None, True),  # Letter, lines of 79 words of 32 bits
        (2528, 3300, 300.0, True),
        (2515, 3300, 300.0, False),  # lines too short for that
        (1680, 2200, None, False),  # 20 px are too much of a short line
        (2528, 3290, None, False),  # both sides short: any crop may be so
        (2550, 4200, 381.8, True),  # Legal, fitted to a Letter page of a PDF
        (2528, 4200, 381.8, False),  # not exact, and the file says otherwise
        (1659, 2344, 72.0, False),
        (3000, 4000, 72.0, False),
    ],
)
def test_paper_sizes_are_told_from_chance(
    width_px: int, height_px: int, ppi_tag: float | None, is_paper: bool
) -> None:
    page = page_from_pixels(
        np.full((height_px, width_px), 255, np.uint8),
        origin=Origin("png", "image/png", ppi_tag=ppi_tag),
    )
    assert ("exact_paper_size" in file_evidence(page).scanner) == is_paper
