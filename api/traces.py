"""OpenTelemetry spans, for installations that asked for them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version

from structlog.contextvars import get_contextvars

from api.metrics import Traced
from docqa.errors import MissingDependency


def traced(*, is_on: bool) -> Traced:
    """Makes spans, sent as the ``OTEL_*`` variables say; where traces are off, does nothing.

    Raises:
        MissingDependency: they are on and OpenTelemetry is not installed.
    """
    if not is_on:
        return _untraced
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingDependency("OpenTelemetry", "pip install 'docqa[otel]'") from error
    provider = TracerProvider(resource=Resource.create({"service.name": "docqa"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("docqa", version("docqa"))

    def span(stage: str) -> AbstractContextManager[object]:
        # An exception's sentence may hold what a citizen typed: only that it failed is told.
        return tracer.start_as_current_span(
            f"docqa.{stage}",
            attributes=_attributes(),
            record_exception=False,
            set_status_on_exception=False,
        )

    return span


def _attributes() -> dict[str, str]:
    request_id = get_contextvars().get("request_id")
    return {} if request_id is None else {"docqa.request_id": request_id}


def _untraced(stage: str) -> AbstractContextManager[object]:
    return nullcontext()
