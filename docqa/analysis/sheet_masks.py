"""Where the sheet may be: the picture cut into sheet and surroundings in several ways.

No single cut holds everywhere: paper is brighter than most tables, whiter than all coloured ones,
and of another colour than the frame's border unless it reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import cv2
import numpy as np

from docqa.page import Pixels


def masks_by_border(colour: Pixels) -> Iterator[Pixels]:
    """Cuts by the distance from the border's colour, each made when it is asked for.

    Args:
        colour: (H, W, 3) RGB.

    Yields:
        (H, W) 0 or 255: where the sheet may be.
    """
    distance, limit, widest = _distance_from_border(colour)
    if widest > limit:
        yield cast("Pixels", cv2.threshold(distance, widest, 255, cv2.THRESH_BINARY)[1])
    yield cast("Pixels", cv2.threshold(distance, limit, 255, cv2.THRESH_BINARY)[1])
    otsu, mask = cv2.threshold(distance, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    if otsu > 1.5 * limit:
        yield cast("Pixels", mask)


def masks_by_light(luma: Pixels, colour: Pixels) -> Iterator[Pixels]:
    """Cuts by brightness and by whiteness.

    Args:
        luma: (H, W) brightness.
        colour: (H, W, 3) RGB.

    Yields:
        (H, W) 0 or 255: where the sheet may be.
    """
    red, green, blue = cv2.split(colour)
    whiteness = cv2.min(cv2.min(red, green), blue)
    yield cast("Pixels", cv2.threshold(luma, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])
    yield cast("Pixels", cv2.threshold(whiteness, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])


def _distance_from_border(colour: Pixels) -> tuple[Pixels, float, float]:
    """Largest channel difference to the border's median colour, and two limits of the border's own
    spread: one that most of it keeps, one that nearly all of it keeps (streaks of the sensor).

    The ring is taken a little inside the frame, where the dark line that many scanners leave at
    the frame's edge is past.
    """
    height, width = colour.shape[:2]
    inset, depth = max(min(height, width) // 60, 1), max(min(height, width) // 40, 1)
    inner = colour[inset : height - inset, inset : width - inset]
    ring = np.concatenate(
        [
            inner[:depth].reshape(-1, 3),
            inner[-depth:].reshape(-1, 3),
            inner[:, :depth].reshape(-1, 3),
            inner[:, -depth:].reshape(-1, 3),
        ]
    )
    median = np.median(ring, axis=0).astype(np.uint8)
    red, green, blue = (
        cv2.absdiff(channel, np.full_like(channel, level))
        for channel, level in zip(cv2.split(colour), median, strict=True)
    )
    distance = cast("Pixels", cv2.max(cv2.max(red, green), blue))
    spread = np.abs(ring.astype(np.int16) - median.astype(np.int16)).max(axis=1)
    common, nearly_all = np.percentile(spread, (70, 97))
    return distance, max(2.0, 2.5 * float(common)), max(3.0, 1.5 * float(nearly_all))
