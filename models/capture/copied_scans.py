"""What an office copier makes of a scan: training material for ``train.py``.

A copier whitens by one curve for the whole page. Where its white lies near the paper's own level,
or where the lamp falls off, grey and noise stay on the paper, as they do after an app; but the
letters, sampled once and sharpened, stay crisp.
"""

from __future__ import annotations

import cv2
import numpy as np

from docqa.page import Page, Pixels, page_from_pixels

NOISE_LEVELS = (0.5, 3.0)
SLOPE_LEVELS = (0.0, 14.0)
"""From one side of the page to the other, before whitening."""
SHADOW_LEVELS = (0.0, 40.0)
"""At one edge: a book's gutter, or a lid that is not quite closed."""
SHADOW_REACH_FRACTION = (0.01, 0.06)
WHITE_FROM_PAPER_LEVELS = (-10.0, 3.0)
BLACK_LEVEL = (0.0, 60.0)
SHARPENING = (0.5, 2.5)
QUALITY = (55, 93)


def copied(page: Page, seed: int) -> Page:
    """The page, in grey, as a copier would have scanned it."""
    rng = np.random.default_rng((seed, 0xC0C0))
    luma = page.luma().astype(np.float32)
    height, width = luma.shape
    paper = float(np.percentile(luma, 80))
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :]
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    turn = rng.uniform(0, 2 * np.pi)
    slope = np.float32(rng.uniform(*SLOPE_LEVELS)) * (
        np.float32(np.cos(turn)) * across + np.float32(np.sin(turn)) * down
    )
    reach = np.float32(rng.uniform(*SHADOW_REACH_FRACTION))
    shadow = np.float32(rng.uniform(*SHADOW_LEVELS)) * np.exp(-(across + np.float32(0.5)) / reach)
    light = 1 + (slope - shadow) / np.float32(paper)
    noisy = luma * light + rng.normal(0, rng.uniform(*NOISE_LEVELS), luma.shape).astype(np.float32)
    soft = cv2.GaussianBlur(noisy, (0, 0), 0.8)
    crisp = noisy + np.float32(rng.uniform(*SHARPENING)) * (noisy - soft)
    black = rng.uniform(*BLACK_LEVEL)
    white = paper + rng.uniform(*WHITE_FROM_PAPER_LEVELS)
    level = 255 * (crisp - np.float32(black)) / np.float32(white - black)
    pixels: Pixels = np.clip(level + 0.5, 0, 255).astype(np.uint8)
    quality = int(rng.integers(*QUALITY))
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return page_from_pixels(np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8))
