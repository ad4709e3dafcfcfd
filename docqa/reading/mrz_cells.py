"""The 44 cells of a line of the machine-readable zone, and which of them hold a filler.

The zone is set in a font of one width (ICAO Doc 9303-3, 4.5), so its characters stand in cells of
one pitch, whatever the font is. The second character of a passport's zone is a filler: what looks
like it is one too. So fillers, which OCR engines read as all sorts of letters, need not be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.page import Pixels

Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]
"""x, y, width, height."""

LINE_LENGTH = 44
CELL_PX = (16, 24)
"""Width and height to which cells are scaled to be compared."""
SMOOTHING_PX = 0.8
PITCHES_COUNT = 61
OFFSETS_COUNT = 61
LOOSE_FRACTION = 0.7
"""Of a pitch: how far the ink may end from the outer borders of the first and last cell."""
SAMPLE_CELL = 1
"""The cell of the first line that holds a filler in every passport."""
LIKE_CORRELATION = 0.75
"""Fillers are above 0.8, but for stains."""
UNLIKE_CORRELATION = 0.66
"""Letters and digits stay below; 4, A and K come closest."""
STROKE_PX = 25


@dataclass(frozen=True, slots=True)
class Cells:
    """Where the cells of a line stand."""

    left: float
    """Left border of the first, in pixels of the sheet."""
    pitch: float
    top: int
    bottom: int

    def border(self, number: int) -> int:
        """Left border of a cell, 0 to 44, in whole pixels."""
        return round(self.left + number * self.pitch)


def depth_of(pixels: Pixels) -> Pixels:
    """(H, W) how much darker than its surroundings each place is."""
    return cast("Pixels", cv2.morphologyEx(
        pixels, cv2.MORPH_BLACKHAT, np.ones((STROKE_PX, STROKE_PX), np.uint8)
    ))  # fmt: skip


def cells_of(depth: Pixels, line: Box) -> Cells:
    """The grid of 44 cells whose borders run through the least ink.

    Args:
        depth: (H, W) of the sheet, from ``depth_of``.
        line: the box of the line's ink.
    """
    x, y, width, height = line
    pitches = np.linspace(width / (LINE_LENGTH + 0.4), width / (LINE_LENGTH - 1.2), PITCHES_COUNT)
    loose = LOOSE_FRACTION * pitches[:, None]
    # The grid covers the ink: what is left of its width is shared out between the two ends.
    spare = LINE_LENGTH * pitches[:, None] - width
    lefts = x - np.clip(np.linspace(0.0, 1.0, OFFSETS_COUNT)[None, :] * spare, -loose, loose)
    columns = depth[max(y, 0) : y + height].sum(axis=0, dtype=np.float64)
    columns = np.pad(columns, 64)
    borders = lefts[:, :, None] + np.arange(LINE_LENGTH + 1) * pitches[:, None, None] + 64 - 0.5
    ink = np.interp(borders, np.arange(len(columns)), columns).sum(axis=2)
    pitch_at, left_at = np.unravel_index(int(ink.argmin()), ink.shape)
    margin = height // 8
    return Cells(
        float(lefts[pitch_at, left_at]), float(pitches[pitch_at]),
        max(y - margin, 0), min(y + height + margin, depth.shape[0]),
    )  # fmt: skip


def fillers_of(depth: Pixels, lines: tuple[Cells, Cells]) -> Flags | None:
    """(2, 44) whether each cell looks like the filler in the first line's second cell.

    None when some cell is neither like it nor unlike it: then the grid or the sample is wrong.
    """
    patches = np.stack([_patches(depth, cells) for cells in lines])
    sample = patches[0, SAMPLE_CELL]
    like = patches @ sample > LIKE_CORRELATION
    mean = patches[like].mean(axis=0) if like.any() else sample
    alike = patches @ (mean / max(float(np.linalg.norm(mean)), 1e-6))
    if ((alike > UNLIKE_CORRELATION) & (alike < LIKE_CORRELATION)).any():
        return None
    fillers = np.asarray(alike >= LIKE_CORRELATION)
    is_zone = bool(fillers[0, SAMPLE_CELL]) and not fillers[:, 0].any()
    return fillers if is_zone else None


def _patches(depth: Pixels, cells: Cells) -> Singles:
    """(44, pixels of a cell) each cell scaled, without its mean, of length 1."""
    across, down = CELL_PX
    scale_x, scale_y = cells.pitch / across, (cells.bottom - cells.top) / down
    to_sheet = np.array([
        (scale_x, 0.0, cells.left + 0.5 * scale_x - 0.5),
        (0.0, scale_y, cells.top + 0.5 * scale_y - 0.5),
    ])  # fmt: skip
    strip = cv2.warpAffine(
        depth, to_sheet, (across * LINE_LENGTH, down), flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    )
    smooth = cast("Singles", cv2.GaussianBlur(strip.astype(np.float32), (0, 0), SMOOTHING_PX))
    cells_first = smooth.reshape(down, LINE_LENGTH, across).transpose(1, 0, 2)
    patches = cells_first.reshape(LINE_LENGTH, -1)
    patches = patches - patches.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(patches, axis=1)[:, None]
    return cast("Singles", patches / np.maximum(lengths, 1e-6))
