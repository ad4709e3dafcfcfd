"""Who a request comes from."""

from __future__ import annotations

from starlette.requests import Request


def client_id_of(request: Request) -> str:
    """The client that sent ``request``; ``local`` where clients have no keys."""
    return getattr(request.state, "client_id", None) or "local"
