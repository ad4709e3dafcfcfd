"""Signed-in reviewers, and idempotency keys, in an SQL database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from docqa.adapters.schema import reservations, reviewers, sessions

_TOKEN_BYTES = 32
_RESERVE = sa.insert(reservations)
_IDLE_PRECISION = timedelta(seconds=30)
"""A page with many images needs one write, not one each."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an idempotency key stands for."""

    document_id: str
    """The one document this key may create."""
    payload_digest: str
    """Of the request the key was first used with; "" once its document was erased."""
    mine: bool
    """Whether the caller is to create it; otherwise somebody else did or is about to."""
    is_answered: bool = False
    """Whether the document was created once, even if it was deleted since."""


class SqlSessions:
    """Tokens that say who is signed in. The database knows only their SHA-256.

    Args:
        engine: an open database at the newest schema.
        idle: how long a session lives without a request.
        lifetime: how long it lives at most.
    """

    def __init__(self, engine: sa.Engine, *, idle: timedelta, lifetime: timedelta) -> None:
        self._engine = engine
        self._idle = idle
        self._lifetime = lifetime

    def start(self, reviewer: str, *, now: datetime) -> str:
        """A new token for ``reviewer``. Sessions that are over are forgotten on the way."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._engine.begin() as connection:
            connection.execute(sa.delete(sessions).where(_over(now)))
            connection.execute(
                sa.insert(sessions).values(
                    token_sha256=_sha256(token),
                    reviewer=reviewer,
                    expires_at=now + self._lifetime,
                    idle_until=now + self._idle,
                )
            )
        return token

    def reviewer(self, token: str, *, now: datetime, renews: bool = True) -> str | None:
        """Who is signed in with ``token``; None when nobody is.

        The idle time starts anew if it ``renews``.
        """
        query = (
            sa.select(sessions.c.reviewer, sessions.c.idle_until)
            .join(reviewers)  # SQLite keeps the session of an account that was deleted by hand
            .where(sessions.c.token_sha256 == _sha256(token), ~_over(now))
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        if renews and row.idle_until < now + self._idle - _IDLE_PRECISION:
            with self._engine.begin() as connection:
                connection.execute(
                    sa.update(sessions)
                    .where(sessions.c.token_sha256 == _sha256(token))
                    .values(idle_until=now + self._idle)
                )
        return str(row.reviewer)

    def end(self, token: str) -> None:
        """Sign out; a token that is over is no error."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.token_sha256 == _sha256(token)))


class SqlReservations:
    """Idempotency keys: each creates at most one document, whatever dies on the way.

    The key is bound to a document id before the work starts. Whoever takes over after a crash gets
    the same id, so the store's own uniqueness keeps a second document out.

    Args:
        engine: an open database at the newest schema.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def reserve(
        self,
        key: str,
        payload_digest: str,
        document_id: str,
        *,
        now: datetime,
        stale_before: datetime,
    ) -> Reservation:
        """Bind ``key`` to ``document_id``, or tell what it is bound to.

        A reservation made before ``stale_before`` that led to no document is taken over by a caller
        with the same payload.
        """
        row = {
            "key": key,
            "payload_digest": payload_digest,
            "document_id": document_id,
            "reserved_at": now,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(_RESERVE, row)
        except sa.exc.IntegrityError:
            return self._existing(key, payload_digest, now, stale_before)
        return Reservation(document_id, payload_digest, mine=True)

    def release(self, key: str, document_id: str, *, reserved_at: datetime) -> None:
        """Forget a key whose document was not created, so that the client may try again.

        Nothing happens where another took it over since ``reserved_at``: it is the other's now.
        """
        with self._engine.begin() as connection:
            connection.execute(
                sa.delete(reservations).where(
                    reservations.c.key == key,
                    reservations.c.document_id == document_id,
                    reservations.c.reserved_at == reserved_at,
                    reservations.c.answered_at.is_(None),
                )
            )

    def forget_unanswered(self, before: datetime) -> None:
        """Forget the keys of requests that died before then and were never made again."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.delete(reservations).where(
                    reservations.c.reserved_at < before, reservations.c.answered_at.is_(None)
                )
            )

    def _existing(
        self, key: str, payload_digest: str, now: datetime, stale_before: datetime
    ) -> Reservation:
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(reservations).where(reservations.c.key == key)
            ).one_or_none()
        if row is None:  # released a moment ago: the client may simply try again
            return Reservation("", payload_digest, mine=False)
        return Reservation(
            row.document_id,
            row.payload_digest,
            mine=row.payload_digest == payload_digest
            and self._takes_over(key, row.document_id, now, stale_before),
            is_answered=row.answered_at is not None,
        )

    def _takes_over(
        self, key: str, document_id: str, now: datetime, stale_before: datetime
    ) -> bool:
        with self._engine.begin() as connection:
            taken_over = connection.execute(
                sa.update(reservations)
                .where(
                    reservations.c.key == key,
                    reservations.c.document_id == document_id,
                    reservations.c.reserved_at < stale_before,
                    reservations.c.answered_at.is_(None),
                )
                .values(reserved_at=now)
            )
        return taken_over.rowcount == 1


def _over(now: datetime) -> sa.ColumnElement[bool]:
    return (sessions.c.expires_at <= now) | (sessions.c.idle_until <= now)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
