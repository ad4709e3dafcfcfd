"""Systems that webhooks are sent to: one that verifies and remembers, and those that misbehave."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

SLOWLY_S = 0.05


@dataclass
class Receiver:
    """A receiver on 127.0.0.1 and what it got."""

    behave: Callable[[BaseHTTPRequestHandler, Receiver], None]
    secrets: list[str] = field(default_factory=list)
    """Those it knows; a webhook that none of them verifies is counted as forged."""
    bodies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """(webhook-id, payload) of what was verified, in the order of arrival."""
    forged: int = 0
    requests: int = 0
    address: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    """Set when the receiver is closed: those that wait may go."""
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    paths: list[str] = field(default_factory=list)

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Read, verify and remember a webhook; one whose sender died half-way is none."""
        length = int(handler.headers.get("content-length", 0))
        body = handler.rfile.read(length)
        if len(body) < length:
            return
        self.requests += 1
        self.paths.append(handler.path)
        for secret in self.secrets:
            try:
                payload = Webhook(secret).verify(body, dict(handler.headers))
            except Exception:
                continue
            self.bodies.append((handler.headers["webhook-id"], payload))
            break
        else:
            self.forged += 1
        self.arrived.release()

    @property
    def seen(self) -> set[str]:
        """Ids of the events it was told."""
        return {event_id for event_id, _ in self.bodies}


def answers(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler, Receiver], None]:
    """Answers with ``status`` at once."""

    def behave(handler: BaseHTTPRequestHandler, receiver: Receiver) -> None:
        receiver.take(handler)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", "0")
        handler.end_headers()

    return behave


def huge_answer(handler: BaseHTTPRequestHandler, receiver: Receiver) -> None:
    """Answers with bytes until nobody listens."""
    receiver.take(handler)
    handler.send_response(200)
    handler.end_headers()
    while not receiver.released.is_set():
        handler.wfile.write(bytes(65_536))


def never_answers(handler: BaseHTTPRequestHandler, receiver: Receiver) -> None:
    """Takes the webhook and says nothing."""
    receiver.take(handler)
    receiver.released.wait(60)


def drips(handler: BaseHTTPRequestHandler, receiver: Receiver) -> None:
    """Sends a header of its answer byte by byte: no single read ever takes long."""
    receiver.take(handler)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while not receiver.released.wait(SLOWLY_S):
        handler.wfile.write(b"a")
        handler.wfile.flush()


def nonsense(handler: BaseHTTPRequestHandler, receiver: Receiver) -> None:
    """Answers with something that is no HTTP."""
    receiver.take(handler)
    handler.wfile.write(b"\x16\x03\x01 what?\r\n\r\n")


@contextmanager
def receiving(
    behave: Callable[[BaseHTTPRequestHandler, Receiver], None], *secrets: str
) -> Iterator[Receiver]:
    """A receiver on a free port for as long as the block lasts."""
    receiver = Receiver(behave, list(secrets))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802  # the name that http.server calls
            self.close_connection = True
            with suppress(BrokenPipeError, ConnectionResetError):
                receiver.behave(self, receiver)

        def do_GET(self) -> None:  # noqa: N802
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.address = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
