"""Takes in an uploaded file: a bounded number of bytes, on disk, for as long as it is needed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.requests import Request

from api.form_data import FormLimits, FormReader
from api.problems import Problem
from docqa.errors import InvalidDocument

FILE_PART = "file"
LONGEST_FILE_NAME_CHARACTERS = 200
NO_FILE_NAME = "document"
_MOST_PARTS = 12
_PART_BYTES = 32_768
_FORM_OVERHEAD_BYTES = 131_072
"""What a multipart body may have beyond its file: boundaries, headers and the other parts."""
_BLOCK_BYTES = 524_288
"""What of an upload is in memory before it is written: two of these at most."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners shape Arabic and Persian words and move nothing around."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was received, and what was sent along with it."""

    path: Path
    """Readable by the service's own user only; gone when the request ends."""
    size_bytes: int
    sha256: str
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
    request: Request, *, folder: Path, max_bytes: int, timeout_s: float
) -> AsyncIterator[Upload]:
    """The file in the body of ``request``, multipart or raw, deleted on the way out.

    Raises:
        InvalidDocument: ``file.too_large``, as soon as that is known.
        Problem: the body is not a form with a file, or did not arrive in time.
    """
    multipart = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    most_bytes = max_bytes + (_FORM_OVERHEAD_BYTES if multipart else 0)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise _too_large(max_bytes, int(announced))
    async with _Spool(folder, max_bytes) as spool:
        try:
            async with asyncio.timeout(timeout_s):
                if multipart:
                    name, fields = await _read_form(request, spool, most_bytes)
                else:
                    name, fields = None, {}
                    async for chunk in request.stream():
                        spool.write(chunk)
                        await spool.pass_on()
        except TimeoutError as error:
            raise Problem("http.timeout") from error
        await spool.finish()
        yield Upload(spool.path, spool.size_bytes, spool.sha256, name, fields)


async def _read_form(
    request: Request, spool: _Spool, most_bytes: int
) -> tuple[str, dict[str, str]]:
    limits = FormLimits(_MOST_PARTS, _PART_BYTES)
    form = FormReader(request.headers["content-type"], FILE_PART, spool.write, limits)
    arrived = 0
    async for chunk in request.stream():
        arrived += len(chunk)
        if arrived > most_bytes:
            raise _too_large(spool.max_bytes, arrived)
        form.write(chunk)
        await spool.pass_on()
    form.finish()
    if form.file_name is None:
        raise Problem("http.file_missing")
    return display_name(form.file_name), form.fields


def _too_large(max_bytes: int, actual_bytes: int) -> InvalidDocument:
    return InvalidDocument("file.too_large", limit=max_bytes, actual=actual_bytes)


class _Spool:
    """A temporary file, 0600, that counts and digests what is written to it.

    Blocks are written and digested in a thread, beside the arrival of the next: neither holds up
    the other requests, nor the upload itself.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size_bytes = 0
        descriptor, name = tempfile.mkstemp(dir=folder)
        self.path = Path(name)
        self._stream = os.fdopen(descriptor, "wb")
        self._digest = hashlib.sha256()
        self._chunks: list[bytes] = []
        self._chunks_bytes = 0
        self._keeping: asyncio.Future[None] | None = None

    @property
    def sha256(self) -> str:
        """Of everything, once finished."""
        return self._digest.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Append. Raises InvalidDocument ``file.too_large``."""
        self.size_bytes += len(chunk)
        if self.size_bytes > self.max_bytes:
            raise _too_large(self.max_bytes, self.size_bytes)
        self._chunks.append(chunk)
        self._chunks_bytes += len(chunk)

    async def pass_on(self) -> None:
        """Have what came written, when it is a block. Raises what an earlier block met with."""
        if self._chunks_bytes >= _BLOCK_BYTES:
            await self._kept()
            self._begin_keeping()

    async def finish(self) -> None:
        """Nothing more is written. Raises what writing met with."""
        await self._kept()
        self._begin_keeping()
        await self._kept()
        self._stream.close()

    def _begin_keeping(self) -> None:
        chunks, self._chunks, self._chunks_bytes = self._chunks, [], 0
        self._keeping = asyncio.get_running_loop().run_in_executor(None, self._keep, chunks)

    def _keep(self, chunks: list[bytes]) -> None:
        block = b"".join(chunks)
        self._digest.update(block)
        self._stream.write(block)

    async def _kept(self) -> None:
        if self._keeping is not None:
            await self._keeping
            self._keeping = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._keeping is not None:
                await asyncio.wait([self._keeping])
        finally:
            with closing(self._stream):
                self.path.unlink(missing_ok=True)
