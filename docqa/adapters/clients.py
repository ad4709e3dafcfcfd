"""API keys and reviewers' roles in an SQL database."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from docqa.adapters.client_tables import client_keys, reviewer_roles
from docqa.adapters.schema import documents, reviewers, sessions

SCOPES = ("documents:write", "documents:read", "reviews:read", "batch:write", "admin")
"""What a key may do; ``admin`` includes the others."""
ROLES = ("reviewer", "senior", "auditor", "admin")
"""What a reviewer may be; an auditor sees everything but covered numbers, and decides nothing."""
LIVE_KEYS_PER_CLIENT = 2
"""One in use and one that replaces it."""
_SECRET_BYTES = 32
_KEY_ID_BYTES = 8
_TOKEN = re.compile(r"dqk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LAST_USE_PRECISION = timedelta(minutes=1)
_BY_KEY_ID = sa.select(client_keys).where(client_keys.c.key_id == sa.bindparam("key_id"))
"""Made once: every request asks this, and making it takes longer than asking."""
_NO_SECRET = hashlib.sha256(secrets.token_bytes(_SECRET_BYTES)).hexdigest()
"""What the secret of an unknown key is compared with, so that it is the same work."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key without its secret."""

    key_id: str
    client_id: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Whether it opens anything at ``now``."""
        return self.revoked_at is None and now < self.expires_at


class SqlClients:
    """Who may call the service.

    Args:
        engine: an open database at the newest schema.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def create_key(
        self, client_id: str, scopes: Sequence[str], *, now: datetime, lifetime: timedelta
    ) -> str:
        """A new key for ``client_id``, ``dqk_<key id>_<secret>``. It is shown this once.

        Raises ValueError for a client id that is no name (``local`` is the service's own), an
        unknown scope, or a client with two live keys.
        """
        if not _CLIENT_ID.fullmatch(client_id) or client_id == "local":
            raise ValueError("a client is called by 1 to 64 of a-z 0-9 . _ - and not 'local'")
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise ValueError(f"scopes are one or more of {', '.join(SCOPES)}")
        key_id = secrets.token_hex(_KEY_ID_BYTES)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        with self._engine.begin() as connection:
            connection.execute(
                sa.insert(client_keys).values(
                    key_id=key_id,
                    client_id=client_id,
                    secret_sha256=_sha256(secret),
                    scopes=sorted(set(scopes)),
                    created_at=now,
                    expires_at=now + lifetime,
                )
            )
            # Counted after the insert, which on SQLite holds the one lock there is.
            live = connection.execute(
                sa.select(sa.func.count())
                .select_from(client_keys)
                .where(client_keys.c.client_id == client_id, _live(now))
            ).scalar_one()
            if live > LIVE_KEYS_PER_CLIENT:
                raise ValueError(
                    f"{client_id} has {LIVE_KEYS_PER_CLIENT} live keys: revoke one first"
                )
        return f"dqk_{key_id}_{secret}"

    def all_keys(self) -> list[ClientKey]:
        """Every key there ever was, the newest first."""
        query = sa.select(client_keys).order_by(client_keys.c.created_at.desc())
        with self._engine.connect() as connection:
            return [_key(row) for row in connection.execute(query)]

    def revoke_key(self, key_id: str, *, now: datetime) -> bool:
        """Make a key useless from now on; False when there is none, or it was revoked before."""
        with self._engine.begin() as connection:
            done = connection.execute(
                sa.update(client_keys)
                .where(client_keys.c.key_id == key_id, client_keys.c.revoked_at.is_(None))
                .values(revoked_at=now)
            )
        return done.rowcount == 1

    def has_live_key(self, *, now: datetime) -> bool:
        """Whether anybody could call at all."""
        query = sa.select(client_keys.c.key_id).where(_live(now)).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def authenticate(self, token: str, *, now: datetime) -> ClientKey | None:
        """The live key that ``token`` is; None for any other text, whatever is wrong with it."""
        parsed = _TOKEN.fullmatch(token)
        key_id, secret = parsed.groups() if parsed else ("", "")
        with self._engine.connect() as connection:
            row = connection.execute(_BY_KEY_ID, {"key_id": key_id}).one_or_none()
        expected = _NO_SECRET if row is None else row.secret_sha256
        same = hmac.compare_digest(_sha256(secret), expected)
        if row is None or not same:
            return None
        key = _key(row)
        if not key.is_live(now):
            return None
        if key.last_used_at is None or key.last_used_at < now - _LAST_USE_PRECISION:
            self._note_use(key_id, now)
        return key

    def owns(self, client_id: str, document_id: str) -> bool:
        """Whether the document exists and is this client's."""
        query = sa.select(documents.c.id).where(
            documents.c.id == document_id, documents.c.client_id == client_id
        )
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def role(self, reviewer: str) -> str:
        """What a reviewer may do: one of ``ROLES``."""
        with self._engine.connect() as connection:
            return _account(connection, reviewer)[0]

    def vouched_by_provider(self, reviewer: str) -> bool:
        """Whether the account came from the OpenID provider and has no password of its own."""
        with self._engine.connect() as connection:
            return _account(connection, reviewer)[1] == "oidc"

    def set_role(self, reviewer: str, role: str) -> None:
        """Let an existing reviewer be ``role``. Raises ValueError for an unknown role."""
        with self._engine.begin() as connection:
            _put_role(connection, reviewer, role, "local")

    def admit_reviewer(self, reviewer: str, role: str, *, unusable_hash: str) -> bool:
        """Let in whom the OpenID provider vouches for, making the account if need be.

        False when a local account has that name: a provider must not take it over. Raises
        ValueError for an unknown role, and makes no account for it.

        Args:
            reviewer: the name.
            role: one of ``ROLES``, as the provider says today.
            unusable_hash: of a password that nobody knows.
        """
        with self._engine.begin() as connection:
            known = connection.execute(
                sa.select(reviewers.c.name).where(reviewers.c.name == reviewer)
            ).first()
            if known is None:
                connection.execute(
                    sa.insert(reviewers).values(name=reviewer, password_hash=unusable_hash)
                )
            elif _account(connection, reviewer)[1] != "oidc":
                return False
            # With the account: one without a role is taken for a local one from then on.
            _put_role(connection, reviewer, role, "oidc")
        return True

    def close_reviewer(self, reviewer: str, *, unusable_hash: str) -> bool:
        """Sign an account out and let it in no more; False when there is none.

        It keeps its role for when it gets a new password. One of the provider's becomes a local
        one, so that the provider does not let it in again.

        Args:
            reviewer: the name.
            unusable_hash: of a password that nobody knows.
        """
        with self._engine.begin() as connection:
            closed = connection.execute(
                sa.update(reviewers)
                .where(reviewers.c.name == reviewer)
                .values(password_hash=unusable_hash)
            )
            if closed.rowcount == 0:
                return False
            connection.execute(sa.delete(sessions).where(sessions.c.reviewer == reviewer))
            _put_role(connection, reviewer, _account(connection, reviewer)[0], "local")
        return True

    def _note_use(self, key_id: str, now: datetime) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(client_keys)
                .where(client_keys.c.key_id == key_id)
                .values(last_used_at=now)
            )


def _account(connection: sa.Connection, reviewer: str) -> tuple[str, str]:
    """Role and origin."""
    query = sa.select(reviewer_roles).where(reviewer_roles.c.name == reviewer)
    row = connection.execute(query).one_or_none()
    return ("reviewer", "local") if row is None else (row.role, row.origin)


def _put_role(connection: sa.Connection, reviewer: str, role: str, origin: str) -> None:
    if role not in ROLES:
        raise ValueError(f"a role is one of {', '.join(ROLES)}")
    connection.execute(sa.delete(reviewer_roles).where(reviewer_roles.c.name == reviewer))
    connection.execute(sa.insert(reviewer_roles).values(name=reviewer, role=role, origin=origin))


def _live(now: datetime) -> sa.ColumnElement[bool]:
    return client_keys.c.revoked_at.is_(None) & (client_keys.c.expires_at > now)


def _key(row: sa.Row[tuple[object, ...]]) -> ClientKey:
    return ClientKey(
        key_id=row.key_id,
        client_id=row.client_id,
        scopes=frozenset(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
