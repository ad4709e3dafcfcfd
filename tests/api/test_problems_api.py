"""Everything that can be wrong with a request is a problem that says what to do."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.problems import TYPE_PREFIX
from docqa.errors import InvalidDocument, InvalidRequest
from tests.api.running import until
from tests.api.scripted_service import Scripted, problem_text
from tests.api.test_gate import run_with
from tests.memory_files import held_bytes

FILE = {"file": ("scan.pdf", b"%PDF-1.7 bytes", "application/pdf")}
MEMBERS = {"type", "title", "status", "detail", "code", "title_ar", "detail_ar", "request_id"}


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) - {"errors"} == MEMBERS
    assert (body["status"], body["code"]) == (status, code)
    assert re.fullmatch(TYPE_PREFIX + r"[a-z0-9-]+", body["type"])
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert re.search("[\u0600-\u06ff]", body["title_ar"] + body["detail_ar"])
    return body


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("file.empty", 422),
        ("file.encrypted", 422),
        ("file.too_large", 413),
        ("file.format.unknown", 415),
        ("file.too_many_pages", 422),
    ],
)
@pytest.mark.parametrize("route", ["/v1/documents", "/v1/checks"])
def test_what_cannot_be_a_document_is_a_problem(
    client: TestClient, service: Scripted, route: str, code: str, status: int
) -> None:
    service.inspector.answer = InvalidDocument(code, limit=10, actual=11)
    body = assert_problem(client.post(route, files=FILE), status, code)
    said = problem_text(code, {"limit": 10, "actual": 11})
    assert (body["title"], body["detail_ar"]) == (said["en"]["title"], said["ar"]["detail"])
    assert list(service.store.scan()) == []


def test_a_type_that_nobody_knows_is_a_problem(client: TestClient, service: Scripted) -> None:
    service.inspector.answer = InvalidRequest("request.document_type.unknown", name="x")
    assert_problem(client.post("/v1/checks", files=FILE), 422, "request.document_type.unknown")


@pytest.mark.parametrize("claims", ["not json", "{", "[]", "null", "[" * 20_000, '{"given_name": '])
def test_claims_that_are_not_json_are_a_problem(client: TestClient, claims: str) -> None:
    answer = client.post("/v1/checks", files=FILE, data={"claims": claims})
    assert_problem(answer, 400, "request.claims.not_json")


@pytest.mark.parametrize(
    "claims",
    [
        '{"shoe_size": "43"}',
        '{"given_name": 5}',
        '{"given_name": "a\\u0000b"}',
        '{"given_name": "\\ud800"}',
        '{"national_number": "12"}',
    ],
)
def test_claims_that_make_no_sense_are_a_problem_that_does_not_repeat_them(
    client: TestClient, service: Scripted, claims: str
) -> None:
    answer = client.post("/v1/documents", files=FILE, data={"claims": claims})
    assert answer.status_code == 422
    assert answer.json()["code"].startswith("request.claims.")
    assert service.inspector.calls == []


def test_a_number_where_a_name_belongs_is_hidden_by_no_word_of_one_language(
    client: TestClient,
) -> None:
    claims = '{"01234567890": "x"}'
    body = client.post("/v1/checks", files=FILE, data={"claims": claims}).json()
    assert "***" in body["title"] and "***" in body["title_ar"]
    assert "number" not in str(body)


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"deadline": "tomorrow"}, "/deadline"),
        ({"deadline": "2026-05-09T15:00:00"}, "/deadline"),
        ({"deadline": "9999-12-31T23:00:00-12:00"}, "/deadline"),
        ({"deadline": "9999-12-31T22:00:00Z"}, "/deadline"),
        ({"deadline": "2031-05-08T12:00:01Z"}, "/deadline"),
        ({"claim": "{}"}, "/claim"),
        ({"booking_ref": "B\u202e7"}, "/booking_ref"),
        ({"booking_ref": ""}, "/booking_ref"),
        ({"document_type": "x" * 65}, "/document_type"),
    ],
)
def test_a_wrong_or_unknown_field_is_named(
    client: TestClient, service: Scripted, data: dict[str, str], pointer: str
) -> None:
    body = assert_problem(client.post("/v1/documents", files=FILE, data=data), 422, "http.invalid")
    assert [error["pointer"] for error in body["errors"]] == [pointer]
    assert all(value not in str(body) for value in data.values() if len(value) > 3)
    assert service.inspector.calls == []


def test_a_field_given_twice_is_named(client: TestClient) -> None:
    answer = client.post(
        "/v1/checks",
        files=FILE,
        data={"document_type": "a"},
        params={"document_type": "b"},
    )
    body = assert_problem(answer, 422, "http.invalid")
    assert body["errors"][0]["pointer"] == "/document_type"


def test_a_parameter_given_twice_is_named(client: TestClient, service: Scripted) -> None:
    for address, pointer in (
        ("/v1/checks?document_type=sy-id-front&document_type=sy-id-back", "/document_type"),
        ("/v1/documents?claims={}&claims={}", "/claims"),
    ):
        answer = client.post(address, content=b"%PDF-1.7 bytes")
        [error] = assert_problem(answer, 422, "http.invalid")["errors"]
        assert error == {"pointer": pointer, "detail": "is given twice"}
    assert service.inspector.calls == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("bogus=1", "/query/bogus"),
        ("booking_reference=B-7", "/query/booking_reference"),
        ("decision=accept&decision=review", "/query/decision"),
        ("limit=1&limit=1", "/query/limit"),
    ],
)
def test_a_list_is_not_given_for_a_parameter_that_it_would_not_heed(
    client: TestClient, query: str, pointer: str
) -> None:
    body = assert_problem(client.get(f"/v1/documents?{query}"), 422, "http.invalid")
    assert [error["pointer"] for error in body["errors"]] == [pointer]
    if "limit" not in query:
        assert client.get(f"/v1/events?{query}").status_code == 422


@pytest.mark.parametrize(
    ("typed", "pointer"),
    [
        ('{"given_name": "آمنة", "given_name": "هدى"}', "/claims/given_name"),
        ('{"given_name": "آمنة", "given_name": "آمنة"}', "/claims/given_name"),
    ],
)
def test_a_name_given_twice_in_json_is_named(
    client: TestClient, service: Scripted, typed: str, pointer: str
) -> None:
    answer = client.post("/v1/checks", files=FILE, data={"claims": typed})
    [error] = assert_problem(answer, 422, "http.invalid")["errors"]
    assert error == {"pointer": pointer, "detail": "is given twice"}
    body = b'{"service": "sy-passport", "service": "sy-passport"}'
    [error] = assert_problem(client.put("/v1/bookings/B-7", content=body), 422, "http.invalid")[
        "errors"
    ]
    assert error["pointer"] == "/service"
    assert service.inspector.calls == []


def test_a_value_of_the_query_that_is_not_utf8_is_named(
    client: TestClient, service: Scripted
) -> None:
    typed = quote('{"given_name": "لمياء"}'.encode("windows-1256"))
    answer = client.post(f"/v1/checks?claims={typed}", content=b"%PDF-1.7 bytes")
    body = assert_problem(answer, 422, "http.invalid")
    assert [error["pointer"] for error in body["errors"]] == ["/claims"]
    assert service.inspector.calls == []


def test_a_form_without_a_file_is_a_problem(client: TestClient) -> None:
    answer = client.post("/v1/checks", files={"other": (None, b"text")})
    assert_problem(answer, 422, "http.file_missing")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--y\r\nnonsense"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
    ],
)
def test_a_broken_form_is_a_problem(client: TestClient, content_type: str, body: bytes) -> None:
    answer = client.post("/v1/checks", content=body, headers={"Content-Type": content_type})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_form_with_many_parts_is_a_problem(client: TestClient) -> None:
    data = {f"field{number}": "x" for number in range(100)}
    assert_problem(client.post("/v1/checks", files=FILE, data=data), 400, "http.rejected")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/documents"),
        ("POST", "/v1/checks"),
        ("PUT", "/v1/bookings/B-1"),
        ("POST", "/v1/webhook-endpoints"),
    ],
)
def test_a_body_that_was_compressed_on_the_way_is_said_to_be_that(
    client: TestClient, service: Scripted, method: str, path: str
) -> None:
    packed = gzip.compress(b"%PDF-1.7 bytes")
    answer = client.request(method, path, content=packed, headers={"Content-Encoding": "gzip"})
    body = assert_problem(answer, 415, "http.content_encoding")
    assert "Content-Encoding" in body["detail"]
    assert service.inspector.calls == []
    plain = {"Content-Encoding": "identity"}
    assert client.post("/v1/checks", content=b"%PDF-1.7 bytes", headers=plain).status_code == 200


# The byte cap

CHUNK_BYTES = 10_000
_FILE_HEAD = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="a"\r\n\r\n'
_FORM = {"Content-Type": "multipart/form-data; boundary=x"}


@dataclass
class Sender:
    """Sends a body of 4 MB in chunks, without saying how long it is, and counts what is taken."""

    head: bytes = b""
    taken: int = 0

    async def body(self) -> AsyncIterator[bytes]:
        yield self.head
        for self.taken in range(1, 401):
            yield b"x" * CHUNK_BYTES


def test_a_raw_body_beyond_the_cap_is_a_problem(client: TestClient, service: Scripted) -> None:
    answer = client.post("/v1/documents", content=b"x" * 300_001)
    body = assert_problem(answer, 413, "file.too_large")
    assert "300000" in body["title"]
    assert service.inspector.calls == []
    until(lambda: held_bytes() == b"")


@pytest.mark.parametrize(
    ("head", "headers", "most_bytes"),
    [
        (b"", {}, 300_000),
        (_FILE_HEAD % b"file", _FORM, 300_000),
        (_FILE_HEAD % b"other", _FORM, 300_000 + 131_072),
    ],
    ids=["raw", "a form's file", "a form without its file"],
)
@pytest.mark.parametrize("route", ["/v1/documents", "/v1/checks", "/try"])
def test_a_body_whose_length_is_not_announced_is_not_read_beyond_the_cap(
    tmp_path: Path, route: str, head: bytes, headers: dict[str, str], most_bytes: int
) -> None:
    async def endless(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        sender = Sender(head)
        answer = await client.post(route, content=sender.body(), headers=headers)
        assert answer.status_code == 413
        if route != "/try":
            assert_problem(answer, 413, "file.too_large")
        assert sender.taken <= most_bytes // CHUNK_BYTES + 2
        assert service.inspector.calls == []
        while held_bytes():
            await anyio.sleep(0)

    run_with(tmp_path, endless)


@pytest.mark.parametrize(
    ("method", "path", "most_bytes", "problem"),
    [
        ("POST", "/v1/webhook-endpoints", 1_000_000, (413, "http.body_too_large")),
        ("PUT", "/v1/bookings/B-1", 65_536, (413, "http.body_too_large")),
        ("POST", "/review/login", 16_384, (400, "http.rejected")),
    ],
)
def test_nor_is_one_where_no_file_is_expected(
    tmp_path: Path, method: str, path: str, most_bytes: int, problem: tuple[int, str]
) -> None:
    async def endless(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        sender = Sender()
        headers = {"Content-Type": "application/json"}
        answer = await client.request(method, path, content=sender.body(), headers=headers)
        assert_problem(answer, *problem)
        assert sender.taken <= most_bytes // CHUNK_BYTES + 2

    run_with(tmp_path, endless)


def test_a_body_of_exactly_the_cap_is_taken(client: TestClient) -> None:
    assert client.post("/v1/checks", content=b"x" * 300_000).status_code == 200
    files = {"file": ("a.pdf", b"x" * 300_000)}
    assert client.post("/v1/checks", files=files).status_code == 200


def test_a_form_whose_file_is_beyond_the_cap_is_a_problem(client: TestClient) -> None:
    files = {"file": ("a.pdf", b"x" * 300_001)}
    assert_problem(client.post("/v1/documents", files=files), 413, "file.too_large")


# What is not there, what went wrong, and the envelope


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v1/limits", "/v1/documents"])
def test_who_asks_for_the_head_of_an_answer_gets_it(client: TestClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert client.head("/nowhere").status_code == 404
    assert client.head("/v1/checks").status_code == 405


def test_unknown_addresses_and_methods_are_problems(client: TestClient) -> None:
    assert_problem(client.get("/v2/documents"), 404, "http.not_found")
    answer = client.put("/v1/documents")
    assert_problem(answer, 405, "http.method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"
    assert_problem(client.get("/v1/documents/doc_a/pages/x/image"), 422, "http.invalid")


def test_an_unforeseen_error_says_nothing_about_itself_and_leaves_no_value_in_the_log(
    client: TestClient, service: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    service.inspector.answer = RuntimeError("secret 01234567890")
    answer = client.post("/v1/documents", files=FILE, headers={"X-Request-Id": "trace-me"})
    body = assert_problem(answer, 500, "service.failure")
    assert body["request_id"] == "trace-me"
    assert "secret" not in answer.text
    assert "trace-me" in caplog.text and "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_a_request_id_is_echoed_or_made_and_never_trusted(client: TestClient) -> None:
    assert client.get("/livez", headers={"X-Request-Id": "a.b-c_1"}).headers["X-Request-Id"] == (
        "a.b-c_1"
    )
    made = client.get("/livez").headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", made)
    strange = client.get("/livez", headers={"X-Request-Id": "x" * 65}).headers["X-Request-Id"]
    assert strange != "x" * 65


@pytest.mark.parametrize("path", ["/livez", "/v1/limits", "/nowhere", "/review/login"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


# What the service says about itself


def test_readiness_names_what_is_missing(client: TestClient, service: Scripted) -> None:
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").json() == {"status": "ready", "problems": []}
    service.unready.append("Arabic is not installed: apt-get install tesseract-ocr-ara")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == service.unready


def test_limits_types_and_codes_can_be_asked_for(client: TestClient) -> None:
    assert client.get("/v1/limits").json()["max_upload_bytes"] == 300_000
    _, known = client.get("/v1/document-types").json()["items"]
    assert known["id"] == "sy-id-front" and known["title"]["en"] == "Identity card, front"
    [code] = client.get("/v1/reason-codes").json()["items"]
    assert code["code"] == "geometry.skew"


def test_the_openapi_document_shows_uploads_answers_and_problems(client: TestClient) -> None:
    spec = client.get("/openapi.json").json()
    upload = spec["paths"]["/v1/documents"]["post"]
    assert "multipart/form-data" in upload["requestBody"]["content"]
    assert {"413", "415", "422", "503"} <= set(upload["responses"])
    assert spec["components"]["schemas"]["DocumentAnswer"]["examples"]
    assert not any(path.startswith("/review") for path in spec["paths"])
