"""Encryption at rest around any store of uploaded bytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from docqa.adapters.sealing import Keyring
from docqa.ports import BlobStore


class SealedBlobs:
    """BlobStore that keeps its bytes, sealed, in another one.

    Args:
        inner: where the sealed bytes go.
        keyring: the keys; without any, bytes are stored as they are and sealed ones are refused.
    """

    def __init__(self, inner: BlobStore, keyring: Keyring) -> None:
        self._inner = inner
        self._keyring = keyring

    def put(self, key: str, data: bytes) -> None:
        """Store durably. Raises ValueError when the key is taken or is none."""
        self._inner.put(key, self._keyring.seal(data, key))

    def get(self, key: str) -> bytes:
        """What was put.

        Raises:
            KeyError: there is none.
            DamagedData: the stored bytes were changed, cut or moved, or their key is not here.
        """
        return self._keyring.open(self._inner.get(key), key)

    def delete(self, key: str) -> None:
        """Gone for good; a missing key is no error."""
        self._inner.delete(key)

    def stored_before(self, moment: datetime) -> Iterator[str]:
        """See :class:`docqa.ports.BlobStore`."""
        return self._inner.stored_before(moment)

    def problems(self) -> list[str]:
        """See :class:`docqa.ports.BlobStore`."""
        return self._inner.problems()
