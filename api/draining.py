"""Stopping without losing anything: what is in flight is finished, what is new is refused."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import Problem, problem_response

_LOG = structlog.get_logger(__name__)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_LIVENESS = "/livez"


class Draining:
    """Whether the service is stopping, and how many requests are still in flight."""

    def __init__(self) -> None:
        self.has_begun = False
        self._in_flight = 0
        self._on_empty: Callable[[], None] | None = None

    def begin(self, on_empty: Callable[[], None]) -> None:
        """Refuse what is new; call ``on_empty`` once nothing is in flight any more."""
        self.has_begun = True
        self._on_empty = on_empty
        self._tell()

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """While a request is being answered."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._tell()

    def _tell(self) -> None:
        if self._on_empty is not None and self._in_flight == 0:
            tell, self._on_empty = self._on_empty, None
            tell()


class Drained:
    """ASGI middleware that refuses requests while the service is stopping.

    Args:
        app: what answers until then.
        draining: whether it is stopping.
        retry_after_s: what those who are refused are told to wait.
    """

    def __init__(self, app: ASGIApp, *, draining: Draining, retry_after_s: int) -> None:
        self._app = app
        self._draining = draining
        self._retry_after_s = retry_after_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._draining.has_begun and scope["path"] != _LIVENESS:
            problem = Problem("service.stopping", retry_after_s=self._retry_after_s)
            response = problem_response(problem, scope["state"]["request_id"])
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
        else:
            with self._draining.in_flight():
                await self._app(scope, receive, send)


@contextmanager
def drained_on_signal(draining: Draining, *, timeout_s: float) -> Iterator[None]:
    """While inside, SIGTERM and SIGINT drain first and reach the server afterwards.

    The server stops listening at the first of the two signals, and clients would only see a closed
    port. So the signal is held back until nothing is in flight, at most ``timeout_s``; a second
    one is not. Only the main thread can do this; elsewhere nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    servers = {number: signal.getsignal(number) for number in _SIGNALS}

    def hand_over(number: int) -> None:
        for each, handler in servers.items():
            loop.remove_signal_handler(each)
            signal.signal(each, handler)
        os.kill(os.getpid(), number)

    def on_signal(number: int) -> None:
        if draining.has_begun:
            hand_over(number)
            return
        _LOG.info("stopping: what is in flight is finished, what is new is refused")
        late = loop.call_later(timeout_s, hand_over, number)

        def finished() -> None:
            late.cancel()
            # The last answer is still on its way through the server.
            loop.call_soon(hand_over, number)

        draining.begin(finished)

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    yield
