"""Child processes that answer calls, and may end at any moment.

pebble is used since ProcessPoolExecutor and loky lose every pending call when one child dies. But
pebble too gives its pool up for good when a child dies while none has work: the pool is replaced.
"""

from __future__ import annotations

import logging
import os
import secrets
import select
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessFuture, ProcessPool

_LOG = logging.getLogger(__name__)
_LAST_WORDS_S = 10.0
"""An answer may still be on its way when its child has gone."""
_LOOK_EVERY_MS = 1000
"""A pool that breaks forgets whom it has not begun with: nobody wakes them."""


@dataclass(frozen=True, slots=True)
class _Pool:
    """Children of one start."""

    pool: ProcessPool
    firsts: tuple[ProcessFuture[int], ...]
    """What they were asked first; none where no process could be made."""
    follows_failure: bool
    """Whether the children before them ended before any of them had started."""

    @property
    def is_broken(self) -> bool:
        return not self.pool.active

    @property
    def has_started(self) -> bool:
        return any(first.done() and not first.exception() for first in self.firsts)


class Children:
    """Children that answer one call each at a time; further calls wait.

    Args:
        processes: how many.
        calls_per_child: after so many it is replaced.
        initializer: called once in every child, with ``initargs``; both must pickle.
        initargs: its arguments.
        folder: for the pipes by which it is known that a child lives.
    """

    def __init__(
        self,
        *,
        processes: int,
        calls_per_child: int,
        initializer: Callable[..., object],
        initargs: tuple[Any, ...],
        folder: Path,
    ) -> None:
        self._processes = processes
        self._calls_per_child = calls_per_child
        self._initializer = initializer
        self._initargs = initargs
        self._folder = folder
        self._is_closed = False
        # A child that asked to die with its parent dies with the thread that started it: this one
        # stays. And it does one thing at a time, so that a pool is replaced once.
        self._starter = ThreadPoolExecutor(max_workers=1)
        self._current = self._starter.submit(self._start, follows_failure=False).result()

    @property
    def is_working(self) -> bool:
        """False while children end before they have started; they are started again when asked."""
        current = self._unbroken()
        return current.has_started or not current.follows_failure

    def call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        timeout_s: float,
        beside: Callable[[], object] | None = None,
    ) -> Any:
        """What ``function`` returns in a child; ``beside`` is called here while it works.

        What was lost with a pool is done again, once: both may be called twice.

        Raises:
            TimeoutError: the child worked for longer than ``timeout_s``, and was killed.
            ProcessExpired: the child ended.
            BrokenProcessPool: there is no child, and another start did not help.
            Exception: what ``function`` raised.
        """
        try:
            return self._call(self._unbroken().pool, function, arguments, timeout_s, beside)
        except BrokenProcessPool:
            return self._call(self._unbroken().pool, function, arguments, timeout_s, beside)

    def close(self) -> None:
        """Stop the children at once; what they were doing is lost."""
        self._starter.submit(self._end).result()
        self._starter.shutdown()

    def _call(
        self,
        pool: ProcessPool,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        timeout_s: float,
        beside: Callable[[], object] | None,
    ) -> Any:
        """What it returns in a child of ``pool``.

        pebble takes a child that ends with exit code 0 for one that has done its work, and would
        wait for the answer until the time limit. So the child holds a pipe open while it lives.
        """
        pipe = Path(self._folder, secrets.token_hex(16))
        os.mkfifo(pipe, 0o600)
        alive = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        try:
            future = _schedule(pool, _while_alive, pipe, function, *arguments, timeout_s=timeout_s)
            if beside is not None:
                os.sched_yield()  # to pebble's thread, which sends the child its task
                beside()
            _wait(future, alive, pool)
            if not future.done() and not pool.active:
                future.cancel()  # type: ignore[no-untyped-call]  # pebble leaves it untyped
                raise _gone()
            try:
                return future.result(timeout=_LAST_WORDS_S)
            except FutureTimeout:
                if future.done():  # the time limit of the call
                    raise
                future.cancel()  # type: ignore[no-untyped-call]  # pebble leaves it untyped
                raise _ended_quietly() from None
        finally:
            os.close(alive)
            pipe.unlink(missing_ok=True)

    def _unbroken(self) -> _Pool:
        current = self._current
        if current.is_broken:
            self._starter.submit(self._replace, current).result()
        return self._current

    # From here on: in the starter's thread.

    def _start(self, *, follows_failure: bool) -> _Pool:
        pool = ProcessPool(
            max_workers=self._processes,
            max_tasks=self._calls_per_child,
            initializer=self._initializer,
            initargs=self._initargs,
            context=get_context("spawn"),
        )
        firsts: tuple[ProcessFuture[int], ...] = ()
        try:
            # The children start with the first calls: before the first document, not with it.
            firsts = tuple(_schedule(pool, os.getpid) for _ in range(self._processes))
        except BrokenProcessPool:  # no process can be made now
            pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves it untyped
        return _Pool(pool, firsts, follows_failure)

    def _replace(self, broken: _Pool) -> None:
        if self._is_closed or self._current is not broken:
            return
        _LOG.warning("the children are started again: their pool broke")
        _stop(broken.pool)
        self._current = self._start(follows_failure=not broken.has_started)

    def _end(self) -> None:
        self._is_closed = True
        _stop(self._current.pool)


def _schedule(
    pool: ProcessPool,
    function: Callable[..., Any],
    *arguments: Any,
    timeout_s: float | None = None,
) -> ProcessFuture[Any]:
    try:
        return pool.schedule(function, args=arguments, timeout=timeout_s)
    except RuntimeError as error:  # what pebble says of a pool that is no longer
        raise _gone() from error


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves it untyped
    pool.join()


def _wait(future: ProcessFuture[Any], alive: int, pool: ProcessPool) -> None:
    """Block until there is an answer, or who held ``alive``'s other end is gone, or the pool is."""
    answered, to_close = os.pipe()
    future.add_done_callback(lambda _: os.close(to_close))
    poll = select.poll()
    try:
        for descriptor in (alive, answered):
            poll.register(descriptor, select.POLLHUP)
        while not poll.poll(_LOOK_EVERY_MS) and pool.active:
            pass
    finally:
        os.close(answered)


def _gone() -> BrokenProcessPool:
    return BrokenProcessPool("the children's pool broke or was closed")


def _ended_quietly() -> ProcessExpired:
    return ProcessExpired("no answer", code=0)  # type: ignore[no-untyped-call]  # pebble's


# From here on: inside the child.

_alive: int | None = None


def _while_alive(pipe: Path, function: Callable[..., Any], *arguments: Any) -> Any:
    """What ``function`` returns; ``pipe`` is held open until this child ends or works again."""
    global _alive
    if _alive is not None:
        os.close(_alive)
    _alive = os.open(pipe, os.O_WRONLY)
    return function(*arguments)
