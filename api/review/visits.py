"""Requests of people who are signed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from api.review.pages import render
from api.review.sign_in import session_token
from api.review.texts import language_of
from api.services import Services

SUPERVISING = frozenset({"senior", "auditor", "admin"})
"""Roles that see what all reviewers decided."""
DECIDING = frozenset({"reviewer", "senior", "admin"})
"""Roles that take, decide and reveal."""


class SignInNeeded(Exception):
    """Whoever asks is not signed in (any more)."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who is signed in."""

    request: Request
    reviewer: str
    token: str
    language: str
    supervises: bool
    """Whether they may see what others decided; who also ``decides`` may take documents over."""
    decides: bool
    """Whether they may do more than look."""

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """``template`` for this reviewer."""
        return render(
            self.request,
            template,
            token=self.token,
            reviewer=self.reviewer,
            status=status,
            supervises=self.supervises,
            decides=self.decides,
            **values,
        )

    def asked_id(self, name: str) -> str:
        """The document that the query names so; "" where that can be none's id."""
        text = self.request.query_params.get(name, "")
        return text if text.isprintable() else ""

    def refuse(self) -> Response:
        """The page that says that this account only looks."""
        return self.render("refused.html", 403, heading="refused", lead="looks_only")


def visits(services: Services, *, renews: bool = True) -> Callable[[Request], Visit]:
    """The dependency that finds out who asks. It raises SignInNeeded.

    Args:
        services: that know the sessions.
        renews: whether somebody is there who asks; a script's own requests keep nobody signed in.
    """

    def visit(request: Request) -> Visit:
        found = visit_of(services, request, renews=renews)
        if found is None:
            raise SignInNeeded
        return found

    return visit


def visit_of(services: Services, request: Request, *, renews: bool) -> Visit | None:
    """Who asks; None when they are not signed in (any more)."""
    token = session_token(request)
    reviewer = services.sessions.reviewer(token, now=services.clock(), renews=renews)
    if reviewer is None:
        return None
    role = services.clients.role(reviewer)
    return Visit(
        request,
        reviewer,
        token,
        language_of(request),
        supervises=role in SUPERVISING,
        decides=role in DECIDING,
    )
