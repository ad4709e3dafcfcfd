"""OcrEngine on Tesseract inside this process, by tesserocr.

A language is loaded once; every later call costs the reading of its lines alone, where starting the
program costs about as much as reading eight. The binding is held at 2.8.0: its Tesseract 5.3.4 read
158 of 158 lines as Debian's program does, while those that bring 5.5 answer nothing to some short
Arabic words. What crashes the engine ends this process, so documents that nobody vouches for belong
in a worker's child.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import Literal

import numpy as np
import tesserocr

from docqa.adapters.tesseract import PAGE_SEGMENTATION_MODE, TesseractEngine
from docqa.errors import EngineFault
from docqa.page import Pixels


class WarmTesseract:
    """Reads lines with the Tesseract library.

    Args:
        installed: the program, which knows where Debian keeps the languages.
        timeout_s: how long one call may take, for all its lines together.
    """

    def __init__(self, installed: TesseractEngine, *, timeout_s: float = 30.0) -> None:
        self.timeout_s = timeout_s
        self._installed = installed
        self._loaded: dict[str, tesserocr.PyTessBaseAPI] = {}
        self._one_at_a_time = threading.Lock()

    def read_lines(
        self,
        lines: Sequence[Pixels],
        *,
        language: str,
        layout: Literal["line", "raw_line", "block"],
    ) -> list[str]:
        """The text of each line picture; see :class:`docqa.ports.OcrEngine`."""
        if not lines:
            return []
        with self._one_at_a_time:
            try:
                reader = self._loaded.get(language) or self._load(language)
                reader.SetPageSegMode(PAGE_SEGMENTATION_MODE[layout])
                end = time.monotonic() + self.timeout_s
                return [self._read(reader, line, end) for line in lines]
            except RuntimeError as error:
                # ``from None``: what the engine wrote may hold text, and logs print causes.
                raise EngineFault(f"Tesseract failed ({type(error).__name__})") from None

    def version(self) -> str:
        """Such as ``tesseract 5.3.4 (Arabic, ara, eng)``."""
        name = tesserocr.tesseract_version().partition("\n")[0].strip()
        return f"{name} ({', '.join(self._installed.languages())})"

    def _load(self, language: str) -> tesserocr.PyTessBaseAPI:
        folder, name = self._installed.data_of(language)
        reader = tesserocr.PyTessBaseAPI(
            path=f"{folder}{os.sep}",
            lang=name,
            variables={"debug_file": os.devnull},  # its remarks tell of the document
        )
        self._loaded[language] = reader
        return reader

    def _read(self, reader: tesserocr.PyTessBaseAPI, line: Pixels, end: float) -> str:
        height, width = line.shape
        pixels = np.ascontiguousarray(line).tobytes()  # the engine reads from it until it is done
        reader.SetImageBytes(pixels, width, height, 1, width)
        left_ms = round(1000 * (end - time.monotonic()))
        if left_ms <= 0 or not reader.Recognize(timeout=left_ms):  # 0 would mean no limit
            raise EngineFault(f"Tesseract took longer than {self.timeout_s:g} s")
        text = reader.GetUTF8Text().strip()
        reader.Clear()  # nothing of the document stays in memory
        return str(text)
