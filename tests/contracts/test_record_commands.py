"""The commands that look after what is stored, as an operator runs them."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from docqa import doctor, wiring
from docqa.bookings import Booking
from docqa.cli import cli
from docqa.errors import DamagedData, InvalidModel
from docqa.ports import StoredDocument
from docqa.settings import Settings

KEYS = [base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCQA_DATABASE_URL", f"sqlite:///{tmp_path}/docqa.sqlite3")
    monkeypatch.setenv("DOCQA_BLOBS_DIR", str(tmp_path / "blobs"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def add(number: int, age_days: int, **booked: str) -> StoredDocument:
    stores = wiring.open_stores(Settings())
    made = StoredDocument(
        id=f"doc_{number}",
        blob_key=f"{number:032x}",
        file_name="scan.pdf",
        document_type="a4-generic",
        claims={"national_number": "01020304050"},
        report={"sha256": "", "verdict": {"decision": "accept"}},
        decision="accept",
        received_at=datetime.now(UTC) - timedelta(days=age_days),
        **booked,  # type: ignore[arg-type]  # text, all of it
    )
    stores.blobs.put(made.blob_key, b"scan")
    stores.documents.add(made)
    stores.documents.close()
    return made


def test_purge_counts_and_with_apply_erases_what_is_over_and_not_held(place: Path) -> None:
    old, held, young = add(1, 91), add(2, 91), add(3, 89)
    assert run("hold", held.id, "--reason", "a case").exit_code == 0
    told = run("purge")
    assert told.exit_code == 0
    assert "accepted: 1" in told.output and "nothing was erased" in told.output
    assert sorted(path.name for path in (place / "blobs").iterdir()) == [
        old.blob_key, held.blob_key, young.blob_key,
    ]  # fmt: skip
    assert "accepted: 1" in run("purge", "--apply").output
    assert sorted(path.name for path in (place / "blobs").iterdir()) == [
        held.blob_key, young.blob_key,
    ]  # fmt: skip
    assert run("release", held.id).exit_code == 0
    assert "accepted: 1" in run("purge", "--apply").output
    assert "0 documents are over" in run("purge", "--apply").output
    assert "is whole" in run("verify-audit").output


def test_purge_forgets_the_keys_of_requests_that_died(place: Path) -> None:
    add(1, 1)
    stores = wiring.open_stores(Settings())
    now = datetime.now(UTC)
    for name, age in (("dead", timedelta(days=2)), ("at work", timedelta(minutes=1))):
        then = now - age
        stores.reservations.reserve(name, "digest", name, now=then, stale_before=then)

    def taken() -> dict[str, bool]:
        return {
            name: not stores.reservations.reserve(
                name, "other", "other", now=now, stale_before=now - timedelta(days=9)
            ).mine
            for name in ("dead", "at work")
        }

    run("purge")
    assert taken() == {"dead": True, "at work": True}
    run("purge", "--apply")
    assert taken() == {"dead": False, "at work": True}
    stores.documents.close()


def test_bytes_that_cannot_be_deleted_keep_no_other_document_longer(place: Path) -> None:
    stuck = add(1, 91)
    blob = place / "blobs" / stuck.blob_key
    blob.unlink()
    blob.mkdir()  # deleting it as a file fails
    for number in (2, 3):
        other = add(number, 91)
        purged = run("purge", "--apply")
        assert purged.exit_code == 2
        assert "failed: 1" in purged.output and "accepted: 1" in purged.output
        assert not (place / "blobs" / other.blob_key).exists()
    blob.rmdir()
    assert run("purge", "--apply").exit_code == 0


def test_purge_erases_the_documents_of_a_cancelled_booking_but_a_held_one(place: Path) -> None:
    booked = {"client_id": "portal", "booking_ref": "B-7"}
    gone, held = add(1, 2, **booked), add(2, 2, **booked)
    other = add(3, 2, client_id="portal", booking_ref="B-8")
    assert run("hold", held.id, "--reason", "a case").exit_code == 0
    assert "0 documents are over" in run("purge").output
    stores = wiring.open_stores(Settings())
    now = datetime.now(UTC)
    service = next(iter(wiring.load_booking_rules(Settings()).services))
    stores.bookings.put(Booking("portal", "B-7", service, now, "cancelled"), now=now)
    assert "cancelled: 1" in run("purge", "--apply").output
    assert [stores.documents.get(each.id) is None for each in (gone, held, other)] == [
        True, False, False,
    ]  # fmt: skip
    receipt = stores.retention.receipt(gone.id)
    assert receipt is not None and receipt.reason == "retention_cancelled"
    stores.documents.close()


@pytest.mark.parametrize("command", [("hold", "doc_x", "--reason", "case"), ("release", "doc_x")])
def test_holding_an_unknown_document_says_so(place: Path, command: tuple[str, ...]) -> None:
    assert run("migrate").exit_code == 0
    assert run(*command).exit_code == 2


def test_verify_audit_prints_a_head_and_tells_what_is_gone_since(place: Path) -> None:
    add(1, 1)
    add(2, 1)
    head = run("verify-audit").output.split()[-1]
    assert run("verify-audit", "--head", head).exit_code == 0
    engine = sa.create_engine(Settings().database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE audit_entries SET actor = 'x' WHERE number = 2"))
    engine.dispose()
    told = run("verify-audit", "--head", head)
    assert told.exit_code == 2
    assert "broken at entry 2" in told.output


def test_verify_audit_wants_a_head_that_is_one(place: Path) -> None:
    assert run("verify-audit", "--head", "7").exit_code != 0
    assert list(place.iterdir()) == []


def test_keys_are_changed_without_losing_a_document(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add(1, 1)
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k1:{KEYS[0]}")
    assert "1 documents" in run("reseal").output
    add(2, 1)
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k2:{KEYS[1]},k1:{KEYS[0]}")
    assert "2 documents" in run("reseal").output
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k2:{KEYS[1]}")
    stores = wiring.open_stores(Settings())
    for found in stores.documents.scan():
        assert found.claims == first.claims
        assert stores.blobs.get(found.blob_key) == b"scan"
    assert stores.documents.by_national_number("1020304050") == ["doc_1", "doc_2"]
    stores.documents.close()
    files = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert KEYS[1].encode() not in files
    assert all(path.read_bytes() != b"scan" for path in (place / "blobs").iterdir())


def test_without_its_keys_nothing_is_stored_in_clear_beside_what_is_sealed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k1:{KEYS[0]}")
    sealed = add(1, 1)
    monkeypatch.delenv("DOCQA_ENCRYPTION_KEYS")
    for command in ("config check", f"hold {sealed.id} --reason x", "purge", "keys list"):
        assert "sealed by the key k1" in str(run(*command.split()).exception)
    with pytest.raises(InvalidModel, match="sealed by the key k1"):
        wiring.open_stores(Settings())
    assert len(list((place / "blobs").iterdir())) == 1


def test_with_another_key_all_works_that_opens_no_document(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k1:{KEYS[0]}")
    over, held = add(1, 91), add(2, 91)
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k2:{KEYS[1]}")
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # docqa revalidate has one of its own
    for command in ("config check", "revalidate"):
        assert "sealed by the key k1" in str(run(*command.split()).exception)
    for command in (
        "keys list", "verify-audit", "webhooks list", "revalidations list",
        f"hold {held.id} --reason x",
    ):  # fmt: skip
        assert run(*command.split()).exit_code == 0
    assert "accepted: 1" in run("purge", "--apply").output
    assert [path.name for path in (place / "blobs").iterdir()] == [held.blob_key] != [over.blob_key]


def test_reseal_counts_what_it_did_and_names_what_has_no_file(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, _ = add(1, 1), add(2, 1)
    (place / "blobs" / lost.blob_key).unlink()
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k1:{KEYS[0]}")
    told = run("reseal")
    assert "2 documents were encrypted anew" in told.output and "all are" not in told.output
    assert isinstance(told.exception, DamagedData)
    assert f"{lost.id}: its file is not there" in str(told.exception)


def test_doctor_opens_the_database_with_the_keys_and_a_problem_of_it_is_a_fault(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k1:{KEYS[0]}")
    add(1, 1)
    [found] = [one for one in doctor.examine(Settings()) if one.subject == "database"]
    assert (found.state, found.remedy) == ("answers, schema up to date", None)
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k2:{KEYS[1]}")
    [found] = [one for one in doctor.examine(Settings()) if one.subject == "database"]
    assert "sealed by the key k1" in found.state
    assert found.remedy is not None


def test_doctor_says_whether_what_is_stored_is_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    look = wiring.dependencies(Settings())["encryption at rest"]
    assert "off: set DOCQA_ENCRYPTION_KEYS" in look()
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k1:{KEYS[0]}")
    settings = Settings()
    assert wiring.dependencies(settings)["encryption at rest"]().endswith("the key k1")
    assert KEYS[0] not in repr(settings)


def leave_an_orphan(place: Path, days: int = 181) -> Path:
    """As a crash leaves it, so many days ago."""
    settings = Settings()
    wiring.open_blobs(settings).put("a" * 32, b"scan")
    orphan = place / "blobs" / ("a" * 32)
    stored_at = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(orphan, (stored_at, stored_at))
    return orphan


def test_a_database_put_back_from_a_backup_costs_no_upload_since(place: Path) -> None:
    add(1, 5)
    later = leave_an_orphan(place, days=3)  # what is put back knows nothing of it
    add(2, 1)  # and the service went on
    told = run("purge", "--apply")
    assert told.exit_code == 0
    assert "unclaimed: 1" in told.output and "put back from a backup" in told.output
    assert "0 documents are over" in told.output
    assert later.exists()


def test_purge_erases_uploads_of_no_document(place: Path) -> None:
    add(1, 1)
    orphan = leave_an_orphan(place)
    assert "orphaned: 1" in run("purge").output
    assert orphan.exists()
    assert "orphaned: 1" in run("purge", "--apply").output
    assert not orphan.exists()


def test_beside_a_database_that_never_held_a_document_nothing_is_an_orphan(place: Path) -> None:
    assert run("migrate").exit_code == 0
    orphan = leave_an_orphan(place)
    for arguments in (["purge"], ["purge", "--apply"]):
        told = run(*arguments)
        assert told.exit_code == 9
        assert "spared: 1" in told.output and "0 documents are over" in told.output
        assert "the same installation?" in told.output
    assert orphan.exists()


def test_beside_a_database_of_another_installation_nothing_is_an_orphan(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = leave_an_orphan(place)
    monkeypatch.setenv("DOCQA_BLOBS_DIR", str(place / "others"))
    add(1, 91)  # over, so that the other database holds nothing any more in the end
    monkeypatch.setenv("DOCQA_BLOBS_DIR", str(place / "blobs"))
    told = run("purge", "--apply")
    assert told.exit_code == 9
    assert "spared: 1" in told.output and "1 documents are over" in told.output
    assert orphan.exists()


def test_where_every_document_was_erased_an_upload_of_none_goes_too(place: Path) -> None:
    add(1, 91)
    run("purge", "--apply")
    orphan = leave_an_orphan(place)
    assert "orphaned: 1" in run("purge", "--apply").output
    assert not orphan.exists()


@pytest.mark.parametrize(
    "command",
    [
        "purge --apply", "hold doc_1 --reason x", "release doc_1", "verify-audit", "reseal",
        "keys list", "keys revoke k", "webhooks list", "webhooks add http://127.0.0.1/x",
        "webhooks deliver --once", "revalidate", "revalidations list", "policy tune",
    ],
)  # fmt: skip
def test_what_is_asked_of_a_database_makes_none(
    command: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCQA_WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8")
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # docqa revalidate has one of its own
    asked = run(*command.split())
    assert isinstance(asked.exception, InvalidModel)
    assert "there is no database" in str(asked.exception)
    assert list(place.iterdir()) == []


def test_holds_are_listed_and_purge_counts_them(place: Path) -> None:
    made = add(1, 91)
    assert run("holds").output == ""
    assert "held" not in run("purge").output
    assert run("hold", made.id, "--reason", "case 7 [of 9]").exit_code == 0
    told = run("holds")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert told.exit_code == 0
    assert all(part in told.output for part in (made.id, today, "command_line", "case 7 [of 9]"))
    assert "1 documents are held and stay" in run("purge", "--apply").output


@pytest.mark.parametrize(
    "command",
    [("keys", "create", "portal", "--scope", "documents:read"),
     ("reviewer", "rima", "--password", "x" * 12)],
    ids=["keys", "reviewer"],
)  # fmt: skip
def test_who_makes_a_new_database_is_told_which(place: Path, command: tuple[str, ...]) -> None:
    told = run(*command)
    assert told.exit_code == 0
    assert f"a new one was made: sqlite:///{place}/docqa.sqlite3" in told.stderr
    again = ("keys", "create", "other", "--scope", "documents:read")
    assert "a new one was made" not in run(*again).stderr


def test_a_database_without_room_is_one_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = add(1, 1)
    monkeypatch.setenv("DOCQA_MIGRATE_AT_START", "false")
    # Room to open it, in blocks of 512 bytes, and none for what is written.
    docqa = str(Path(sys.executable).parent / "docqa")
    limited = ["sh", "-c", 'ulimit -f 64 && exec "$@"', "sh", docqa]
    done = subprocess.run(
        [*limited, "hold", made.id, "--reason", "x" * 60_000],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr[-500:]
    assert "disk I/O error: make room" in done.stderr and done.stderr.count("\n") == 1
