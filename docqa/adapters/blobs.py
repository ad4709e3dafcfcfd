"""Uploaded bytes in a folder."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

_KEY = re.compile(r"[a-z0-9]{16,64}")
_UNFINISHED_PREFIX = "."
_UNFINISHED = re.compile(r"\.[a-z0-9_]{8}")
"""A file that :func:`tempfile.mkstemp` made, left by a process that died while it wrote."""


def is_key(key: str) -> bool:
    """Whether docqa may have made it."""
    return _KEY.fullmatch(key) is not None


def check_key(key: str) -> None:
    """Raises ValueError when ``key`` is none that docqa makes."""
    if not is_key(key):
        raise ValueError("a blob key is 16 to 64 of a-z and 0-9")


class FolderBlobs:
    """One file per key, readable by the service's own user only.

    A file appears whole or not at all, and is on the disk when :meth:`put` returns.

    Args:
        folder: made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sync(folder.parent)

    def put(self, key: str, data: bytes) -> None:
        """Store durably.

        Raises:
            ValueError: the key is taken, or not 16 to 64 of a-z and 0-9.
        """
        path = self._path(key)
        descriptor, temporary = tempfile.mkstemp(
            dir=self._folder, prefix=_UNFINISHED_PREFIX
        )  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
                # Hardly ever read soon: its memory is the next one's, and need not be found anew.
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            path.hardlink_to(temporary)  # unlike a rename it never replaces
        except FileExistsError as error:
            raise ValueError(f"the blob {key} exists already") from error
        finally:
            Path(temporary).unlink()
        self._sync(self._folder)

    def get(self, key: str) -> bytes:
        """Raises KeyError when there is none."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None

    def delete(self, key: str) -> None:
        """Gone for good; a missing key is no error."""
        with contextlib.suppress(FileNotFoundError):
            path = self._folder / key if _UNFINISHED.fullmatch(key) else self._path(key)
            path.unlink()
            self._sync(self._folder)

    def stored_before(self, moment: datetime) -> Iterator[str]:
        """See :class:`docqa.ports.BlobStore`."""
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if not (is_key(entry.name) or _UNFINISHED.fullmatch(entry.name)):
                    continue
                with contextlib.suppress(FileNotFoundError):  # erased meanwhile
                    if entry.stat().st_mtime < moment.timestamp():
                        yield entry.name

    def problems(self) -> list[str]:
        """See :class:`docqa.ports.BlobStore`."""
        if os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            return []
        return ["the folder of the uploads cannot be read and written: see DOCQA_BLOBS_DIR"]

    def _path(self, key: str) -> Path:
        check_key(key)
        return self._folder / key

    @staticmethod
    def _sync(folder: Path) -> None:
        """Make the names in ``folder`` durable."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
