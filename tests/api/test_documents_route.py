"""Uploading documents and asking about them."""

from __future__ import annotations

import hashlib
import json
import os
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from docqa.ports import Ruling
from tests.api.running import until
from tests.api.scripted_service import NOON, Scripted, draw_page, report
from tests.memory_files import held_bytes

FILE = {"file": ("scan.pdf", b"%PDF-1.7 bytes", "application/pdf")}


def encode(data: bytes) -> tuple[bytes, dict[str, str]]:
    """A form with a file, and its headers."""
    request = httpx.Request("POST", "http://x", files={"file": ("a.jpg", data)})
    return request.read(), {"content-type": request.headers["content-type"]}


def stored_files(service: Scripted) -> list[bytes]:
    return [path.read_bytes() for path in service.services.settings.blobs_dir.iterdir()]


def test_a_form_is_inspected_with_everything_that_was_said(
    client: TestClient, service: Scripted
) -> None:
    data = {
        "document_type": "sy-id-front",
        "claims": json.dumps({"given_name": "آمنة"}),
        "booking_ref": "B-7",
        "deadline": "2026-05-09T15:00:00+03:00",
    }
    answer = client.post("/v1/documents", files=FILE, data=data)
    assert answer.status_code == 201
    [call] = service.inspector.calls
    assert call["data"] == b"%PDF-1.7 bytes"
    assert call["document_type"] == "sy-id-front"
    assert call["claims"] == {"given_name": "آمنة"}
    assert call["file_name"] == "scan.pdf"
    body = answer.json()
    assert body["report"] == report()
    assert body["booking_ref"] == "B-7"
    assert body["deadline_at"] == "2026-05-09T12:00:00Z"
    assert body["received_at"] == "2026-05-04T12:00:00Z"


def test_a_raw_body_is_inspected_with_what_the_query_says(
    client: TestClient, service: Scripted
) -> None:
    answer = client.post(
        "/v1/documents",
        content=b"raw bytes",
        params={
            "document_type": "sy-id-front",
            "claims": '{"given_name": "Amna"}',
            "file_name": "a.jpg",
        },
    )
    assert answer.status_code == 201
    [call] = service.inspector.calls
    assert (call["data"], call["document_type"]) == (b"raw bytes", "sy-id-front")
    assert (call["claims"], call["file_name"]) == ({"given_name": "Amna"}, "a.jpg")


def test_an_answered_upload_is_stored_with_its_bytes(client: TestClient, service: Scripted) -> None:
    posted = client.post("/v1/documents", files=FILE)
    stored = service.store.get(posted.json()["id"])
    assert stored is not None
    assert stored.report == report()
    assert service.services.blobs.get(stored.blob_key) == b"%PDF-1.7 bytes"
    got = client.get(posted.headers["Location"])
    assert got.json() == posted.json()


def test_the_deadline_is_ten_days_after_receipt_unless_given(client: TestClient) -> None:
    body = client.post("/v1/documents", files=FILE).json()
    assert body["deadline_at"] == (NOON + timedelta(days=10)).isoformat().replace("+00:00", "Z")


def test_ids_are_long_random_and_never_repeat(client: TestClient) -> None:
    ids = {client.post("/v1/documents", files=FILE).json()["id"] for _ in range(5)}
    assert len(ids) == 5
    assert all(name.startswith("doc_") and len(name) == 4 + 32 for name in ids)


def test_what_was_read_is_kept_for_reviewers_and_not_answered(
    client: TestClient, service: Scripted
) -> None:
    service.inspector.readings = {"given_name": {"ocr": "أمينة"}}
    answer = client.post("/v1/documents", files=FILE)
    assert answer.status_code == 201
    assert "أمينة" not in answer.text and "readings" not in answer.text
    stored = service.store.get(answer.json()["id"])
    assert stored is not None
    assert stored.readings == {"given_name": {"ocr": "أمينة"}}


def test_a_poor_document_is_an_answer_and_not_an_error(
    client: TestClient, service: Scripted
) -> None:
    service.inspector.answer = report("reject")
    answer = client.post("/v1/documents", files=FILE)
    assert (answer.status_code, answer.json()["decision"]) == (201, "reject")


def test_a_check_gives_the_report_and_stores_nothing(client: TestClient, service: Scripted) -> None:
    answer = client.post("/v1/checks", files=FILE)
    assert answer.status_code == 200
    assert answer.json() == {"file_name": "scan.pdf", "report": report()}
    assert stored_files(service) == []
    assert list(service.store.scan()) == []


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 20_001])
@pytest.mark.parametrize("is_form", [True, False])
def test_a_file_of_any_size_is_judged_whole_and_by_its_digest(
    client: TestClient, service: Scripted, size: int, is_form: bool
) -> None:
    data = random.Random(size).randbytes(size)
    body, headers = encode(data) if is_form else (data, {})
    parts = (body[at : at + 333] for at in range(0, len(body), 333))
    assert client.post("/v1/checks", content=parts, headers=headers).status_code == 200
    [call] = service.inspector.calls
    assert call["data"] == data
    assert call["sha256"] == hashlib.sha256(data).hexdigest()


def test_the_received_file_is_private_and_gone_afterwards(
    client: TestClient, service: Scripted
) -> None:
    client.post("/v1/documents", files=FILE)
    assert service.inspector.calls[0]["mode"] == 0o600
    until(lambda: held_bytes() == b"")


def test_a_failed_upload_leaves_nothing_behind(client: TestClient, service: Scripted) -> None:
    service.inspector.answer = RuntimeError("disk on fire")
    assert client.post("/v1/documents", files=FILE).status_code == 500
    until(lambda: held_bytes() == b"")
    assert stored_files(service) == []
    assert list(service.store.scan()) == []


def test_bytes_without_a_committed_row_are_removed(client: TestClient, service: Scripted) -> None:
    refusing = {
        "sqlite": "CREATE TRIGGER refusing BEFORE INSERT ON reports"
        " BEGIN SELECT RAISE(ABORT, 'no'); END",
        "postgresql": "ALTER TABLE reports ADD CHECK (false)",
    }
    with service.store.engine.begin() as connection:
        connection.exec_driver_sql(refusing[connection.dialect.name])
    assert client.post("/v1/documents", files=FILE).status_code == 500
    assert stored_files(service) == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/x.jpg", "x.jpg"),
        ("C:\\Users\\me\\scan.pdf", "scan.pdf"),
        ("صورة\u202egnp.exe", "صورةgnp.exe"),
        ("a\u0000b\u001b[31m.pdf", "ab[31m.pdf"),
        ("..", "document"),
        ("n" * 300, "n" * 200),
        ("e\u0301.pdf", "é.pdf"),
        ("<script>alert(1)</script>", "script>"),
    ],
)
def test_a_file_name_is_only_ever_something_to_show(
    client: TestClient, service: Scripted, sent: str, shown: str
) -> None:
    body = client.post("/v1/documents", content=b"x", params={"file_name": sent}).json()
    assert body["file_name"] == shown
    assert service.inspector.calls[0]["file_name"] == shown
    assert service.inspector.calls[0]["path"].parent == Path(f"/proc/{os.getpid()}/fd")


def test_a_form_without_a_file_name_still_has_one_to_show(client: TestClient) -> None:
    files = {"file": (" ", b"bytes", "image/png")}
    assert client.post("/v1/documents", files=files).json()["file_name"] == "document"


# Idempotency-Key


def post_with_key(client: TestClient, key: str = "k-1", **more: Any) -> Any:
    files = more.pop("files", FILE)
    return client.post("/v1/documents", files=files, headers={"Idempotency-Key": key}, **more)


def test_the_same_upload_with_the_same_key_is_stored_once(
    client: TestClient, service: Scripted
) -> None:
    first, second = post_with_key(client), post_with_key(client)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(service.inspector.calls) == 1
    assert len(list(service.store.scan())) == 1


def test_with_new_keys_every_upload_is_a_document(client: TestClient, service: Scripted) -> None:
    for _ in range(2):
        client.post("/v1/documents", files=FILE)
    assert len(list(service.store.scan())) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"file": ("scan.pdf", b"other bytes", "application/pdf")}},
        {"data": {"claims": '{"given_name": "Amna"}'}},
        {"data": {"document_type": "sy-id-front"}},
        {"data": {"booking_ref": "B-8"}},
    ],
)
def test_another_upload_with_the_same_key_is_refused(
    client: TestClient, service: Scripted, change: dict[str, Any]
) -> None:
    post_with_key(client)
    answer = post_with_key(client, **change)
    assert (answer.status_code, answer.json()["code"]) == (422, "http.idempotency.reused")
    assert len(list(service.store.scan())) == 1


def test_a_key_whose_upload_failed_may_be_used_again(client: TestClient, service: Scripted) -> None:
    service.inspector.answer = RuntimeError("once")
    assert post_with_key(client).status_code == 500
    service.inspector.answer = report()
    assert post_with_key(client).status_code == 201


def test_a_key_of_an_upload_that_died_midway_is_taken_over(
    client: TestClient, service: Scripted
) -> None:
    document_id = post_with_key(client).json()["id"]
    with service.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM documents")
        connection.exec_driver_sql("UPDATE reservations SET answered_at = NULL")
    assert post_with_key(client).json()["code"] == "http.idempotency.in_flight"
    service.clock.now += timedelta(minutes=5)
    assert post_with_key(client).json()["id"] == document_id


@pytest.mark.parametrize("key", ["", "two words", "k" * 201])
def test_a_key_that_is_no_key_is_refused(client: TestClient, key: str) -> None:
    answer = post_with_key(client, key)
    assert (answer.status_code, answer.json()["code"]) == (400, "http.idempotency.key_invalid")


# Asking


def test_an_unknown_document_is_a_problem(client: TestClient) -> None:
    answer = client.get("/v1/documents/doc_unknown")
    assert (answer.status_code, answer.json()["code"]) == (404, "http.document_not_found")


def test_a_ruling_is_told_with_its_reason_and_without_the_reviewer(
    client: TestClient, service: Scripted
) -> None:
    service.inspector.answer = report("review")
    document_id = client.post("/v1/documents", files=FILE).json()["id"]
    service.store.rule(Ruling(document_id, "reject", "the corner is cut off", "huda", NOON))
    body = client.get(f"/v1/documents/{document_id}").json()
    assert body["decision"] == "reject"
    assert body["ruling"]["reason"] == "the corner is cut off"
    assert "huda" not in json.dumps(body)


def test_a_page_is_drawn_as_a_png_that_nobody_keeps(client: TestClient) -> None:
    document_id = client.post("/v1/documents", files=FILE).json()["id"]
    answer = client.get(f"/v1/documents/{document_id}/pages/1/image")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == draw_page(b"", 1, 2000)


@pytest.mark.parametrize("page", ["0", "2", "-1"])
def test_a_page_that_is_not_there_is_a_problem(client: TestClient, page: str) -> None:
    document_id = client.post("/v1/documents", files=FILE).json()["id"]
    answer = client.get(f"/v1/documents/{document_id}/pages/{page}/image")
    assert (answer.status_code, answer.json()["code"]) == (404, "http.page_not_found")
