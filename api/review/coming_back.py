"""Where somebody wanted to go who has to sign in first."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import Response

_HOME = "/review"
SIGN_IN = "/review/login"
_NO_PLACES = (SIGN_IN, "/review/logout", "/review/oidc")
_NAME = "next"
_COOKIE = "docqa_next"
_COOKIE_PATH = "/review/oidc"
_COOKIE_S = 600
"""As long as somebody may take to sign in elsewhere."""


def sign_in_address(request: Request) -> str:
    """The sign-in page that leads back: to the page, or to the document whose form was sent."""
    path = request.url.path
    if request.method not in ("GET", "HEAD"):
        document_id = request.path_params.get("document_id", "")
        path = f"{_HOME}/{document_id}" if document_id else _HOME
    asked = f"{path}?{request.url.query}" if request.url.query else path
    return SIGN_IN + query_to(_ours(asked))


def asked_for(request: Request) -> str:
    """The page of ours that the sign-in page's ``?next=`` names; the queue when it names none."""
    return _ours(request.query_params.get(_NAME, ""))


def query_to(address: str) -> str:
    """What keeps ``address`` in the address of a sign-in page; "" for the queue."""
    return "" if address == _HOME else "?" + urlencode({_NAME: address})


def keep_asked_for(request: Request, response: Response) -> None:
    """Remember what was asked for while somebody signs in elsewhere."""
    response.set_cookie(
        _COOKIE,
        quote(asked_for(request)),
        max_age=_COOKIE_S,
        path=_COOKIE_PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def kept_asked_for(request: Request) -> str:
    """What was asked for before somebody left to sign in elsewhere."""
    return _ours(unquote(request.cookies.get(_COOKIE, "")))


def _ours(address: str) -> str:
    """``address`` if it is a page under ``/review``, which no other site can be; or the queue."""
    path = address.partition("?")[0]
    is_ours = path == _HOME or path.startswith(_HOME + "/")
    return address if is_ours and not path.startswith(_NO_PLACES) else _HOME
