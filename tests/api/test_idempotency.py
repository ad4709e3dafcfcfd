"""An upload has exactly one effect, however often it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from docqa.adapters.schema import events
from docqa.ports import Ruling
from tests.api.scripted_service import NOON, Scripted, report

FILE = {"file": ("scan.pdf", b"%PDF-1.7 bytes", "application/pdf")}


def post(client: TestClient, key: str | None = "k-1", **more: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/v1/documents", files=FILE, headers=headers, **more)


def as_client(app: ASGIApp, client_id: str) -> ASGIApp:
    """The application as a client meets it whose key was checked."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["client_id"] = client_id
        await app(scope, receive, send)

    return asked


def test_an_upload_without_a_key_is_refused_before_anything_is_done(
    client: TestClient, service: Scripted
) -> None:
    client.event_hooks = {"request": []}
    answer = post(client, None)
    assert (answer.status_code, answer.json()["code"]) == (400, "http.idempotency.key_missing")
    assert service.inspector.calls == []
    assert client.post("/v1/checks", files=FILE).status_code == 200


def ruled(client: TestClient, service: Scripted, document_id: str) -> None:
    service.store.rule(Ruling(document_id, "reject", "no", "huda", NOON))


def judged_again(client: TestClient, service: Scripted, document_id: str) -> None:
    service.store.supersede(document_id, report("reject"))


def corrected(client: TestClient, service: Scripted, document_id: str) -> None:
    address = f"/v1/documents/{document_id}/claims"
    assert client.patch(address, json={"claims": {"given_name": "آمنة"}}).status_code == 200


@pytest.mark.parametrize("change", [ruled, judged_again, corrected])
def test_the_first_answer_is_given_again_even_after_the_document_has_changed(
    client: TestClient, service: Scripted, change: Callable[[TestClient, Scripted, str], None]
) -> None:
    service.inspector.answer = report("review")
    first = post(client)
    change(client, service, first.json()["id"])
    now = client.get(first.headers["Location"]).json()
    assert now != first.json(), "the document has not changed: the test tells nothing"
    again = post(client)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_key_belongs_to_its_client(service: Scripted) -> None:
    app = create_app(service.services)
    one, another = (TestClient(as_client(app, name)) for name in ("portal", "embassy"))
    first, second = post(one).json(), post(another, data={"booking_ref": "B-8"}).json()
    assert first["id"] != second["id"]
    owners = {document.id: document.client_id for document in service.store.scan()}
    assert owners == {first["id"]: "portal", second["id"]: "embassy"}
    for client, mine in ((one, first), (another, second)):
        [listed] = client.get("/v1/documents").json()["items"]
        assert listed["id"] == mine["id"]


def test_the_key_of_a_deleted_document_creates_no_second_one(
    client: TestClient, service: Scripted
) -> None:
    document_id = post(client).json()["id"]
    client.delete(f"/v1/documents/{document_id}")
    for asked_for in ({}, {"claims": '{"given_name": "Amina"}'}):
        answer = post(client, data=asked_for)
        assert answer.status_code == 410
        assert answer.json()["code"] == "http.idempotency.document_deleted"
    assert list(service.store.scan()) == []


class Late:
    """A store asked for a document by somebody who looks before the quicker one has committed."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.misses = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get(self, document_id: str) -> Any:
        if self.misses:
            return self._real.get(document_id)
        self.misses += 1
        return None


def test_whoever_was_slow_and_not_dead_makes_no_second_document(
    client: TestClient, service: Scripted
) -> None:
    first = post(client).json()
    with service.store.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE reservations SET answered_at = NULL, reserved_at = '2020-01-01 00:00:00'"
        )
    late = Late(service.services.store)
    again = post(TestClient(create_app(replace(service.services, store=late))))
    assert (again.status_code, again.json()) == (201, first)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (late.misses, len(service.inspector.calls)) == (1, 2), "the slow one never worked on it"
    assert len(list(service.store.scan())) == 1
    assert len(list(service.services.settings.blobs_dir.iterdir())) == 1


def test_an_upload_is_answered_only_with_report_bytes_and_event_committed(
    client: TestClient, service: Scripted
) -> None:
    def event_ids() -> list[str]:
        with service.store.engine.connect() as connection:
            return list(connection.execute(sa.select(events.c.document_id)).scalars())

    document_id = post(client).json()["id"]
    assert event_ids() == [document_id]
    with service.store.engine.begin() as connection:
        all_of_it = " CASCADE" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TABLE events{all_of_it}")
    assert post(client, "k-2").status_code >= 500
    assert len(list(service.store.scan())) == 1
    assert len(list(service.services.settings.blobs_dir.iterdir())) == 1
