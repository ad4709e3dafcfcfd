"""Which scope each address needs: all of them on one page.

An address that does not stand here cannot be reached with a key (it answers 404), so a route that
was forgotten is closed, and a test compares this page with the OpenAPI document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

WRITE, READ = "documents:write", "documents:read"
REVIEWS, BATCH, ADMIN = "reviews:read", "batch:write", "admin"
PUBLIC = ""
"""Needs no key."""
SCOPE_OF: Mapping[str, str] = {
    "GET /livez": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /try": PUBLIC,
    "POST /try": PUBLIC,
    "GET /v1/limits": READ,
    "GET /v1/document-types": READ,
    "GET /v1/reason-codes": READ,
    "POST /v1/documents": WRITE,
    "POST /v1/checks": WRITE,
    "GET /v1/policies": READ,
    "GET /v1/services": READ,
    "GET /v1/documents": READ,
    "GET /v1/documents/{document_id}": READ,
    "GET /v1/documents/{document_id}/reports": READ,
    "PATCH /v1/documents/{document_id}/claims": WRITE,
    "DELETE /v1/documents/{document_id}": WRITE,
    "GET /v1/bookings/{ref}": READ,
    "PUT /v1/bookings/{ref}": WRITE,
    "POST /v1/webhook-endpoints": ADMIN,
    "GET /v1/webhook-endpoints": ADMIN,
    "GET /v1/webhook-endpoints/{endpoint_id}": ADMIN,
    "PATCH /v1/webhook-endpoints/{endpoint_id}": ADMIN,
    "POST /v1/webhook-endpoints/{endpoint_id}/rotations": ADMIN,
    "GET /v1/events": ADMIN,
    "POST /v1/events/{event_id}/redeliveries": ADMIN,
    "GET /v1/documents/{document_id}/pages/{page}/image": REVIEWS,
    "POST /v1/revalidations": BATCH,
    "GET /v1/revalidations": BATCH,
    "GET /v1/revalidations/{revalidation_id}": BATCH,
    "POST /v1/revalidations/{revalidation_id}/pause": BATCH,
    "POST /v1/revalidations/{revalidation_id}/resume": BATCH,
    "POST /v1/revalidations/{revalidation_id}/cancel": BATCH,
}
UPLOADS = frozenset({"POST /v1/documents", "POST /v1/checks", "POST /try"})
"""Their bodies have a limit of their own; everything else is small."""
_SCHEME = "apiKey"


@dataclass(frozen=True, slots=True)
class Address:
    """What a request asks for."""

    name: str
    """Method and path template, as in ``SCOPE_OF``."""
    scope: str
    parameters: Mapping[str, str]
    """Of the path."""


def addressed(method: str, path: str) -> Address | frozenset[str]:
    """What ``method`` at ``path`` is; otherwise the methods there are at this path."""
    methods = set()
    for name, scope, pattern in _PATTERNS:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        if name.startswith(f"{method} "):
            return Address(name, scope, found.groupdict())
        methods.add(name.partition(" ")[0])
    return frozenset(methods)


def describe_scopes(app: FastAPI) -> None:
    """Let the OpenAPI document of ``app`` say which scope each address needs."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        return _secured(generate())

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _secured(document: dict[str, Any]) -> dict[str, Any]:
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes[_SCHEME] = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "dqk_<key id>_<secret>",
        "description": "An API key of `docqa keys create`, with the scopes listed.",
    }
    for name, operation in operations(document):
        scope = SCOPE_OF.get(name)
        if scope != PUBLIC:
            operation["security"] = [{_SCHEME: [scope] if scope else []}]
            for status, said in (("401", "key"), ("403", "scope"), ("429", "rate")):
                operation["responses"].setdefault(status, _REFUSALS[said])
    return document


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation of an OpenAPI document with its name, as in ``SCOPE_OF``."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def _refusal(description: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"schema": {"type": "object"}}
    return {"description": description, "content": {"application/problem+json": schema}}


_REFUSALS = {
    "key": _refusal("No valid API key was sent"),
    "scope": _refusal("The key lacks the scope of this address"),
    "rate": _refusal("Too many requests of this client: see Retry-After"),
}


def _pattern(name: str) -> re.Pattern[str]:
    path = name.partition(" ")[2]
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


_PATTERNS = [(name, scope, _pattern(name)) for name, scope in SCOPE_OF.items()]
