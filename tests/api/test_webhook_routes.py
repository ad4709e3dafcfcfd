"""Administrators register endpoints, see what happened and have it told again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.described import hold_to_description
from tests.api.scripted_service import Scripted
from tests.api.test_problems_api import FILE, assert_problem

URL = "https://booking.example/docqa"


@pytest.fixture(autouse=True)
def described(client: TestClient) -> None:
    hold_to_description(client)


def _added(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/v1/webhook-endpoints", json={"url": URL, **body})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_secret_is_shown_once(client: TestClient) -> None:
    added = _added(client, kinds=["document.ruled"])
    secret = added.pop("secret")
    assert secret.startswith("whsec_")
    assert client.get("/v1/webhook-endpoints").json() == {"items": [added]}
    assert client.get(f"/v1/webhook-endpoints/{added['id']}").json() == added
    rotated = client.post(f"/v1/webhook-endpoints/{added['id']}/rotations")
    assert rotated.status_code == 201
    assert rotated.json()["secret"] not in (secret, client.get("/v1/webhook-endpoints").text)


@pytest.mark.parametrize(
    "url", ["http://booking.example/", "https://127.0.0.1/", "https://u:secret@a.example/", "x"]
)
def test_an_address_that_cannot_be_used_is_a_problem_that_says_why(
    client: TestClient, url: str
) -> None:
    answer = client.post("/v1/webhook-endpoints", json={"url": url})
    body = assert_problem(answer, 422, "http.invalid")
    assert body["errors"][0]["pointer"] == "/url"
    assert "secret" not in answer.text
    assert client.get("/v1/webhook-endpoints").json() == {"items": []}


@pytest.mark.parametrize(
    "body", [{}, {"url": URL, "colour": "red"}, {"url": URL, "kinds": ["No Kind"]}, [], {"url": 5}]
)
def test_a_wrong_body_is_a_problem(client: TestClient, body: Any) -> None:
    answer = client.post("/v1/webhook-endpoints", json=body)
    errors = assert_problem(answer, 422, "http.invalid")["errors"]
    pointers = [error["pointer"] for error in errors]
    assert all(re.fullmatch("|/(url|colour|kinds/0)", pointer) for pointer in pointers), pointers
    assert "dictionary" not in answer.text


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 60_000, b'{"url": "x'])
@pytest.mark.parametrize("path", ["/v1/webhook-endpoints", "/v1/revalidations"])
def test_a_body_that_is_no_json_is_said_to_be_none(
    client: TestClient, path: str, body: bytes
) -> None:
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 400, "http.not_json")


def test_an_own_limit_is_told_and_a_number_in_a_clients_name_is_not(client: TestClient) -> None:
    answer = client.get("/v1/events?after=99999999999")
    assert "2147483647" in assert_problem(answer, 422, "http.invalid")["errors"][0]["detail"]
    answer = client.post("/v1/webhook-endpoints", json={"url": URL, "01234567890": 1})
    [error] = assert_problem(answer, 422, "http.invalid")["errors"]
    assert "01234567890" not in answer.text and error["pointer"].startswith("/")


def test_an_endpoint_is_switched_off_and_on(client: TestClient) -> None:
    path = f"/v1/webhook-endpoints/{_added(client)['id']}"
    off = client.patch(path, json={"enabled": False}).json()
    assert (off["enabled"], off["disabled_because"]) == (False, "operator")
    on = client.patch(path, json={"enabled": True, "kinds": ["document.judged"]}).json()
    assert (on["enabled"], on["disabled_because"], on["kinds"]) == (True, None, ["document.judged"])


def test_an_upload_is_an_event_that_can_be_told_again(
    client: TestClient, service: Scripted
) -> None:
    endpoint = _added(client)
    document = client.post("/v1/documents", files=FILE, data={"booking_ref": "B-7"}).json()
    (event,) = client.get("/v1/events").json()["items"]
    assert (event["kind"], event["document_id"]) == ("document.judged", document["id"])
    assert (event["booking_ref"], event["data"]["decision"]) == ("B-7", document["decision"])
    assert event["deliveries"] == []
    answer = client.post(
        f"/v1/events/{event['id']}/redeliveries", json={"endpoint_id": endpoint["id"]}
    )
    assert (answer.status_code, answer.json()) == (202, {"deliveries": 1})
    assert client.post(f"/v1/events/{event['id']}/redeliveries").json() == {"deliveries": 1}
    (event,) = client.get("/v1/events").json()["items"]
    (delivery,) = event["deliveries"]
    assert (delivery["endpoint_id"], delivery["state"]) == (endpoint["id"], "waiting")


def test_an_event_is_told_to_no_endpoint_of_another_client(client: TestClient) -> None:
    endpoint = _added(client, client_id="another")
    client.post("/v1/documents", files=FILE)
    (event,) = client.get("/v1/events").json()["items"]
    said = {"endpoint_id": endpoint["id"]}
    answer = client.post(f"/v1/events/{event['id']}/redeliveries", json=said)
    (error,) = assert_problem(answer, 422, "http.invalid")["errors"]
    assert error["pointer"] == "/endpoint_id" and "another client" in error["detail"]


def test_events_are_turned_page_by_page(client: TestClient) -> None:
    for number in range(3):
        client.post("/v1/documents", files={"file": ("a.pdf", b"%PDF-1.7 " + bytes([number]))})
    seen, address = [], "/v1/events?limit=2"
    while address:
        page = client.get(address).json()
        seen += [event["sequence"] for event in page["items"]]
        address = page["next"]
    assert len(seen) == 3 and seen == sorted(seen)


def test_what_is_not_there_is_a_problem(client: TestClient) -> None:
    _added(client)
    client.post("/v1/documents", files=FILE)
    (event,) = client.get("/v1/events").json()["items"]
    missing = "http.webhook_endpoint_not_found"
    for answer, code in (
        (client.get("/v1/webhook-endpoints/whe_x"), missing),
        (client.patch("/v1/webhook-endpoints/whe_x", json={"enabled": True}), missing),
        (client.post("/v1/webhook-endpoints/whe_x/rotations"), missing),
        (client.post("/v1/events/evt_x/redeliveries"), "http.event_not_found"),
        (
            client.post(f"/v1/events/{event['id']}/redeliveries", json={"endpoint_id": "whe_x"}),
            missing,
        ),
    ):
        assert_problem(answer, 404, code)
    for query in ("limit=0", "limit=201", "after=-1", "after=x", "after=99999999999"):
        assert_problem(client.get(f"/v1/events?{query}"), 422, "http.invalid")


def test_every_route_about_webhooks_is_an_administrators(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    found = [
        operation
        for path, operations in paths.items()
        if path.startswith(("/v1/webhook", "/v1/events"))
        for operation in operations.values()
    ]
    assert len(found) == 7
    assert all(operation["security"] == [{"apiKey": ["admin"]}] for operation in found)
