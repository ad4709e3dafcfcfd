"""Whatever happens around a commit: one document per key, and never one without its bytes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from docqa.adapters.store import SqlStore
from docqa.ports import StoredDocument
from tests.api.scripted_service import Scripted, scripted_service
from tests.faults.broken_stores import DyingStore, OvertakenStore

FILE = {"file": ("scan.pdf", b"%PDF-1.7 bytes", "application/pdf")}
KEY = {"Idempotency-Key": "k-1"}


@contextmanager
def serving(folder: Path, make: Any) -> Iterator[tuple[TestClient, Scripted, Any]]:
    with scripted_service(folder) as service:
        store = make(service.services.settings.database_url)
        services = replace(service.services, store=store)
        with TestClient(create_app(services)) as client:
            yield client, service, store
        store.close()


def _blobs(service: Scripted) -> list[Path]:
    return [path for path in service.services.settings.blobs_dir.iterdir() if path.is_file()]


def _kept(store: SqlStore) -> list[StoredDocument]:
    return list(store.scan())


def test_a_commit_that_came_through_is_acknowledged_with_its_bytes(tmp_path: Path) -> None:
    with serving(tmp_path, lambda url: DyingStore(url, commits=True)) as (client, service, store):
        answer = client.post("/v1/documents", files=FILE, headers=KEY)
        assert answer.status_code == 201
        (document,) = _kept(store)
        assert document.id == answer.json()["id"]
        assert service.services.blobs.get(document.blob_key) == FILE["file"][1]
        again = client.post("/v1/documents", files=FILE, headers=KEY)
        assert (again.json()["id"], len(_kept(store))) == (document.id, 1)


def test_a_commit_that_did_not_come_through_leaves_nothing_and_can_be_tried_again(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, lambda url: DyingStore(url, commits=False)) as (client, service, store):
        assert client.post("/v1/documents", files=FILE, headers=KEY).status_code == 503
        assert _blobs(service) == [] and _kept(store) == []
        store.dies = False
        assert client.post("/v1/documents", files=FILE, headers=KEY).status_code == 201
        assert len(_blobs(service)) == len(_kept(store)) == 1


def test_a_commit_in_doubt_keeps_bytes_and_key_until_the_database_can_be_asked(
    tmp_path: Path,
) -> None:
    def dying(url: str) -> DyingStore:
        return DyingStore(url, commits=True, away=True)

    with serving(tmp_path, dying) as (client, service, store):
        assert client.post("/v1/documents", files=FILE, headers=KEY).status_code == 503
        (document,) = _kept(store)
        assert service.services.blobs.get(document.blob_key) == FILE["file"][1]
        store.dies = False
        answer = client.post("/v1/documents", files=FILE, headers=KEY)
        assert (answer.status_code, answer.json()["id"]) == (201, document.id)
        assert len(_kept(store)) == 1


def test_whoever_is_overtaken_answers_with_the_document_of_the_quicker(tmp_path: Path) -> None:
    """As after a clock step, when a second request took over a key that was still worked on."""
    theirs = secrets.token_hex(16)

    def overtaken(url: str) -> OvertakenStore:
        return OvertakenStore(url, lambda mine: replace(mine, blob_key=theirs))

    with serving(tmp_path, overtaken) as (client, service, store):
        service.services.blobs.put(theirs, FILE["file"][1])
        answer = client.post("/v1/documents", files=FILE, headers=KEY)
        assert answer.status_code == 201
        (document,) = _kept(store)
        assert (document.id, document.blob_key) == (answer.json()["id"], theirs)
        assert len(_blobs(service)) == 1, "the slower one's bytes are nobody's"
        again = client.post("/v1/documents", files=FILE, headers=KEY)
        assert again.json()["id"] == document.id


@pytest.mark.parametrize("step", [timedelta(days=-2), timedelta(days=2)])
def test_a_clock_step_makes_no_second_document_of_one_key(tmp_path: Path, step: timedelta) -> None:
    with scripted_service(tmp_path) as service:
        with TestClient(create_app(service.services)) as client:
            first = client.post("/v1/documents", files=FILE, headers=KEY)
            service.clock.now += step
            again = client.post("/v1/documents", files=FILE, headers=KEY)
        assert first.status_code == again.status_code == 201
        assert first.json()["id"] == again.json()["id"]
        assert len(_kept(service.store)) == 1
