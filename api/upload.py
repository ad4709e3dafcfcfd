"""Takes in an uploaded file: a bounded number of bytes, in memory, for as long as it is needed."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request

from api.form_data import FormLimits, FormReader
from api.problems import Problem
from docqa.errors import InvalidDocument
from docqa.memory_files import MemoryFile, MemoryFiles

FILE_PART = "file"
LONGEST_FILE_NAME_CHARACTERS = 200
NO_FILE_NAME = "document"
_MOST_PARTS = 12
_PART_BYTES = 32_768
_FORM_OVERHEAD_BYTES = 131_072
"""What a multipart body may have beyond its file: boundaries, headers and the other parts."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners shape Arabic and Persian words and move nothing around."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was received, and what was sent along with it."""

    file: Path
    """Where it is, readable by the service's own user only; gone when the request ends."""
    size_bytes: int
    sha256: Callable[[], str]
    """Its digest, hexadecimal. Blocks."""
    file_name: str | None
    """As the client called it, safe to show; None when it did not."""
    fields: Mapping[str, str]
    """The other parts of the form."""


def display_name(raw: str) -> str:
    """A client's file name, to be shown and never to be used as a path.

    NFC, the last component only, without control and bidi characters, at most 200 characters.
    """
    seen = "".join(
        character
        for character in unicodedata.normalize("NFC", raw)
        if character in _JOINERS or unicodedata.category(character) not in _UNSEEN
    )
    name = re.split(r"[/\\]", seen)[-1].strip()[:LONGEST_FILE_NAME_CHARACTERS]
    return NO_FILE_NAME if name in {"", ".", ".."} else name


@asynccontextmanager
async def received(
    request: Request, *, files: MemoryFiles, max_bytes: int, timeout_s: float
) -> AsyncIterator[Upload]:
    """The file in the body of ``request``, multipart or raw, wiped on the way out.

    Raises:
        InvalidDocument: ``file.too_large``, as soon as that is known.
        Problem: the body is not a form with a file, or did not arrive in time.
        OSError: there is no room for it.
    """
    multipart = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    most_bytes = max_bytes + (_FORM_OVERHEAD_BYTES if multipart else 0)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise _too_large(max_bytes, int(announced))
    file = files.take()
    incoming = _Incoming(file, max_bytes)
    try:
        try:
            async with asyncio.timeout(timeout_s):
                if multipart:
                    name, fields = await _read_form(request, incoming, most_bytes)
                else:
                    name, fields = None, {}
                    async for chunk in request.stream():
                        incoming.write(chunk)
        except TimeoutError as error:
            raise Problem("http.timeout") from error
        file.complete()
        yield Upload(file.path, file.size_bytes, cache(file.sha256), name, fields)
    finally:
        # It is wiped after the answer, which this turn of the loop sends.
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.run_in_executor, None, files.give_back, file)


async def _read_form(
    request: Request, incoming: _Incoming, most_bytes: int
) -> tuple[str, dict[str, str]]:
    limits = FormLimits(_MOST_PARTS, _PART_BYTES)
    form = FormReader(request.headers["content-type"], FILE_PART, incoming.write, limits)
    arrived = 0
    async for chunk in request.stream():
        arrived += len(chunk)
        if arrived > most_bytes:
            raise _too_large(incoming.max_bytes, arrived)
        form.write(chunk)
    form.finish()
    if form.file_name is None:
        raise Problem("http.file_missing")
    return display_name(form.file_name), form.fields


def _too_large(max_bytes: int, actual_bytes: int) -> InvalidDocument:
    return InvalidDocument("file.too_large", limit=max_bytes, actual=actual_bytes)


class _Incoming:
    """A file that is being received: counted, and in memory."""

    def __init__(self, file: MemoryFile, max_bytes: int) -> None:
        self.file = file
        self.max_bytes = max_bytes

    def write(self, chunk: bytes | memoryview) -> None:
        """Append. Raises InvalidDocument ``file.too_large``."""
        size = self.file.size_bytes + len(chunk)
        if size > self.max_bytes:
            raise _too_large(self.max_bytes, size)
        self.file.append(chunk)
