"""A picture that viewers do not show is not taken for the page, whatever it lies on."""

from __future__ import annotations

import zlib
from typing import cast

import cv2
import numpy as np
import pypdfium2 as pdfium
import pytest

from docqa.intake import Limits, open_document
from docqa.page import Page, Pixels
from tests.faults.minimal_pdf import image_stream, stream, write_pdf

WIDTH_PX, HEIGHT_PX = 96, 64
PLACE = b"q 96 0 0 64 0 0 cm "
SHOWN, HIDDEN = 200, 90
DRAW_SHOWN = PLACE + b"/Shown Do Q "
DRAW = PLACE + b"/Hidden Do Q "


def _grey(value: int, entries: bytes = b"") -> bytes:
    pixels = np.full((HEIGHT_PX, WIDTH_PX), value, np.uint8)
    pixels[::2, ::3] -= 5  # a stream of one value would be too short to be found in the file
    return image_stream(
        zlib.compress(pixels.tobytes()), WIDTH_PX, HEIGHT_PX, colour_space=b"/DeviceGray", bits=8,
        more=b"/Filter /FlateDecode " + entries,
    )  # fmt: skip


def _file(
    content: bytes, *, within: bytes = DRAW, form: bytes = b"", picture: bytes = b"",
    more: tuple[bytes, ...] = (),
) -> bytes:  # fmt: skip
    """A page of two pictures, a form with the second, and a layer that is switched off."""
    xobjects = b"/XObject << /Shown 5 0 R /Hidden 6 0 R /Form 7 0 R >>"
    return write_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R"
            b" /OCProperties << /OCGs [8 0 R] /D << /OFF [8 0 R] >> >> >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 96 64] /Contents 4 0 R"
            b" /Resources << %s /Properties << /Off 8 0 R >> /Font << /F 9 0 R >> >> >>" % xobjects,
            stream(content),
            _grey(SHOWN),
            _grey(HIDDEN, picture),
            stream(
                within,
                b"/Type /XObject /Subtype /Form /BBox [0 0 96 64] /Resources << %s >> %s"
                % (xobjects.replace(b"/Form 7 0 R", b""), form),
            ),
            b"<< /Type /OCG /Name (layer) >>",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *more,
        ]
    )


def _page(data: bytes) -> Page:
    return next(open_document(data, limits=Limits(), renderer=None).pages)


def _shown(data: bytes) -> Pixels:
    drawn = pdfium.PdfDocument(data)[0].render().to_numpy()
    return cast("Pixels", cv2.cvtColor(drawn, cv2.COLOR_BGR2GRAY))


_TEXT_CLIP = b"q BT /F 1 Tf 7 Tr 5 5 Td (.) Tj ET " + DRAW + b"Q"
_DOTS = b"q 0 0 1 1 re 95 63 1 1 re W n " + DRAW + b"Q"
_TRIANGLE = b"q 0 0 m 96 0 l 96 64 l h W n " + DRAW + b"Q"
_CURVE = b"q 0 0 m 96 0 96 64 0 64 c h W n " + DRAW + b"Q"
_TURNED_FORM = b"/Matrix [.1 1 -1 .1 90 -30]"
HIDING = {
    "layer": _file(DRAW_SHOWN + b"/OC /Off BDC " + DRAW + b"EMC"),
    "layer of the picture": _file(DRAW_SHOWN + DRAW, picture=b"/OC 8 0 R"),
    "layer of the picture by a name in code": _file(DRAW_SHOWN + DRAW, picture=b"/#4fC 8 0 R"),
    "layer of the form": _file(DRAW_SHOWN + b"/Form Do", form=b"/OC 8 0 R"),
    "layer of the form by a name in code": _file(DRAW_SHOWN + b"/Form Do", form=b"/O#43%\n8 0 R"),
    "form on a layer": _file(DRAW_SHOWN + b"/OC /Off BDC /Form Do EMC"),
    "two dots": _file(DRAW_SHOWN + _DOTS),
    "triangle": _file(DRAW_SHOWN + _TRIANGLE),
    "curve": _file(DRAW_SHOWN + _CURVE),
    "letters": _file(DRAW_SHOWN + _TEXT_CLIP),
    "form within dots": _file(DRAW_SHOWN + b"/Form Do", within=_DOTS),
    "turned form": _file(DRAW_SHOWN + b"/Form Do", form=_TURNED_FORM,
                         within=b"q 900 0 0 900 -400 -400 cm /Hidden Do Q"),
    "mask that a copy does not have": _file(
        DRAW_SHOWN + DRAW, more=(_grey(HIDDEN, b"/SMask 11 0 R"), _grey(5)),
    ).replace(b"/Hidden 6", b"/Hidden 10"),
}  # fmt: skip


@pytest.mark.parametrize("name", HIDING)
def test_what_lies_below_a_hidden_picture_is_judged(name: str) -> None:
    data = HIDING[name]
    page = _page(data)
    assert page.origin.pdf_layering == "layered"
    assert np.abs(page.luma().astype(int) - _shown(data)).max() <= 1
    assert page.luma().max() >= SHOWN - 5


def test_what_lies_deeper_in_forms_than_anybody_looks_is_drawn() -> None:
    place = b"/Type /XObject /Subtype /Form /BBox [0 0 96 64] /Resources << /XObject << "
    forms = [stream(b"/Next Do", place + b"/Next %d 0 R >> >>" % (11 + n)) for n in range(14)]
    last = stream(DRAW_SHOWN, place + b"/Shown 5 0 R >> >>")
    data = _file(DRAW + b"/Form Do", more=(*forms, last)).replace(b"/Form 7", b"/Form 10")
    page = _page(data)
    assert page.origin.pdf_layering == "marked"
    assert np.array_equal(page.luma(), _shown(data))
    assert page.luma().max() == SHOWN


@pytest.mark.parametrize(
    "data",
    [
        _file(DRAW, picture=b"/OC 8 0 R"),
        _file(b"/Form Do", form=b"/OC 8 0 R"),
        _file(b"/OC /Off BDC /Form Do EMC"),
    ],
)
def test_a_page_whose_only_picture_is_hidden_is_blank(data: bytes) -> None:
    assert (_page(data).luma() == 255).all()


_RECTANGLE = b"q 0 0 96 64 re W n " + DRAW + b"Q"
_TWO_RECTANGLES = b"q 0 0 99 99 re W n q 96 64 m 96 0 l 0 0 l 0 64 l h W n " + DRAW + b"Q Q"


@pytest.mark.parametrize(
    "data",
    [
        _file(DRAW_SHOWN + DRAW),
        _file(DRAW_SHOWN + _RECTANGLE),
        _file(DRAW_SHOWN + _TWO_RECTANGLES),
        _file(DRAW_SHOWN + b"/Form Do"),
        _file(DRAW_SHOWN + b"/Form Do", form=b"/Matrix [0 1 -1 0 96 0]",
              within=b"q 0 96 -64 0 64 0 cm /Hidden Do Q").replace(b"0 96 64] /Res",
                                                                   b"0 64 96] /Res"),
        _file(DRAW_SHOWN + b"q BT /F 1 Tf 3 Tr 5 5 Td (.) Tj ET " + DRAW + b"Q"),
    ],
)  # fmt: skip
def test_a_picture_that_hides_nothing_of_itself_is_still_taken_as_it_is(data: bytes) -> None:
    page = _page(data)
    assert page.origin.pdf_layering == "image"
    assert page.luma().max() == HIDDEN
