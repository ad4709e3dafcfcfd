"""Cards laid on a scanner's glass by hand, each turned as a test says."""

from __future__ import annotations

import cv2
import numpy as np

from docqa.page import Pixels


def lay(
    card: Pixels, glass: Pixels, middle: tuple[int, int], turn_deg: float, *, shadow_px: float = 1.5
) -> None:
    """Put it on the glass, with the shadow of its edges."""
    height, width = card.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn_deg, 1.0)
    matrix[:, 2] += middle[0] - width / 2, middle[1] - height / 2
    size = glass.shape[1::-1]
    laid = cv2.warpAffine(card, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(np.ones((height, width), np.float32), matrix, size)
    shadow = 60 * cv2.GaussianBlur(cover, (0, 0), shadow_px)[:, :, None]
    glass[:] = np.where(cover[:, :, None] > 0.5, laid, np.maximum(glass - shadow, 0))
