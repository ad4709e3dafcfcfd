"""The sentences of the reviewers' pages, and which language a reviewer reads."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

LANGUAGES = ("ar", "en")
LANGUAGE_COOKIE = "docqa_lang"
_YEAR_S = 365 * 24 * 3600
_SENTENCES: Mapping[str, Mapping[str, str]] = tomllib.loads(
    (Path(__file__).parent / "texts.toml").read_text(encoding="utf-8")
)
TEXTS: Mapping[str, Mapping[str, str]] = {
    language: {name: sentence[language] for name, sentence in _SENTENCES.items()}
    for language in LANGUAGES
}
"""language -> name -> sentence"""


def language_of(request: Request) -> str:
    """What ``?lang=`` asks for, else what was asked for before, else the browser's; or Arabic."""
    for asked in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if asked in LANGUAGES:
            return str(asked)
    for accepted in request.headers.get("accept-language", "").split(","):
        primary = accepted.split(";")[0].strip().split("-")[0].lower()
        if primary in LANGUAGES:
            return primary
    return LANGUAGES[0]


def remember_language(request: Request, response: Response) -> None:
    """Keep what ``?lang=`` asks for in a cookie."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            str(asked),
            max_age=_YEAR_S,
            path="/review",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )


def days_left(days: int | None, language: str) -> str:
    """Whole days until a deadline, as people say it; None is no deadline."""
    texts = TEXTS[language]
    if days is None:
        return texts["days_none"]
    if days < 0:
        return texts["days_late"]
    form = ("zero", "one", "two")[days] if days <= 2 else "few" if days <= 10 else "many"
    return texts[f"days_{form}"].format(days=days)
