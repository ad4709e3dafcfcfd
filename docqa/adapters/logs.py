"""The log: JSON lines with known fields only, and no number that could be a citizen's.

Whatever is logged, by docqa or by a library, goes through here. A field that is not listed is
dropped, an exception is told by its class and its place, never by its sentence, and a run of
digits that is as long as a national number's part is masked in every script.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

FIELDS = frozenset(
    {
        "event",
        "level",
        "logger",
        "timestamp",
        "request_id",
        "client_id",
        "key_id",
        "document_id",
        "event_id",
        "method",
        "route",
        "status",
        "duration_ms",
        "size_bytes",
        "count",
        "code",
        "outcome",
        "stage",
        "reason",
        "error",
        "at",
    }
)
"""All that a log line may have."""
_FEWEST_DIGITS = 7
_BETWEEN = r"[\s\u00a0\u0640\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff.,_/\-]{0,3}"
_LONG_NUMBER = re.compile(rf"\d(?:{_BETWEEN}\d){{{_FEWEST_DIGITS - 1},}}")
_OUR_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9A-Za-z])"
)
_MASK = "***"
"""No word: it stands in sentences of either language as well as in the log."""


class Redactor:
    """Masks what could be a citizen's number, in Latin, Arabic-Indic, Persian and other digits."""

    def mask(self, text: str) -> str:
        """``text`` without long runs of digits, spaced or not; random hexadecimal ids stay."""
        kept, masked, end = [], [], 0
        for found in _OUR_ID.finditer(text):
            kept.append(found[0])
            masked.append(_LONG_NUMBER.sub(_MASK, text[end : found.start()]))
            end = found.end()
        masked.append(_LONG_NUMBER.sub(_MASK, text[end:]))
        return "".join(a + b for a, b in zip(masked, [*kept, ""], strict=True))

    def is_clean(self, text: str) -> bool:
        """Whether there is nothing to mask."""
        return self.mask(text) == text


REDACTOR = Redactor()


def set_up_logs(*, stream: Any = None) -> None:
    """Let everything this process logs go to ``stream`` (stderr) as one JSON object a line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                name_the_exception,
                keep_known_fields,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=lambda _: _MASK),
            ],
        )
    )
    root = logging.getLogger()
    _take_over_every_logger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("httpx", "httpcore", "alembic", "distributed", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    access = logging.getLogger("uvicorn.access")  # its lines are made before their level is asked
    access.propagate, access.disabled = False, True
    sys.excepthook = _log_the_last_exception
    threading.excepthook = _log_a_thread_that_ends


def _take_over_every_logger() -> None:
    """Let nothing pass by the root: a server may have given its loggers handlers of their own."""
    for logger in logging.getLogger().manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.handlers.clear()
            logger.propagate, logger.disabled = True, False


def set_up_child_logs() -> None:
    """The same in a process that decodes documents: what C libraries write is thrown away.

    They write whatever they like to the error output, past every logger.
    """
    stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1, encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    set_up_logs(stream=stream)


def name_the_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put an exception's class and places into the line, in place of what it says."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    event.pop("stack_info", None)
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = places(error)
    return event


def places(error: BaseException) -> str:
    """Where an error came from, innermost first; its own sentence may hold what a citizen typed."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))


def keep_known_fields(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop every field that is not listed; mask long numbers in the others."""
    return {
        name: value
        if name == "timestamp" or isinstance(value, int | float | None)
        else REDACTOR.mask(str(value))
        for name, value in event.items()
        if name in FIELDS
    }


def _log_the_last_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    logging.getLogger("docqa").critical("the process ends", exc_info=(kind, error, trace))


def _log_a_thread_that_ends(ended: threading.ExceptHookArgs) -> None:
    logging.getLogger("docqa").critical("a thread ends", exc_info=ended.exc_value)
