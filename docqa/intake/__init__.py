"""From the bytes of a file to pages: format, limits, decoding.

The format goes by the first bytes, the limits are checked against headers, and only then, page
by page and when somebody asks for pixels, is anything decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from docqa.errors import InvalidDocument
from docqa.intake.image import open_image
from docqa.intake.limits import Limits
from docqa.intake.pdf import open_pdf
from docqa.intake.sniff import MEDIA_TYPES, sniff
from docqa.page import Format, Page
from docqa.ports import PdfRenderer

__all__ = ["Intake", "Limits", "open_document"]


@dataclass(frozen=True, slots=True)
class Intake:
    """A document that was let in."""

    format: Format
    media_type: str
    """Of the bytes, whatever the client called them."""
    page_count: int
    pages: Iterator[Page]
    """Each page once, in order, made when asked for. A page that was handed out is not kept, so
    that memory is bounded by one page. Asking for a page, or for its pixels, raises
    InvalidDocument when that page is broken or beyond a limit."""


def open_document(data: bytes, *, limits: Limits, renderer: PdfRenderer | None) -> Intake:
    """Let a document in, or refuse it.

    Args:
        data: the whole file.
        limits: what it may ask of this machine.
        renderer: draws PDF pages that are not scans; without one, or when it fails, PDFium does.

    Raises:
        InvalidDocument: ``file.empty``, ``file.too_large``, ``file.format.phone``,
            ``file.format.unsupported``, ``file.format.unknown``, ``file.damaged``,
            ``file.encrypted``, ``file.no_pages``, ``file.too_many_pages``, ``file.too_small``,
            ``file.side_too_long``, ``file.too_many_pixels``, ``file.too_many_scans``. Limits come
            with the facts ``limit`` and ``actual``.
    """
    if len(data) > limits.max_bytes:
        raise InvalidDocument("file.too_large", limit=limits.max_bytes, actual=len(data))
    file_format = sniff(data)
    if file_format == "pdf":
        count, pages = open_pdf(data, limits, renderer)
    else:
        count, pages = open_image(data, file_format, limits)
    return Intake(file_format, MEDIA_TYPES[file_format], count, pages)
