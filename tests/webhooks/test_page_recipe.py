"""What docs/api.md tells a receiver to do verifies what docqa sends, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from docqa.adapters.webhook_sender import HttpSender
from docqa.webhooks.records import Attempt
from docqa.webhooks.signature import encode_secret
from tests.faults.receivers import Receiver, receiving

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
OLD, NEW, OTHER = (encode_secret(bytes([number]) * 32) for number in (1, 2, 3))
BODY = '{"type":"document.judged","data":{"booking_ref":"حجز"}}'.encode()


def is_from_docqa() -> Callable[[str, Mapping[str, str], bytes], bool]:
    """The function of the page, run as it stands there."""
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)
    found: Callable[[str, Mapping[str, str], bytes], bool] = names["is_from_docqa"]
    return found


def delivered(*secrets: str, late: timedelta = timedelta(0)) -> tuple[dict[str, str], bytes]:
    """Headers, named in lower case, and bytes of a webhook that was really sent."""
    got: list[tuple[dict[str, str], bytes]] = []

    def behave(handler: BaseHTTPRequestHandler, _: Receiver) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        got.append(({name.lower(): value for name, value in handler.headers.items()}, body))
        handler.send_response(204)
        handler.end_headers()

    now = datetime.now(UTC)
    with receiving(behave) as receiver:
        attempt = Attempt(
            1, 1, 1, now + timedelta(hours=1), "whe_1", receiver.address, secrets, "evt_1", BODY
        )
        sender = HttpSender((ip_network("127.0.0.0/8"),), timeout_s=20)
        assert sender.send(attempt, now=now - late).delivered
    (webhook,) = got
    return webhook


def test_what_is_sent_is_verified_and_by_the_right_secret_only() -> None:
    headers, body = delivered(NEW)
    assert body == BODY
    assert is_from_docqa()(NEW, headers, body)
    assert not is_from_docqa()(OTHER, headers, body)


def test_while_two_secrets_are_live_either_verifies() -> None:
    webhook = delivered(NEW, OLD)
    verified = {secret for secret in (NEW, OLD, OTHER) if is_from_docqa()(secret, *webhook)}
    assert verified == {NEW, OLD}


@pytest.mark.parametrize(
    ("late", "is_fresh"),
    [
        (timedelta(minutes=4), True),
        (timedelta(minutes=-4), True),
        (timedelta(minutes=6), False),
        (timedelta(minutes=-6), False),
    ],
)
def test_clocks_may_differ_by_five_minutes(late: timedelta, is_fresh: bool) -> None:
    assert is_from_docqa()(NEW, *delivered(NEW, late=late)) == is_fresh


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 9999},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1a,AAAA v1,"},
    ],
)
def test_what_was_changed_on_the_way_is_refused(changed: dict[str, str]) -> None:
    headers, body = delivered(NEW)
    assert not is_from_docqa()(NEW, {**headers, **changed}, body)
    assert not is_from_docqa()(NEW, headers, body + b" ")
    for name in changed:
        assert not is_from_docqa()(NEW, {one: headers[one] for one in headers if one != name}, body)
