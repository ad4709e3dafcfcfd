"""The headers of Standard Webhooks: id, time, and one HMAC-SHA256 for each live secret."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def encode_secret(key: bytes) -> str:
    """A secret as receivers are told it: ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(key).decode()


def decode_secret(secret: str) -> bytes:
    """The key in a secret. Raises ValueError, which does not repeat it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not key or not secret.startswith(PREFIX):
        raise ValueError("a webhook secret is whsec_ followed by base64")
    return key


def signed_headers(
    event_id: str, body: bytes, secrets: Sequence[str], *, now: datetime
) -> dict[str, str]:
    """What a request carries so that its receiver can tell who sent it, and when.

    Args:
        event_id: the same in every attempt: receivers know by it what they have seen.
        body: exactly the bytes that are sent.
        secrets: every live one, the newest first; a receiver needs to know one of them.
        now: when this attempt is made, aware.
    """
    timestamp = str(int(now.timestamp()))
    signed = b".".join((event_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    digest = hmac.new(decode_secret(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
