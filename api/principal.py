"""Whose request it is."""

from __future__ import annotations

from starlette.requests import Request

LOCAL_CLIENT = "local"
"""Everybody, where clients have no keys."""


def client_id_of(request: Request) -> str:
    """The client that whoever checked its key put into ``request.state.client_id``."""
    return str(getattr(request.state, "client_id", LOCAL_CLIENT))
