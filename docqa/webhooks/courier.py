"""Delivers what is due, in threads of its own, for as long as the service runs."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from docqa.webhooks.backoff import next_attempt
from docqa.webhooks.records import Attempt, Outcome, WebhookStore

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0
_AFTER_TROUBLE_S = 5.0
_LEASE_BEYOND_TIMEOUT = timedelta(seconds=60)
"""Couriers of other machines have clocks of their own, and resolvers can be slow."""
_STOP_WITHIN_S = 5.0
_MOST_TO_ONE = 2
"""Endpoint at the same time; never by all the threads."""


class Sender(Protocol):
    """Makes one attempt."""

    def send(self, attempt: Attempt, *, now: datetime) -> Outcome:
        """How it went; never raises for what a receiver does."""
        ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nobody(_: str) -> None:
    """Where results are not counted."""


class Courier:
    """Carries events to their endpoints. Any number of them may share one store.

    Args:
        store: what is on its way.
        sender: makes the attempts.
        timeout_s: the longest that ``sender`` takes.
        clock: the time, aware.
        observe: told the result of every attempt: ``delivered``, ``retry``, ``given_up`` or
            ``superseded``.
    """

    def __init__(
        self,
        store: WebhookStore,
        sender: Sender,
        *,
        timeout_s: float,
        clock: Callable[[], datetime] = _utc_now,
        observe: Callable[[str], None] = _nobody,
    ) -> None:
        self._store = store
        self._sender = sender
        self._lease = timedelta(seconds=timeout_s) + _LEASE_BEYOND_TIMEOUT
        self._clock = clock
        self._observe = observe
        self._at_once = _MOST_TO_ONE
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def deliver_due(self) -> int:
        """Deliver everything that is due now; how many attempts that took. Blocks."""
        while self._store.fan_out(now=self._clock()):
            pass
        attempts = 0
        while self.attempt_one():
            attempts += 1
        return attempts

    def attempt_one(self) -> bool:
        """Make the attempt that is due the longest; False when none is."""
        attempt = self._store.claim(now=self._clock(), lease=self._lease, at_once=self._at_once)
        if attempt is None:
            return False
        outcome = self._sender.send(attempt, now=self._clock())
        due_at = next_attempt(
            attempt.number, now=self._clock(), until=attempt.until, chance=random.random()
        )
        if outcome.is_gone:
            due_at = None
        result = "delivered" if outcome.delivered else "retry" if due_at else "given_up"
        if not self._store.settle(attempt, outcome, due_at=due_at):
            result = "superseded"
        self._observe(result)
        if result != "delivered":
            _LOG.warning(
                "webhook %s to %s: attempt %d: %s (%s, status %s)",
                attempt.event_id, attempt.endpoint_id, attempt.number, result,
                outcome.error, outcome.status,
            )  # fmt: skip
        return True

    def start(self, threads: int) -> None:
        """Deliver in ``threads`` threads until :meth:`close`."""
        self._at_once = max(1, min(_MOST_TO_ONE, threads - 1))
        for number in range(threads):
            thread = threading.Thread(target=self.run, name=f"courier-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def run(self) -> None:
        """Deliver until :meth:`close`. Whatever fails is tried again: the store remembers."""
        while not self._stopped.is_set():
            try:
                self._store.fan_out(now=self._clock())
                pause_s = 0.0 if self.attempt_one() else _LOOK_EVERY_S
            except Exception as error:  # the database is away, or worse: never stop for good
                _LOG.error("webhooks wait: %s", type(error).__name__)
                pause_s = _AFTER_TROUBLE_S
            self._stopped.wait(pause_s)

    def close(self) -> None:
        """Begin no more attempts; one that is under way has a moment to end.

        One that does not end by then is made again, once its lease is over.
        """
        self._stopped.set()
        until = time.monotonic() + _STOP_WITHIN_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
