"""``docqa serve``: the HTTP service and the reviewers' pages."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import Any

import click
import uvicorn

from docqa import wiring
from docqa.errors import InvalidModel
from docqa.settings import PREFIX, Settings

_SWITCH_INTERVAL_S = 0.001
"""So long the loop that answers waits for another thread's Python; a fifth of what is usual."""


@click.command()
@click.option("--host", help="Address to listen on (default: DOCQA_HOST or 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one.")
@click.option("--workers", type=int, help="Documents inspected at the same time, each in a child.")
@click.option("--dev", is_flag=True, help="Try it without API keys, on this machine only.")
def serve(host: str | None, port: int | None, workers: int | None, dev: bool) -> None:
    """Run the HTTP service and the reviewers' pages until stopped.

    One process answers requests, which is little work; the children inspect, which is much. For
    more than one machine run one service on each, with PostgreSQL. SIGTERM finishes what is in
    flight and refuses what is new.

    \b
    docqa serve --dev
    docqa serve --port 0 --workers 4
    """
    # Options become variables, so that they are checked, and found by the service, like all others.
    given = {"host": host, "port": port, "workers": workers, "dev": dev or None}
    os.environ.update(
        {PREFIX + name.upper(): str(value) for name, value in given.items() if value is not None}
    )
    settings = Settings()
    wiring.load_engine(settings)  # a wrong file in models/ stops the start here, with a sentence
    wiring.require_a_key(settings)
    if settings.metrics_port is not None:
        _listener(settings.metrics_host, settings.metrics_port, "DOCQA_METRICS_PORT").close()
    listener = _listener(settings.host, settings.port, "DOCQA_PORT")
    for number in (signal.SIGTERM, signal.SIGINT):  # the server raises them again when it is done
        signal.signal(number, _end)
    address = f"http://{settings.host}:{listener.getsockname()[1]}"
    click.echo(f"docqa serves at {address}  (review: {address}/review)")
    config = uvicorn.Config(
        "api.app:from_settings",
        factory=True,
        log_config=None,
        log_level="warning",
        access_log=False,  # it would write query strings, where raw uploads have their claims
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
    )
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    uvicorn.Server(config).run(sockets=[listener])


def _listener(host: str, port: int, setting: str) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise InvalidModel(
            f"cannot listen on {host}:{port}: {error.strerror}: see {setting}"
        ) from error


def _end(*_: Any) -> None:
    sys.exit(0)
