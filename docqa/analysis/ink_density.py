"""How much of each square of a page is ink: added up once for every size that is asked for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from docqa.analysis.ink import ink
from docqa.page import Page, Pixels

BLOCK_PX = 8
"""At the ink's scale; every side asked for is a multiple of it."""


def ink_density(page: Page, side: int) -> Pixels:
    """(rows, columns) 0 to 255, the mean of the ink's mask over squares from the top left corner.

    Squares that reach beyond the page are left out; a page smaller than one has one, cut off.

    Args:
        page: the page.
        side: of the squares, in pixels at the ink's scale, a multiple of ``BLOCK_PX``.
    """
    mask, blocks = page.derive(ink).mask, page.derive(_block_sums)
    if min(mask.shape) < side:
        rows, columns = (max(1, n // side) for n in mask.shape)
        return np.array(
            [
                [mask[y * side : (y + 1) * side, x * side : (x + 1) * side].mean() + 0.5
                 for x in range(columns)]
                for y in range(rows)
            ]
        ).astype(np.uint8)  # fmt: skip
    rows, columns, each = mask.shape[0] // side, mask.shape[1] // side, side // BLOCK_PX
    whole = blocks[: rows * each, : columns * each]
    down = whole.reshape(rows, each, columns * each).sum(axis=1)
    sums = down.reshape(rows, columns, each).sum(axis=2)
    return np.asarray((sums + side * side // 2) // (side * side), np.uint8)


def _block_sums(page: Page) -> npt.NDArray[np.uint32]:
    mask = page.derive(ink).mask
    height, width = (n // BLOCK_PX * BLOCK_PX for n in mask.shape)
    inked = (mask[:height, :width] & 1).reshape(height // BLOCK_PX, BLOCK_PX, width)
    rows = inked.sum(axis=1, dtype=np.uint8)
    # A block's row is one number of eight bytes; the product's highest byte is the sum of them.
    counts = (rows.view(np.uint64) * np.uint64(_EACH_BYTE)) >> np.uint64(56)
    return np.asarray(counts * np.uint64(255), np.uint32)


_EACH_BYTE = 0x0101010101010101
