"""What an operator does now and then with everything that is stored: purge it, seal it anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from docqa import wiring
from docqa.errors import HeldDocument, InvalidModel
from docqa.retention import class_of, is_over
from docqa.settings import Settings

ORPHANED = "orphaned"
UNCLAIMED = "unclaimed"
SPARED = "spared"
_YOUNG = timedelta(days=1)
"""No upload takes so long."""


def purge(settings: Settings, stores: wiring.Stores, *, erases: bool) -> Iterator[str]:
    """Erase, or only tell of, the documents that have been kept long enough.

    With them go the keys of requests that died without a document.

    Yields:
        The retention class of each, or ``failed`` for one that could not be erased now; and
        ``orphaned`` for each upload without a document that is older than any document gets. A
        younger one is ``unclaimed`` and stays: a crash leaves it, and so does a database that was
        put back from a backup, of whose later uploads it knows nothing. All are ``spared`` where
        none of them is a document's of this database: it may be another installation's.
    """
    periods = wiring.load_retention(settings)
    now = datetime.now(UTC)
    is_known = _knows_uploads(stores)  # asked while all documents are there
    if erases:
        try:
            stores.retention.resume()
        except OSError:
            yield "failed"
    candidates = stores.retention.kept(now - min(periods.values()))
    over = [
        (kept.document_id, class_of(kept)) for kept in candidates if is_over(kept, periods, now)
    ]
    for document_id, name in over:
        try:
            if erases:
                stores.retention.erase(document_id, f"retention_{name}")
        except HeldDocument:
            continue  # held since a moment ago
        except OSError:
            yield "failed"
        else:
            yield name
    oldest = now - max(periods.values())
    yield from _orphans(stores, now - _YOUNG, oldest, is_known=is_known, erases=erases)
    if erases:
        stores.reservations.forget_unanswered(now - _YOUNG)
        stores.retention.overwrite_deleted()


def _knows_uploads(stores: wiring.Stores) -> bool | None:
    """None where the blob store does not answer."""
    try:
        return stores.retention.knows_uploads()
    except OSError:
        return None


def _orphans(
    stores: wiring.Stores,
    stored_before: datetime,
    erased_before: datetime,
    *,
    is_known: bool | None,
    erases: bool,
) -> list[str]:
    if is_known is None:
        return ["failed"]
    try:
        number = stores.retention.orphans(stored_before, erases=False)
        if not is_known:
            return [SPARED] * number
        over = stores.retention.orphans(erased_before, erases=erases)
    except OSError:
        return ["failed"]
    return [ORPHANED] * over + [UNCLAIMED] * (number - over)


def reseal(settings: Settings, stores: wiring.Stores) -> Iterator[str]:
    """Seal everything under the active key that is not; the id of each document that was changed.

    Raises InvalidModel when there is no key.
    """
    keyring = stores.documents.keyring
    if not keyring.key_ids:
        raise InvalidModel("there is no key to seal with: set DOCQA_ENCRYPTION_KEYS")
    return wiring.reseal(stores.documents, wiring.bare_blobs(settings), keyring)
