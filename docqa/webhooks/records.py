"""What is kept about webhooks, and the Protocol of whoever keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, get_args

DeliveryState = Literal["waiting", "delivered", "given_up"]
EventKind = Literal[
    "document.judged",
    "document.rejudged",
    "document.ruled",
    "document.reopened",
    "document.escalated",
    "document.deleted",
    "booking.changed",
]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events are delivered."""

    id: str
    url: str
    kinds: tuple[str, ...]
    """Kinds of events it wants; () for all."""
    client_id: str | None
    """Whose events it gets; None for everybody's."""
    enabled: bool
    disabled_because: str | None
    """``operator`` or ``gone``: it answered 410."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery that one courier has to try now."""

    delivery: int
    fence: int
    """Of all who ever held this delivery only the latest may say how it went."""
    number: int
    """1 for the first attempt."""
    until: datetime
    endpoint_id: str
    url: str
    secrets: tuple[str, ...]
    """The live ones, the newest first."""
    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went."""

    delivered: bool
    status: int | None
    """Of the answer; None when there was none."""
    error: str | None
    """One word: ``timeout``, ``address``, ``redirect`` …"""

    @property
    def is_gone(self) -> bool:
        """The receiver wants no more webhooks, ever."""
        return self.status == 410


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """How the delivery of an event to an endpoint stands."""

    endpoint_id: str
    state: DeliveryState
    attempts: int
    due_at: datetime | None
    """Of the next attempt; None when there is none."""
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened."""

    number: int
    id: str
    kind: str
    occurred_at: datetime
    document_id: str | None
    booking_ref: str | None
    body: dict[str, Any]
    deliveries: tuple[DeliveryRecord, ...]


class WebhookStore(Protocol):
    """Remembers endpoints and deliveries. Several couriers may share one."""

    # For administrators

    def add_endpoint(
        self, url: str, *, kinds: Sequence[str], client_id: str | None, now: datetime
    ) -> tuple[Endpoint, str]:
        """A new endpoint, told of what happens from now on, and its secret."""
        ...

    def endpoints(self) -> list[Endpoint]:
        """All, the oldest first."""
        ...

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """Raises KeyError."""
        ...

    def change_endpoint(
        self,
        endpoint_id: str,
        *,
        enabled: bool | None = None,
        kinds: Sequence[str] | None = None,
    ) -> Endpoint:
        """Switch it on or off, or change what it wants. Raises KeyError."""
        ...

    def rotate_secret(self, endpoint_id: str, *, now: datetime) -> str:
        """A new secret; the one before stays live for a while. Raises KeyError."""
        ...

    def events(self, *, after: int, limit: int, now: datetime) -> list[EventRecord]:
        """At most ``limit`` events with a number above ``after``, in the order of their numbers.

        Up to the first that can still be taken back, and where writers work side by side up to the
        first number that may still come: whoever goes on from the last misses none, but for one
        whose transaction stays open for more than :data:`docqa.webhooks.gaps.LONGEST_COMMIT` after
        it got its number. Such an event is delivered all the same.
        """
        ...

    def redeliver(self, event_id: str, *, endpoint_id: str | None, now: datetime) -> int:
        """Deliver an event anew, to one endpoint or to all that want it; to how many.

        Raises KeyError for an unknown event or endpoint, and ValueError for an endpoint that gets
        only what is another client's.
        """
        ...

    # For couriers

    def fan_out(self, *, now: datetime) -> int:
        """Make deliveries of new events; how many events there were, at most a batch.

        What can still be taken back waits, and so does what came after it about its document.
        """
        ...

    def claim(self, *, now: datetime, lease: timedelta, at_once: int = 2) -> Attempt | None:
        """The delivery that is due the longest, the caller's alone until ``lease`` is over.

        Of one endpoint only so many are ``at_once`` on their way, by all couriers together: one
        that is slow must not keep the others waiting.
        """
        ...

    def settle(self, attempt: Attempt, outcome: Outcome, *, due_at: datetime | None) -> bool:
        """Say how an attempt went; False when another holds the delivery by now.

        Args:
            attempt: as claimed.
            outcome: 410 disables the endpoint.
            due_at: of the next attempt; None to give up, as after 410. Of no account when it was
                delivered.
        """
        ...
