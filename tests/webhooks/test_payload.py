"""A webhook is small, and says what happened to what."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from docqa.webhooks.payload import MOST_BYTES, payload

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def _payload(body: dict[str, object]) -> bytes:
    return payload(
        "document.judged",
        number=7,
        occurred_at=NOON,
        body=body,
        document_id="doc_1",
        booking_ref="B-7",
    )


def test_it_says_what_happened_to_what_and_in_which_order() -> None:
    assert json.loads(_payload({"decision": "reject", "reason_codes": ["capture.camera"]})) == {
        "type": "document.judged",
        "timestamp": "2026-05-04T12:00:00+00:00",
        "data": {
            "decision": "reject",
            "reason_codes": ["capture.camera"],
            "document_id": "doc_1",
            "booking_ref": "B-7",
            "sequence": 7,
        },
    }


def test_what_an_event_recorded_cannot_change_what_it_is_about() -> None:
    assert json.loads(_payload({"document_id": "doc_2"}))["data"]["document_id"] == "doc_1"


def test_an_event_that_recorded_too_much_is_told_without_it() -> None:
    told = _payload({"decision": "reject", "reason_codes": ["x" * MOST_BYTES]})
    assert len(told) < MOST_BYTES
    data = json.loads(told)["data"]
    assert data["truncated"] is True and data["document_id"] == "doc_1"
