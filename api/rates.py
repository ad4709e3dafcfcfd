"""How many requests a client may make."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits.errors import StorageError
from limits.storage import MemoryStorage

from docqa import wiring

_LOG = logging.getLogger(__name__)


class _Counters(MemoryStorage):
    """What ``memory://`` means here: limits' own, without the thread that it starts with nearly
    every request to forget what is over, and waits for.
    """

    STORAGE_SCHEME = ["memory"]

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count; forget what is over when a window begins. See limits."""
        now = time.time()
        with self.locks[key]:
            self.storage[key] = self.get(key) + amount
            if self.storage[key] > amount:
                return self.storage[key]
            self.expirations[key] = now + expiry
        for old in [other for other, end in list(self.expirations.items()) if end <= now]:
            self.get(old)
        return amount


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a client."""

    is_granted: bool
    remaining: int
    reset_s: int
    """Until there is more; at least 1."""
    policy: str
    """As the RateLimit-Policy header writes it."""

    @property
    def headers(self) -> dict[str, str]:
        """RateLimit headers (IETF draft 09 and later)."""
        return {
            "RateLimit-Policy": self.policy,
            "RateLimit": f'"client";r={self.remaining};t={self.reset_s}',
        }


class Rates:
    """Counts requests by client over a sliding window.

    Args:
        limit: as the limits library writes it, ``600/minute``.
        storage: URI of where it counts.
        clock: seconds since the epoch.

    Raises:
        InvalidModel: one of the two makes no sense, or its client library is not installed.
    """

    def __init__(self, limit: str, storage: str, *, clock: Callable[[], float]) -> None:
        self._limit, self._counter = wiring.rate_counter(limit, storage)
        self._clock = clock
        self._policy = f'"client";q={self._limit.amount};w={self._limit.get_expiry()}'

    def take(self, client_id: str) -> Allowance:
        """Count one request of ``client_id``; blocks while the storage answers.

        A storage that fails grants it: counting must not stop citizens.
        """
        try:
            granted = self._counter.hit(self._limit, client_id)
            window = self._counter.get_window_stats(self._limit, client_id)
        except StorageError as error:
            _LOG.warning("requests are not counted: %s", type(error).__name__)
            return Allowance(True, self._limit.amount, self._limit.get_expiry(), self._policy)
        reset_s = max(1, math.ceil(window.reset_time - self._clock()))
        return Allowance(granted, max(0, int(window.remaining)), reset_s, self._policy)
