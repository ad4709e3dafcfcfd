"""Who a reviewer is: passwords, the session cookie, and tokens against forged forms."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from starlette.requests import Request
from starlette.responses import Response

from api.problems import Problem

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex(16))
"""What an unknown name's password is compared with, so that it takes as long as a known one's."""
_FORM_BYTES = 16_384
_MOST_ATTEMPTS = 10
_ATTEMPTS_WITHIN = timedelta(minutes=10)
_NAMES_REMEMBERED, _NAME_REMEMBERED = 10_000, 200
"""How many, and so much of each: what somebody types may be long."""


def password_matches(password: str, known_hash: str | None) -> bool:
    """Whether ``password`` is the one that was hashed; takes as long when there is none."""
    try:
        return _HASHER.verify(known_hash or _NOBODY, password) and known_hash is not None
    except VerificationError:
        return False


class Attempts:
    """Counts attempts that failed by name, so that no password can be guessed by trying."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()

    def begin(self, name: str, now: datetime) -> bool:
        """Whether ``name`` may try; counted as failed at once, since others try meanwhile."""
        name = name[:_NAME_REMEMBERED]
        recent = [at for at in self._failures.get(name, ()) if at > now - _ATTEMPTS_WITHIN]
        if len(recent) >= _MOST_ATTEMPTS:
            return False
        self._failures[name] = [*recent, now]
        self._failures.move_to_end(name)
        while len(self._failures) > _NAMES_REMEMBERED:
            self._failures.popitem(last=False)
        return True

    def succeeded(self, name: str) -> None:
        """Start anew."""
        self._failures.pop(name[:_NAME_REMEMBERED], None)


def session_token(request: Request) -> str:
    """The secret in the visitor's cookie, signed in or not; "" when there is none."""
    return request.cookies.get(_cookie_name(request), "")


def new_visitor() -> str:
    """A secret for somebody who is not signed in, to tie the sign-in form to them."""
    return secrets.token_urlsafe(32)


def keep_token(request: Request, response: Response, token: str) -> None:
    """Send the secret as a cookie that no script and no other site can use."""
    response.set_cookie(
        _cookie_name(request),
        token,
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="lax",
    )


def forget_token(request: Request, response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(_cookie_name(request), path="/", secure=_is_https(request))


def form_token(token: str) -> str:
    """What a form must carry to be accepted from the visitor with this secret."""
    return hmac.new(token.encode(), b"docqa form", hashlib.sha256).hexdigest()


def form_is_ours(request: Request, form: dict[str, str]) -> bool:
    """Whether a form was sent from a page that this visitor got from us."""
    token = session_token(request)
    sent = form.get("form_token", "").encode()
    return bool(token) and hmac.compare_digest(sent, form_token(token).encode())


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a small form. Raises Problem when it is too large or holds what is no text."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES:
            raise Problem("http.rejected")
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except ValueError as error:
        raise Problem("http.rejected") from error
    if any("\0" in part for field in fields.items() for part in field):
        raise Problem("http.rejected")
    return fields


def _is_https(request: Request) -> bool:
    return request.url.scheme == "https"


def _cookie_name(request: Request) -> str:
    return "__Host-docqa" if _is_https(request) else "docqa"
