"""Documents while they are being judged: files in memory, which children open by their path.

No disk ever sees them, and none is left behind by a process that was killed. A file is used again
by a later document, its old bytes wiped: on many machines memory that nobody used for a while costs
ten times as much to write to.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_KEPT_BYTES = 4_194_304
"""Room that a file keeps while it waits for the next upload, bytes."""
_ZEROS = bytes(262_144)


class MemoryFile:
    """One file; its length says nothing until it is complete.

    Raises OSError when there is no room.
    """

    def __init__(self) -> None:
        self.size_bytes = 0
        self._descriptor = os.memfd_create("docqa")
        try:
            os.fchmod(self._descriptor, 0o600)
            os.ftruncate(self._descriptor, _KEPT_BYTES)
            self._map = mmap.mmap(self._descriptor, _KEPT_BYTES)
        except BaseException:
            os.close(self._descriptor)
            raise

    @property
    def path(self) -> Path:
        """Where processes of this service's own user find it while it is held."""
        return Path(f"/proc/{os.getpid()}/fd/{self._descriptor}")

    def append(self, chunk: bytes | memoryview) -> None:
        """Add to its end. Raises OSError when there is no room."""
        end = self.size_bytes + len(chunk)
        if end > len(self._map):
            self._map.resize(max(end, 2 * len(self._map)))
        self._map[self.size_bytes : end] = chunk
        self.size_bytes = end

    def complete(self) -> None:
        """Give the file the length of what was added; nothing may be added after it."""
        os.ftruncate(self._descriptor, self.size_bytes)

    def sha256(self) -> str:
        """Of what was added, hexadecimal."""
        with memoryview(self._map) as room, room[: self.size_bytes] as added:
            return hashlib.sha256(added).hexdigest()

    def wipe(self) -> None:
        """Make it empty, for another upload. Raises OSError when there is no room."""
        self._map.resize(_KEPT_BYTES)
        # By calls that let other threads work, unlike writing to the map.
        for start in range(0, min(self.size_bytes, _KEPT_BYTES), len(_ZEROS)):
            os.pwrite(self._descriptor, _ZEROS, start)
        self.size_bytes = 0

    def close(self) -> None:
        """Give its memory back."""
        self._map.close()
        os.close(self._descriptor)


class MemoryFiles:
    """Files for uploads, as many as are held at the same time. Threads may share it."""

    def __init__(self) -> None:
        self._spare: list[MemoryFile] = []

    def take(self) -> MemoryFile:
        """An empty file, to be given back. Raises OSError when there is no room."""
        try:
            return self._spare.pop()
        except IndexError:
            return MemoryFile()

    def give_back(self, file: MemoryFile) -> None:
        """Wipe what nobody reads any more. Blocks for about as long as it takes to copy."""
        try:
            file.wipe()
        except OSError:  # no room for an empty one either: what it has goes back
            file.close()
        else:
            self._spare.append(file)

    @contextmanager
    def holding(self, data: bytes) -> Iterator[Path]:
        """The path of a file of ``data``. Raises OSError when there is no room."""
        file = self.take()
        try:
            file.append(data)
            file.complete()
            yield file.path
        finally:
            self.give_back(file)

    def close(self) -> None:
        """Give back the memory of the files that wait."""
        while self._spare:
            self._spare.pop().close()
