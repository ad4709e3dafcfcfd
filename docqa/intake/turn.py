"""Quarter turns and mirrorings, from EXIF orientations and from PDF matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2

from docqa.page import Pixels


@dataclass(frozen=True, slots=True)
class Turn:
    """How stored pixels become upright ones: transposed first, then mirrored."""

    transpose: bool = False
    """Swap rows and columns."""
    mirror_x: bool = False
    """Swap left and right, after transposing."""
    mirror_y: bool = False
    """Swap top and bottom, after transposing."""

    def apply(self, pixels: Pixels) -> Pixels:
        """The turned pixels, (H, W) or (H, W, 3), contiguous."""
        turned: cv2.typing.MatLike = pixels
        if self.transpose:
            turned = cv2.transpose(turned)
        if self.mirror_x or self.mirror_y:
            turned = cv2.flip(
                turned, {(1, 0): 1, (0, 1): 0, (1, 1): -1}[self.mirror_x, self.mirror_y]
            )
        return cast("Pixels", turned)


AS_STORED = Turn()

EXIF_TURNS = {
    1: AS_STORED,
    2: Turn(mirror_x=True),
    3: Turn(mirror_x=True, mirror_y=True),
    4: Turn(mirror_y=True),
    5: Turn(transpose=True),
    6: Turn(transpose=True, mirror_x=True),
    7: Turn(transpose=True, mirror_x=True, mirror_y=True),
    8: Turn(transpose=True, mirror_y=True),
}
"""By the value of the EXIF tag Orientation."""


def turn_of_matrix(a: float, b: float, c: float, d: float, rotate_deg: int) -> Turn:
    """The turn of a picture that a PDF page draws with a right-angled matrix.

    Args:
        a: with ``b``, the picture's left-to-right side on the page (x to the right, y up).
        b: see ``a``.
        c: with ``d``, the picture's bottom-to-top side on the page.
        d: see ``c``.
        rotate_deg: by how much the page is then turned clockwise: 0, 90, 180 or 270.
    """
    for _ in range(rotate_deg // 90):
        a, b, c, d = b, -a, d, -c
    if abs(a) >= abs(b):
        return Turn(mirror_x=a < 0, mirror_y=d < 0)
    return Turn(transpose=True, mirror_x=c > 0, mirror_y=b > 0)
