"""PDF files as pages.

A page that is one scanned picture gives that very picture: drawing it would resample it, and
blur and noise could no longer be measured. A page of several layers or strips is composed at the
resolution of its letters or of its large pictures. Anything else, with text or lines of its own,
is drawn.

PDFium is not thread-safe: one thread of a process may work on PDF files at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

import cv2
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from docqa.errors import EngineFault, InvalidDocument, MissingDependency
from docqa.intake import jpeg
from docqa.intake.limits import MIN_SIDE_PX, Limits, check_size, damage_refused
from docqa.intake.pdf_enlarging import coarse_pictures, enlarge
from docqa.intake.pdf_facts import facts_of_document, states_density, with_device, with_jpeg_facts
from docqa.intake.pdf_objects import (
    SQUARE_PIXEL_RATIO,
    PageObjects,
    Picture,
    find_picture,
    read_objects,
)
from docqa.intake.pixels import raster_of_rgb
from docqa.intake.turn import AS_STORED, Turn, turn_of_matrix
from docqa.page import ColourMode, Layering, Origin, Page, Pixels, Raster
from docqa.ports import PdfRenderer

StoredJpeg = tuple[bytes, jpeg.JpegHeader]
"""A picture's file, and its header."""

_POINTS_PER_INCH = 72
_COMPOSE_MAX_PPI = 600.0
_DRAWN_MAX_PIXELS = 36_000_000
"""A4 at 600 ppi. A page that is drawn costs several bytes a pixel, whatever it shows."""
_RIGHT_ANGLE_SLOPE = 0.001
"""A picture placed at a larger slope is turned by viewers by more than 0.06 degrees."""
_MAX_CUT_FRACTION = 0.02
_LAYER_MIN_AREA_FRACTION = 0.01
"""A smaller picture, a logo say, does not set the resolution of the page."""
_LARGE_FRACTION = 0.5
"""Of the largest picture's area."""
_SCAN_AREA_FRACTION = 0.85
"""A picture that covers this much makes a scan of a page, marks on it or not."""
_REFUSALS = {
    pdfium_c.FPDF_ERR_PASSWORD: "file.encrypted",
    pdfium_c.FPDF_ERR_SECURITY: "file.encrypted",
    # PDFium finds no fault in such a file and will not open it: the last fault stays in force.
    pdfium_c.FPDF_ERR_FILE: "file.no_pages",
}
_HARMLESS = ("file.damaged", "file.too_small", "file.format.unsupported")
_GRAYS = (pdfium_c.FPDF_COLORSPACE_DEVICEGRAY, pdfium_c.FPDF_COLORSPACE_CALGRAY)
_DIRECT_COLOURS = (
    *_GRAYS,
    pdfium_c.FPDF_COLORSPACE_DEVICERGB,
    pdfium_c.FPDF_COLORSPACE_CALRGB,
    pdfium_c.FPDF_COLORSPACE_ICCBASED,
)
"""Colour spaces in which a JPEG of one or three components shows what its samples say."""


def open_pdf(
    data: bytes, limits: Limits, renderer: PdfRenderer | None
) -> tuple[int, Iterator[Page]]:
    """The number of pages, and the pages as they are asked for.

    Raises:
        InvalidDocument: ``file.damaged``, ``file.encrypted``, ``file.no_pages`` or
            ``file.too_many_pages``; the iterator raises it for the pictures of a page.
    """
    if _is_cut(data):
        raise InvalidDocument("file.damaged")
    document = _open(data)
    count = len(document)
    if count <= 0:
        raise InvalidDocument("file.no_pages")
    if count > limits.max_pages:
        raise InvalidDocument("file.too_many_pages", limit=limits.max_pages, actual=count)
    file = _PdfFile(data, document, limits, renderer, facts_of_document(data, document))
    return count, map(file.page, range(1, count + 1))


def _is_cut(data: bytes) -> bool:
    """Whether the end of the file is missing. PDFium would rebuild what is left of it."""
    if data.rfind(b"startxref") < 0:  # from the end, where it stands
        return True
    # A file made for the web begins with a table of its own, and says how long it is.
    header = data[:2048]
    at = header.find(b"/Linearized")
    if at < 0:
        return False
    length = header[at : header.find(b">>", at)].partition(b"/L ")[2].split()
    return bool(length) and length[0].isdigit() and int(length[0]) > len(data)


def _open(data: bytes) -> pdfium.PdfDocument:
    # The code of PDFium's last fault is never cleared. A file without a name sets one that bytes
    # in memory cannot cause.
    pdfium_c.FPDF_LoadDocument(b"", None)
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as fault:
        raise InvalidDocument(_REFUSALS.get(fault.err_code, "file.damaged")) from fault


@dataclass(frozen=True, slots=True)
class _PdfFile:
    """An open document, and how its pages become pixels."""

    data: bytes
    document: pdfium.PdfDocument
    limits: Limits
    renderer: PdfRenderer | None
    facts: Origin

    def page(self, index: int) -> Page:
        """Page ``index`` (1 = first), its pixels not yet decoded."""
        try:
            with damage_refused(), self._loaded(index) as loaded:
                size_pt, rotate_deg = loaded.get_size(), loaded.get_rotation()
                objects = read_objects(loaded, self.data)
        except InvalidDocument:
            return self._unloadable_page(index)
        headers: list[jpeg.JpegHeader | None] = []
        if objects.pictures:
            with damage_refused(), self._loaded(index) as loaded:
                checked = None
                for picture in objects.pictures:
                    checked = self._check(loaded, picture)
                    headers.append(checked[1] if checked else None)
                sole = _sole_picture(objects)
                if sole is not None:
                    stored = checked or (self._stored(loaded, sole) if sole.is_jpeg else None)
                    return self._scan(index, sole, stored, rotate_deg)
        return self._drawing(index, objects, size_pt, headers)

    @contextmanager
    def _loaded(
        self, index: int, document: pdfium.PdfDocument | None = None
    ) -> Iterator[pdfium.PdfPage]:
        loaded = (self.document if document is None else document)[index - 1]
        try:
            yield loaded
        finally:
            loaded.close()

    def _check(self, loaded: pdfium.PdfPage, picture: Picture) -> StoredJpeg | None:
        """Refuse a picture that would take too long or too much memory, however it is used.

        Returns what a JPEG's header says, for the page that is this picture.
        """
        for size in ((picture.width_px, picture.height_px), picture.mask_px):
            if size is not None and min(size) >= MIN_SIDE_PX:
                check_size(*size, self.limits)
        if picture.is_jpeg:
            try:
                return self._stored(loaded, picture)
            except InvalidDocument as refusal:
                # A small or broken logo is no reason to refuse the page.
                if refusal.code not in _HARMLESS:
                    raise
        return None

    def _stored(self, loaded: pdfium.PdfPage, picture: Picture) -> StoredJpeg:
        stored = bytes(find_picture(loaded, picture.path).get_data(decode_simple=True))
        return stored, jpeg.read_header(stored, self.limits)

    def _scan(
        self, index: int, picture: Picture, stored: StoredJpeg | None, rotate_deg: int
    ) -> Page:
        """A page that is one picture."""
        turn = turn_of_matrix(*picture.matrix, rotate_deg)
        origin = replace(
            self.facts,
            pdf_layering="image",
            has_jbig2=picture.is_jbig2,
            colour_mode=_colour_mode(picture),
            ppi_tag=round(math.sqrt(math.prod(picture.ppi)), 2),
            is_ppi_own=stored is not None and states_density(picture, stored[1]),
        )
        if stored is not None:
            data, header = stored
            origin = with_jpeg_facts(origin, header)
            if _is_as_stored(picture, header):
                parts = jpeg.part_decoder(data, header, turn)
                return Page(index, origin, lambda: jpeg.decode(data, header, turn), parts)
        decode = self._picture_decoder(index, picture, turn, origin.colour_mode)
        return Page(index, origin, decode)

    def _picture_decoder(
        self, index: int, picture: Picture, turn: Turn, colour_mode: ColourMode
    ) -> Callable[[], Raster]:
        def decode() -> Raster:
            with damage_refused(), self._loaded(index) as loaded:
                image = find_picture(loaded, picture.path)
                if picture.is_plain:
                    return _raster(image.get_bitmap(), turn, colour_mode)
                # Drawn alone, a pixel of the picture to a pixel of the bitmap: masks, colour
                # keys and the colour of a stencil apply, and nothing is resampled.
                image.set_matrix(pdfium.PdfMatrix(picture.width_px, 0, 0, picture.height_px))
                drawn = image.get_bitmap(render=True, scale_to_original=False)
                return _raster(drawn, turn, colour_mode)

        return decode

    def _drawing(
        self,
        index: int,
        objects: PageObjects,
        size_pt: tuple[float, float],
        headers: list[jpeg.JpegHeader | None],
    ) -> Page:
        """A page of several pictures, or of more than pictures."""
        is_layered = bool(objects.pictures) and not (objects.has_text or objects.has_marks)
        detail_ppi = _detail_ppi(objects.pictures)
        colour_mode: ColourMode = "colour"
        layering: Layering
        if is_layered:
            layering, ppi = "layered", min(detail_ppi, _COMPOSE_MAX_PPI)
            colour_mode = _joint_colour_mode(objects.pictures)
        elif any(picture.area_fraction >= _SCAN_AREA_FRACTION for picture in objects.pictures):
            # A marked scan is not made finer than it is.
            layering, ppi = "marked", min(detail_ppi, self.limits.render_ppi)
        else:
            layering, ppi = "rendered", self.limits.render_ppi
        ppi = self._affordable(ppi, size_pt)
        origin = replace(
            self.facts,
            pdf_layering=layering,
            colour_mode=colour_mode,
            ppi_tag=round(ppi, 2),
            has_jbig2=any(picture.is_jbig2 for picture in objects.pictures),
            is_typeset=objects.has_text or not (objects.pictures or objects.has_scan_on_top),
        )
        origin = with_device(origin, objects.pictures, headers)

        def decode() -> Raster:
            if is_layered or self.renderer is None:
                return self._composed(index, ppi, colour_mode, objects.pictures)
            try:
                return self._rendered(self.renderer, index, ppi)
            except (EngineFault, MissingDependency):
                return self._composed(index, ppi, colour_mode, objects.pictures)

        return Page(index, origin, decode)

    def _unloadable_page(self, index: int) -> Page:
        """A page that PDFium cannot load; perhaps the renderer can."""
        renderer, ppi = self.renderer, self.limits.render_ppi
        if renderer is None:
            raise InvalidDocument("file.damaged")

        def decode() -> Raster:
            try:
                return self._rendered(renderer, index, ppi)
            except (EngineFault, MissingDependency) as fault:
                raise InvalidDocument("file.damaged") from fault

        return Page(index, replace(self.facts, pdf_layering="rendered", ppi_tag=ppi), decode)

    def _affordable(self, ppi: float, size_pt: tuple[float, float]) -> float:
        """The resolution, lowered until the page is within the limits."""
        width_in, height_in = (max(side, 1.0) / _POINTS_PER_INCH for side in size_pt)
        by_side = (self.limits.max_side_px - 1) / max(width_in, height_in)
        # Sides are rounded up to whole pixels: leave room for one more row and column.
        max_pixels = min(self.limits.max_pixels, _DRAWN_MAX_PIXELS)
        by_area = math.sqrt(max_pixels / (width_in * height_in)) * 0.999
        return min(ppi, by_side, by_area)

    def _rendered(self, renderer: PdfRenderer, index: int, ppi: float) -> Raster:
        pixels = renderer.render(self.data, index, ppi=ppi)
        check_size(pixels.shape[1], pixels.shape[0], self.limits)
        return raster_of_rgb(pixels)

    def _composed(
        self, index: int, ppi: float, colour_mode: ColourMode, pictures: tuple[Picture, ...]
    ) -> Raster:
        coarse = coarse_pictures(pictures, ppi)
        # PDFium would give the enlarged pixels to other pages that show the picture.
        document = pdfium.PdfDocument(self.data) if coarse else self.document
        with damage_refused(), self._loaded(index, document) as loaded:
            scale = ppi / _POINTS_PER_INCH
            width_px, height_px = (math.ceil(side * scale) for side in loaded.get_size())
            check_size(width_px, height_px, self.limits)
            enlarge(loaded, coarse, ppi)
            drawn = loaded.render(scale=scale, grayscale=colour_mode != "colour")
            return _raster(drawn, AS_STORED, colour_mode)


def _sole_picture(objects: PageObjects) -> Picture | None:
    """The one picture that is the page and can be taken as it is."""
    if objects.has_text or objects.has_marks or len(objects.pictures) != 1:
        return None
    picture = objects.pictures[0]
    a, b, c, d = picture.matrix
    upright = max(abs(b), abs(c)) <= _RIGHT_ANGLE_SLOPE * min(abs(a), abs(d))
    sideways = max(abs(a), abs(d)) <= _RIGHT_ANGLE_SLOPE * min(abs(b), abs(c))
    across, down = picture.ppi
    fits = (
        (upright or sideways)
        and picture.cut_fraction <= _MAX_CUT_FRACTION
        and max(across, down) <= SQUARE_PIXEL_RATIO * min(across, down)
        and min(picture.width_px, picture.height_px) >= MIN_SIDE_PX
        and not picture.has_finer_mask
        and not picture.is_uncertain
    )
    return picture if fits else None


def _is_as_stored(picture: Picture, header: jpeg.JpegHeader) -> bool:
    """Whether decoding the JPEG file gives what the page shows."""
    return (
        picture.is_plain
        and picture.keeps_values
        and picture.colour_space in _DIRECT_COLOURS
        and header.components in (1, 3)
        and (header.width_px, header.height_px) == (picture.width_px, picture.height_px)
    )


def _detail_ppi(pictures: tuple[Picture, ...]) -> float:
    """Of the finest letters that lie apart from their paper, and of the finest large picture.

    One that is finer and much smaller than others does not make the page finer.
    """
    seen = [one for one in pictures if one.area_fraction >= _LAYER_MIN_AREA_FRACTION] or pictures
    letters = [one for one in seen if one.bits_per_pixel == 1 or one.has_finer_mask]
    others = [one for one in seen if one not in letters]
    large = _LARGE_FRACTION * max((one.area_fraction for one in others), default=0.0)
    detailed = (*letters, *(one for one in others if one.area_fraction >= large))
    return max((one.finest_ppi for one in detailed), default=0.0)


def _colour_mode(picture: Picture) -> ColourMode:
    if picture.bits_per_pixel == 1:
        return "colour" if picture.is_stencil and not picture.stencil_is_gray else "bilevel"
    one_byte_icc = (
        picture.colour_space == pdfium_c.FPDF_COLORSPACE_ICCBASED and picture.bits_per_pixel == 8
    )
    return "gray" if picture.colour_space in _GRAYS or one_byte_icc else "colour"


def _joint_colour_mode(pictures: tuple[Picture, ...]) -> ColourMode:
    modes = {_colour_mode(picture) for picture in pictures}
    return next(mode for mode in ("colour", "gray", "bilevel") if mode in modes)


def _raster(bitmap: pdfium.PdfBitmap, turn: Turn, colour_mode: ColourMode) -> Raster:
    """The pixels of a PDFium bitmap, turned; transparency is composed on white paper."""
    pixels = cast("Pixels", bitmap.to_numpy())
    if bitmap.format == pdfium_c.FPDFBitmap_Gray:
        # A copy: the memory belongs to the bitmap.
        return Raster(turn.apply(pixels.copy()), None)
    if bitmap.format == pdfium_c.FPDFBitmap_BGRA:
        pixels = _on_paper(pixels)
    if colour_mode != "colour":
        return Raster(turn.apply(cast("Pixels", cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))), None)
    return raster_of_rgb(cast("Pixels", cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)), turn)


def _on_paper(pixels: Pixels) -> Pixels:
    """(H, W, 4) BGRA over white."""
    opacity = pixels[:, :, 3]
    if opacity.min() == 255:
        return pixels
    drawn = cast("Pixels", cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR))
    covered = cv2.merge([opacity] * 3)
    paper = cv2.bitwise_not(covered)
    return cast("Pixels", cv2.add(cv2.multiply(drawn, covered, scale=1 / 255), paper))
