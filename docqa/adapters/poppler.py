"""Draws PDF pages with Poppler's pdftoppm, a program of its own: a crash there is a fault here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import numpy as np
from pdf2image import convert_from_path, pdfinfo_from_path
from pdf2image.exceptions import (
    PDFInfoNotInstalledError,
    PDFPageCountError,
    PDFPopplerTimeoutError,
    PDFSyntaxError,
    PopplerNotInstalledError,
)

from docqa.errors import EngineFault, MissingDependency
from docqa.page import Pixels

_TIMEOUT_S = 20
_MAX_PIXELS = 80_000_000
"""pdftoppm takes what memory it is asked for: this is a quarter of a gigabyte."""
_POINTS_PER_INCH = 72


class PopplerRenderer:
    """A :class:`docqa.ports.PdfRenderer`."""

    def version(self) -> str:
        """Such as ``pdftoppm version 22.12.0``, for ``docqa doctor``.

        Raises:
            MissingDependency: Poppler is not installed.
        """
        try:
            answer = subprocess.run(
                ["pdftoppm", "-v"], stderr=subprocess.PIPE, timeout=_TIMEOUT_S, check=True
            )
        except FileNotFoundError as missing:
            raise MissingDependency("Poppler", "apt-get install poppler-utils") from missing
        except (OSError, subprocess.SubprocessError) as fault:
            raise EngineFault(f"pdftoppm -v failed ({type(fault).__name__})") from fault
        return answer.stderr.decode(errors="replace").partition("\n")[0].strip()

    def render(self, document: bytes, page_index: int, *, ppi: float) -> Pixels:
        """(H, W, 3) RGB of page ``page_index`` (1 = first).

        Raises:
            EngineFault: Poppler failed, hung, drew nothing, or the page is too large at ``ppi``.
            MissingDependency: Poppler is not installed.
        """
        with _in_memory(document) as path:
            try:
                return _render(path, page_index, ppi)
            except (PDFInfoNotInstalledError, PopplerNotInstalledError) as missing:
                raise MissingDependency("Poppler", "apt-get install poppler-utils") from missing
            except PDFPopplerTimeoutError as fault:
                raise EngineFault(f"Poppler took longer than {_TIMEOUT_S} s") from fault
            except (PDFPageCountError, PDFSyntaxError) as fault:
                # Poppler's own words can quote the document.
                raise EngineFault("Poppler cannot read the file") from fault
            except (OSError, ValueError, SyntaxError, LookupError, StopIteration) as fault:
                raise EngineFault(
                    f"Poppler's answer is unreadable ({type(fault).__name__})"
                ) from fault


@contextmanager
def _in_memory(document: bytes) -> Iterator[str]:
    """A path that Poppler opens; no disk sees the document, and a kill leaves nothing of it."""
    with os.fdopen(os.memfd_create("docqa-pdf"), "wb") as file:
        file.write(document)
        file.flush()
        # Of this process, not of Poppler's "self": pdf2image hands no descriptor on.
        yield f"/proc/{os.getpid()}/fd/{file.fileno()}"


def _render(path: str, page_index: int, ppi: float) -> Pixels:
    info = pdfinfo_from_path(path, first_page=page_index, last_page=page_index, timeout=_TIMEOUT_S)
    width_px, height_px = (round(side * ppi / _POINTS_PER_INCH) for side in _page_size(info))
    if width_px * height_px > _MAX_PIXELS:
        raise EngineFault(f"page {page_index} would have {width_px} x {height_px} pixels")
    drawn = convert_from_path(
        path,
        # pdftoppm takes fractions too. Its sizes in pixels go wrong on turned pages.
        dpi=cast("int", ppi),
        first_page=page_index,
        last_page=page_index,
        use_cropbox=True,
        timeout=_TIMEOUT_S,
    )
    # pdftoppm can fail with exit code 0 and no picture.
    if len(drawn) != 1:
        raise EngineFault(f"Poppler drew nothing for page {page_index}")
    return cast("Pixels", np.asarray(drawn[0].convert("RGB")))


def _page_size(info: Mapping[str, object]) -> tuple[float, float]:
    """The two sides in points of the page that pdfinfo was asked for, before any turn."""
    # The line reads "Page    1 size: 595 x 842 pts (A4)".
    size = next(str(info[key]) for key in info if key.startswith("Page ") and key.endswith("size"))
    width, _, rest = size.partition(" x ")
    return float(width), float(rest.split()[0])
