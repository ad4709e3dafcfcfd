"""Erasing, holding and keeping documents, on every SQL store."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from docqa.adapters import schema
from docqa.adapters.audit_trail import SqlAuditTrail
from docqa.adapters.blobs import FolderBlobs
from docqa.adapters.record_tables import audit_entries, deletion_receipts
from docqa.adapters.records import SqlRecords
from docqa.adapters.reseal import reseal
from docqa.adapters.retention import SqlRetention
from docqa.adapters.revalidation_tables import judgements
from docqa.adapters.review_tables import review_decisions, review_trail
from docqa.adapters.reviewing import SqlDesk
from docqa.adapters.sealed_blobs import SealedBlobs
from docqa.adapters.sealing import Keyring, sealed_by
from docqa.adapters.sessions import SqlReservations
from docqa.adapters.store import SqlStore
from docqa.adapters.upserting import upsert
from docqa.adapters.webhook_store import SqlWebhooks
from docqa.adapters.webhook_tables import webhook_endpoints
from docqa.errors import DamagedData, HeldDocument
from docqa.ports import BlobStore, Ruling, StoredDocument
from docqa.reviewing import Decided, TrailEntry
from tests.contracts.stores import SQL_STORES, opened_sql, url_of

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SECRET = "01020304050"
URL = "https://portal.example/hooks"
SQLITE_WAITS_S = 10
OLD, NEW = bytes(range(32)), bytes(range(32, 64))


@dataclass
class Kept:
    store: SqlStore
    blobs: BlobStore
    retention: SqlRetention

    def add(self, number: int = 1, **changes: Any) -> StoredDocument:
        made = document(number, **changes)
        self.blobs.put(made.blob_key, b"scan %d" % number)
        self.store.add(made)
        return made

    def rows(self, table: sa.Table) -> list[Any]:
        with self.store.engine.connect() as connection:
            return list(connection.execute(sa.select(table)).all())


def document(number: int, **changes: Any) -> StoredDocument:
    decision = changes.get("decision", "review")
    facts: dict[str, Any] = {
        "id": f"doc_{number:032x}",
        "blob_key": f"{number:032x}",
        "file_name": "scan.pdf",
        "document_type": "sy-passport",
        "claims": {"national_number": SECRET},
        "report": {"sha256": f"{number:064x}", "verdict": {"decision": decision}},
        "decision": decision,
        "received_at": NOON,
        "client_id": "portal",
        "booking_ref": "B-7",
    }
    return StoredDocument(**(facts | changes))


@pytest.fixture(params=SQL_STORES)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    for store in opened_sql(request.param, tmp_path):
        blobs = FolderBlobs(tmp_path / "blobs")
        yield Kept(store, blobs, SqlRetention(store.engine, blobs))


def test_an_erased_document_is_gone_and_a_receipt_event_and_audit_entry_say_so(kept: Kept) -> None:
    added = kept.add()
    kept.store.rule(Ruling(added.id, "accept", "", "rana", NOON))
    receipt = kept.retention.erase(added.id, "requested", "portal")
    assert kept.store.get(added.id) is None
    with pytest.raises(KeyError):
        kept.blobs.get(added.blob_key)
    for table in (schema.documents, schema.reports, schema.rulings):
        assert kept.rows(table) == []
    assert (receipt.document_id, receipt.reason) == (added.id, "requested")
    assert receipt.file_sha256 == f"{1:064x}"
    assert kept.retention.receipt(added.id) == receipt
    event = kept.rows(schema.events)[-1]
    assert (event.kind, event.client_id, event.booking_ref) == ("document.deleted", "portal", "B-7")
    entry = kept.rows(audit_entries)[-1]
    assert (entry.kind, entry.subject, entry.actor) == ("document.deleted", added.id, "portal")
    assert SqlAuditTrail(kept.store.engine).verify().broken is None


def test_of_an_erased_document_no_digest_of_what_was_asked_stays(kept: Kept) -> None:
    reservations = SqlReservations(kept.store.engine)
    added, other = kept.add(1), document(2)
    for made in (added, other):
        reservations.reserve(made.id, "d" * 64, made.id, now=NOON, stale_before=NOON)
    kept.store.add(other)
    kept.retention.erase(added.id, "requested")
    again = reservations.reserve(added.id, "d" * 64, "doc_x", now=NOON, stale_before=NOON)
    assert (again.document_id, again.payload_digest, again.mine) == (added.id, "", False)
    kept_digests = {row.document_id: row.payload_digest for row in kept.rows(schema.reservations)}
    assert kept_digests == {added.id: "", other.id: "d" * 64}


TYPED = f"Amina phoned: {SECRET}"


def work_on(opened: Kept, document_id: str) -> None:
    """Reveal a document, escalate it and reject it, each time with words of one's own."""
    desk = SqlDesk(opened.store)
    desk.record(TrailEntry(document_id, "rana", "revealed", TYPED, NOON))
    for outcome in ("escalate", "reject"):
        decided = Decided(document_id, 1, "rana", outcome, TYPED, TYPED, (), NOON)
        assert desk.decide(decided, claim_version=None, second_look=False) == "recorded"


def trail(kept: Kept) -> list[tuple[str, str, str, str, datetime]]:
    columns = ("document_id", "reviewer", "action", "detail", "recorded_at")
    rows = sorted(kept.rows(review_trail), key=lambda row: row.number)
    return [tuple(getattr(row, name) for name in columns) for row in rows]


def test_of_an_erased_document_the_trail_keeps_who_did_what_and_no_word_that_was_typed(
    kept: Kept,
) -> None:
    added, other = kept.add(1), kept.add(2)
    for made in (added, other):
        work_on(kept, made.id)
    before = trail(kept)
    assert [row[3] for row in before] == [TYPED] * 6
    kept.retention.erase(added.id, "requested")
    emptied = [(*row[:3], "", row[4]) if row[0] == added.id else row for row in before]
    assert trail(kept) == emptied


def test_what_is_typed_about_a_document_while_it_is_erased_is_not_kept(kept: Kept) -> None:
    added = kept.add()
    kept.retention.erase(added.id, "requested")
    SqlDesk(kept.store).record(TrailEntry(added.id, "rana", "revealed", TYPED, NOON))
    assert trail(kept) == [(added.id, "rana", "revealed", "", NOON)]


def test_erasing_again_gives_the_first_receipt_and_tells_nobody_again(kept: Kept) -> None:
    added = kept.add()
    first = kept.retention.erase(added.id, "requested")
    assert kept.retention.erase(added.id, "retention_cancelled") == first
    assert [row.kind for row in kept.rows(schema.events)].count("document.deleted") == 1


def test_erasing_what_never_was_says_so(kept: Kept) -> None:
    with pytest.raises(KeyError):
        kept.retention.erase("doc_unknown", "requested")
    assert kept.retention.receipt("doc_unknown") is None


def test_a_reason_is_a_code(kept: Kept) -> None:
    with pytest.raises(ValueError, match="code"):
        kept.retention.erase(kept.add().id, "because Amina asked")


def test_of_erasers_at_the_same_moment_all_get_the_same_receipt(kept: Kept) -> None:
    added = kept.add()
    with ThreadPoolExecutor(6) as pool:
        receipts = set(pool.map(lambda n: kept.retention.erase(added.id, "requested"), range(6)))
    assert len(receipts) == 1
    assert [row.kind for row in kept.rows(audit_entries)].count("document.deleted") == 1


def test_what_belongs_to_the_booking_is_told_in_the_same_transaction(kept: Kept) -> None:
    told: list[tuple[str | None, str | None]] = []

    def fails(connection: sa.Connection, client_id: str | None, booking_ref: str | None) -> None:
        told.append((client_id, booking_ref))
        raise RuntimeError

    added = kept.add()
    with pytest.raises(RuntimeError):
        SqlRetention(kept.store.engine, kept.blobs, fails).erase(added.id, "requested")
    assert told == [("portal", "B-7")]
    assert kept.store.get(added.id) == added
    assert kept.rows(deletion_receipts) == []
    assert kept.blobs.get(added.blob_key) == b"scan 1"


class Crash(BaseException):
    """The process dies here."""


class Dying:
    """A BlobStore whose process dies at, or right after, its next deletion."""

    def __init__(self, inner: BlobStore, *, deletes: bool) -> None:
        self._inner, self._deletes = inner, deletes
        self.put, self.get, self.stored_before = inner.put, inner.get, inner.stored_before
        self.problems = inner.problems

    def delete(self, key: str) -> None:
        if self._deletes:
            self._inner.delete(key)
        raise Crash


@pytest.mark.parametrize("deletes", [False, True])
@pytest.mark.parametrize("finish", ["resume", "erase"])
def test_a_crash_between_database_and_blobs_is_finished_later(
    kept: Kept, deletes: bool, finish: str
) -> None:
    added = kept.add()
    dying = SqlRetention(kept.store.engine, Dying(kept.blobs, deletes=deletes))
    with pytest.raises(Crash):
        dying.erase(added.id, "requested")
    assert kept.store.get(added.id) is None
    if finish == "resume":
        assert kept.retention.resume() == 1
    else:
        kept.retention.erase(added.id, "requested")
    with pytest.raises(KeyError):
        kept.blobs.get(added.blob_key)
    assert kept.retention.resume() == 0
    assert [row.blob_key for row in kept.rows(deletion_receipts)] == [None]


class Stuck:
    """A BlobStore that cannot delete some keys."""

    def __init__(self, inner: BlobStore, *keys: str) -> None:
        self._inner, self._keys = inner, keys
        self.put, self.get, self.stored_before = inner.put, inner.get, inner.stored_before
        self.problems = inner.problems

    def delete(self, key: str) -> None:
        if key in self._keys:
            raise OSError("a fault of the disk")
        self._inner.delete(key)


@pytest.mark.parametrize("stuck", [0, 1])
def test_bytes_that_cannot_be_deleted_keep_no_others(kept: Kept, stuck: int) -> None:
    made = [kept.add(1), kept.add(2)]
    keys = [added.blob_key for added in made]
    for added in made:
        with pytest.raises(OSError, match="disk"):
            SqlRetention(kept.store.engine, Stuck(kept.blobs, *keys)).erase(added.id, "requested")
    with pytest.raises(OSError, match="disk"):
        SqlRetention(kept.store.engine, Stuck(kept.blobs, keys[stuck])).resume()
    later = datetime.now(UTC) + timedelta(days=1)
    assert list(kept.blobs.stored_before(later)) == [keys[stuck]]
    assert [kept.retention.resume(), kept.retention.resume()] == [1, 0]
    assert list(kept.blobs.stored_before(later)) == []


def test_an_orphan_that_cannot_be_deleted_keeps_no_others(kept: Kept) -> None:
    orphans = [f"{number:032x}" for number in range(100, 1200)]
    for key in orphans:
        kept.blobs.put(key, b"scan")
    later = datetime.now(UTC) + timedelta(days=1)
    stuck = next(kept.blobs.stored_before(later))  # the first that is found
    with pytest.raises(OSError, match="disk"):
        SqlRetention(kept.store.engine, Stuck(kept.blobs, stuck)).orphans(later, erases=True)
    assert list(kept.blobs.stored_before(later)) == [stuck]


def test_a_held_document_cannot_be_erased_until_it_is_released(kept: Kept) -> None:
    added = kept.add()
    kept.retention.hold(added.id, "قضية ٧", "auditor")
    kept.retention.hold(added.id, "again", "omar")
    with pytest.raises(HeldDocument):
        kept.retention.erase(added.id, "requested")
    assert kept.store.get(added.id) == added
    assert kept.blobs.get(added.blob_key) == b"scan 1"
    assert [(hold.document_id, hold.held_by) for hold in kept.retention.holds()] == [
        (added.id, "auditor")
    ]
    kept.retention.release(added.id, "auditor")
    kept.retention.release(added.id, "auditor")
    kept.retention.erase(added.id, "requested")
    kinds = [row.kind for row in kept.rows(audit_entries)]
    assert kinds == ["document.added", "document.held", "document.released", "document.deleted"]


def test_an_unknown_document_cannot_be_held(kept: Kept) -> None:
    with pytest.raises(KeyError):
        kept.retention.hold("doc_unknown", "", "auditor")
    with pytest.raises(KeyError):
        kept.retention.release("doc_unknown", "auditor")


def test_holding_and_erasing_at_the_same_moment_leave_it_held_or_erased(kept: Kept) -> None:
    added = [kept.add(number) for number in range(6)]

    def tried(use: Callable[[], object]) -> bool:
        try:
            use()
        except (HeldDocument, KeyError):
            return False
        return True

    uses: list[Callable[[], object]] = []
    for each in added:
        uses.append(lambda each=each: kept.retention.hold(each.id, "", "auditor"))  # type: ignore[misc]
        uses.append(lambda each=each: kept.retention.erase(each.id, "requested"))  # type: ignore[misc]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(tried, uses))
    for number, each in enumerate(added):
        held, erased = done[2 * number : 2 * number + 2]
        assert held != erased
        assert (kept.store.get(each.id) is None) == erased


def test_what_may_be_over_comes_with_its_last_ruling_and_without_what_is_held(kept: Kept) -> None:
    ruled, held, young = kept.add(1), kept.add(2), kept.add(3, received_at=NOON + timedelta(2))
    for day, decision in enumerate(("accept", "reject")):
        moment = NOON + timedelta(days=day)
        kept.store.rule(Ruling(ruled.id, decision, "", "rana", moment))  # type: ignore[arg-type]
    kept.retention.hold(held.id, "", "auditor")
    (found,) = kept.retention.kept(NOON + timedelta(days=1))
    assert (found.document_id, found.ruled_at) == (ruled.id, NOON + timedelta(days=1))
    assert young.id not in {found.document_id}
    assert list(kept.retention.kept(NOON)) == [], "only what came before that moment"


def test_sqlite_keeps_nothing_of_an_erased_document_in_its_files(tmp_path: Path) -> None:
    for store in opened_sql("sqlite", tmp_path):
        kept = Kept(store, blobs := FolderBlobs(tmp_path / "b"), SqlRetention(store.engine, blobs))
        added = kept.add()
        assert SECRET.encode() in _bytes_of(tmp_path / "new")
        kept.retention.erase(added.id, "requested")
        kept.retention.overwrite_deleted()
        assert SECRET.encode() not in _bytes_of(tmp_path / "new")


@pytest.mark.parametrize("is_read_meanwhile", [False, True])
def test_what_a_client_has_erased_is_in_no_file_of_sqlite_and_holds_up_nobody_who_reads(
    tmp_path: Path, is_read_meanwhile: bool
) -> None:
    for store in opened_sql("sqlite", tmp_path):
        kept = Kept(store, blobs := FolderBlobs(tmp_path / "b"), SqlRetention(store.engine, blobs))
        records = SqlRecords(store, kept.retention)
        first, second = kept.add(1), kept.add(2)
        work_on(kept, first.id)
        with store.engine.connect() as reader:
            if is_read_meanwhile:
                reader.execute(sa.select(schema.documents.c.id)).all()
            started = time.monotonic()
            records.erase(first, "portal")
            records.erase(second, "portal")
            assert time.monotonic() - started < 2 * SQLITE_WAITS_S  # each would wait
        records.erase(second, "portal")
        assert SECRET.encode() not in _bytes_of(tmp_path / "new")
        with store.engine.connect() as connection:
            patience_ms = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        assert patience_ms == SQLITE_WAITS_S * 1000


def _bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_uploads_without_a_document_are_found_and_erased_once_they_are_old(kept: Kept) -> None:
    added, gone = kept.add(1), kept.add(2)
    kept.retention.erase(gone.id, "requested")
    orphans = [f"{number:032x}" for number in range(100, 1200)]
    for key in orphans:
        kept.blobs.put(key, b"scan")
    later = datetime.now(UTC) + timedelta(days=1)
    assert kept.retention.orphans(NOON, erases=True) == 0  # all are younger
    assert kept.retention.orphans(later, erases=False) == len(orphans)
    assert kept.retention.orphans(later, erases=True) == len(orphans)
    assert list(kept.blobs.stored_before(later)) == [added.blob_key]
    assert kept.retention.orphans(later, erases=True) == 0


def test_a_database_knows_whether_the_uploads_are_its_documents(kept: Kept, tmp_path: Path) -> None:
    elsewhere = SqlRetention(kept.store.engine, FolderBlobs(tmp_path / "of another"))
    assert not kept.retention.knows_uploads()  # a new database
    added = [kept.add(number) for number in range(1, 8)]
    assert kept.retention.knows_uploads()
    assert not elsewhere.knows_uploads()
    kept.blobs.delete(added[-1].blob_key)
    assert kept.retention.knows_uploads()  # one is lost
    for each in added:
        assert not elsewhere.knows_uploads()
        kept.retention.erase(each.id, "requested")
    assert kept.retention.knows_uploads()  # of no document any more


def test_uploads_that_cannot_be_unsealed_are_known_all_the_same(kept: Kept) -> None:
    kept.add()
    keyring = Keyring({"k1": OLD})
    sealed = SqlRetention(kept.store.engine, SealedBlobs(kept.blobs, keyring))
    assert sealed.knows_uploads()
    kept.blobs.delete(f"{1:032x}")
    SealedBlobs(kept.blobs, keyring).put(f"{1:032x}", b"scan")
    other = SealedBlobs(kept.blobs, Keyring({"k2": NEW}))
    with pytest.raises(DamagedData):
        other.get(f"{1:032x}")
    assert SqlRetention(kept.store.engine, other).knows_uploads()


# Changing keys.


def sealing(kept: Kept, keys: dict[str, bytes]) -> Kept:
    """The same stores opened with other keys."""
    ring = Keyring(keys)
    blobs = SealedBlobs(kept.blobs, ring)
    store = SqlStore(url_of(kept.store), ring)
    return Kept(store, blobs, SqlRetention(store.engine, blobs))


def webhooks(kept: Kept) -> SqlWebhooks:
    return SqlWebhooks(kept.store.engine)


def test_resealing_puts_everything_under_the_newest_key_and_runs_again_for_free(
    kept: Kept,
) -> None:
    kept.add(1)  # from before there was a key
    opened = [sealing(kept, {"k1": OLD}), sealing(kept, {"k2": NEW, "k1": OLD})]
    opened[0].add(2)
    with pytest.raises(DamagedData, match="reseal"):
        opened[1].blobs.get(document(1).blob_key)
    ring = opened[1].store.keyring
    assert len(list(reseal(opened[1].store, kept.blobs, ring))) == 2
    assert list(reseal(opened[1].store, kept.blobs, ring)) == []
    opened.append(newest := sealing(kept, {"k2": NEW}))
    for number in (1, 2):
        found = newest.store.get(document(number).id)
        assert found is not None and found.claims == {"national_number": SECRET}
        assert found.file_name == document(number).file_name
        assert newest.blobs.get(found.blob_key) == b"scan %d" % number
        assert sealed_by(kept.blobs.get(found.blob_key)) == "k2"
        with pytest.raises(KeyError):
            kept.blobs.get(document(number).blob_key)
    assert newest.store.by_national_number(SECRET) == [document(1).id, document(2).id]
    with newest.store.engine.connect() as connection:
        names = connection.execute(sa.text("SELECT file_name FROM documents")).scalars()
        assert all(ring.is_current(name) for name in names)
    assert base64.b64encode(NEW).decode() not in repr(ring)
    for each in opened:
        each.store.close()


def test_files_that_are_lost_or_damaged_are_named_and_keep_nothing_from_being_resealed(
    kept: Kept,
) -> None:
    old, both = sealing(kept, {"k1": OLD}), sealing(kept, {"k2": NEW, "k1": OLD})
    for number in (1, 2, 3, 4):
        old.add(number)
    kept.blobs.delete(document(1).blob_key)
    kept.blobs.delete(document(2).blob_key)
    kept.blobs.put(document(2).blob_key, Keyring({"k1": OLD}).seal(b"scan", "elsewhere"))
    webhooks(old).add_endpoint(URL, kinds=(), client_id=None, now=NOON)
    for expected in (5, 0):
        changed = reseal(both.store, kept.blobs, both.store.keyring)
        done = [next(changed) for _ in range(expected)]
        with pytest.raises(DamagedData) as told:
            next(changed)
        assert len(set(done)) == expected
        assert [document(n).id in str(told.value) for n in (1, 2, 3, 4)] == [
            True,
            True,
            False,
            False,
        ]
        assert "is not there" in str(told.value) and "were changed" in str(told.value)
    newest = sealing(kept, {"k2": NEW})
    for number in (3, 4):
        found = newest.store.get(document(number).id)
        assert found is not None and newest.blobs.get(found.blob_key) == b"scan %d" % number
    assert kept.blobs.get(document(2).blob_key)
    for each in (old, both, newest):
        each.store.close()


def test_what_a_lost_key_sealed_is_named_once_and_keeps_nothing_from_being_resealed(
    kept: Kept,
) -> None:
    lost, old = sealing(kept, {"k0": bytes(32)}), sealing(kept, {"k1": OLD})
    both = sealing(kept, {"k2": NEW, "k1": OLD})
    endpoints = [
        webhooks(opened).add_endpoint(URL, kinds=(), client_id=None, now=NOON)[0].id
        for opened in (lost, old, kept)
    ]
    for number, opened in ((1, lost), (2, old), (3, kept)):
        work_on(opened, opened.add(number).id)
        opened.retention.hold(document(number).id, TYPED, "a court's clerk")
    with kept.store.engine.begin() as connection:  # no Base64
        cut = sa.text("UPDATE legal_holds SET reason = 'docqa-sealed-1:x' WHERE document_id = :id")
        connection.execute(cut, {"id": document(3).id})
    for expected in (4, 0):
        changed = reseal(both.store, kept.blobs, both.store.keyring)
        done = [next(changed) for _ in range(expected)]
        with pytest.raises(DamagedData) as told:
            next(changed)
        assert not {document(1).id, endpoints[0]} & set(done)
        named = [line.partition(": ") for line in str(told.value).splitlines()[1:]]
        assert [name for name, _, _ in named] == [document(1).id, endpoints[0], document(3).id]
        assert ["'k0'" in why for _, _, why in named] == [True, True, False]
    newest = sealing(kept, {"k2": NEW})
    for number in (2, 3):
        found = newest.store.get(document(number).id)
        assert found is not None and newest.blobs.get(found.blob_key) == b"scan %d" % number
    with newest.store.engine.connect() as connection:
        for column in (review_trail.c.detail, review_decisions.c.note, schema.rulings.c.reason):
            table = column.table.c
            mine = sa.select(column).where(table.document_id != document(1).id)
            assert set(connection.execute(mine).scalars()) == {TYPED}
    for each in (lost, old, both, newest):
        each.store.close()


def test_a_document_erased_while_it_is_resealed_is_not_called_lost(kept: Kept) -> None:
    old, both = sealing(kept, {"k1": OLD}), sealing(kept, {"k2": NEW, "k1": OLD})
    old.add(1)

    class Erasing(FolderBlobs):
        def get(self, key: str) -> bytes:
            kept.retention.erase(document(1).id, "requested")
            return super().get(key)

    assert isinstance(kept.blobs, FolderBlobs)
    erasing = Erasing(kept.blobs._folder)
    assert list(reseal(both.store, erasing, both.store.keyring)) == [document(1).id]
    for each in (old, both):
        each.store.close()


def test_digests_of_requests_are_resealed_with_the_rest(kept: Kept) -> None:
    def stored() -> list[str]:
        plain = sa.text("SELECT payload_digest FROM reservations ORDER BY key")
        with kept.store.engine.connect() as connection:
            return list(connection.execute(plain).scalars())

    old, both = sealing(kept, {"k1": OLD}), sealing(kept, {"k2": NEW, "k1": OLD})
    for number, opened in enumerate((kept, old, both)):
        SqlReservations(opened.store.engine).reserve(
            f"key {number}", f"{number}" * 64, f"doc_{number}", now=NOON, stale_before=NOON
        )
    before = stored()
    list(reseal(both.store, kept.blobs, both.store.keyring))
    after = stored()
    assert [now == then for now, then in zip(after, before, strict=True)] == [False, False, True]
    newest = sealing(kept, {"k2": NEW})
    digests = [row.payload_digest for row in newest.rows(schema.reservations)]
    assert sorted(digests) == [f"{number}" * 64 for number in range(3)]
    list(reseal(both.store, kept.blobs, both.store.keyring))
    assert stored() == after
    for each in (old, both, newest):
        each.store.close()


_TYPED_TEXTS = ((review_trail, "detail"), (review_decisions, "note"), (schema.rulings, "reason"))


@pytest.mark.parametrize(("table", "column"), _TYPED_TEXTS)
def test_what_reviewers_typed_is_stored_sealed_and_resealed_with_the_rest(
    kept: Kept, table: sa.Table, column: str
) -> None:
    def stored() -> list[str]:
        query = sa.text(f"SELECT {column} FROM {table.name} ORDER BY number")
        with kept.store.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def opened_by(some: Kept) -> list[str]:
        return [getattr(row, column) for row in sorted(some.rows(table), key=lambda r: r.number)]

    old, both = sealing(kept, {"k1": OLD}), sealing(kept, {"k2": NEW, "k1": OLD})
    for number, opened in ((1, old), (2, kept), (3, old), (4, both)):
        work_on(opened, opened.add(number).id)
    kept.retention.erase(document(1).id, "requested")
    before, plain = stored(), opened_by(both)
    of_each = before.count(TYPED)  # of the document from before there was a key
    assert of_each > 0 and not [text for text in before if text != TYPED and SECRET in text]
    assert plain.count(TYPED) == 3 * of_each
    list(reseal(both.store, kept.blobs, both.store.keyring))
    after = stored()
    assert [not text for text in after] == [not text for text in before]
    assert all(Keyring({"k2": NEW}).is_current(text) for text in after if text)
    newest = sealing(kept, {"k2": NEW})
    assert opened_by(newest) == plain
    list(reseal(both.store, kept.blobs, both.store.keyring))
    assert stored() == after
    for each in (old, both, newest):
        each.store.close()


def test_why_a_document_is_held_is_stored_sealed_and_resealed_with_the_rest(kept: Kept) -> None:
    def stored() -> list[str]:
        query = sa.text("SELECT reason FROM legal_holds ORDER BY document_id")
        with kept.store.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    old, both = sealing(kept, {"k1": OLD}), sealing(kept, {"k2": NEW, "k1": OLD})
    for number, opened in ((1, kept), (2, old)):
        opened.retention.hold(opened.add(number).id, TYPED, "a court's clerk")
    before = stored()
    assert before[0] == TYPED  # from before there was a key
    assert SECRET not in before[1]
    list(reseal(both.store, kept.blobs, both.store.keyring))
    assert all(map(Keyring({"k2": NEW}).is_current, stored()))
    newest = sealing(kept, {"k2": NEW})
    assert [hold.reason for hold in newest.retention.holds()] == [TYPED, TYPED]
    for each in (old, both, newest):
        each.store.close()


def test_what_was_read_for_a_run_is_sealed_like_the_rest_and_erased_with_its_document(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docqa.adapters.reseal._ROWS_AT_ONCE", 2)

    def stored() -> list[str]:
        query = sa.text("SELECT readings FROM judgements WHERE readings IS NOT NULL ORDER BY 1")
        with kept.store.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    old, both = sealing(kept, {"k1": OLD}), sealing(kept, {"k2": NEW, "k1": OLD})
    kept.add(1)
    for opened, judge, readings in [
        (kept, "a", TYPED), (kept, "b", TYPED), (old, "c", TYPED), (both, "d", TYPED),
        (old, "e", None),
    ]:  # fmt: skip
        row = {"document_id": document(1).id, "policy_digest": judge, "engine_digest": judge,
               "report_number": 1, "report": "{}", "readings": readings}  # fmt: skip
        with opened.store.engine.begin() as connection:
            upsert(connection, judgements, [row])
    before = stored()
    assert before.count(TYPED) == 2  # from before there was a key
    assert sum(SECRET in text for text in before) == 2
    list(reseal(both.store, kept.blobs, both.store.keyring))
    after = stored()
    assert len(after) == 4 and all(map(Keyring({"k2": NEW}).is_current, after))
    newest = sealing(kept, {"k2": NEW})
    found = {row.policy_digest: row.readings for row in newest.rows(judgements)}
    assert found == dict.fromkeys("abcd", TYPED) | {"e": None}
    list(reseal(both.store, kept.blobs, both.store.keyring))
    assert stored() == after
    kept.retention.erase(document(1).id, "requested")
    assert kept.rows(judgements) == []
    for each in (old, both, newest):
        each.store.close()


def test_secrets_of_webhooks_are_stored_sealed_and_resealed_with_the_rest(kept: Kept) -> None:
    def stored() -> list[str]:
        plain = sa.text("SELECT secret, previous_secret FROM webhook_endpoints ORDER BY created_at")
        with kept.store.engine.connect() as connection:
            return [text for row in connection.execute(plain) for text in row if text]

    first, secret = webhooks(kept).add_endpoint(URL, kinds=(), client_id=None, now=NOON)
    assert stored() == [secret]  # from before there was a key
    old, both = sealing(kept, {"k1": OLD}), sealing(kept, {"k2": NEW, "k1": OLD})
    later = NOON + timedelta(minutes=1)
    second, _ = webhooks(old).add_endpoint(URL, kinds=(), client_id=None, now=later)
    rotated = webhooks(old).rotate_secret(second.id, now=NOON)
    assert not [text for text in stored()[1:] if "whsec" in text]
    assert list(reseal(both.store, kept.blobs, both.store.keyring)) == [first.id, second.id]
    assert list(reseal(both.store, kept.blobs, both.store.keyring)) == []
    newest = sealing(kept, {"k2": NEW})
    assert webhooks(newest).rotate_secret(first.id, now=NOON) != secret
    table = webhook_endpoints.c
    with newest.store.engine.connect() as connection:
        found = connection.execute(sa.select(table.id, table.secret, table.previous_secret)).all()
    assert {row.id: row.previous_secret for row in found}[first.id] == secret
    assert {row.id: row.secret for row in found}[second.id] == rotated
    for each in (old, both, newest):
        each.store.close()


def test_a_reseal_that_dies_loses_nothing_and_is_finished_later(kept: Kept) -> None:
    kept.add(1)
    opened = sealing(kept, {"k1": OLD})
    ring = opened.store.keyring
    with pytest.raises(Crash):
        list(reseal(opened.store, Dying(kept.blobs, deletes=False), ring))
    list(reseal(opened.store, kept.blobs, ring))
    found = opened.store.get(document(1).id)
    assert found is not None
    assert opened.blobs.get(found.blob_key) == b"scan 1"
    opened.store.close()
