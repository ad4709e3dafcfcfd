"""What a file may ask of this machine, and how a refusal is raised."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from docqa.errors import DocqaError, InvalidDocument

MIN_SIDE_PX = 32
"""Below this a picture is an icon: no measure has anything to look at."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that are checked against headers, before anything is decoded."""

    max_bytes: int = 25_000_000
    """Size of the file."""
    max_pixels: int = 80_000_000
    """Width times height of one page; A4 at 600 ppi has 35 million. Pillow refuses more than
    178 million whatever is set here."""
    max_side_px: int = 20_000
    """Longer side of one page."""
    max_pages: int = 20
    """Pages of a PDF or TIFF."""
    max_jpeg_scans: int = 64
    """Scans of a JPEG: each costs a pass over all coefficients. Encoders write about ten."""
    render_ppi: float = 300.0
    """Resolution at which a PDF page is drawn that is not a scan; lowered for large pages."""


def check_size(width_px: int, height_px: int, limits: Limits) -> None:
    """Refuse a picture of this size, or let it pass.

    Raises:
        InvalidDocument: ``file.damaged`` without an area, ``file.too_small``,
            ``file.side_too_long`` or ``file.too_many_pixels``.
    """
    if width_px <= 0 or height_px <= 0:
        raise InvalidDocument("file.damaged")
    shorter, longer = sorted((width_px, height_px))
    if shorter < MIN_SIDE_PX:
        raise InvalidDocument("file.too_small", limit=MIN_SIDE_PX, actual=shorter)
    if longer > limits.max_side_px:
        raise InvalidDocument("file.side_too_long", limit=limits.max_side_px, actual=longer)
    pixels = width_px * height_px
    if pixels > limits.max_pixels:
        raise InvalidDocument("file.too_many_pixels", limit=limits.max_pixels, actual=pixels)


@contextmanager
def damage_refused() -> Iterator[None]:
    """Turn whatever a decoder raises over broken bytes into ``file.damaged``.

    Decoders answer broken bytes with nearly every built-in exception, so all of them count.
    docqa's own errors and MemoryError pass. Python warnings of the decoders are dropped.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (DocqaError, MemoryError):
        raise
    except Exception as fault:
        raise InvalidDocument("file.damaged") from fault
