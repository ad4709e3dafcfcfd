"""``docqa serve``: the HTTP service and the reviewers' pages."""

from __future__ import annotations

import socket

import click
import uvicorn

from docqa import wiring
from docqa.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on (default: DOCQA_HOST or 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one.")
def serve(host: str | None, port: int | None) -> None:
    r"""Run the HTTP service and the reviewers' pages until stopped.

    \b
    docqa serve
    docqa serve --port 0
    """
    settings = Settings()
    given = {"host": host, "port": port}
    settings = settings.model_copy(update={k: v for k, v in given.items() if v is not None})
    wiring.load_engine(settings)  # a wrong file in models/ stops the start here, with a sentence
    listener = socket.create_server((settings.host, settings.port), backlog=1024)
    address = f"http://{settings.host}:{listener.getsockname()[1]}"
    click.echo(f"docqa serves at {address}  (review: {address}/review)")
    config = uvicorn.Config("api.app:from_settings", factory=True, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])
