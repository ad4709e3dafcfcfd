"""Spans go to a collector where they were asked for, without what an exception says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from api.traces import traced

_PROGRAM = """
from contextlib import suppress
from structlog.contextvars import bind_contextvars
from api.traces import traced

bind_contextvars(request_id="request-7")
span = traced(is_on=True)
with span("inspect"), suppress(ValueError), span("store"):
    raise ValueError("02012345678")
"""


def test_spans_of_stages_reach_the_collector_with_the_request_and_without_values() -> None:
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_address[1]}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
    }
    try:
        subprocess.run([sys.executable, "-c", _PROGRAM], env=environment, check=True, timeout=60)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    sent = b"".join(received)
    for said in (b"docqa.inspect", b"docqa.store", b"request-7"):
        assert said in sent
    assert b"02012345678" not in sent


def test_where_nobody_asked_nothing_is_traced() -> None:
    with traced(is_on=False)("inspect") as span:
        assert span is None
