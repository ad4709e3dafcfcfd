"""The HTTP service as one ASGI application."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from api.access import Access
from api.draining import Drained, Draining, drained_on_signal
from api.envelope import Envelope
from api.gate import Gate
from api.memory import is_short_of_memory
from api.metrics import MeteredInspector, Metrics, Observed, served_metrics, timed_stages
from api.openapi import describe
from api.problems import install_problems
from api.rates import Rates
from api.review.oidc import install_oidc
from api.review.routes import install_review
from api.review.trying import try_routes
from api.routes.bookings import booking_routes
from api.routes.documents import document_routes
from api.routes.records import record_routes
from api.routes.revalidations import revalidation_routes
from api.routes.service import service_routes
from api.routes.webhooks import webhook_routes
from api.services import Services
from api.start import start
from api.traces import traced
from docqa import wiring
from docqa.settings import Settings

MOST_WAIT_SHARE = 0.2
"""Of an inspection, for a child, while more comes than can be served: the rest get 503 at once. Not
where the settings say how many are to wait."""
WAITING_PER_WORKER = 4
"""Places for those who wait while the service keeps up, where the settings do not say how many."""
WAITING_STRANGERS = 4
"""Places at ``/try``, where one file at a time is looked at: nobody knows whose they are."""
_DESCRIPTION = """Tells whether an uploaded document is a scanner-grade scan that says what the
citizen typed: accept, review or reject, with every reason in Arabic and English."""


def create_app(services: Services, *, on_close: Callable[[], None] = lambda: None) -> FastAPI:
    """The application: ``/v1``, the reviewers' pages under ``/review``, ``/livez``, ``/readyz``.

    Args:
        services: what it works with.
        on_close: called once when the server has stopped, to close them.
    """
    settings = services.settings
    metrics, draining = Metrics(), Draining()
    services = _measured(services, metrics)
    rates = Rates(settings.rate_limit, settings.rate_limit_storage, clock=time.time)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with (
            drained_on_signal(draining, timeout_s=settings.shutdown_timeout_s),
            served_metrics(settings, metrics),
        ):
            try:
                yield
            finally:
                on_close()

    drawing = _gate("pages", settings, metrics)
    share = MOST_WAIT_SHARE if settings.waiting is None else math.inf
    uploads = _gate("uploads", settings, metrics, most_wait_share=share)
    app = FastAPI(
        title="docqa",
        version=version("docqa"),
        description=_DESCRIPTION,
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # it would repeat the host that a request names
        lifespan=lifespan,
        # Spans are api.traces'. FastAPI's would hold addresses, and every request looks for them.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    # The last one added is the outermost.
    app.add_middleware(Access, services=services, rates=rates)
    app.add_middleware(Drained, draining=draining, retry_after_s=settings.retry_after_s)
    app.add_middleware(Observed, metrics=metrics)
    app.add_middleware(Envelope)
    app.state.metrics = metrics
    install_problems(app, services)
    for router in (
        document_routes(services, gate=uploads, drawing=drawing),
        record_routes(services, gate=uploads),
        booking_routes(services),
        service_routes(services),
        webhook_routes(services),
        revalidation_routes(services),
    ):
        # As they are: an included router is looked through twice for each request.
        app.router.routes.extend(router.routes)
    install_oidc(app, services)  # before the pages, whose documents have any name
    install_review(app, services, drawing=drawing)
    if settings.try_page:
        strangers = _strangers_gate(settings, metrics, behind=uploads)
        app.include_router(try_routes(services, strangers, rates))
    describe(app)
    return app


def _gate(queue: str, settings: Settings, metrics: Metrics, **differing: Any) -> Gate:
    facts: dict[str, Any] = {
        "running": settings.workers,
        "waiting": (
            WAITING_PER_WORKER * settings.workers if settings.waiting is None else settings.waiting
        ),
        "most_wait_share": math.inf,
        "retry_after_s": settings.retry_after_s,
        "longest_wait_s": settings.longest_wait_s,
        "is_short_of_memory": lambda: is_short_of_memory(settings.spare_memory_bytes),
    }
    made = Gate(**(facts | differing))
    metrics.watch(queue, made)
    return made


def _strangers_gate(settings: Settings, metrics: Metrics, *, behind: Gate) -> Gate:
    return _gate("tries", settings, metrics, running=1, waiting=WAITING_STRANGERS, behind=behind)


def _measured(services: Services, metrics: Metrics) -> Services:
    stage = timed_stages(metrics, traced(is_on=services.settings.traces))
    return replace(
        services, inspector=MeteredInspector(services.inspector, metrics, stage), stage=stage
    )


def from_settings() -> FastAPI:
    """The application of this installation, as the environment describes it."""
    wiring.set_up_logs()
    settings = Settings()
    wiring.require_a_key(settings)
    services, close = start(settings)
    app = create_app(services, on_close=close)
    # All this stays. To look through it for garbage would hold every request up for 0.1 s.
    gc.collect()
    gc.freeze()
    return app
