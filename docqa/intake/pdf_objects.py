"""What a PDF page draws: its pictures with their places, and whether it draws anything else."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from docqa.intake import pdf_dictionary
from docqa.intake.pdf_places import Rect, area, bounds, clips, overlap

_MAX_FORM_DEPTH = 12
_MAX_OBJECTS = 20_000
"""A page of more objects is a drawing, whatever else is on it."""
_MAX_PICTURES = 400
_MAX_LOOKUPS = 40
"""Searches of the file for a picture's dictionary, per page."""
_INVISIBLE_TEXT = (
    pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE,
    pdfium_c.FPDF_TEXTRENDERMODE_CLIP,
)
_CLIPPING_TEXT = (
    pdfium_c.FPDF_TEXTRENDERMODE_FILL_CLIP,
    pdfium_c.FPDF_TEXTRENDERMODE_STROKE_CLIP,
    pdfium_c.FPDF_TEXTRENDERMODE_FILL_STROKE_CLIP,
    pdfium_c.FPDF_TEXTRENDERMODE_CLIP,
)
_SILENT_ANNOTATIONS = (pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_POPUP)
SQUARE_PIXEL_RATIO = 1.05
_COVERS_ALL = 0.98
_SCAN_ON_TOP_FRACTION = 0.5
_SAME_GRAY_LEVELS = 8
"""PDFium's black of four printing inks, (35, 31, 32), is no colour."""
_WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on a page."""

    path: tuple[int, ...]
    """Where the page lists it: an index, after those of the forms it is nested in."""
    matrix: tuple[float, float, float, float]
    """a, b, c, d: how its unit square lies on the page, before the page is turned."""
    width_px: int
    height_px: int
    area_fraction: float
    """Of the page that it covers, 0 to 1."""
    cut_fraction: float
    """Of the picture that lies outside of the page or is clipped off, 0 to 1."""
    bits_per_pixel: int
    colour_space: int
    is_jpeg: bool
    is_jbig2: bool
    dictionary: bytes | None
    """As it stands in the file; None where it was not found."""
    mask_px: tuple[int, int] | None
    """Size of the mask that belongs to it, if it has one of its own."""
    stencil_is_gray: bool
    """Painted in a shade of grey, if it is a stencil."""
    is_uncertain: bool
    """Only the drawn page tells what of it can be seen: it is transparent, on a layer that may be
    switched off, or clipped to a shape, by itself or with a form around it."""

    @property
    def is_stencil(self) -> bool:
        """Paints its 1-bits in one colour, and nothing for the others."""
        return self.bits_per_pixel == 1 and self.colour_space == pdfium_c.FPDF_COLORSPACE_UNKNOWN

    @property
    def is_plain(self) -> bool:
        """Its pixels are all there is to it: no mask, stencil, colour key or layer switch."""
        return (
            self.dictionary is not None
            and not self.is_stencil
            and not self.is_uncertain
            and not pdf_dictionary.is_special(self.dictionary)
        )

    @property
    def keeps_values(self) -> bool:
        """The dictionary does not map sample values to others."""
        return pdf_dictionary.keeps_values(self.dictionary or b"")

    @property
    def ppi(self) -> tuple[float, float]:
        """Pixels per inch as placed, along its rows and along its columns."""
        a, b, c, d = self.matrix
        across, down = math.hypot(a, b) / 72, math.hypot(c, d) / 72
        return self.width_px / max(across, 1e-6), self.height_px / max(down, 1e-6)

    @property
    def has_finer_mask(self) -> bool:
        """Its mask shows more detail than its own pixels."""
        return self.mask_px is not None and (
            self.mask_px[0] > self.width_px or self.mask_px[1] > self.height_px
        )

    @property
    def finest_ppi(self) -> float:
        """Of the picture or its mask, whichever is finer; where pixels are not square, in the
        coarser direction.
        """
        across, down = self.ppi
        if self.mask_px is not None:
            across *= max(self.mask_px[0] / max(self.width_px, 1), 1.0)  # a broken one has none
            down *= max(self.mask_px[1] / max(self.height_px, 1), 1.0)
        low, high = sorted((across, down))
        return high if high <= SQUARE_PIXEL_RATIO * low else low


@dataclass(frozen=True, slots=True)
class PageObjects:
    """All that a page draws."""

    pictures: tuple[Picture, ...]
    """Those that can be seen."""
    has_text: bool
    """Text that can be seen: not the invisible text that OCR leaves, nor text below a picture."""
    has_marks: bool
    """Lines, areas, shadings or annotations that can be seen."""
    has_scan_on_top: bool = False
    """An annotation fills most of the page and holds a picture."""


class _Marks:
    """What has been drawn so far, in drawing order."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.has_text = False
        self.has_marks = False

    def add_picture(self, picture: Picture) -> None:
        if picture.is_plain and picture.area_fraction >= _COVERS_ALL:
            # It hides all that lies below.
            self.pictures, self.has_text, self.has_marks = [], False, False
        self.pictures.append(picture)

    def is_empty(self) -> bool:
        return not (self.pictures or self.has_text or self.has_marks)


def read_objects(page: pdfium.PdfPage, data: bytes) -> PageObjects:
    """List what a loaded page draws. ``data`` is the whole file."""
    drawn = _Marks()
    box = page.get_bbox()
    lookups, letters_clip = 0, False
    for count, placed in enumerate(_walk(page), 1):
        if count > _MAX_OBJECTS or len(drawn.pictures) > _MAX_PICTURES:
            return PageObjects(tuple(drawn.pictures), drawn.has_text, True)
        kind = placed.object.type
        # PDFium does not tell which objects are clipped to letters: any that follow may be.
        letters_clip = letters_clip or _clips_what_follows(placed.object)
        visible = placed.visible(box)
        if kind == pdfium_c.FPDF_PAGEOBJ_FORM:
            # What is in the deepest is not looked at.
            drawn.has_marks = drawn.has_marks or len(placed.path) >= _MAX_FORM_DEPTH
            continue
        if area(visible) <= 0:
            continue
        if kind == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            lookups += 1
            known = data if lookups <= _MAX_LOOKUPS else b""
            picture = _picture(placed, visible, box, known)
            drawn.add_picture(replace(picture, is_uncertain=True) if letters_clip else picture)
        elif kind == pdfium_c.FPDF_PAGEOBJ_TEXT:
            drawn.has_text = drawn.has_text or _is_visible_text(placed.object, page)
        elif kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            paints = _path_colour(placed.object)
            if paints is not None and not (paints == _WHITE and drawn.is_empty()):
                drawn.has_marks = True
        else:
            drawn.has_marks = True
    shown = [_holds_scan(note, page, box) for note in _shown_annotations(page)]
    has_marks = drawn.has_marks or bool(shown)
    return PageObjects(tuple(drawn.pictures), drawn.has_text, has_marks, any(shown))


def find_picture(page: pdfium.PdfPage, path: tuple[int, ...]) -> pdfium.PdfImage:
    """The PDFium object of a picture that was listed before, on a page loaded again."""
    raw = pdfium_c.FPDFPage_GetObject(page, path[0])
    for index in path[1:]:
        raw = pdfium_c.FPDFFormObj_GetObject(raw, index)
    return pdfium.PdfObject(raw, page=page)


@dataclass(frozen=True, slots=True)
class _Placed:
    """An object and the matrix of the forms around it."""

    object: pdfium.PdfObject
    outer: pdfium.PdfMatrix
    path: tuple[int, ...]
    is_uncertain: bool
    """It, or a form around it, is transparent or on a layer."""

    def visible(self, box: Rect) -> Rect:
        """The part of its bounds inside the page and its clipping path."""
        if self.object.type == pdfium_c.FPDF_PAGEOBJ_FORM:
            return box
        visible = bounds(self.object.get_bounds(), self.outer)
        for clip in clips(self.object, self.outer):
            visible = overlap(visible, clip.box)
        return overlap(visible, box)


def _walk(page: pdfium.PdfPage) -> Iterator[_Placed]:
    """All objects in drawing order, each form before what is in it."""
    count = pdfium_c.FPDFPage_CountObjects(page)
    for index in range(count):
        raw = pdfium_c.FPDFPage_GetObject(page, index)
        yield from _walk_object(page, raw, pdfium.PdfMatrix(), (index,), False)


def _walk_object(
    page: pdfium.PdfPage,
    raw: object,
    outer: pdfium.PdfMatrix,
    path: tuple[int, ...],
    is_uncertain: bool,
) -> Iterator[_Placed]:
    found = pdfium.PdfObject(raw, page=page)
    is_uncertain = (
        is_uncertain or bool(pdfium_c.FPDFPageObj_HasTransparency(found)) or _has_mark(found, "OC")
    )
    yield _Placed(found, outer, path, is_uncertain)
    if found.type == pdfium_c.FPDF_PAGEOBJ_FORM and len(path) < _MAX_FORM_DEPTH:
        inner = found.get_matrix().multiply(outer)
        for index in range(pdfium_c.FPDFFormObj_CountObjects(found)):
            nested = pdfium_c.FPDFFormObj_GetObject(found, index)
            yield from _walk_object(page, nested, inner, (*path, index), is_uncertain)


def _picture(placed: _Placed, visible: Rect, box: Rect, data: bytes) -> Picture:
    image: pdfium.PdfImage = placed.object
    matrix = image.get_matrix().multiply(placed.outer)
    metadata, filters = image.get_metadata(), image.get_filters(skip_simple=True)
    width_px, height_px = image.get_px_size()
    whole = area(bounds(image.get_bounds(), placed.outer))
    dictionary = pdf_dictionary.of_stream(data, bytes(image.get_data())) if data else None
    # PDFium does not show the dictionaries of forms: any in the file may be one around it.
    is_inside = len(placed.path) > 1 or dictionary is None
    return Picture(
        placed.path,
        (matrix.a, matrix.b, matrix.c, matrix.d),
        width_px,
        height_px,
        area_fraction=area(visible) / max(area(box), 1e-6),
        cut_fraction=1 - area(visible) / max(whole, 1e-6),
        bits_per_pixel=metadata.bits_per_pixel,
        colour_space=metadata.colorspace,
        is_jpeg=filters == ["DCTDecode"],
        is_jbig2="JBIG2Decode" in filters,
        dictionary=dictionary,
        mask_px=pdf_dictionary.mask_size(data, dictionary),
        stencil_is_gray=_is_gray(_colour(pdfium_c.FPDFPageObj_GetFillColor, image)),
        is_uncertain=placed.is_uncertain
        or not all(clip.is_rectangle for clip in clips(image, placed.outer))
        or pdf_dictionary.names_layer(data if is_inside else dictionary or b""),
    )


def _is_visible_text(text: pdfium.PdfTextObj, page: pdfium.PdfPage) -> bool:
    if pdfium_c.FPDFTextObj_GetTextRenderMode(text) in _INVISIBLE_TEXT:
        return False
    colour = _colour(pdfium_c.FPDFPageObj_GetFillColor, text)
    if colour is not None and colour[3] == 0:
        return False
    letters = page.get_textpage()
    try:
        return bool(pdfium.PdfTextObj(text.raw, textpage=letters).extract().strip())
    finally:
        letters.close()


def _clips_what_follows(drawn: pdfium.PdfObject) -> bool:
    is_text = drawn.type == pdfium_c.FPDF_PAGEOBJ_TEXT
    return is_text and pdfium_c.FPDFTextObj_GetTextRenderMode(drawn) in _CLIPPING_TEXT


def _path_colour(path: pdfium.PdfObject) -> tuple[int, int, int] | None:
    """What a path fills or strokes with; None when it paints nothing."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDFPath_GetDrawMode(path, fill, stroke)
    painted = []
    if fill.value:
        painted.append(_colour(pdfium_c.FPDFPageObj_GetFillColor, path))
    if stroke.value:
        painted.append(_colour(pdfium_c.FPDFPageObj_GetStrokeColor, path))
    seen = [colour[:3] if colour else (0, 0, 0) for colour in painted if not colour or colour[3]]
    return min(seen, default=None)


def _colour(read: object, drawn: pdfium.PdfObject) -> tuple[int, int, int, int] | None:
    parts = [ctypes.c_uint() for _ in range(4)]
    assert callable(read)
    if not read(drawn, *parts):
        return None
    red, green, blue, alpha = (part.value for part in parts)
    return red, green, blue, alpha


def _is_gray(colour: tuple[int, int, int, int] | None) -> bool:
    return colour is not None and max(colour[:3]) - min(colour[:3]) <= _SAME_GRAY_LEVELS


def _has_mark(drawn: pdfium.PdfObject, name: str) -> bool:
    """Whether a marked-content mark of this name is on the object."""
    wanted = (name + "\0").encode("utf-16-le")
    buffer = (ctypes.c_ushort * 32)()
    length = ctypes.c_ulong()
    for index in range(max(pdfium_c.FPDFPageObj_CountMarks(drawn), 0)):
        mark = pdfium_c.FPDFPageObj_GetMark(drawn, index)
        ok = pdfium_c.FPDFPageObjMark_GetName(mark, buffer, ctypes.sizeof(buffer), length)
        if ok and bytes(buffer)[: len(wanted)] == wanted:
            return True
    return False


def _shown_annotations(page: pdfium.PdfPage) -> Iterator[object]:
    """Those that are drawn; each is closed when the next is asked for."""
    for index in range(min(max(pdfium_c.FPDFPage_GetAnnotCount(page), 0), _MAX_OBJECTS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        flags = pdfium_c.FPDFAnnot_GetFlags(annotation)
        silent = pdfium_c.FPDFAnnot_GetSubtype(annotation) in _SILENT_ANNOTATIONS
        drawn = pdfium_c.FPDFAnnot_GetAP(
            annotation, pdfium_c.FPDF_ANNOT_APPEARANCEMODE_NORMAL, None, 0
        )
        hidden = flags & (pdfium_c.FPDF_ANNOT_FLAG_HIDDEN | pdfium_c.FPDF_ANNOT_FLAG_NOVIEW)
        # An empty appearance is its two-byte terminator.
        if not silent and not hidden and drawn > 2:
            yield annotation
        pdfium_c.FPDFPage_CloseAnnot(annotation)


def _holds_scan(annotation: object, page: pdfium.PdfPage, box: Rect) -> bool:
    """Whether an annotation fills most of the page and a picture is in it."""
    rect = pdfium_c.FS_RECTF()
    pdfium_c.FPDFAnnot_GetRect(annotation, rect)
    place = (rect.left, rect.bottom, rect.right, rect.top)
    if area(overlap(place, box)) < _SCAN_ON_TOP_FRACTION * area(box):
        return False
    count = min(pdfium_c.FPDFAnnot_GetObjectCount(annotation), _MAX_OBJECTS)
    return any(
        placed.object.type == pdfium_c.FPDF_PAGEOBJ_IMAGE
        for number in range(count)
        for placed in _walk_object(
            page,
            pdfium_c.FPDFAnnot_GetObject(annotation, number),
            pdfium.PdfMatrix(),
            (number,),
            False,
        )
    )
