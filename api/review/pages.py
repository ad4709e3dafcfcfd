"""Renders the reviewers' templates."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.review.sign_in import form_token
from api.review.texts import (
    LANGUAGES,
    TEXTS,
    counted,
    keep_preference,
    language_of,
    remember_language,
)

_POLICY = (
    "default-src 'none'; img-src {images}; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_KEYS_COOKIE = "docqa_keys"
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(
    request: Request,
    template: str,
    *,
    token: str,
    reviewer: str | None = None,
    status: int = 200,
    images: str = "'self'",
    address: str | None = None,
    **values: Any,
) -> HTMLResponse:
    """``template`` in the visitor's language.

    Args:
        request: what is answered.
        template: a file of templates/.
        token: the secret in the visitor's cookie, for the forms on the page.
        reviewer: who is signed in.
        status: of the answer.
        images: where pictures may come from, for the Content-Security-Policy.
        address: path where the page can be asked for; of the request where that is it.
        values: what the template shows.
    """
    language = language_of(request)
    html = _TEMPLATES.get_template(template).render(
        t=TEXTS[language],
        language=language,
        direction="rtl" if language == "ar" else "ltr",
        languages=[
            (name, TEXTS[name]["language"], request.url.include_query_params(lang=name).query)
            for name in LANGUAGES
        ],
        address=quote(address or request.url.path),
        form_token=form_token(token),
        reviewer=reviewer,
        has_provider=request.app.state.has_provider,
        has_font=request.app.state.has_font,
        keys_on=keys_are_on(request),
        counted=lambda name, number: counted(name, number, language),
        version=version("docqa"),
        **values,
    )
    response = HTMLResponse(
        html, status, {"Content-Security-Policy": _POLICY.format(images=images)}
    )
    remember_language(request, response)
    return response


def keys_are_on(request: Request) -> bool:
    """Whether the visitor wants keys to do things."""
    return request.cookies.get(_KEYS_COOKIE) != "off"


def keep_keys(request: Request, response: Response, *, on: bool) -> None:
    """Remember whether the visitor wants keys to do things."""
    keep_preference(request, response, _KEYS_COOKIE, "on" if on else "off")
