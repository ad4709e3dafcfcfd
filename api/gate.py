"""Back-pressure: what cannot be served soon is refused at once, before its body is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio
import anyio.to_thread

from api.problems import Problem

T = TypeVar("T")


class Gate:
    """Lets a bounded number of requests in, and fewer of them work at the same time.

    Args:
        running: how many :meth:`run` at the same time, each in a thread.
        waiting: how many more may be inside, sending their body or waiting for a turn.
        retry_after_s: what those who are refused are told to wait.
    """

    def __init__(self, *, running: int, waiting: int, retry_after_s: int) -> None:
        self._free = running + waiting
        self._running = running
        self._turns: anyio.CapacityLimiter | None = None
        self._retry_after_s = retry_after_s

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Be inside. Raises Problem ``service.overloaded`` when it is full."""
        if self._free <= 0:
            raise Problem("service.overloaded", retry_after_s=self._retry_after_s)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` returns, done in a thread when it is this request's turn.

        Work that was begun is finished even when the client has gone.
        """
        if self._turns is None:  # belongs to the running event loop
            self._turns = anyio.CapacityLimiter(self._running)
        return await anyio.to_thread.run_sync(work, limiter=self._turns)
