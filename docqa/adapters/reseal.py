"""Sealing everything that is stored under the active key: after a change of keys, or the first."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from docqa.adapters.record_tables import legal_holds
from docqa.adapters.revalidation_tables import judgements
from docqa.adapters.review_tables import review_decisions, review_trail
from docqa.adapters.schema import SealedText, documents, reservations, rulings
from docqa.adapters.sealing import NO_KEYS, Keyring, sealed_by
from docqa.adapters.store import SqlStore
from docqa.adapters.webhook_tables import webhook_endpoints
from docqa.errors import DamagedData
from docqa.ports import BlobStore

_KEY_BYTES = 16
_STORED = {
    "claims": sa.type_coerce(documents.c.claims, sa.JSON).label("claims"),
    "readings": sa.type_coerce(documents.c.readings, sa.JSON).label("readings"),
    "file_name": sa.type_coerce(documents.c.file_name, sa.Text).label("file_name"),
}
_SECRETS = {
    name: sa.type_coerce(webhook_endpoints.c[name], sa.Text).label(name)
    for name in ("secret", "previous_secret")
}
_TEXTS: tuple[sa.Column[Any], ...] = (
    reservations.c.payload_digest,
    review_trail.c.detail,
    review_decisions.c.note,
    rulings.c.reason,
    legal_holds.c.reason,
    judgements.c.readings,
)
"""What is sealed in the other tables."""
_ROWS_AT_ONCE = 500
_LEFT = (
    "{} documents or webhook endpoints could not be sealed anew. Where a key or a file is lost for"
    " good, a document remains until `docqa purge --apply` finds that it is over, and an endpoint"
    " until `docqa webhooks rotate` gives it another secret:"
)


def reseal(store: SqlStore, bare: BlobStore, keyring: Keyring) -> Iterator[str]:
    """Seal under the active key all that is not yet: documents, secrets of webhooks, the digests
    of requests by which repeated ones are told, what reviewers and operators typed, and what was
    read anew for runs.

    A blob is written anew under another random key before its old one is deleted; a run that dies
    leaves at worst one blob too many, never one too few, and another run goes on.

    Args:
        store: the documents.
        bare: the blobs as they are stored.
        keyring: with every key that is still in use, the new one first.

    Yields:
        The id of each document and of each webhook endpoint that was changed.

    Raises:
        DamagedData: once all others are done, it names the documents and the webhook endpoints of
            which something is lost, was changed or cut, or needs a key that is not in the ring.
    """
    left: dict[str, str] = {}
    order = (documents.c.received_at, documents.c.id)
    for document_id in _ids(store.engine, documents.c.id, order):
        changed = False
        with _noting(left, document_id):
            changed = _reseal_columns(store, document_id, keyring)
        with _noting(left, document_id):
            changed |= _reseal_blob(store, bare, document_id, keyring)
        if changed:
            yield document_id
    order = (webhook_endpoints.c.created_at, webhook_endpoints.c.id)
    for endpoint_id in _ids(store.engine, webhook_endpoints.c.id, order):
        changed = False
        with _noting(left, endpoint_id):
            changed = _reseal_secrets(store.engine, endpoint_id, keyring)
        if changed:
            yield endpoint_id
    for text in _TEXTS:
        _reseal_texts(store.engine, keyring, text, left)
    if left:
        told = [f"{name}: {why}" for name, why in left.items()]
        raise DamagedData("\n".join([_LEFT.format(len(left)), *told]))


@contextmanager
def _noting(left: dict[str, str], name: str) -> Iterator[None]:
    """What cannot be opened keeps nothing else from being sealed."""
    try:
        yield
    except DamagedData as error:
        left.setdefault(name, str(error))


def _ids(
    engine: sa.Engine, column: sa.Column[str], order: Sequence[sa.Column[Any]]
) -> Sequence[str]:
    with engine.connect() as connection:
        return connection.execute(sa.select(column).order_by(*order)).scalars().all()


def _reseal_secrets(engine: sa.Engine, endpoint_id: str, keyring: Keyring) -> bool:
    """Write an endpoint's secrets anew; whether they were not under the active key."""
    mine = webhook_endpoints.c.id == endpoint_id
    with engine.begin() as connection:
        # Takes the lock first: a secret that is changed meanwhile must not be put back.
        connection.execute(
            sa.update(webhook_endpoints).where(mine).values(enabled=webhook_endpoints.c.enabled)
        )
        stored = connection.execute(sa.select(*_SECRETS.values()).where(mine)).one_or_none()
        if stored is None or all(keyring.is_current(value) for value in stored if value):
            return False
        plain = sa.select(webhook_endpoints.c.secret, webhook_endpoints.c.previous_secret)
        row = connection.execute(plain.where(mine)).one()
        values = {"secret": row.secret, "previous_secret": row.previous_secret}
        connection.execute(sa.update(webhook_endpoints).where(mine).values(values))
    return True


def _reseal_texts(
    engine: sa.Engine, keyring: Keyring, text: sa.Column[Any], left: dict[str, str]
) -> None:
    table, sealed = text.table, text.type
    assert isinstance(sealed, SealedText)
    keys, document_id = sa.tuple_(*table.primary_key), table.c.document_id.label("its_document")
    as_stored = sa.type_coerce(text, sa.Text)
    page = sa.select(*keys, document_id, as_stored).where(as_stored != "").order_by(*keys)
    rows: Sequence[Any] = ()
    while True:
        query = page.where(keys > rows[-1][:-2]) if rows else page
        with engine.connect() as connection:
            rows = connection.execute(query.limit(_ROWS_AT_ONCE)).all()
        if not rows:
            return
        for *key, name, stored in rows:
            with _noting(left, name):
                if keyring.is_current(stored):
                    continue
                plain = keyring.open_text(stored, sealed.place)
                # Only what is still as it was read: what was erased meanwhile must not come back.
                unchanged = (keys == tuple(key)) & (stored == as_stored)
                with engine.begin() as connection:
                    connection.execute(sa.update(table).where(unchanged).values({text: plain}))


def _reseal_columns(store: SqlStore, document_id: str, keyring: Keyring) -> bool:
    """Write claims, readings and name anew; whether they were not under the active key."""
    mine = documents.c.id == document_id
    with store.engine.begin() as connection:
        # Takes the lock first: claims that are corrected meanwhile must not be put back.
        connection.execute(
            sa.update(documents).where(mine).values(report_number=documents.c.report_number)
        )
        stored = connection.execute(sa.select(*_STORED.values()).where(mine)).one_or_none()
        if stored is None:
            return False  # erased meanwhile
        if all(keyring.is_current(value) for value in stored):
            return False
        row = connection.execute(
            sa.select(documents.c.claims, documents.c.readings, documents.c.file_name).where(mine)
        ).one()
        connection.execute(
            sa.update(documents)
            .where(mine)
            .values(
                claims=row.claims,
                readings=row.readings,
                file_name=row.file_name,
                national_number_hmac=store.number_index(row.claims),
            )
        )
    return True


def _reseal_blob(store: SqlStore, bare: BlobStore, document_id: str, keyring: Keyring) -> bool:
    mine = documents.c.id == document_id
    with store.engine.connect() as connection:
        old = connection.execute(sa.select(documents.c.blob_key).where(mine)).scalar_one_or_none()
    if old is None:
        return False
    is_old = mine & (documents.c.blob_key == old)
    try:
        stored = bare.get(old)
    except KeyError:
        with store.engine.connect() as connection:
            is_there = connection.execute(sa.select(documents.c.id).where(is_old)).first()
        if is_there is None:
            return False  # erased meanwhile
        raise DamagedData("its file is not there: restore it from a backup") from None
    sealed_with = sealed_by(stored)
    if sealed_with == keyring.key_ids[0]:
        return False
    plain = (NO_KEYS if sealed_with is None else keyring).open(stored, old)
    new = secrets.token_hex(_KEY_BYTES)
    bare.put(new, keyring.seal(plain, new))
    with store.engine.begin() as connection:
        moved = connection.execute(sa.update(documents).where(is_old).values(blob_key=new))
    bare.delete(old if moved.rowcount else new)
    return bool(moved.rowcount)
