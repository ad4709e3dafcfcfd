"""Who may ask for what: the one layer that every request passes before anything of it is read.

It finds the address, the key, the key's scope, the client's rate, and whether the document that is
asked for is the client's own. Reviewers' pages are behind sessions instead; here only their roles
are looked at. Addresses and their scopes stand in :mod:`api.scopes`.
"""

from __future__ import annotations

from collections.abc import Mapping

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from api.headers import raw_headers
from api.principal import LOCAL_CLIENT
from api.problems import Problem, problem_response, status_of
from api.rates import Allowance, Rates
from api.review.visits import visit_of
from api.scopes import ADMIN, PUBLIC, UPLOADS, Address, addressed
from api.services import Services

_REVIEW = "/review"
_OF_ALL_ROLES = ("/review/login", "/review/logout", "/review/oidc", "/review/preferences")
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_SMALL_BODY_BYTES = 1_000_000


class _Refused(Exception):
    """A request that ends here."""

    def __init__(
        self,
        problem: Problem,
        headers: Mapping[str, str] | None = None,
        page: Response | None = None,
    ) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.headers = headers or {}
        self.page = page
        """What people are answered with instead."""


class Access:
    """ASGI middleware that lets a request in, or answers with 401, 403, 404, 405, 413, 415 or 429.

    Args:
        app: what serves those who are let in. It finds ``client_id`` in the request's state.
        services: keys, owners, sessions and the clock.
        rates: counts the requests of clients.
    """

    def __init__(self, app: ASGIApp, *, services: Services, rates: Rates) -> None:
        self._app = app
        self._services = services
        self._rates = rates
        self._is_https = str(services.settings.public_url).lower().startswith("https:")
        """For browsers, whatever a proxy between them and the service tells of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._is_https:
            scope = {**scope, "scheme": "https"}
        if scope["method"] == "HEAD":
            # In a scope of its own: the server leaves the body out by the one that it has.
            scope = {**scope, "method": "GET"}
        try:
            allowance = await self._let_in(scope)
        except _Refused as refused:
            state = scope["state"]
            response = refused.page or problem_response(refused.problem, state["request_id"])
            response.headers.update(refused.headers)
            await response(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if allowance is not None and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *raw_headers(allowance.headers)]
            await send(message)

        if scope["state"]["route"] not in UPLOADS:
            receive = _capped(receive)
        await self._app(scope, receive, counted)

    async def _let_in(self, scope: Scope) -> Allowance | None:
        state, path, method = scope["state"], scope["path"], scope["method"]
        state.setdefault("client_id", LOCAL_CLIENT)
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        found = addressed(method, path)
        name = found.name if isinstance(found, Address) else "other"
        state["route"] = name
        if name not in UPLOADS and length.isdecimal() and int(length) > _SMALL_BODY_BYTES:
            raise _Refused(Problem("http.body_too_large"))
        if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise _Refused(Problem("http.content_encoding"))
        if "\0" in path:  # no id has one, and PostgreSQL cannot even be asked for it
            raise _Refused(Problem("http.not_found"))
        if path == _REVIEW or path.startswith(_REVIEW + "/"):
            state["route"] = f"{method} {_REVIEW}"
            await self._check_role(scope)
            return None
        if self._services.settings.dev:
            return None
        if not isinstance(found, Address):
            if found:
                allowed = {"Allow": ", ".join(sorted(found))}
                raise _Refused(Problem("http.method_not_allowed"), allowed)
            raise _Refused(Problem("http.not_found"))
        if found.scope == PUBLIC:
            return None
        return await self._check_key(scope, found)

    async def _check_key(self, scope: Scope, address: Address) -> Allowance:
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        token = token.strip() if kind.lower() == "bearer" else ""

        def look() -> Allowance:
            key = self._services.clients.authenticate(token, now=self._services.clock())
            if key is None:
                bearer = {"WWW-Authenticate": "Bearer"}
                raise _Refused(Problem("http.unauthorized"), bearer)
            scope["state"]["client_id"] = key.client_id
            allowance = self._rates.take(key.client_id)
            if not allowance.is_granted:
                problem = Problem("http.rate_limited", retry_after_s=allowance.reset_s)
                raise _Refused(problem, allowance.headers)
            if not key.scopes & {address.scope, ADMIN}:
                raise _Refused(Problem("http.forbidden"), allowance.headers)
            document_id = address.parameters.get("document_id")
            if document_id is not None and not self._services.clients.owns(
                key.client_id, document_id
            ):
                raise _Refused(Problem("http.document_not_found"), allowance.headers)
            return allowance

        allowance = await anyio.to_thread.run_sync(look)
        bind_contextvars(client_id=scope["state"]["client_id"])
        return allowance

    async def _check_role(self, scope: Scope) -> None:
        if scope["method"] in _SAFE_METHODS or scope["path"].startswith(_OF_ALL_ROLES):
            return
        request = Request(scope)

        def look() -> None:
            visit = visit_of(self._services, request, renews=False)
            if visit is None or visit.decides:
                return
            is_for_people = "text/html" in request.headers.get("accept", "")
            page = visit.refuse() if is_for_people else None
            raise _Refused(Problem("http.role_may_not"), page=page)

        await anyio.to_thread.run_sync(look)


def _capped(receive: Receive) -> Receive:
    arrived = 0

    async def capped() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > _SMALL_BODY_BYTES:
            raise HTTPException(status_of("http.body_too_large"))  # FastAPI lets no other through
        return message

    return capped
