"""What Prometheus is told. Labels are few and known beforehand: no id, no name, no path."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.gate import Gate
from api.services import Inspected, Inspector
from docqa.settings import Settings

_LOG = structlog.get_logger(__name__)
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_CHILD_ENDS = {f"system.{end}": end for end in ("timeout", "crashed", "out_of_memory", "failed")}
"""By the reason code that the report has for it."""


class Metrics:
    """Everything that is counted, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "docqa_http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ["route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.stages = Histogram(
            "docqa_document_duration_seconds",
            "Time of one stage of one document.",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.verdicts = Counter(
            "docqa_verdicts",
            "Documents judged, checks included.",
            ["outcome", "document_type"],
            registry=self.registry,
        )
        self.child_exits = Counter(
            "docqa_child_exits",
            "Documents whose child crashed, hung, failed or ran out of memory.",
            ["reason"],
            registry=self.registry,
        )
        self._oldest_age = Gauge(
            "docqa_queue_oldest_age_seconds",
            "How long the upload that has waited longest has waited for a child.",
            ["queue"],
            registry=self.registry,
        )
        self._waiting = Gauge(
            "docqa_queue_waiting", "Uploads that wait for a child.", ["queue"],
            registry=self.registry,
        )  # fmt: skip

        self.stage = cache(self.stages.labels)
        """One stage's observations: asked ten times for each document, and quickest remembered."""

    def watch(self, queue: str, gate: Gate) -> None:
        """Tell how long the queue before ``gate`` is."""
        self._oldest_age.labels(queue).set_function(lambda: gate.oldest_wait_s)
        self._waiting.labels(queue).set_function(lambda: float(gate.waiting))


Traced = Callable[[str], AbstractContextManager[object]]
"""Makes the span of a stage in a trace."""


def timed_stages(metrics: Metrics, traced: Traced) -> Callable[[str], AbstractContextManager[None]]:
    """What measures a stage of a document: a context of its name, like ``upload``."""

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            with traced(name):
                yield
        finally:
            metrics.stage(name).observe(time.monotonic() - begun)

    return stage


class MeteredInspector:
    """An inspector whose verdicts, stages and dead children are counted.

    Args:
        inspector: who inspects.
        metrics: where it is counted.
        stage: measures a stage.
    """

    def __init__(
        self,
        inspector: Inspector,
        metrics: Metrics,
        stage: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self._inspector = inspector
        self._metrics = metrics
        self._stage = stage

    def inspect_file(
        self,
        path: Path,
        *,
        document_type: str,
        claims: Mapping[str, str],
        file_name: str,
        sha256: Callable[[], str] | None = None,
    ) -> Inspected:
        """See :class:`api.services.Inspector`."""
        with self._stage("inspect"):
            found = self._inspector.inspect_file(
                path,
                document_type=document_type,
                claims=claims,
                file_name=file_name,
                sha256=sha256,
            )
        report = found.report
        # A type that was inspected is one of models/documents: a label of a known set.
        self._metrics.verdicts.labels(report["verdict"]["decision"], document_type).inc()
        for name, took_ms in report["timings_ms"].items():
            self._metrics.stage(name).observe(took_ms / 1000)
        for reason in report["verdict"]["reasons"]:
            if end := _CHILD_ENDS.get(reason["code"]):
                self._metrics.child_exits.labels(end).inc()
        return found


class Observed:
    """ASGI middleware: one line in the log and one observation for each request.

    Args:
        app: what answers; it leaves the address's name in the request's state.
        metrics: where it is counted.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.monotonic(), 0

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            took_s = time.monotonic() - begun
            # The answer leaves once this turn of the loop ends, and should not wait for this.
            asyncio.get_running_loop().call_soon(self._note, scope, status or 500, took_s)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        state = scope["state"]
        route = state.get("route", "other")
        self._metrics.requests.labels(route, str(status)).observe(took_s)
        _LOG.info(
            "request",
            route=route,
            method=scope["method"],
            status=status,
            duration_ms=round(took_s * 1000, 1),
            client_id=state.get("client_id"),
        )


@contextmanager
def served_metrics(settings: Settings, metrics: Metrics) -> Iterator[None]:
    """While inside, ``/metrics`` answers on a port of its own, if the settings name one."""
    if settings.metrics_port is None:
        yield
        return
    server, thread = start_http_server(
        settings.metrics_port, addr=settings.metrics_host, registry=metrics.registry
    )
    _LOG.info("metrics", at=f"http://{settings.metrics_host}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
