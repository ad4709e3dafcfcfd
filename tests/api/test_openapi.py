"""What /openapi.json promises: its examples are true, and ``/v1`` only ever grows.

After an addition: ``DOCQA_TEST_WRITE_SNAPSHOT=1 pytest tests/api/test_openapi.py``.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.problems import problem_texts, status_of
from docqa.fields import CLAIM_NAMES
from docqa.webhooks.payload import MOST_BYTES, payload
from docqa.webhooks.records import EVENT_KINDS
from docqa.webhooks.signature import signed_headers
from tests.api.described import check_against
from tests.api.openapi_changes import breaking
from tests.api.scripted_service import NOON, Scripted, problem_text

SNAPSHOT = Path(__file__).parent.parent / "snapshots/openapi.json"
METHODS = ("get", "put", "post", "patch", "delete")
FILE_BYTES = b"%PDF-1.7 bytes"


@pytest.fixture
def spec(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    found["info"].pop("version")
    return found


def operations(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in sorted(spec["paths"].items()):
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


# It only grows


def test_v1_is_as_published_or_has_only_grown(spec: dict[str, Any]) -> None:
    text = json.dumps(spec, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if os.environ.get("DOCQA_TEST_WRITE_SNAPSHOT"):
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(text, encoding="utf-8")
    published = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert list(breaking(published, spec)) == [], "this breaks clients of /v1"
    assert published == spec, "only additions: publish them with DOCQA_TEST_WRITE_SNAPSHOT=1"


def without_path(spec: dict[str, Any]) -> None:
    del spec["paths"]["/v1/documents"]


def without_answer_member(spec: dict[str, Any]) -> None:
    del spec["components"]["schemas"]["DocumentAnswer"]["properties"]["decision"]


def answer_member_may_be_absent(spec: dict[str, Any]) -> None:
    spec["components"]["schemas"]["DocumentAnswer"]["required"].remove("decision")


def other_type(spec: dict[str, Any]) -> None:
    spec["components"]["schemas"]["BookingAnswer"]["properties"]["days_left"]["type"] = "string"


def new_parameter_is_required(spec: dict[str, Any]) -> None:
    spec["paths"]["/v1/documents"]["get"]["parameters"].append(
        {"name": "x", "in": "query", "required": True, "schema": {"type": "string"}}
    )


def body_member_becomes_required(spec: dict[str, Any]) -> None:
    body = spec["paths"]["/v1/bookings/{ref}"]["put"]["requestBody"]["content"]
    body["application/json"]["schema"]["required"].append("state")


def choice_is_gone(spec: dict[str, Any]) -> None:
    body = spec["paths"]["/v1/bookings/{ref}"]["put"]["requestBody"]["content"]
    body["application/json"]["schema"]["properties"]["state"]["enum"].remove("cancelled")


def status_is_gone(spec: dict[str, Any]) -> None:
    del spec["paths"]["/v1/documents"]["post"]["responses"]["201"]


@pytest.mark.parametrize(
    "change",
    [
        without_path, without_answer_member, answer_member_may_be_absent, other_type,
        new_parameter_is_required, body_member_becomes_required, choice_is_gone, status_is_gone,
    ],
)  # fmt: skip
def test_what_breaks_a_client_is_found(
    spec: dict[str, Any], change: Callable[[dict[str, Any]], None]
) -> None:
    changed = copy.deepcopy(spec)
    change(changed)
    assert len(list(breaking(spec, changed))) == 1


def test_what_is_added_or_said_better_breaks_nobody(spec: dict[str, Any]) -> None:
    changed = copy.deepcopy(spec)
    changed["paths"]["/v1/new"] = {"get": {}}
    changed["components"]["schemas"]["DocumentAnswer"]["properties"]["new"] = {"type": "string"}
    changed["paths"]["/v1/documents"]["get"]["summary"] = "Better words"
    [ref] = (
        one
        for one in changed["paths"]["/v1/bookings/{ref}"]["put"]["parameters"]
        if one["name"] == "ref"
    )
    del ref["schema"]["maxLength"]
    changed["paths"]["/v1/documents"]["get"]["parameters"].append(
        {"name": "x", "in": "query", "required": False, "schema": {"type": "string"}}
    )
    assert list(breaking(spec, changed)) == []


# Its examples are true


def test_every_example_fits_its_schema(spec: dict[str, Any]) -> None:
    seen = 0
    for schema in spec["components"]["schemas"].values():
        for example in schema.get("examples", ()):
            check_against(schema, example, spec)
            seen += 1
    for _, _, operation in operations(spec):
        for body in operation.get("requestBody", {}).get("content", {}).values():
            for example in body.get("examples", {}).values():
                check_against(body["schema"], example["value"], spec)
                seen += 1
    assert seen >= 6


def test_every_problem_that_is_shown_is_said_in_these_words(
    spec: dict[str, Any], service: Scripted
) -> None:
    """Its sentences are those of the catalogue, and its status the one it is shown for."""
    most = service.services.settings.max_upload_bytes
    sizes, codes = {"limit": most, "actual": most + 1}, set()
    for path, method, operation in operations(spec):
        for status, response in operation["responses"].items():
            shown = response.get("content", {}).get("application/problem+json", {}).get("example")
            if shown is None:
                continue
            of_a_file = shown["code"].startswith("file.")
            said = problem_text(shown["code"], sizes) if of_a_file else problem_texts(shown["code"])
            for language, suffix in (("en", ""), ("ar", "_ar")):
                texts = said[language]
                for part in ("title", "detail"):
                    assert shown[part + suffix] == texts[part], (path, method, status)
            assert shown["status"] == int(status) == status_of(shown["code"])
            codes.add(shown["code"])
    assert {"http.not_json", "http.timeout", "http.document_changed", "http.invalid"} < codes
    assert {"http.idempotency.document_deleted", "http.booking_not_found"} < codes


def test_every_problem_has_the_form_that_is_described(
    spec: dict[str, Any], client: TestClient
) -> None:
    form = spec["components"]["schemas"]["Problem"]
    shown = 0
    for path, method, operation in operations(spec):
        for status, response in operation["responses"].items():
            content = response.get("content", {}).get("application/problem+json")
            if content is not None:
                assert content["schema"]["$ref"].endswith("/Problem"), (path, method, status)
                if "example" in content:
                    check_against(content["schema"], content["example"], spec)
                    shown += 1
    assert shown > 40
    for answer in (
        client.get("/v1/bookings/B-404"),
        client.put("/v1/bookings/B-7", json={"shoe_size": 43}),
        client.post("/v1/checks", content=b"x" * 300_001),
    ):
        check_against(form, answer.json(), spec)
        assert set(answer.json()) <= set(form["properties"])


def test_what_was_created_and_what_was_replayed_is_told_in_headers_that_are_described(
    spec: dict[str, Any], client: TestClient
) -> None:
    described = spec["paths"]["/v1/documents"]["post"]["responses"]["201"]["headers"]
    for _ in range(2):
        answer = client.post(
            "/v1/documents", content=FILE_BYTES, headers={"Idempotency-Key": "the-same"}
        )
    told = {"Location", "Idempotency-Replayed", "X-Request-Id"}
    assert all(name in answer.headers for name in told)
    assert told <= set(described)
    for header in described.values():
        assert header["$ref"].removeprefix("#/components/headers/") in spec["components"]["headers"]


def test_every_claim_that_is_taken_is_named(spec: dict[str, Any], client: TestClient) -> None:
    for operation in ("/v1/documents", "/v1/checks"):
        [claims] = (
            p for p in spec["paths"][operation]["post"]["parameters"] if p["name"] == "claims"
        )
        assert set(CLAIM_NAMES) <= set(re.findall(r"\w+", claims["description"]))
    items = client.get("/v1/document-types").json()["items"]
    assert {item["id"]: item["claims"] for item in items} == {
        "sy-id-back": [], "sy-id-front": ["national_number"]
    }  # fmt: skip


def test_every_operation_under_v1_has_a_summary_and_a_described_answer(
    spec: dict[str, Any],
) -> None:
    for path, method, operation in operations(spec):
        assert operation["summary"] and operation["description"], f"{method} {path}"
        if path.startswith("/v1") and "422" in operation["responses"]:
            content = operation["responses"]["422"]["content"]
            assert list(content) == ["application/problem+json"], f"{method} {path}"


def test_every_operation_may_fail_and_says_what_is_answered_then(spec: dict[str, Any]) -> None:
    for path, method, operation in operations(spec):
        failed = operation["responses"]["500"]
        shown = failed["content"]["application/problem+json"]
        assert shown["example"]["code"] == "service.failure", f"{method} {path}"
        assert set(failed["headers"]) == {"X-Request-Id"}, f"{method} {path}"


def test_what_webhooks_say_is_described_to_the_last_member(
    client: TestClient, spec: dict[str, Any]
) -> None:
    webhook = spec["webhooks"]["event"]["post"]
    schema = webhook["requestBody"]["content"]["application/json"]["schema"]
    signed = signed_headers("evt_1", b"", [], now=NOON)
    assert {parameter["name"] for parameter in webhook["parameters"]} == set(signed)
    client.put("/v1/bookings/B-7", json={"service": "sy-passport"})
    document = client.post(
        "/v1/documents",
        content=FILE_BYTES,
        params={"document_type": "sy-id-front", "booking_ref": "B-7"},
    ).json()
    client.delete(f"/v1/documents/{document['id']}")
    kinds = set()
    for event in client.get("/v1/events").json()["items"]:
        about = {name: event[name] for name in ("document_id", "booking_ref")}
        moment = datetime.fromisoformat(event["occurred_at"])
        for body in (event["data"], {"reason": "x" * MOST_BYTES}):
            said = json.loads(
                payload(
                    event["kind"], number=event["sequence"], occurred_at=moment, body=body, **about
                )
            )
            check_against(schema, said, spec)
            assert set(said) == set(schema["properties"])
            assert set(said["data"]) <= set(schema["properties"]["data"]["properties"])
        kinds.add(event["kind"])
    assert kinds == {"document.judged", "document.deleted", "booking.changed"}
    assert schema["properties"]["type"]["enum"] == list(EVENT_KINDS)


def test_the_requests_that_are_shown_succeed(
    client: TestClient, service: Scripted, spec: dict[str, Any]
) -> None:
    """Every example of a request, sent to the service; the answers fit what is promised."""
    upload = spec["paths"]["/v1/documents"]["post"]
    form = dict(upload["requestBody"]["content"]["multipart/form-data"]["example"])
    file = (form.pop("file"), FILE_BYTES)
    [key] = [p for p in upload["parameters"] if p["name"] == "Idempotency-Key"]
    shown = {"Idempotency-Key": key["example"]}

    def sent(path: str, method: str, **request: Any) -> Any:
        address = path.format(
            ref="B-2026-00417", document_id=document_id, page=1
        )  # of what was created before
        answer = client.request(method.upper(), address, **request)
        promised = spec["paths"][path][method]["responses"][str(answer.status_code)]
        assert answer.is_success, (path, answer.text)
        for media_type, content in promised.get("content", {}).items():
            assert answer.headers["content-type"].startswith(media_type)
            if "schema" in content and media_type == "application/json":
                check_against(content["schema"], answer.json(), spec)
        done.add((path, method))
        return answer

    done: set[tuple[str, str]] = set()
    document_id = ""
    for path in ("/v1/bookings/{ref}", "/v1/documents/{document_id}/claims"):
        [(method, operation)] = [
            (m, spec["paths"][path][m]) for m in ("put", "patch") if m in spec["paths"][path]
        ]
        example = operation["requestBody"]["content"]["application/json"]["examples"]["example"]
        sent(path, method, json=example["value"])
        if not document_id:
            answer = sent("/v1/documents", "post", files={"file": file}, data=form, headers=shown)
            document_id = answer.json()["id"]
    sent("/v1/checks", "post", files={"file": file}, data=form)
    for path, method, _ in operations(spec):
        if method == "get" and not path.startswith(OF_ADMINISTRATORS):
            sent(path, method)
    sent("/v1/documents/{document_id}", "delete")
    mine = {(p, m) for p, m, _ in operations(spec) if not p.startswith(OF_ADMINISTRATORS)}
    assert mine <= done


OF_ADMINISTRATORS = ("/v1/webhook-endpoints", "/v1/events", "/v1/revalidations")
"""Sent, and held against what is promised, by the tests of those routes."""
