"""A receiver that knows Standard Webhooks verifies what docqa signs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from docqa.webhooks.signature import decode_secret, encode_secret, signed_headers

OLD, NEW, OTHER = (encode_secret(bytes([number]) * 32) for number in (1, 2, 3))
_VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def _now() -> datetime:
    return datetime.now(UTC)


@given(body=st.text(max_size=300).map(str.encode), key=st.binary(min_size=1, max_size=64))
def test_the_reference_implementation_verifies_every_signature(body: bytes, key: bytes) -> None:
    secret = encode_secret(key)
    headers = signed_headers("evt_1", body, [secret], now=_now())
    Webhook(secret).verify(body, headers, json_parse=False)


def test_the_signature_is_the_one_the_reference_makes_at_the_same_second() -> None:
    moment = datetime(2026, 5, 4, 12, 0, 7, 999_999, tzinfo=UTC)
    headers = signed_headers("msg_1", b'{"test": 1}', [_VECTOR_SECRET], now=moment)
    expected = Webhook(_VECTOR_SECRET).sign("msg_1", moment, '{"test": 1}')
    assert headers["webhook-signature"] == expected
    assert headers["webhook-timestamp"] == str(int(moment.timestamp()))


def test_two_live_secrets_make_two_signatures_and_each_verifies() -> None:
    headers = signed_headers("evt_1", b"{}", [NEW, OLD], now=_now())
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (OLD, NEW):
        Webhook(secret).verify(b"{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(b"{}", headers)


@pytest.mark.parametrize("change", ["body", "id", "time"])
def test_what_was_changed_on_the_way_is_not_verified(change: str) -> None:
    headers, body = signed_headers("evt_1", b"{}", [NEW], now=_now()), b"{}"
    if change == "body":
        body = b"[]"
    elif change == "id":
        headers["webhook-id"] = "evt_2"
    else:
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body, headers)


def test_a_replay_is_told_by_its_age() -> None:
    headers = signed_headers("evt_1", b"{}", [NEW], now=_now() - timedelta(minutes=10))
    with pytest.raises(WebhookVerificationError, match="old"):
        Webhook(NEW).verify(b"{}", headers)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!", "AAAA", "whsec_A"])
def test_a_wrong_secret_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ followed by base64") as refused:
        decode_secret(secret)
    assert not secret or secret == "whsec_" or secret not in str(refused.value)
