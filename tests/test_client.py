"""The client asks again what may be asked again, and names what was refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from api.routes.examples import BOOKING, DOCUMENT, DOCUMENT_LIST
from docqa.client import (
    LONGEST_WAIT_S,
    MOST_ATTEMPTS,
    Client,
    ConflictError,
    NotFoundError,
    OverloadedError,
    ProblemError,
    RejectedFileError,
    Ruling,
    UnreachableError,
)

Answer = httpx.Response | type[Exception]


class Script:
    """Answers requests in turn and remembers them; the last answer is given from then on."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waited_s: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.Response):
            return answer
        raise answer("no answer")

    def client(self, **options: Any) -> Client:
        transport = httpx.MockTransport(self)
        return Client(
            "http://docqa.test", transport=transport, wait=self.waited_s.append, **options
        )


def problem(status: int, code: str = "http.invalid", **headers: str) -> httpx.Response:
    body = {"code": code, "title": "T", "detail": "D", "title_ar": "ع", "detail_ar": "ت"}
    return httpx.Response(status, json=body, headers=headers)


def created(**headers: str) -> httpx.Response:
    return httpx.Response(201, json=DOCUMENT, headers=headers)


@pytest.mark.parametrize(
    "passing",
    [
        httpx.ConnectError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
        problem(500, "service.failure"),
        problem(503, "service.overloaded"),
        problem(409, "http.idempotency.in_flight"),
        httpx.Response(502, text="<html>"),
    ],
)
def test_an_upload_is_repeated_with_one_key_until_it_is_answered(passing: Answer) -> None:
    script = Script(passing, passing, created())
    with script.client() as docqa:
        document = docqa.upload(b"bytes", claims={"given_name": "آمنة"}, booking_ref="B-7")
    assert document.id == DOCUMENT["id"]
    keys = {request.headers["Idempotency-Key"] for request in script.requests}
    bodies = {request.headers["Content-Length"] for request in script.requests}
    assert (len(script.requests), len(keys), len(bodies)) == (3, 1, 1)
    assert "آمنة".encode() in script.requests[-1].content
    assert len(script.waited_s) == 2


def test_two_uploads_have_two_keys_and_a_given_key_is_used() -> None:
    script = Script(created())
    with script.client() as docqa:
        docqa.upload(b"1")
        docqa.upload(b"2")
        docqa.upload(b"3", idempotency_key="k-3")
    keys = [request.headers["Idempotency-Key"] for request in script.requests]
    assert len(set(keys)) == 3 and keys[2] == "k-3"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(404), NotFoundError),
        (problem(409, "http.booking_cancelled"), ConflictError),
        (problem(413), RejectedFileError),
        (problem(415), RejectedFileError),
        (problem(422), RejectedFileError),
        (problem(401), ProblemError),
        (problem(429), OverloadedError),
    ],
)
def test_what_asking_again_cannot_help_is_told_at_once(
    answer: httpx.Response, kind: type[ProblemError]
) -> None:
    script = Script(answer)
    with script.client() as docqa, pytest.raises(kind) as refused:
        docqa.upload(b"bytes")
    assert len(script.requests) == 1
    assert (refused.value.title, refused.value.detail_ar) == ("T", "ت")
    assert refused.value.status == answer.status_code


def test_it_gives_up_in_the_end_and_says_why() -> None:
    silent, full = Script(httpx.ConnectError), Script(problem(503, "service.overloaded"))
    with silent.client() as docqa, pytest.raises(UnreachableError):
        docqa.document("doc_a")
    with full.client() as docqa, pytest.raises(OverloadedError):
        docqa.document("doc_a")
    assert len(silent.requests) == len(full.requests) == MOST_ATTEMPTS
    assert len(silent.waited_s) == MOST_ATTEMPTS - 1
    assert silent.waited_s == sorted(set(silent.waited_s))


@pytest.mark.parametrize(
    ("after", "waits_s"), [("7", 7.0), ("86400", LONGEST_WAIT_S), ("soon", 0.5)]
)
def test_it_waits_as_long_as_it_is_told_within_reason(after: str, waits_s: float) -> None:
    script = Script(problem(503, "service.overloaded", **{"Retry-After": after}), created())
    with script.client() as docqa:
        docqa.upload(b"bytes")
    assert script.waited_s == [waits_s]


def test_a_newer_service_may_say_more() -> None:
    newer = {**BOOKING, "mood": "good"}
    newer["documents"] = [{**slot, "colour": "blue"} for slot in BOOKING["documents"]]
    with Script(httpx.Response(200, json=newer)).client() as docqa:
        booking = docqa.booking("B-2026-00417")
    assert booking.deadline_at == datetime(2026, 5, 14, 8, tzinfo=UTC)
    assert [slot.state for slot in booking.documents] == ["accept", "missing"]
    assert booking.documents[0].reason_codes == ()


RULED = {"decision": "reject", "reason": "خذه من جديد", "ruled_at": "2026-05-04T12:00:00Z"}


@pytest.mark.parametrize(
    ("said", "ruling"),
    [
        ({"ruling": None}, None),
        ({}, None),
        ({"ruling": RULED}, Ruling("reject", "خذه من جديد", datetime(2026, 5, 4, 12, tzinfo=UTC))),
        ({"ruling": {**RULED, "by": "huda"}},
         Ruling("reject", "خذه من جديد", datetime(2026, 5, 4, 12, tzinfo=UTC))),
    ],
)  # fmt: skip
def test_what_a_reviewer_decided_is_told(said: dict[str, Any], ruling: Ruling | None) -> None:
    answer = {name: value for name, value in DOCUMENT.items() if name != "ruling"} | said
    with Script(httpx.Response(200, json=answer)).client() as docqa:
        assert docqa.document("doc_a").ruling == ruling


def test_a_list_is_followed_to_its_end() -> None:
    last = {**DOCUMENT_LIST, "next": None}
    script = Script(httpx.Response(200, json=DOCUMENT_LIST), httpx.Response(200, json=last))
    with script.client() as docqa:
        found = list(docqa.documents(booking_ref="B 7&x", decision="review"))
    assert [document.reason_codes for document in found] == [("geometry.skew",)] * 2
    assert script.requests[0].url.params["booking_ref"] == "B 7&x"
    assert script.requests[1].url.raw_path.decode() == DOCUMENT_LIST["next"]


def correct(docqa: Client) -> None:
    docqa.correct_claims("doc_a", {"given_name": "آمنة"})


def cancel(docqa: Client) -> None:
    docqa.put_booking("B/7", "sy-passport", state="cancelled")


def announce(docqa: Client) -> None:
    docqa.put_booking("B-7", "sy-passport")


@pytest.mark.parametrize(
    ("ask", "answer", "path", "body"),
    [
        (announce, BOOKING, "/v1/bookings/B-7", {"service": "sy-passport"}),
        (correct, DOCUMENT, "/v1/documents/doc_a/claims", {"claims": {"given_name": "آمنة"}}),
        (cancel, BOOKING, "/v1/bookings/B%2F7", {"service": "sy-passport", "state": "cancelled"}),
    ],
)
def test_what_is_said_is_sent(
    ask: Callable[[Client], None], answer: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    script = Script(httpx.Response(200, json=answer))
    with script.client(api_key="id.secret") as docqa:
        ask(docqa)
    [request] = script.requests
    assert request.url.raw_path.decode() == path
    assert json.loads(request.content) == body
    assert request.headers["Authorization"] == "Bearer id.secret"


def test_deleting_what_is_gone_is_no_error() -> None:
    script = Script(httpx.ReadTimeout, problem(404))
    with script.client() as docqa:
        docqa.delete_document("doc_a")
    assert [request.method for request in script.requests] == ["DELETE", "DELETE"]


def test_no_error_repeats_what_was_typed() -> None:
    with Script(problem(422)).client() as docqa, pytest.raises(ProblemError) as refused:
        docqa.upload(b"bytes", claims={"national_number": "01234567890"})
    assert "01234567890" not in repr(refused.value) + str(refused.value)
