"""Back-pressure: what cannot be served soon is refused at once, before its body is read."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TypeVar

import anyio
import anyio.to_thread

from api.problems import Problem

T = TypeVar("T")

SENDERS_PER_PLACE = 2
"""How many may send a body for each place inside, half of them for one holder. Each may take as
much memory as the largest file."""

USUAL_WEIGHT = 0.1
"""Of the newest turn in how long one usually takes."""
RECENT_S = 2.0
"""Who came so long ago still counts for a third in how many come now."""
FULL_LOAD = 0.9
"""Of what all turns together could serve if nothing else took time: no more can be served."""
TURNS_PER_SPARE_LOAD = 8.0
"""For how many turns longer one may wait the less comes: for one with every eighth that is missing
to a full load."""


class Shares:
    """Places of which no single holder can take all.

    Args:
        most: how many there are.
        each: how many of them one holder may have at the same time.
        retry_after_s: what those who get none are told to wait.
    """

    def __init__(self, *, most: int, each: int, retry_after_s: int) -> None:
        self._most = most
        self._each = each
        self._retry_after_s = retry_after_s
        self._taken = 0
        self._taken_by: dict[str, int] = {}

    @contextmanager
    def held(self, holder: str) -> Iterator[None]:
        """Have a place. Raises Problem ``service.overloaded`` when there is none for ``holder``."""
        theirs = self._taken_by.get(holder, 0)
        if self._taken >= self._most or theirs >= self._each:
            raise Problem("service.overloaded", retry_after_s=self._retry_after_s)
        self._taken += 1
        self._taken_by[holder] = theirs + 1
        try:
            yield
        finally:
            self._taken -= 1
            left = self._taken_by.pop(holder) - 1
            if left:
                self._taken_by[holder] = left


@dataclass(slots=True, eq=False)
class _Turn:
    begun: float = 0.0
    is_over: bool = False


class Gate:
    """Lets a bounded number of requests in, and fewer of them work at the same time.

    Args:
        running: how many have a turn at the same time, each in a thread.
        waiting: how many more may be inside, waiting for a turn.
        retry_after_s: what those who are refused are told to wait.
        longest_wait_s: nobody more is let in while somebody has waited so long for a turn.
        most_wait_share: while more comes than can be served, nobody is let in whose turn is further
            away than this share of what a turn usually takes. The less comes, the further.
        is_short_of_memory: nobody more is let in while it says so.
        behind: whose requests go first: a turn here begins when one there stays free beside it,
            or none is taken, and not before.
    """

    def __init__(
        self,
        *,
        running: int,
        waiting: int,
        retry_after_s: int,
        longest_wait_s: float = math.inf,
        most_wait_share: float = math.inf,
        is_short_of_memory: Callable[[], bool] = lambda: False,
        behind: Gate | None = None,
    ) -> None:
        self._running = running
        self._most_inside = running + waiting
        self._inside = 0
        self._senders = Shares(
            most=SENDERS_PER_PLACE * self._most_inside,
            each=self._most_inside,
            retry_after_s=retry_after_s,
        )
        self._turns: anyio.CapacityLimiter | None = None
        self._threads: anyio.CapacityLimiter | None = None
        self._retry_after_s = retry_after_s
        self._longest_wait_s = longest_wait_s
        self._most_wait_share = most_wait_share
        self._is_short_of_memory = is_short_of_memory
        self._behind = behind
        self._turn_ended: asyncio.Event | None = None
        self._waiting_since: deque[float] = deque()
        self._begun: list[float] = []
        self._usual_s = 0.0
        self._coming_per_s = 0.0
        self._last_came = 0.0

    @property
    def oldest_wait_s(self) -> float:
        """How long the one who has waited longest for a turn has waited; 0 when nobody waits."""
        return monotonic() - self._waiting_since[0] if self._waiting_since else 0.0

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return len(self._waiting_since)

    def admitted(self) -> AbstractContextManager[None]:
        """Be inside. Raises Problem ``service.overloaded`` when that would not be served soon."""
        self._expect()
        return self.arrived()

    def sending(self, holder: str) -> AbstractContextManager[None]:
        """Send a body, and take no place inside while it comes: that may take long.

        Raises Problem ``service.overloaded`` when it would not be served soon if it were there, or
        when too many send, for ``holder`` or for all.
        """
        self._expect()
        return self._senders.held(holder)

    @contextmanager
    def arrived(self) -> Iterator[None]:
        """Be inside with all that was sent. Raises Problem ``service.overloaded`` if it is full."""
        if self._inside >= self._most_inside:
            raise self._overloaded()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` returns, done in a thread when it is this request's turn.

        Work that was begun is finished even when the client has gone.
        """
        return await self.run_until(lambda _: work())

    async def run_until(self, work: Callable[[Callable[[], object]], T]) -> T:
        """The same, of work that goes on after its turn.

        It is given what ends its turn, to be called once it does no more of what others wait for.
        """
        if self._turns is None:  # belongs to the running event loop
            self._turns = anyio.CapacityLimiter(self._running)
            # As many again may be past their turn; while they are slow, so are those who have one.
            self._threads = anyio.CapacityLimiter(2 * self._running)
        since = monotonic()
        self._waiting_since.append(since)
        turn = _Turn()
        try:
            await self._turns.acquire_on_behalf_of(turn)
            try:
                await self._let_others_first()
            except BaseException:
                self._turns.release_on_behalf_of(turn)
                raise
        finally:
            self._waiting_since.remove(since)
        turn.begun = monotonic()
        self._begun.append(turn.begun)
        end = partial(asyncio.get_running_loop().call_soon_threadsafe, self._end, turn)
        try:
            return await anyio.to_thread.run_sync(work, end, limiter=self._threads)
        finally:
            self._end(turn)

    async def _let_others_first(self) -> None:
        """Wait until the gate that this one is behind can spare a turn, but not for too long."""
        if self._behind is None:
            return
        try:
            with anyio.fail_after(self._longest_wait_s):
                await self._behind._spare()
        except TimeoutError as error:
            raise self._overloaded() from error

    async def _spare(self) -> None:
        """Wait until a turn could be taken and another stay free, or all are free."""
        while len(self._begun) + len(self._waiting_since) > max(0, self._running - 2):
            if self._turn_ended is None:
                self._turn_ended = asyncio.Event()
            await self._turn_ended.wait()

    def _overloaded(self) -> Problem:
        return Problem("service.overloaded", retry_after_s=self._retry_after_s)

    def _end(self, turn: _Turn) -> None:
        """End a turn, if it has not ended."""
        if turn.is_over or self._turns is None:
            return
        turn.is_over = True
        self._begun.remove(turn.begun)
        self._turns.release_on_behalf_of(turn)
        if self._turn_ended is not None:
            self._turn_ended.set()
            self._turn_ended = None
        took_s = monotonic() - turn.begun
        self._usual_s += USUAL_WEIGHT * (took_s - self._usual_s) if self._usual_s else took_s

    def _expect(self) -> None:
        """Somebody has come. Raises Problem when they would not be served soon."""
        self._count()
        if (
            self._inside >= self._most_inside
            or self.oldest_wait_s > self._longest_wait_s
            or self._turn_is_far()
            or self._is_short_of_memory()
        ):
            raise self._overloaded()

    def _count(self) -> None:
        now = monotonic()
        fading = math.exp((self._last_came - now) / RECENT_S)
        self._coming_per_s = self._coming_per_s * fading + 1 / RECENT_S
        self._last_came = now

    @property
    def _load(self) -> float:
        """How much comes, those who are refused included, over what can be served."""
        return self._coming_per_s * self._usual_s / self._running

    def _turn_is_far(self) -> bool:
        """Whether the next one in would have to wait too long, as far as can be told.

        Those who are still sending their body do not count: that may take longer than all turns.
        """
        before = len(self._begun) + len(self._waiting_since) - self._running
        if before < 0:
            return False
        turns, last = divmod(before, self._running)
        spent_s = monotonic() - self._begun[last] if last < len(self._begun) else 0.0
        spare = max(0.0, FULL_LOAD - self._load)
        most_turns = self._most_wait_share + TURNS_PER_SPARE_LOAD * spare
        return (turns + 1) * self._usual_s - spent_s > most_turns * self._usual_s
