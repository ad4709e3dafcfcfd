"""Characters that no database keeps or no answer can carry are refused wherever they may come."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.reviewing import document, form_token, shown_report
from tests.api.scripted_service import Scripted


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/documents/%00"),
        ("GET", "/v1/documents/%00/reports"),
        ("DELETE", "/v1/documents/doc_%00"),
        ("GET", "/v1/revalidations/%00"),
        ("GET", "/v1/webhook-endpoints/%00"),
        ("POST", "/v1/webhook-endpoints/%00/rotations"),
        ("POST", "/v1/events/%00/redeliveries"),
        ("GET", "/review/%00"),
        ("POST", "/review/%00/claim"),
    ],
)
def test_nothing_has_an_address_with_a_nul(reviewer: TestClient, method: str, path: str) -> None:
    answer = reviewer.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "http.not_found")


def test_no_list_is_asked_for_a_nul(client: TestClient) -> None:
    answer = client.get("/v1/documents?booking_ref=%00")
    assert (answer.status_code, answer.json()["code"]) == (422, "http.invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/query/booking_ref"]


def test_a_page_is_shown_without_the_document_that_cannot_be_one(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service, booking_ref="B-7", client_id="portal")
    for address in ("/review?done=%00", f"/review/{made.id}?beside=%00&done=%00&previous=%00"):
        answer = reviewer.get(address)
        assert answer.status_code == 200 and made.id in answer.text


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/webhook-endpoints", {"url": "https://a.example/", "client_id": "a\0"}, "/client_id"),
        ("/v1/events/evt_1/redeliveries", {"endpoint_id": "\0"}, "/endpoint_id"),
    ],
)
def test_no_value_of_a_body_holds_a_nul(
    client: TestClient, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "http.invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("typed", [{"why": "the\0name"}, {"why": "the name", "code.\0": "on"}])
def test_no_form_holds_a_nul(
    reviewer: TestClient, service: Scripted, typed: dict[str, str]
) -> None:
    made = document(1, service)
    page = reviewer.get(f"/review/{made.id}").text
    said = {"form_token": form_token(page), "report": shown_report(page), **typed}
    answer = reviewer.post(f"/review/{made.id}/reveal", data=said)
    assert (answer.status_code, answer.json()["code"]) == (400, "http.rejected")
    assert service.services.desk.trail(made.id) == []


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/v1/documents/doc_1/claims"), ("PUT", "/v1/bookings/B-7")]
)
def test_a_name_with_half_a_character_is_named_as_far_as_it_can_be(
    client: TestClient, method: str, path: str
) -> None:
    answer = client.request(method, path, content=r'{"\ud800": 1, "\ud800": 1}')
    assert (answer.status_code, answer.json()["code"]) == (422, "http.invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/?"]


def cursor_of(*place: str | None) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


BEYOND = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")
NOON = "2026-05-04T12:00:00+00:00"


@pytest.mark.parametrize(
    "cursor",
    [
        *(cursor_of(moment, "x") for moment in BEYOND),
        cursor_of(NOON, "\0"),
        cursor_of(NOON, "\ud800"),
    ],
)
def test_a_cursor_of_no_place_in_the_list_is_named(client: TestClient, cursor: str) -> None:
    answer = client.get("/v1/documents", params={"cursor": cursor.rstrip("=")})
    assert (answer.status_code, answer.json()["code"]) == (422, "http.invalid")
    assert answer.json()["errors"][0]["pointer"] == "/query/cursor"


@pytest.mark.parametrize(
    "cursor",
    [
        *(cursor_of(moment, NOON, "x") for moment in BEYOND),
        *(cursor_of(None, moment, "x") for moment in BEYOND),
        cursor_of(None, NOON, "\0"),
        cursor_of(None, NOON, "\ud800"),
        base64.urlsafe_b64encode(b"[" * 6000).decode(),
    ],
)
def test_a_cursor_of_no_place_in_the_queue_is_its_start(
    reviewer: TestClient, service: Scripted, cursor: str
) -> None:
    made = document(1, service)
    answer = reviewer.get("/review", params={"after": cursor})
    assert answer.status_code == 200 and made.id in answer.text
