"""Uploaded bytes in a folder."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

_KEY = re.compile(r"[a-z0-9]{16,64}")


def check_key(key: str) -> None:
    """Raises ValueError when ``key`` is none that docqa makes."""
    if not _KEY.fullmatch(key):
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
        descriptor, temporary = tempfile.mkstemp(dir=self._folder, prefix=".")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
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
            self._path(key).unlink()
            self._sync(self._folder)

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
