"""Who works on what."""

from __future__ import annotations

from datetime import timedelta

from api.review.last_filter import last_asked
from api.review.visits import Visit
from api.services import Services
from docqa.reviewing import Claim, Position, TrailEntry


def lease_of(services: Services) -> timedelta:
    """How long a document is held without a sign of life."""
    return timedelta(minutes=services.settings.claim_minutes)


def take(services: Services, document_id: str, reviewer: str, *, take_over: bool) -> Claim | None:
    """Hold a document and note it; None while somebody else holds it."""
    now = services.clock()
    before = services.desk.holder(document_id, now=now)
    claim = services.desk.claim(
        document_id, reviewer, now=now, lease=lease_of(services), take_over=take_over
    )
    if claim is not None and (before is None or before.reviewer != reviewer):
        action = "claimed" if before is None else "taken_over"
        services.desk.record(TrailEntry(document_id, reviewer, action, "", now))
    return claim


def refusal(services: Services, document_id: str) -> tuple[int, str]:
    """Status and name of the sentence that say why a document could not be taken."""
    if services.desk.is_withdrawn(document_id):
        return 409, "booking_cancelled"
    document = services.store.get(document_id)
    if document is None or document.decision != "review":
        return 409, "decided_meanwhile"
    return 412, "claim_lost"


def next_document(services: Services, visit: Visit, after: Position | None) -> str | None:
    """Hold the next document after a position and note it; None when nothing is left.

    When there is none behind the position it goes on from the start. What was escalated waits for
    somebody who supervises, what does not pass the queue's filter for another filter.
    """
    now, which = services.clock(), last_asked(services, visit).which

    def claimed(after: Position | None) -> Claim | None:
        return services.desk.claim_next(
            visit.reviewer,
            now=now,
            lease=lease_of(services),
            after=after,
            which=which,
            takes_escalated=visit.supervises,
        )

    claim = claimed(after)
    if claim is None and after is not None:
        claim = claimed(None)
    if claim is None:
        return None
    if claim.claimed_at == now:  # they did not hold it before
        entry = TrailEntry(claim.document_id, visit.reviewer, "claimed", "", now)
        services.desk.record(entry)
    return claim.document_id
