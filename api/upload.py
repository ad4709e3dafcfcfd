"""Takes in an uploaded file: a bounded number of bytes, on disk, for as long as it is needed."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import tempfile
import time
import unicodedata
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import FileIO
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
_BLOCK_BYTES = 4_194_304
"""What of an upload is in memory before it is written: two of these at most."""
_CHUNK_OVERHEAD_BYTES = 64
"""What a chunk takes in memory beside its bytes."""
_CHUNKS_PER_CALL = 1024
"""The kernel takes no more (IOV_MAX)."""
_PATIENCE_S = 0.05
"""What took longer to come is from a slow sender: there is time to digest it."""
_PIECE_BYTES = 262_144
"""What is digested at once."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners shape Arabic and Persian words and move nothing around."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was received, and what was sent along with it."""

    file: Callable[[], Path]
    """Where it is, readable by the service's own user only; gone when the request ends.

    Whole once ``sha256`` was asked for; until then its lock (flock) is held."""
    size_bytes: int
    sha256: Callable[[], str]
    """Its digest, hexadecimal. This and ``file`` block, and are for one thread at a time."""
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
        await spool.settle()
        yield Upload(spool.file, spool.size_bytes, spool.sha256, name, fields)


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


def _write(descriptor: int, chunks: list[bytes]) -> None:
    """All of them, in as few calls as can be: every one lets another thread go first."""
    for first in range(0, len(chunks), _CHUNKS_PER_CALL):
        some = chunks[first : first + _CHUNKS_PER_CALL]
        written, size = os.writev(descriptor, some), sum(map(len, some))
        if written < size:
            rest = memoryview(b"".join(some))
            while written < size:
                written += os.write(descriptor, rest[written:])


class _Spool:
    """What is received: counted, and kept in a temporary file, 0600.

    Only threads touch the disk and digest. The last block, often the only one, is written by the
    thread that needs the file: to change threads takes longer than to write it. From a slow sender
    even less than a block is written, and digested, beside the arrival of what follows.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size_bytes = 0
        self._folder = folder
        self._path: Path | None = None
        self._stream: FileIO | None = None
        self._digest = hashlib.sha256()
        self._digested_bytes = 0
        self._chunks: list[bytes] = []
        self._chunks_bytes = 0
        self._passed_on_at = time.monotonic()
        self._keeping: asyncio.Future[None] | None = None
        self._fault: OSError | None = None

    def write(self, chunk: bytes) -> None:
        """Append. Raises InvalidDocument ``file.too_large``."""
        self.size_bytes += len(chunk)
        if self.size_bytes > self.max_bytes:
            raise _too_large(self.max_bytes, self.size_bytes)
        self._chunks.append(chunk)
        self._chunks_bytes += len(chunk) + _CHUNK_OVERHEAD_BYTES

    async def pass_on(self) -> None:
        """Have what came written where it is time. Raises what an earlier block met with."""
        is_slow = time.monotonic() - self._passed_on_at > _PATIENCE_S
        if is_slow or self._chunks_bytes >= _BLOCK_BYTES:
            await self.settle()
            loop = asyncio.get_running_loop()
            self._keeping = loop.run_in_executor(None, self._keep, self._taken(), is_slow)
            self._passed_on_at = time.monotonic()

    async def settle(self) -> None:
        """Wait until nothing is being written. Raises what writing met with."""
        if self._keeping is not None:
            await self._keeping
            self._keeping = None

    def file(self) -> Path:
        """Where the file is. Its lock is held until it is whole."""
        self._keep([], is_digested=False)
        assert self._path is not None
        return self._path

    def sha256(self) -> str:
        """Of the whole file, hexadecimal, once settled. Blocks while the rest is kept."""
        self._keep(self._taken(), is_digested=False)
        assert self._stream is not None
        fcntl.flock(self._stream, fcntl.LOCK_UN)
        self._keep([], is_digested=True)
        return self._digest.hexdigest()

    def _taken(self) -> list[bytes]:
        chunks, self._chunks, self._chunks_bytes = self._chunks, [], 0
        return chunks

    def _keep(self, chunks: list[bytes], is_digested: bool) -> None:
        if self._fault is not None:
            raise self._fault
        try:
            self._write_and_digest(chunks, is_digested)
        except OSError as error:
            self._fault = error  # what is lost once must never pass for the whole
            raise

    def _write_and_digest(self, chunks: list[bytes], is_digested: bool) -> None:
        if self._stream is None:
            descriptor, name = tempfile.mkstemp(dir=self._folder)
            self._stream, self._path = FileIO(descriptor, "r+"), Path(name)
            fcntl.flock(self._stream, fcntl.LOCK_EX)
        _write(self._stream.fileno(), chunks)
        while is_digested and (
            piece := os.pread(self._stream.fileno(), _PIECE_BYTES, self._digested_bytes)
        ):
            self._digest.update(piece)
            self._digested_bytes += len(piece)

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
            if self._stream is not None and self._path is not None:
                # Its space is given back after the answer, which this turn of the loop sends.
                loop = asyncio.get_running_loop()
                loop.call_soon(loop.run_in_executor, None, self._stream.close)
                self._path.unlink(missing_ok=True)
