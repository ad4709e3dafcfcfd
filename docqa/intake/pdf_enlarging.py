"""Coarse pictures of a PDF page that is composed at a finer picture's resolution.

PDFium repeats the pixels of a picture that it enlarges much. The squares that come of it look like
the blocks of a strong compression, and no viewer that people use shows them.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import cast

import cv2
import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from docqa.intake.pdf_objects import Picture, find_picture
from docqa.page import Pixels

_REPEATS_AT = 8
"""Times as many pixels, from which on PDFium repeats them instead of going from one to the next."""
_MOST_AREA_FRACTION, _MOST_CUT_FRACTION = 2.0, 0.1
"""Of the page, for all pictures together, and of each picture: what lies outside of the page takes
memory as well."""


def coarse_pictures(pictures: tuple[Picture, ...], ppi: float) -> list[Picture]:
    """Those that PDFium would draw in squares on a page of ``ppi``.

    Only of those that pixels are all there is to: others would lose their masks.
    """
    coarse, area_left = [], _MOST_AREA_FRACTION
    for picture in pictures:
        if (
            picture.is_plain
            and picture.bits_per_pixel > 1
            and picture.cut_fraction <= _MOST_CUT_FRACTION
            and picture.area_fraction <= area_left
            and ppi**2 > _REPEATS_AT * math.prod(picture.ppi)
        ):
            area_left -= picture.area_fraction
            coarse.append(picture)
    return coarse


def enlarge(page: pdfium.PdfPage, pictures: list[Picture], ppi: float) -> None:
    """Replace the pixels of coarse pictures on a loaded page, so that it can be drawn at ``ppi``.

    A picture that cannot be decoded is left as it is.
    """
    for picture in pictures:
        image = find_picture(page, picture.path)
        # Drawn in two places it is one picture, and enlarged by now.
        if image.get_px_size() == (picture.width_px, picture.height_px):
            with suppress(pdfium.PdfiumError):
                # PDFium itself does the rest well.
                _enlarge(image, *(math.ceil(ppi / placed / 2) for placed in picture.ppi))


def _enlarge(image: pdfium.PdfImage, across: int, down: int) -> None:
    pixels = cast("Pixels", image.get_bitmap().to_numpy())
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = cast("Pixels", cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR))
    finer = cv2.resize(pixels, None, fx=across, fy=down, interpolation=cv2.INTER_LINEAR)
    height, width = finer.shape[:2]
    kind = pdfium_c.FPDFBitmap_Gray if finer.ndim == 2 else pdfium_c.FPDFBitmap_BGR
    bitmap = pdfium.PdfBitmap.new_native(width, height, kind)
    room = bitmap.to_numpy()
    np.copyto(room, finer.reshape(room.shape))
    image.set_bitmap(bitmap)
