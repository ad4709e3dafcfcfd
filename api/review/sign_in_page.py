"""The page on which a reviewer signs in, by password or by the provider."""

from __future__ import annotations

from fastapi import Request, Response

from api.problems import Problem, status_of
from api.review.coming_back import SIGN_IN, query_to
from api.review.pages import render
from api.review.sign_in import keep_token, new_visitor, session_token


def sign_in_page(
    request: Request,
    back_to: str,
    status: int = 200,
    failure: str | None = None,
    name: str = "",
    token: str | None = None,
) -> Response:
    """The page, with the visitor's secret as a cookie.

    Args:
        request: the visitor's.
        back_to: the address that signing in leads to.
        status: of the answer.
        failure: name of the sentence in ``texts.toml`` that says what went wrong.
        name: what is in the form already.
        token: the visitor's new secret; the one they have if None.
    """
    secret = token or session_token(request) or new_visitor()
    page = render(
        request,
        "login.html",
        token=secret,
        status=status,
        address=SIGN_IN,
        failure=failure,
        back=query_to(back_to),
        name=name,
    )
    keep_token(request, page, secret)
    return page


def busy_page(request: Request, back_to: str, busy: Problem, name: str = "") -> Response:
    """The page for whoever found no place: loaded again, or sent again, it may work."""
    page = sign_in_page(request, back_to, status_of(busy.code), "sign_in_busy", name)
    page.headers["Retry-After"] = str(busy.retry_after_s)
    return page
