"""A page as a picture for people: scaled down, re-encoded, with its regions drawn on."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from docqa.errors import InvalidDocument
from docqa.intake import Limits, open_document
from docqa.page import Page
from docqa.ports import PdfRenderer

_DECISION_RGB = {"accept": (24, 128, 56), "review": (196, 112, 0), "reject": (200, 30, 30)}
_PLAIN_RGB = (30, 90, 200)
_ALWAYS_SHOWN = {"page", "glare"}
"""Kinds of region that are drawn even where no reason points at them."""
_COVER_RGB = (58, 70, 82)

Box = tuple[float, float, float, float]
"""Left, top, right and bottom as fractions of a page's width and height."""


@dataclass(frozen=True, slots=True)
class Veil:
    """What of a page's picture is not to be seen."""

    covered: tuple[Box, ...] = ()
    coarse_side_px: int | None = None
    """The page is as coarse as a picture whose longer side has so many pixels; sharp if None."""
    sharp: tuple[Box, ...] = ()
    """What is sharp on a coarse page."""


def find_page(data: bytes, index: int, *, limits: Limits, renderer: PdfRenderer | None) -> Page:
    """Page ``index`` (1 = first) of a document. Raises InvalidDocument when there is none."""
    for page in open_document(data, limits=limits, renderer=renderer).pages:
        if page.index == index:
            return page
    raise InvalidDocument("file.no_pages")


def picture(page: Page, *, max_side_px: int) -> Image.Image:
    """The page in colour, its longer side at most ``max_side_px``, free of all metadata."""
    raster = page.raster()
    pixels = raster.luma if raster.colour is None else raster.colour
    image = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    image.thumbnail((max_side_px, max_side_px), Image.Resampling.BOX, reducing_gap=None)
    return image


def hide(image: Image.Image, veil: Veil) -> None:
    """Take from a page's picture, in place, what is not to be seen: nothing shines through."""
    if veil.coarse_side_px is not None:
        whole = image.copy()
        coarse = image.copy()
        coarse.thumbnail((veil.coarse_side_px, veil.coarse_side_px), Image.Resampling.BOX)
        image.paste(coarse.resize(image.size, Image.Resampling.BICUBIC))
        for box in veil.sharp:
            left, top, right, bottom = corners = _pixels(image, box)
            if left < right and top < bottom:
                image.paste(whole.crop(corners), corners[:2])
    canvas = ImageDraw.Draw(image)
    for box in veil.covered:
        canvas.rectangle(_pixels(image, box), fill=_COVER_RGB)


def _pixels(image: Image.Image, box: Box) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    wide, high = image.size
    return int(left * wide), int(top * high), ceil(right * wide), ceil(bottom * high)


def draw_regions(
    image: Image.Image, page_report: Mapping[str, Any], reasons: Iterable[Mapping[str, Any]]
) -> None:
    """Draw a page's regions on its picture, in place.

    Args:
        image: made by :func:`picture`.
        page_report: the page's part of a report in its JSON form; its outline and glare are drawn
            in blue.
        reasons: the verdict's reasons in their JSON form; those about this page are drawn in the
            colour of their decision and labelled with their code.
    """
    scale = image.width / page_report["width_px"]
    canvas = ImageDraw.Draw(image)
    width = max(2, image.width // 400)
    font_px = max(12, image.width // 60)
    font = ImageFont.load_default(font_px)
    for measure in page_report["measures"].values():
        for region in measure.get("regions", ()):
            if region["kind"] in _ALWAYS_SHOWN:
                _outline(canvas, region["polygon"], scale, _PLAIN_RGB, width)
    labels = 0
    for reason in reasons:
        if reason["page"] != page_report["index"]:
            continue
        colour = _DECISION_RGB[reason["decision"]]
        for region in reason["regions"]:
            _outline(canvas, region["polygon"], scale, colour, width * 2)
        text = " ".join(filter(None, (reason["code"], reason["field"])))
        place = (width * 4, width * 4 + labels * font_px * 3 // 2)
        box = canvas.textbbox(place, text, font=font)
        canvas.rectangle((box[0] - 4, box[1] - 3, box[2] + 4, box[3] + 3), fill="white")
        canvas.text(place, text, fill=colour, font=font)
        labels += 1


def png(image: Image.Image) -> bytes:
    """The picture as PNG bytes."""
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def _outline(
    canvas: ImageDraw.ImageDraw,
    polygon: Iterable[tuple[float, float]],
    scale: float,
    colour: tuple[int, int, int],
    width: int,
) -> None:
    points = [(x * scale, y * scale) for x, y in polygon]
    canvas.line([*points, points[0]], fill=colour, width=width, joint="curve")
