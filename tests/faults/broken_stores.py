"""Stores that fail at the worst moment; everything else of them is real."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from docqa.adapters.store import SqlStore
from docqa.ports import StoredDocument


class DyingStore(SqlStore):
    """A store whose connection dies as a document is added.

    Args:
        url: of its database.
        commits: whether the database committed before the connection died.
        away: whether the database cannot be asked afterwards.
    """

    def __init__(self, url: str, *, commits: bool, away: bool = False) -> None:
        super().__init__(url)
        self.commits, self.away = commits, away
        self.dies = True

    def add(self, document: StoredDocument) -> None:
        """Dies once it has, or has not, committed."""
        if self.dies and not self.commits:
            raise _died()
        super().add(document)
        if self.dies:
            raise _died()

    def get(self, document_id: str) -> StoredDocument | None:
        """Raises while the database is away and a document may be in doubt."""
        if self.dies and self.away and document_id in self.doubted:
            raise _died()
        return super().get(document_id)

    @property
    def doubted(self) -> set[str]:
        """Ids of everything that was committed."""
        with self.engine.connect() as connection:
            return set(connection.execute(sa.text("SELECT id FROM documents")).scalars())


class OvertakenStore(SqlStore):
    """A store in which another holder of the same key is always a little quicker.

    Args:
        url: of its database.
        first: what the other adds, made from what is about to be added.
    """

    def __init__(self, url: str, first: Callable[[StoredDocument], StoredDocument]) -> None:
        super().__init__(url)
        self._first = first

    def add(self, document: StoredDocument) -> None:
        """Adds the other's document before."""
        super().add(self._first(document))
        super().add(document)


def _died() -> sa.exc.OperationalError:
    return sa.exc.OperationalError("COMMIT", {}, Exception("the connection died"))
