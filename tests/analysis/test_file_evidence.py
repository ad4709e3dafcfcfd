from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.file_evidence import MESSENGER_FILE_CAP, file_evidence, with_file
from docqa.page import Layering, Origin, page_from_pixels


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


@pytest.mark.parametrize(
    ("width_px", "height_px", "jpeg_scans", "was_sent"),
    [
        (2048, 1078, 10, True),
        (1180, 1600, 10, True),
        (1180, 1600, 1, False),  # baseline: a camera's or a scanner's own
        (1600, 2048, 3, False),  # one scan per component, and not progressive
        (1100, 1700, 10, False),  # of no messenger's size
        (2048, 3000, 10, False),  # it is the longer side that they limit
    ],
)
def test_a_picture_that_a_messenger_shrank_is_looked_at_by_a_person(
    width_px: int, height_px: int, jpeg_scans: int, was_sent: bool
) -> None:
    page = page_from_pixels(
        np.full((height_px, width_px), 255, np.uint8),
        origin=Origin("jpeg", "image/jpeg", jpeg_scans=jpeg_scans),
    )
    found = file_evidence(page)
    assert bool(found.messenger) == was_sent
    assert (with_file(0.99, found) <= MESSENGER_FILE_CAP) == was_sent
    assert with_file(0.05, found) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("layering", "size_px", "ppi_tag", "is_ppi_own", "found"),
    [
        (None, (1000, 1500), 300.0, True, {"density_tag"}),
        ("image", (1000, 1500), 300.0, True, {"density_tag"}),
        ("image", (1000, 1500), 300.0, False, set()),  # somebody placed it so
        ("image", (2480, 3508), 300.0, False, {"density_tag", "exact_paper_size"}),
        ("layered", (1000, 1500), 300.0, False, set()),
        ("layered", (2480, 3508), 300.0, False, {"density_tag", "exact_paper_size"}),
        ("marked", (2480, 3508), 300.0, True, {"density_tag", "exact_paper_size"}),
        ("marked", (2480, 3508), 300.0, False, set()),  # the page was drawn so
        ("rendered", (2480, 3508), 300.0, False, set()),
    ],
)
def test_a_density_that_nobody_but_a_page_gives_is_no_scanners(
    layering: Layering | None,
    size_px: tuple[int, int],
    ppi_tag: float,
    is_ppi_own: bool,
    found: set[str],
) -> None:
    page = page_from_pixels(
        np.full(size_px[::-1], 255, np.uint8),
        origin=Origin(
            "pdf" if layering else "jpeg",
            "",
            ppi_tag=ppi_tag,
            is_ppi_own=is_ppi_own,
            pdf_layering=layering,
        ),
    )
    assert set(file_evidence(page).scanner) == found
