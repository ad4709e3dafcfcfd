"""What a scanner app would have made of real photographs: to learn from, and to be measured by."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from docqa.analysis.outline import outline
from docqa.page import Page, Pixels, page_from_pixels

COPIES = 2
"""Of each photograph."""
MARGIN_FRACTION = 0.1
WIDTHS_PX = (1100, 2500)
CORNER_ERROR_FRACTION = 0.01
LEAST_AREA_FRACTION = 0.15
"""Of the frame: a smaller sheet is not what the photograph was taken for."""


def whitened_copies(page: Page, seed: int) -> Iterator[Page]:
    """The middle of a photograph, straightened, whitened in grey or colour, and saved as JPEG."""
    rng = np.random.default_rng((seed, 0xC0B1))
    raster = page.raster()
    pixels = raster.luma if raster.colour is None else raster.colour
    for _ in range(COPIES):
        yield _saved(_whitened(_straightened(pixels, rng), rng), rng)


def cut_out_copy(page: Page, seed: int) -> Page | None:
    """The sheet of a photograph, cut out by its corners and whitened; None where none shows."""
    found = page.derive(outline)
    if found is None or found.fills_frame or found.area_fraction < LEAST_AREA_FRACTION:
        return None
    rng = np.random.default_rng((seed, 0xC0B2))
    raster = page.raster()
    pixels = raster.luma if raster.colour is None else raster.colour
    top, right, bottom, left = found.side_lengths_px()
    across, down = (top + bottom) / 2, (left + right) / 2
    scale = min(1.0, WIDTHS_PX[1] / max(across, down))
    size = (round(scale * across), round(scale * down))
    frame = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    corners = np.array(found.corners) * pixels.shape[1] / page.width_px
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), frame)
    flat = cv2.warpPerspective(pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return _saved(_whitened(np.asarray(flat, np.uint8), rng), rng)


def _saved(white: Pixels, rng: np.random.Generator) -> Page:
    """As a JPEG, in grey or colour."""
    if white.ndim == 3 and rng.random() < 0.5:
        white = np.asarray(cv2.cvtColor(white, cv2.COLOR_RGB2GRAY), np.uint8)
    bgr = white if white.ndim == 2 else cv2.cvtColor(white, cv2.COLOR_RGB2BGR)
    quality = int(rng.integers(70, 95))
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)
    return page_from_pixels(decoded if decoded.ndim == 2 else decoded[:, :, ::-1].copy())


def _straightened(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    left, top = MARGIN_FRACTION * width, MARGIN_FRACTION * height
    corners = np.array(
        [(left, top), (width - left, top), (width - left, height - top), (left, height - top)]
    )
    corners += rng.normal(0, CORNER_ERROR_FRACTION, (4, 2)) * (width, height)
    across = (1 - 2 * MARGIN_FRACTION) * width
    new_width = int(
        across * rng.uniform(0.8, 1.25) if rng.random() < 0.6 else rng.integers(*WIDTHS_PX)
    )
    new_width = min(new_width, WIDTHS_PX[1])
    size = (new_width, int(new_width * height / width))
    frame = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), frame)
    how = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray(
        cv2.warpPerspective(pixels, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def _whitened(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Divided by the background, a blurred local maximum, and stretched."""
    height, width = pixels.shape[:2]
    small = cv2.resize(
        pixels, (max(width // 8, 1), max(height // 8, 1)), interpolation=cv2.INTER_AREA
    )
    reach = int(max(small.shape[:2]) * rng.uniform(0.03, 0.09)) | 1
    ground = cv2.dilate(small, np.ones((reach, reach), np.uint8))
    ground = cv2.GaussianBlur(ground, (0, 0), reach / 2)
    full = cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    level = pixels / np.maximum(full, 1) * np.float32(rng.uniform(1.02, 1.15))
    curve = np.clip((level - 0.12) / 0.88, 0, 1).astype(np.float64) ** rng.uniform(1.0, 1.4)
    return np.asarray(255 * curve + 0.5, np.uint8)
