"""Blank tiles are bright, unclipped, and have nothing on them."""

from __future__ import annotations

import numpy as np

from docqa.analysis.blank_tiles import MOST_TILES, TILE_PX, blank_tiles
from docqa.page import Pixels, page_from_pixels

_ROWS, _COLUMNS = 5, 4


def _sheet(level: int = 220) -> Pixels:
    return np.full((_ROWS * TILE_PX + 50, _COLUMNS * TILE_PX + 30), level, np.uint8)


def test_tiles_with_writing_are_passed_over() -> None:
    luma = _sheet()
    writing = np.random.default_rng(1).random(luma.shape) < 0.3
    writing[2 * TILE_PX : 4 * TILE_PX] = False
    luma[np.kron(writing[::8, ::8], np.ones((8, 8), bool))[: luma.shape[0], : luma.shape[1]]] = 30
    found = blank_tiles(page_from_pixels(luma))
    assert sorted(found) == [(x * TILE_PX, y * TILE_PX) for x in range(_COLUMNS) for y in (2, 3)]


def test_no_more_than_so_many_and_all_within_the_page() -> None:
    found = blank_tiles(page_from_pixels(_sheet()))
    assert len(set(found)) == MOST_TILES
    assert all(0 <= x <= 3 * TILE_PX and 0 <= y <= 4 * TILE_PX for x, y in found)


def test_clipped_paper_dark_tables_and_small_pages_have_none() -> None:
    assert blank_tiles(page_from_pixels(_sheet(255))) == []
    assert blank_tiles(page_from_pixels(_sheet(40))) == []
    assert blank_tiles(page_from_pixels(np.full((100, 900), 220, np.uint8))) == []
