"""Which errors say that a database or a store of blobs cannot be used, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from docqa.errors import InvalidModel

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


def told_by_database(error: BaseException) -> str | None:
    """What its driver says of a database that cannot be used; None where that is not the error.

    The first line alone: what follows may repeat a value.
    """
    if not isinstance(error, sa.exc.SQLAlchemyError) or not is_storage_fault(error):
        return None
    return _first_line(error.orig if isinstance(error, sa.exc.DBAPIError) else error)


def _first_line(said: object) -> str:
    return next(iter(str(said).splitlines()), "")


@contextmanager
def opening_database() -> Iterator[None]:
    """Raises InvalidModel, which names the variable, for a database that cannot be opened."""
    try:
        yield
    except (sa.exc.ArgumentError, ImportError) as error:
        # It is not repeated: it may hold a password.
        raise InvalidModel(
            "DOCQA_DATABASE_URL is no address of a database, as sqlite:///docqa.sqlite3 and "
            "postgresql+psycopg://user@host/docqa are"
        ) from error
    except (sa.exc.DBAPIError, OSError) as error:
        first = _first_line(error.strerror if isinstance(error, OSError) else error.orig)
        raise InvalidModel(
            f"the database cannot be opened: {first}: see DOCQA_DATABASE_URL"
        ) from error
