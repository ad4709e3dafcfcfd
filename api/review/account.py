"""Signing in and out."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse, RedirectResponse

from api.gate import Gate, Shares
from api.principal import address_of
from api.problems import Problem
from api.review.coming_back import SIGN_IN, asked_for
from api.review.sign_in import (
    Attempts,
    forget_token,
    form_is_ours,
    keep_token,
    password_matches,
    read_form,
    session_token,
)
from api.review.sign_in_page import busy_page, sign_in_page
from api.services import Services

HOME = "/review"
_STATIC = Path(__file__).parent / "static"
_FONTS = (("arabic-regular.ttf", "Regular"), ("arabic-bold.ttf", "Bold"))
_PASSWORDS_AT_ONCE = 1
"""Each comparison takes 64 MB and four threads on purpose."""
_MOST_SIGNING_IN = 64
_SIGNING_IN_FROM_ONE_ADDRESS = 8
"""Whoever keeps all of these taken holds others up for a second or two, and keeps nobody out."""


def account_routes(services: Services) -> APIRouter:
    """``/review/login`` and ``/review/logout``."""
    router = APIRouter(prefix=HOME, include_in_schema=False)
    attempts = Attempts()
    retry_after_s = services.settings.retry_after_s
    passwords = Gate(
        running=_PASSWORDS_AT_ONCE, waiting=_MOST_SIGNING_IN, retry_after_s=retry_after_s
    )
    places = Shares(
        most=_MOST_SIGNING_IN, each=_SIGNING_IN_FROM_ONE_ADDRESS, retry_after_s=retry_after_s
    )

    @router.get("/login")
    def show_sign_in(request: Request) -> Response:
        if services.sessions.reviewer(session_token(request), now=services.clock()):
            return RedirectResponse(asked_for(request), 303)
        return sign_in_page(request, asked_for(request))

    @router.post("/login")
    async def sign_in(request: Request) -> Response:
        form = await read_form(request)
        if not form_is_ours(request, form):
            return sign_in_page(request, asked_for(request), 403, "form_expired")
        name, now = form.get("name", "").strip(), services.clock()
        try:
            with places.held(address_of(request)):
                if not attempts.begin(name, now):
                    return sign_in_page(request, asked_for(request), 429, "sign_in_wait", name)
                token = await passwords.run(lambda: _start_session(services, request, form, now))
        except Problem as busy:
            return busy_page(request, asked_for(request), busy, name)
        if token is None:
            return sign_in_page(request, asked_for(request), 401, "sign_in_failed", name)
        attempts.succeeded(name)
        response = RedirectResponse(asked_for(request), 303)
        keep_token(request, response, token)
        return response

    @router.post("/logout")
    async def sign_out(request: Request) -> Response:
        form = await read_form(request)
        if not form_is_ours(request, form):
            return sign_in_page(request, asked_for(request), 403, "form_expired")
        await anyio.to_thread.run_sync(services.sessions.end, session_token(request))
        response = RedirectResponse(SIGN_IN, 303)
        forget_token(request, response)
        return response

    return router


def style_routes(arabic_font: Path) -> APIRouter:
    """What every page looks like, and what its scripts do.

    Args:
        arabic_font: the regular weight; the bold one stands beside it. Missing ones are left out.
    """
    router = APIRouter(prefix=HOME, include_in_schema=False)
    for path in sorted(_STATIC.iterdir()):
        router.add_api_route(f"/static/{path.name}", partial(_static, path), methods=["GET"])
    for name, path in _fonts(arabic_font).items():
        router.add_api_route(f"/static/{name}", partial(_static, path), methods=["GET"])
    return router


def has_font(arabic_font: Path) -> bool:
    """Whether the pages can bring their own Arabic font."""
    return len(_fonts(arabic_font)) == len(_FONTS)


def _fonts(regular: Path) -> dict[str, Path]:
    found = {
        name: regular.with_name(regular.name.replace("Regular", weight)) for name, weight in _FONTS
    }
    return {name: path for name, path in found.items() if path.is_file()}


def _static(path: Path) -> Response:
    return FileResponse(path, headers={"Cache-Control": "public, max-age=3600"})


def _start_session(
    services: Services, request: Request, form: dict[str, str], now: datetime
) -> str | None:
    """A new token, never the one from before signing in; None when the password is wrong."""
    name = form.get("name", "").strip()
    known_hash = services.rulings.password_hash(name)
    if not password_matches(form.get("password", ""), known_hash):
        return None
    services.sessions.end(session_token(request))
    return services.sessions.start(name, now=now)
