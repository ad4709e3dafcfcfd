"""One page of a document and the views of its pixels that measures work on.

A page is decoded only when somebody asks for pixels, and every view at most once. What stays in
memory is the full-resolution luma and small pyramids: no measure needs the full-resolution colour,
and at 12 MP it alone would cost 36 MB. So a decoder that can give brightness alone, and colour at a
fraction of the size, is asked for these: both together cost a JPEG less than its full colour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Polygon = tuple[tuple[float, float], ...]
"""Corners ``(x, y)`` in page pixels after EXIF orientation, clockwise, origin at the top left."""

Format = Literal["jpeg", "png", "tiff", "pdf"]
ColourMode = Literal["bilevel", "gray", "colour"]
Layering = Literal["image", "layered", "marked", "rendered"]

LUMA_SCALES = (1, 2, 4, 8, 16)
COLOUR_SCALES = (4, 8, 16)
FINE_SIDE_PX = 4800
"""Pages whose shorter side is at least this, a sheet's at 580 ppi and more, show print as finely at
half the size as others do at full size."""
COARSE_COLOUR_SIDE_PX = 2880
"""Pages whose longer side is at least this are looked at in colour at an eighth of the size;
smaller ones at a quarter too, so that one view is made from the other."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Region:
    """A place on the page that a measure, a reason or a field points at."""

    kind: str
    """What it shows: ``page`` (outline of the page or card), ``glare``, ``text``, ``field`` …"""
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class Origin:
    """Facts of the file a page came from. GPS and serial numbers are never kept."""

    format: Format
    media_type: str
    colour_mode: ColourMode = "colour"
    ppi_tag: float | None = None
    """Pixels per inch that the file claims; for a PDF image, from its placed size."""
    is_ppi_own: bool = True
    """The picture states that density itself: False on a PDF page where only its place, or the
    way it was drawn, gives one."""
    make: str | None = None
    model: str | None = None
    software: str | None = None
    has_exif: bool = False
    states_exposure: bool = False
    """The tags tell an exposure time, a lens opening or a focal length, as cameras' do."""
    pdf_producer: str | None = None
    pdf_creator: str | None = None
    pdf_layering: Layering | None = None
    """How a PDF page was turned to pixels: its one embedded ``image``, ``layered`` images
    composed at the ppi of their letters or of the large ones, a ``marked`` scan (a picture that
    covers the page, with text, lines or a stamp drawn over it), or ``rendered`` (born-digital or
    mixed)."""
    is_typeset: bool = False
    """The PDF page draws text of its own, apart from invisible OCR text, or holds no picture."""
    has_jbig2: bool = False
    """A picture on the PDF page is stored as JBIG2, which may keep one picture for like letters."""
    jpeg_quantisation: tuple[tuple[int, ...], ...] = ()
    """Quantisation tables in zig-zag order, 64 values each."""
    jpeg_subsampling: str | None = None
    """Chroma subsampling such as ``4:2:0``."""
    jpeg_scans: int = 0


@dataclass(frozen=True, slots=True)
class Raster:
    """Decoded pixels, upright: what a page's ``decode`` returns."""

    luma: Pixels
    """(H, W)"""
    colour: Pixels | None
    """(H, W, 3) RGB at full resolution, or None where the page has no colour."""


@dataclass(frozen=True, slots=True)
class PartDecoder:
    """Decodes what the views need without making the full-resolution colour; upright as well."""

    luma: Callable[[], Pixels]
    """(H, W)"""
    colour: Callable[[int, Pixels], Pixels]
    """(h, w, 3) RGB at 1/4 or 1/8 of the size, as asked, to go with the luma of that size; asked
    after ``luma``. A part of a pixel at the ends of the stored rows and columns is dropped."""


class Page:
    """One page, upright by its EXIF orientation, with views that are computed once and read-only.

    Args:
        index: 1 for the first page of the document.
        origin: facts of the file.
        decode: returns the pixels; the views call it at most once. Raises InvalidDocument when
            it cannot.
        parts: used in place of ``decode`` for the views, where the format allows it.
    """

    __slots__ = ("_colour", "_decode", "_derived", "_luma", "_parts", "index", "origin")

    def __init__(
        self,
        index: int,
        origin: Origin,
        decode: Callable[[], Raster],
        parts: PartDecoder | None = None,
    ) -> None:
        self.index = index
        self.origin = origin
        self._decode = decode
        self._parts = parts
        self._luma: dict[int, Pixels] = {}
        self._colour: dict[int, Pixels] = {}
        self._derived: dict[Callable[[Page], Any], Any] = {}

    @property
    def width_px(self) -> int:
        """Width in pixels, upright."""
        return int(self.luma().shape[1])

    @property
    def height_px(self) -> int:
        """Height in pixels, upright."""
        return int(self.luma().shape[0])

    @property
    def is_large(self) -> bool:
        """Whether colour is looked at no finer than at an eighth of the size."""
        return max(self.width_px, self.height_px) >= COARSE_COLOUR_SIDE_PX

    @property
    def print_scale(self) -> int:
        """Scale at which print is as large as on most pages: 1, on the finest pages 2."""
        return 2 if min(self.width_px, self.height_px) >= FINE_SIDE_PX else 1

    def luma(self, scale: int = 1) -> Pixels:
        """(H, W) uint8 brightness at 1/scale of the size; ``scale`` is 1, 2, 4, 8 or 16."""
        if scale not in LUMA_SCALES:
            raise ValueError(f"luma scale must be one of {LUMA_SCALES}, not {scale}")
        if not self._luma:
            self._load()
        if scale not in self._luma:
            self._luma[scale] = _frozen(halved(self.luma(scale // 2)))
        return self._luma[scale]

    def colour(self, scale: int = 8) -> Pixels:
        """(H, W, 3) uint8 RGB at 1/scale of the size, 4, 8 or 16. Grey pages repeat their luma."""
        if scale not in COLOUR_SCALES:
            raise ValueError(f"colour scale must be one of {COLOUR_SCALES}, not {scale}")
        if not self._luma:
            self._load()
        if scale not in self._colour:
            self._colour[scale] = _frozen(self._coloured(scale))
        return self._colour[scale]

    def _coloured(self, scale: int) -> Pixels:
        if self._parts is not None and (scale == 4 or (scale == 8 and self.is_large)):
            return self._parts.colour(scale, self.luma(scale))
        if self._parts is not None or 4 in self._colour:
            return halved(self.colour(scale // 2))
        return np.repeat(self.luma(scale)[:, :, None], 3, axis=2)

    def derive(self, analysis: Callable[[Page], T]) -> T:
        """The result of ``analysis(page)``, computed once per page however many measures ask."""
        if analysis not in self._derived:
            self._derived[analysis] = analysis(self)
        return cast("T", self._derived[analysis])

    def raster(self) -> Raster:
        """All pixels in full colour, decoded anew and not kept: for pictures people look at."""
        return self._decode()

    def _load(self) -> None:
        if self._parts is not None:
            self._luma[1] = _frozen(self._parts.luma())
            return
        raster = self._decode()
        self._luma[1] = _frozen(raster.luma)
        if raster.colour is not None:
            self._colour[4] = _frozen(halved(halved(raster.colour)))


def page_from_pixels(pixels: Pixels, *, origin: Origin | None = None, index: int = 1) -> Page:
    """A page over pixels already in memory: (H, W) luma or (H, W, 3) RGB, uint8."""
    if pixels.ndim == 3:
        luma = cast("Pixels", cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        raster = Raster(luma, pixels)
    else:
        raster = Raster(pixels, None)
    mode: ColourMode = "gray" if raster.colour is None else "colour"
    return Page(index, origin or Origin("png", "image/png", mode), lambda: raster)


def halved(pixels: Pixels) -> Pixels:
    """Half the size, at least 1 pixel, by the mean of 2x2 blocks.

    An odd last row or column is dropped first: INTER_AREA is about 17 times slower on odd sizes.
    """
    height, width = (max(side // 2, 1) for side in pixels.shape[:2])
    even = pixels[: height * 2, : width * 2]
    return cast("Pixels", cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))


def _frozen(pixels: Pixels) -> Pixels:
    pixels = pixels.view()
    pixels.flags.writeable = False
    return pixels
