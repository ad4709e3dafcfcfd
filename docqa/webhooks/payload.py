"""What a webhook says: ids, a decision, reason codes; never what a document or a citizen says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

MOST_BYTES = 20_000
"""Standard Webhooks: a payload is small; whoever wants more asks the API."""


def payload(
    kind: str,
    *,
    number: int,
    occurred_at: datetime,
    body: Mapping[str, Any],
    document_id: str | None,
    booking_ref: str | None,
) -> bytes:
    """The body of a webhook as it is signed and sent.

    Args:
        kind: of the event.
        number: grows with every event: of two about one document the later tells how it stands.
        occurred_at: aware.
        body: what the event recorded; left out, with ``"truncated": true``, where it is too long.
        document_id: what it is about.
        booking_ref: the booking it belongs to.
    """
    about = {"document_id": document_id, "booking_ref": booking_ref, "sequence": number}
    head = {"type": kind, "timestamp": occurred_at.isoformat()}
    whole = _json({**head, "data": {**body, **about}})
    if len(whole) < MOST_BYTES:
        return whole
    return _json({**head, "data": {**about, "truncated": True}})


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
