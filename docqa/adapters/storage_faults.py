"""Which errors say that a database or a store of blobs cannot be used at the moment."""

from __future__ import annotations

import sqlalchemy as sa

_FAULTS = (
    OSError,  # a disk that is full or read-only, a folder that is gone, S3 that does not answer
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sa.exc.InternalError,  # PostgreSQL where it may only read
    sa.exc.TimeoutError,  # no connection was free in time
)


def is_storage_fault(error: BaseException | None) -> bool:
    """Whether the error, or what it was raised from, is the storage's: it may pass by itself."""
    while error is not None:
        if isinstance(error, _FAULTS):
            return True
        error = error.__cause__
    return False
