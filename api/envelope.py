"""What every answer carries: a request id, security headers, and never a stack trace."""

from __future__ import annotations

import logging
import re
import secrets

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from api.headers import raw_headers
from api.problems import Problem, problem_response
from docqa.wiring import REDACTOR, is_storage_fault, places

_LOG = logging.getLogger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RETRY_AFTER_S = 10
_ID_BYTES = 16
_HEADERS = raw_headers(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        "Cache-Control": "no-store",
    }
)


class Envelope:
    """The outermost layer around the application.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a header that the application set itself is kept."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        begun = False

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = list(message.get("headers", ()))
                names = {name for name, _ in own}
                others = [header for header in _HEADERS if header[0] not in names]
                message["headers"] = [*own, (b"x-request-id", request_id.encode()), *others]
            await send(message)

        try:
            await self._app(scope, receive, dressed)
        except ClientDisconnect:
            _LOG.info("request %s: the client went away", request_id)
        except Exception as error:
            _LOG.error(
                "request %s failed: %s at %s", request_id, type(error).__name__, places(error)
            )
            if begun:
                raise
            failure = problem_response(_problem(error), request_id)
            await failure(scope, receive, dressed)


def _problem(error: Exception) -> Problem:
    if is_storage_fault(error):
        return Problem("service.storage", retry_after_s=_RETRY_AFTER_S)
    return Problem("service.failure")


def _request_id(scope: Scope) -> str:
    """The client's id, unless it could hold a citizen's number: ids go into logs and events."""
    sent = Request(scope).headers.get("x-request-id", "")
    trusted = _REQUEST_ID.fullmatch(sent) and REDACTOR.is_clean(sent)
    return sent if trusted else secrets.token_hex(_ID_BYTES)
