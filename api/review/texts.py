"""The sentences of the reviewers' pages, and which language a reviewer reads."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from starlette.requests import Request
from starlette.responses import Response

LANGUAGES = ("ar", "en")
LANGUAGE_COOKIE = "docqa_lang"
LOCALES: Mapping[str, Locale] = {"ar": Locale("ar", "SY"), "en": Locale("en", "GB")}
"""Whose plural rules and names of months are used; digits are Western in both."""
_YEAR_S = 365 * 24 * 3600
SENTENCES: Mapping[str, Mapping[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "texts.toml").read_text(encoding="utf-8")
)
"""name -> language -> sentence, or plural form -> sentence"""
TEXTS: Mapping[str, Mapping[str, str]] = {
    language: {
        name: sentence[language]
        for name, sentence in SENTENCES.items()
        if isinstance(sentence[language], str)
    }
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
        keep_preference(request, response, LANGUAGE_COOKIE, str(asked))


def keep_preference(request: Request, response: Response, name: str, value: str) -> None:
    """Remember how somebody likes the pages, for a year."""
    response.set_cookie(
        name,
        value,
        max_age=_YEAR_S,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def counted(name: str, number: int, language: str, **facts: int) -> str:
    """The plural sentence ``name`` for ``number`` things, in the form the language wants.

    ``facts`` are what else it tells.
    """
    form = LOCALES[language].plural_form(number)
    return str(SENTENCES[name][language][form]).format(n=f"{number:,}", **facts)


def days_left(days: int | None, language: str) -> str:
    """Whole days until a deadline, as people say it; None is no deadline."""
    texts = TEXTS[language]
    if days is None:
        return texts["days_none"]
    if days < 0:
        return texts["days_late"]
    return texts["days_zero"] if days == 0 else counted("days_left", days, language)


def hours_left(hours: int, language: str) -> str:
    """Whole hours until a deadline that is near."""
    return TEXTS[language]["days_late"] if hours < 0 else counted("hours_left", hours, language)


def day(moment: datetime | None, language: str, zone: str) -> str:
    """A date, its month by name."""
    if moment is None:
        return ""
    local = _local(moment, zone)
    return format_date(local.date(), "d MMMM y", locale=LOCALES[language])


def hour(moment: datetime, language: str, zone: str) -> str:
    """A date with the hour and minute."""
    return format_datetime(
        _local(moment, zone),
        "d MMMM y، HH:mm" if language == "ar" else "d MMMM y, HH:mm",
        locale=LOCALES[language],
    )


def _local(moment: datetime, zone: str) -> datetime:
    """The same moment there; as it is where the calendar ends before it."""
    try:
        return moment.astimezone(_zone(zone))
    except OverflowError:
        return moment


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
