"""The HTTP service as one ASGI application."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI

from api.envelope import Envelope
from api.gate import Gate
from api.problems import install_problems
from api.review.routes import install_review
from api.routes.documents import document_routes
from api.routes.service import service_routes
from api.services import Services
from api.start import start
from docqa.settings import Settings

_LEFT_BEHIND_AFTER_S = 3600.0
"""No upload takes so long: a file this old belonged to a process that was killed."""
_DESCRIPTION = """Tells whether an uploaded document is a scanner-grade scan that says what the
citizen typed: accept, review or reject, with every reason in Arabic and English."""


def create_app(services: Services, *, on_close: Callable[[], None] = lambda: None) -> FastAPI:
    """The application: ``/v1``, the reviewers' pages under ``/review``, ``/livez``, ``/readyz``.

    Args:
        services: what it works with.
        on_close: called once when the server has stopped, to close them.
    """
    settings = services.settings
    settings.incoming_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(settings.incoming_dir)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            on_close()

    def gate() -> Gate:
        return Gate(
            running=settings.workers,
            waiting=settings.waiting,
            retry_after_s=settings.retry_after_s,
        )

    drawing, uploads = gate(), gate()
    app = FastAPI(
        title="docqa",
        version=version("docqa"),
        description=_DESCRIPTION,
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_middleware(Envelope)
    install_problems(app, services)
    app.include_router(
        document_routes(services, gate=uploads, drawing=drawing, spool=settings.incoming_dir)
    )
    app.include_router(service_routes(services))
    install_review(app, services, drawing=drawing, uploads=uploads)
    return app


def from_settings() -> FastAPI:
    """The application of this installation, as the environment describes it."""
    services, close = start(Settings())
    return create_app(services, on_close=close)


def _sweep(folder: Path) -> None:
    oldest = time.time() - _LEFT_BEHIND_AFTER_S
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
