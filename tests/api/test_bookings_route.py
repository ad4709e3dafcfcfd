"""Bookings over HTTP: the checklist, its deadline, attempts, and cancelling."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from api.services import Inspected
from docqa.adapters.blobs import FolderBlobs
from docqa.ports import Ruling
from tests.api.scripted_service import NOON, Scripted, engine, report

FILE = {"file": ("scan.pdf", b"%PDF-1.7 bytes", "application/pdf")}
BOOKING = {"service": "sy-passport", "booked_at": "2026-05-04T15:00:00+03:00"}


def put(client: TestClient, ref: str = "B-7", **changes: Any) -> Any:
    return client.put(f"/v1/bookings/{ref}", json={**BOOKING, **changes})


def upload(client: TestClient, document_type: str = "sy-id-front", **more: Any) -> Any:
    said = {"document_type": document_type, "booking_ref": "B-7", **more}
    return client.post("/v1/documents", files=FILE, data=said)


def test_a_new_booking_lacks_everything_and_says_so_in_both_languages(client: TestClient) -> None:
    answer = put(client)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["outcome"], body["days_left"], body["is_overdue"]) == ("incomplete", 10, False)
    assert body["deadline_at"] == "2026-05-14T12:00:00Z"
    assert [slot["state"] for slot in body["documents"]] == ["missing", "missing"]
    assert {reason["code"] for reason in body["reasons"]} == {"booking.document_missing"}
    assert all(reason["message"]["ar"] and reason["advice"]["en"] for reason in body["reasons"])
    assert put(client).status_code == 200
    assert client.get("/v1/bookings/B-7").json() == body


def test_a_booking_is_accepted_once_all_its_documents_are(client: TestClient) -> None:
    put(client)
    front, back = (upload(client, name).json() for name in ("sy-id-front", "sy-id-back"))
    body = client.get("/v1/bookings/B-7").json()
    assert (body["outcome"], body["reasons"]) == ("accept", [])
    assert [slot["document_id"] for slot in body["documents"]] == [front["id"], back["id"]]


def test_documents_of_a_booking_share_its_deadline(client: TestClient, service: Scripted) -> None:
    put(client)
    service.clock.now += timedelta(days=3)
    assert upload(client).json()["deadline_at"] == "2026-05-14T12:00:00Z"
    given = upload(client, deadline="2026-05-06T00:00:00Z").json()
    assert given["deadline_at"] == "2026-05-06T00:00:00Z"
    late = upload(client, deadline="2026-05-20T00:00:00Z").json()
    assert late["deadline_at"] == "2026-05-14T12:00:00Z"
    service.clock.now += timedelta(days=8)
    body = client.get("/v1/bookings/B-7").json()
    assert (body["days_left"], body["is_overdue"]) == (0, True)


def test_a_document_that_came_before_its_booking_lapses_with_it(client: TestClient) -> None:
    early, own = upload(client).json(), upload(client, deadline="2026-05-05T00:00:00Z").json()
    assert early["deadline_at"] == "2026-05-14T12:00:00Z"

    def deadlines() -> list[str]:
        return [
            client.get(f"/v1/documents/{one['id']}").json()["deadline_at"] for one in (early, own)
        ]

    put(client, booked_at="2026-04-26T12:00:00Z")
    assert deadlines() == ["2026-05-06T12:00:00Z", "2026-05-05T00:00:00Z"]
    put(client, booked_at="2026-04-30T12:00:00Z")
    assert deadlines() == ["2026-05-10T12:00:00Z", "2026-05-05T00:00:00Z"]
    put(client, booked_at="2026-05-06T12:00:00Z")
    assert deadlines() == ["2026-05-16T12:00:00Z", "2026-05-05T00:00:00Z"]


def test_nothing_is_taken_for_a_cancelled_booking(client: TestClient, service: Scripted) -> None:
    put(client)
    document = upload(client).json()
    assert put(client, state="cancelled").json()["state"] == "cancelled"
    inspected = len(service.inspector.calls)
    said = {"document_type": "sy-id-front", "booking_ref": "B-7"}
    for answer in (
        upload(client),
        client.post("/v1/checks", files=FILE, data=said),
        client.patch(
            f"/v1/documents/{document['id']}/claims", json={"claims": {"given_name": "آمنة"}}
        ),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "http.booking_cancelled")
    assert len(service.inspector.calls) == inspected
    assert len(list(service.store.scan())) == 1
    put(client, state="open")
    assert client.post("/v1/checks", files=FILE, data=said).status_code == 200
    assert upload(client).status_code == 201


def test_a_booking_that_is_cancelled_while_a_file_is_inspected_stores_nothing(
    client: TestClient, service: Scripted
) -> None:
    put(client)

    def cancelling(*_: Any, **__: Any) -> Inspected:
        put(client, state="cancelled")
        return Inspected(report(), {})

    object.__setattr__(service.inspector, "inspect_file", cancelling)
    assert upload(client).json()["code"] == "http.booking_cancelled"
    assert list(service.store.scan()) == []


@pytest.mark.parametrize("decision", ["accept", "reject"])
def test_beyond_the_attempts_of_the_service_a_person_decides(
    client: TestClient, service: Scripted, decision: str
) -> None:
    put(client)
    service.inspector.answer = report("reject")
    answers = [upload(client).json() for _ in range(5)]
    service.inspector.answer = report(decision)
    answers += [upload(client).json() for _ in range(2)]
    assert [answer["decision"] for answer in answers] == ["reject"] * 5 + ["review"] * 2
    slot = client.get("/v1/bookings/B-7").json()["documents"][0]
    assert (slot["attempts"], slot["attempts_left"]) == (7, 0)
    reasons = answers[-1]["report"]["verdict"]["reasons"]
    assert "system.attempts_exhausted" in {reason["code"] for reason in reasons}
    assert {reason["decision"] for reason in reasons} == {"review"}
    assert upload(client, "sy-id-back").json()["decision"] == decision


@pytest.mark.parametrize("decision", ["accept", "reject"])
def test_nobody_is_asked_about_another_file_for_a_document_that_is_accepted_already(
    client: TestClient, service: Scripted, decision: str
) -> None:
    put(client)
    first = upload(client).json()
    service.inspector.answer = report(decision)
    answers = [upload(client).json() for _ in range(6)]
    assert [answer["decision"] for answer in answers] == [decision] * 6
    ids = [first["id"], *(answer["id"] for answer in answers if decision == "accept")]
    for deleted in ids:
        assert client.delete(f"/v1/documents/{deleted}").status_code == 204
    assert upload(client).json()["decision"] == "review"


def test_after_the_attempts_a_person_decides_on_what_comes_without_claims_that_came_before(
    client: TestClient, service: Scripted
) -> None:
    put(client)
    service.inspector.answer = report("reject")
    for _ in range(4):
        upload(client, claims='{"given_name": "آمنة"}')
    service.inspector.answer = report()
    assert [upload(client).json()["decision"] for _ in range(2)] == ["accept", "review"]


def test_uploads_that_came_before_their_booking_are_attempts_as_well(
    client: TestClient, service: Scripted
) -> None:
    service.inspector.answer = report("reject")
    for _ in range(5):
        assert upload(client).json()["decision"] == "reject"
    slot = put(client).json()["documents"][0]
    assert (slot["attempts"], slot["attempts_left"]) == (5, 0)
    assert upload(client).json()["decision"] == "review"


def script(service: Scripted, source: str, name: str) -> None:
    """The next document says a given name, which is what was typed."""
    field = {
        "name": "given_name", "match": "equal", "source": source, "confidence": 1.0, "page": 1,
        "polygon": None, "note": None, "others": [],
    }  # fmt: skip
    page = {"index": 1, "width_px": 10, "height_px": 10, "measures": _clean()}
    service.inspector.answer = {**report(), "fields": [field], "pages": [page]}
    service.inspector.readings = {"given_name": {source: name}}


def _clean() -> dict[str, Any]:
    """Measures of a page on which no rule of the policy finds anything, on either side."""
    measures: dict[str, Any] = {}
    policy = engine().policy
    for rule in (*policy.rules_for("sy-id-front"), *policy.rules_for("sy-id-back")):
        taken = measures.setdefault(
            rule.measure, {"status": "assessed", "score": 100, "outputs": {}, "regions": []}
        )
        taken["outputs"][rule.output] = rule.ideal
    return measures


def two_people(client: TestClient, service: Scripted) -> tuple[dict[str, Any], dict[str, Any]]:
    """A front and a back, each good, of a booking."""
    put(client)
    script(service, "ocr", "آمنة")
    front = upload(client, claims='{"given_name": "آمنة"}').json()
    script(service, "barcode", "هدى")
    return front, upload(client, "sy-id-back", claims='{"given_name": "هدى"}').json()


def test_of_the_cards_of_two_people_a_person_sees_one_and_may_accept_it(
    client: TestClient, service: Scripted
) -> None:
    front, back = two_people(client, service)
    assert (front["decision"], back["decision"]) == ("accept", "review")
    [said] = back["report"]["verdict"]["reasons"]
    assert said["code"] == "system.documents_disagree"
    assert [waiting.id for waiting in service.store.scan(decision="review")] == [back["id"]]
    booking = client.get("/v1/bookings/B-7").json()
    codes = {reason["code"] for reason in booking["reasons"]}
    assert codes == {"field.sides_disagree", "booking.document_in_review"}

    assert service.store.rule_if_open(Ruling(back["id"], "accept", "twins", "huda", NOON))
    booking = client.get("/v1/bookings/B-7").json()
    assert (booking["outcome"], booking["reasons"]) == ("accept", [])
    script(service, "ocr", "سلمى")
    third = upload(client, claims='{"given_name": "سلمى"}').json()
    assert third["decision"] == "review"


def test_a_person_sees_one_of_two_that_came_at_the_same_moment(
    client: TestClient, service: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(client)
    keep = FolderBlobs.put

    def another_comes_first(self: FolderBlobs, key: str, data: bytes) -> None:
        monkeypatch.setattr(FolderBlobs, "put", keep)
        script(service, "barcode", "هدى")
        back = upload(client, "sy-id-back", claims='{"given_name": "هدى"}').json()
        assert back["decision"] == "accept"
        keep(self, key, data)

    monkeypatch.setattr(FolderBlobs, "put", another_comes_first)
    script(service, "ocr", "آمنة")
    front = upload(client, claims='{"given_name": "آمنة"}').json()
    assert front["decision"] == "accept"
    assert [waiting.id for waiting in service.store.scan(decision="review")] == [front["id"]]
    now = client.get(f"/v1/documents/{front['id']}").json()
    assert codes_of(now) == ["system.documents_disagree"]


def test_a_corrected_document_is_held_against_the_others_again(
    client: TestClient, service: Scripted
) -> None:
    front, back = two_people(client, service)
    address = f"/v1/documents/{back['id']}/claims"
    again = client.patch(address, json={"claims": {"father_name": "سليم"}}).json()
    assert (again["decision"], codes_of(again)) == ("review", ["system.documents_disagree"])
    assert client.delete(f"/v1/documents/{front['id']}").status_code == 204
    alone = client.patch(address, json={"claims": {"father_name": "سامي"}}).json()
    assert (alone["decision"], codes_of(alone)) == ("accept", [])


def codes_of(document: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in document["report"]["verdict"]["reasons"]]


def test_a_second_upload_without_what_was_typed_is_accepted_once_it_is_sent(
    client: TestClient, service: Scripted
) -> None:
    put(client)
    upload(client, "sy-id-back")
    service.inspector.answer = report("reject")
    upload(client, claims='{"given_name": "هدى"}')
    script(service, "ocr", "آمنة")
    again = upload(client).json()
    booking = client.get("/v1/bookings/B-7").json()
    [reason] = booking["reasons"]
    assert (booking["outcome"], reason["code"]) == ("review", "booking.document_not_compared")
    assert (booking["documents"][0]["document_id"], booking["documents"][0]["state"]) == (
        again["id"],
        "review",
    )
    address = f"/v1/documents/{again['id']}/claims"
    corrected = client.patch(address, json={"claims": {"given_name": "آمنة"}}).json()
    booking = client.get("/v1/bookings/B-7").json()
    assert (corrected["decision"], booking["outcome"]) == ("accept", "accept")
    assert booking["reasons"] == []


def test_deleting_a_document_gives_no_attempt_back(client: TestClient) -> None:
    put(client)
    document_id = upload(client).json()["id"]
    assert client.delete(f"/v1/documents/{document_id}").status_code == 204
    slot = client.get("/v1/bookings/B-7").json()["documents"][0]
    assert (slot["state"], slot["attempts"], slot["attempts_left"]) == ("missing", 1, 4)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"service": "sy-visa"}, "/service"),
        ({"state": "gone"}, "/state"),
        ({"booked_at": "2026-05-04T15:00:00"}, "/booked_at"),
        ({"booked_at": 0}, "/booked_at"),
        ({"booked_at": "0"}, "/booked_at"),
        ({"booked_at": "9999-12-31T00:00:00Z"}, "/booked_at"),
        ({"booked_at": "9999-12-21T22:00:00Z"}, "/booked_at"),
        ({"booked_at": "2031-05-08T12:00:01Z"}, "/booked_at"),
        ({"shoe_size": 43}, "/shoe_size"),
    ],
)
def test_a_wrong_value_is_named(client: TestClient, change: dict[str, Any], pointer: str) -> None:
    answer = put(client, **change)
    assert (answer.status_code, answer.json()["code"]) == (422, "http.invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert client.get("/v1/bookings/B-7").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "http.not_json"),
        (b"[" * 60_000, 400, "http.not_json"),
        (b"\xff", 400, "http.not_json"),
        (b'"' + b"x" * 70_000 + b'"', 413, "http.body_too_large"),
        (b"[]", 422, "http.invalid"),
    ],
)
def test_a_body_that_is_no_booking_is_a_problem(
    client: TestClient, body: bytes, status: int, code: str
) -> None:
    answer = client.put("/v1/bookings/B-7", content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_is_wrong_is_said_in_words_about_the_request(client: TestClient) -> None:
    for body, said in (([], "Input should be a JSON object"), ({"booked_at": 0}, "must be a date")):
        whole = body if isinstance(body, list) else {**BOOKING, **body}
        answer = client.put("/v1/bookings/B-7", json=whole)
        assert [e["detail"][: len(said)] for e in answer.json()["errors"]] == [said]


def test_a_booking_that_nobody_announced_is_a_problem(client: TestClient) -> None:
    answer = client.get("/v1/bookings/B-404")
    assert (answer.status_code, answer.json()["code"]) == (404, "http.booking_not_found")


def test_a_cancelled_booking_stays_so_unless_it_is_said_to_be_open(client: TestClient) -> None:
    assert put(client).json()["state"] == "open"
    put(client, state="cancelled")
    moved = put(client, booked_at="2026-05-06T15:00:00+03:00").json()
    assert (moved["state"], moved["booked_at"]) == ("cancelled", "2026-05-06T12:00:00Z")
    assert put(client, state="open").json()["state"] == "open"
    assert put(client).json()["state"] == "open"


@pytest.mark.parametrize("ref", ["B-7", "_7", "حجز-١", "B 7", "7%", "?#&", "ب" * 100])
def test_whatever_a_document_can_be_uploaded_for_can_be_booked(
    client: TestClient, ref: str
) -> None:
    assert upload(client, booking_ref=ref).status_code == 201
    address = f"/v1/bookings/{quote(ref, safe='')}"
    assert client.put(address, json=BOOKING).status_code == 201
    booking = client.get(address).json()
    assert (booking["ref"], booking["documents"][0]["state"]) == (ref, "accept")
    event = client.get("/v1/events").json()["items"][-1]
    assert (event["kind"], event["booking_ref"]) == ("booking.changed", ref)


@pytest.mark.parametrize("ref", ["B%0A7", "B%E2%80%AE7", "7" * 101, quote("حجز".encode("cp1256"))])
def test_what_cannot_be_shown_or_read_is_no_reference(client: TestClient, ref: str) -> None:
    for answer in (
        client.get(f"/v1/bookings/{ref}"),
        client.put(f"/v1/bookings/{ref}", json=BOOKING),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "http.invalid")
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/path/ref"]


def test_bookings_are_made_up_to_five_years_ahead(client: TestClient) -> None:
    assert put(client, booked_at="2031-05-08T12:00:00Z").status_code == 201
    assert upload(client).json()["deadline_at"] == "2031-05-18T12:00:00Z"


def test_when_it_was_booked_stays_unless_it_is_said_anew(
    client: TestClient, service: Scripted
) -> None:
    first = client.put("/v1/bookings/B-9", json={"service": "sy-passport"}).json()
    assert first["booked_at"] == NOON.isoformat().replace("+00:00", "Z")
    service.clock.now += timedelta(days=2)
    again = client.put("/v1/bookings/B-9", json={"service": "sy-passport"}).json()
    assert again["booked_at"] == first["booked_at"]
