"""Lists, past reports, corrected typing and deleting, over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from docqa.adapters.retention import SqlRetention
from docqa.errors import InvalidDocument
from docqa.ports import Ruling
from tests.api.running import until
from tests.api.scripted_service import NOON, Scripted, report
from tests.memory_files import held_bytes

FILE = {"file": ("scan.pdf", b"%PDF-1.7 bytes", "application/pdf")}


def upload(client: TestClient, **said: str) -> Any:
    return client.post("/v1/documents", files=FILE, data=said).json()


def field(match: str, source: str | None = "barcode", confidence: float = 1.0) -> dict[str, Any]:
    return {
        "name": "given_name", "match": match, "source": source, "confidence": confidence,
        "page": 1, "polygon": None, "note": None, "others": [],
    }  # fmt: skip


def mistyped(client: TestClient, service: Scripted, document_type: str) -> str:
    """Id of a document whose barcode says آمنة, where أمينة was typed."""
    service.inspector.answer = {
        **report("reject"), "document_type": document_type, "fields": [field("near")]
    }  # fmt: skip
    service.inspector.readings = {"given_name": {"barcode": "آمنة"}}
    said = {"document_type": document_type, "claims": '{"given_name": "أمينة"}'}
    return str(upload(client, **said)["id"])


def correct(client: TestClient, document_id: str, **claims: str) -> Any:
    return client.patch(f"/v1/documents/{document_id}/claims", json={"claims": claims})


# Lists


def test_a_list_is_walked_page_by_page_without_gap_or_repetition(
    client: TestClient, service: Scripted
) -> None:
    made = []
    for number in range(7):
        service.clock.now = NOON + timedelta(seconds=number // 3)  # some at the same moment
        made.append(upload(client)["id"])
    address, seen = "/v1/documents?limit=3", []
    sizes = []
    while address:
        page = client.get(address).json()
        sizes.append(len(page["items"]))
        seen += [item["id"] for item in page["items"]]
        address = page["next"]
    assert sizes == [3, 3, 1]
    assert sorted(seen) == sorted(made) and len(set(seen)) == 7


def test_a_list_is_narrowed_by_booking_and_decision(client: TestClient, service: Scripted) -> None:
    first = upload(client, booking_ref="B-1")
    service.inspector.answer = report("review")
    second = upload(client, booking_ref="B-2")
    for query, wanted in (("booking_ref=B-1", first), ("decision=review", second)):
        [item] = client.get(f"/v1/documents?{query}").json()["items"]
        assert item["id"] == wanted["id"]
        assert "report" not in item


@pytest.mark.parametrize("cursor", ["x", "!!", "W10", "WzEsMl0", "bnVsbA", "é"])
def test_a_cursor_that_is_none_is_named(client: TestClient, cursor: str) -> None:
    answer = client.get("/v1/documents", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "http.invalid")
    assert answer.json()["errors"][0]["pointer"] == "/query/cursor"


# Corrections


def test_a_correction_that_the_barcode_settles_inspects_nothing(
    client: TestClient, service: Scripted
) -> None:
    document_id = mistyped(client, service, "sy-id-back")
    answer = correct(client, document_id, given_name="آمنة")
    assert answer.status_code == 200
    assert answer.json()["report"]["fields"][0]["match"] == "equal"
    assert answer.json()["report_number"] == 2
    assert len(service.inspector.calls) == 1
    stored = service.store.get(document_id)
    assert stored is not None and stored.claims == {"given_name": "آمنة"}
    history = client.get(f"/v1/documents/{document_id}/reports").json()["items"]
    assert [past["number"] for past in history] == [1, 2]
    assert history[0]["report"]["fields"][0]["match"] == "near"


def test_a_correction_that_takes_the_picture_reads_the_stored_bytes_again(
    client: TestClient, service: Scripted
) -> None:
    document_id = mistyped(client, service, "sy-id-front")
    fresh = {**report("reject"), "fields": [field("equal", "ocr")]}
    fresh["pages"][0]["measures"] = {}
    service.inspector.answer = fresh
    body = correct(client, document_id, given_name="سلمى").json()
    call = service.inspector.calls[-1]
    assert (call["data"], call["claims"]) == (b"%PDF-1.7 bytes", {"given_name": "سلمى"})
    assert call["mode"] == 0o600
    assert body["report"]["fields"][0]["source"] == "ocr"
    assert "perspective" in body["report"]["pages"][0]["measures"], "measured anew"
    until(lambda: held_bytes() == b"")


@pytest.mark.parametrize("failure", ["no bytes", "refused", "crashed"])
def test_a_correction_that_cannot_be_read_is_review(
    client: TestClient, service: Scripted, failure: str
) -> None:
    document_id = mistyped(client, service, "sy-id-front")
    stored = service.store.get(document_id)
    assert stored is not None
    if failure == "no bytes":
        service.services.blobs.delete(stored.blob_key)
    elif failure == "refused":
        service.inspector.answer = InvalidDocument("file.damaged")
    else:
        service.inspector.answer = {
            **report("review"), "pages": [], "fields": [], "faults": ["system.timeout"]
        }  # fmt: skip
        service.inspector.readings = {}
    body = correct(client, document_id, given_name="سلمى").json()
    assert body["decision"] == "review"
    assert body["report"]["fields"][0]["match"] == "unread"
    fault = "system.timeout" if failure == "crashed" else "system.failed"
    assert fault in body["report"]["faults"]


def test_the_same_typing_makes_no_new_report(client: TestClient, service: Scripted) -> None:
    document_id = mistyped(client, service, "sy-id-back")
    assert correct(client, document_id, given_name="أمينة").json()["report_number"] == 1


def test_what_a_reviewer_decided_is_not_decided_on_other_typing(
    client: TestClient, service: Scripted
) -> None:
    document_id = mistyped(client, service, "sy-id-back")
    before = service.store.get(document_id)
    assert before is not None
    service.store.rule(Ruling(document_id, "accept", "", "huda", NOON))
    answer = correct(client, document_id, given_name="سلمى")
    assert (answer.status_code, answer.json()["code"]) == (409, "http.document_ruled")
    # Nor when the ruling comes while the correction is worked on.
    assert not service.store.correct(before, claims={}, readings={}, report=report())


def test_of_two_corrections_at_once_one_is_told_to_look_again(
    client: TestClient, service: Scripted
) -> None:
    document_id = mistyped(client, service, "sy-id-back")
    before = service.store.get(document_id)
    assert before is not None
    assert service.store.correct(before, claims={}, readings={}, report=report())
    assert not service.store.correct(before, claims={}, readings={}, report=report())


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"claims": {"shoe_size": "43"}}, 422, "request.claims.unknown_field"),
        ({"claims": {"national_number": "12"}}, 422, "request.claims.invalid"),
        ({"claims": {"given_name": "a\u0000b"}}, 422, "request.claims.invalid"),
        ({"claims": {"birth_date": "1-1-2099"}}, 422, "request.claims.invalid"),
        ({"claims": {"given_name": "\ud800"}}, 422, "http.invalid"),
        ({"claims": {}}, 422, "http.invalid"),
        ({"claims": {"given_name": 5}}, 422, "http.invalid"),
        ({}, 422, "http.invalid"),
    ],
)
def test_a_correction_that_makes_no_sense_is_a_problem(
    client: TestClient, service: Scripted, body: Any, status: int, code: str
) -> None:
    document_id = mistyped(client, service, "sy-id-back")
    content = json.dumps(body)  # escapes what UTF-8 has no bytes for
    answer = client.patch(f"/v1/documents/{document_id}/claims", content=content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


# Deleting


def test_a_deleted_document_is_gone_with_its_bytes_and_reports(
    client: TestClient, service: Scripted
) -> None:
    document_id = upload(client)["id"]
    assert client.delete(f"/v1/documents/{document_id}").status_code == 204
    for path in ("", "/reports", "/pages/1/image"):
        assert client.get(f"/v1/documents/{document_id}{path}").status_code == 404
    assert client.delete(f"/v1/documents/{document_id}").status_code == 404
    assert list(service.services.settings.blobs_dir.iterdir()) == []
    assert service.services.portal.records.history(document_id) == []


def test_bytes_that_cannot_be_deleted_are_deleted_by_the_next_purge(
    client: TestClient, service: Scripted
) -> None:
    document_id = upload(client)["id"]
    [blob] = service.services.settings.blobs_dir.iterdir()
    blob.unlink()
    blob.mkdir()  # deleting it as a file fails
    assert client.delete(f"/v1/documents/{document_id}").status_code == 503
    blob.rmdir()
    assert client.get(f"/v1/documents/{document_id}").status_code == 404
    retention = SqlRetention(service.store.engine, service.services.blobs)
    assert retention.resume() == 1
    assert retention.resume() == 0


# Lists that a portal shows


def test_services_and_policies_can_be_asked_for(client: TestClient) -> None:
    known = {item["id"]: item for item in client.get("/v1/services").json()["items"]}
    assert known["sy-passport"]["documents"] == ["sy-id-front", "sy-id-back"]
    assert known["sy-passport"]["deadline_days"] == 10
    [policy] = client.get("/v1/policies").json()["items"]
    assert policy["id"] == "sy-passport" and policy["digest"].startswith("sha256:")
    assert all(rule["source"] and rule["direction"] for rule in policy["rules"])
    assert "sy-id-front" in policy["by_document_type"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/documents", "GET, POST"),
        ("/v1/documents/doc_a", "DELETE, GET"),
        ("/v1/bookings/B-7", "GET, PUT"),
        ("/v1/checks", "POST"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_answered_with_those_it_takes(
    client: TestClient, path: str, methods: str
) -> None:
    answer = client.options(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, methods)
