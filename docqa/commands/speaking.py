"""What the commands have in common: exit codes, the progress bar, problems in words."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from docqa import wiring
from docqa.batch.checking import UNREADABLE
from docqa.catalogue import LANGUAGES, Catalogue
from docqa.errors import InvalidDocument, InvalidRequest
from docqa.settings import Settings

EXIT_BY_DECISION = {"accept": 0, "review": 10, "reject": 11}
EXIT_USAGE, EXIT_BAD_INPUT, EXIT_MISSING, EXIT_CONFIGURATION = 1, 2, 3, 9
EXIT_INTERRUPTED = 7
"""The workers were lost, another process drives the run, or files could not be read; run the same
command again."""

errors = Console(stderr=True)
"""Where everything goes that is not a result."""


def stores_or_new(settings: Settings) -> wiring.Stores:
    """The stores; where the database is made for it, which one, for whoever meant another."""
    is_new = wiring.has_no_database(settings)
    stores = wiring.open_stores(settings)
    if is_new:
        errors.print(
            f"There was no database, so a new one was made: {settings.database_url}. Was another "
            "meant? Set DOCQA_DATABASE_URL.",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    return stores


def progress_bar() -> Progress:
    """A bar on stderr where that is a terminal, nothing elsewhere."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, disable=not sys.stderr.isatty())


def cluster_address(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Refuses what Dask would look for in vain for a minute: an option's callback."""
    if value is not None and not re.fullmatch(r"[a-z]+://.+:[0-9]+", value):
        raise click.BadParameter("a cluster is named by its scheduler, tcp://HOST:PORT")
    return value


def problem_json(error: InvalidDocument | InvalidRequest, catalogue: Catalogue) -> dict[str, Any]:
    """A problem as the JSON lines carry it: the code and its sentences."""
    said = {language: catalogue.say(error.code, language, error.facts) for language in LANGUAGES}
    return {
        "code": error.code,
        "message": {language: text.message for language, text in said.items()},
        "advice": {language: text.advice for language, text in said.items()},
    }


def unreadable_json(error: OSError) -> dict[str, Any]:
    """The same for a file that cannot be read, which is no fault of the document's."""
    return {
        "code": UNREADABLE,
        "message": {
            "ar": "تعذّرت قراءة الملف.",
            "en": f"The file cannot be read: {error.strerror or type(error).__name__}.",
        },
        "advice": {
            "ar": "اجعل قراءته ممكنة ثم شغّل الأمر نفسه مرة أخرى.",
            "en": "Make it readable and run the same command again.",
        },
    }


def visible(name: str) -> str:
    """The name of a file, with nothing in it that would steer a terminal or have no letter."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in name
    )


def sentence(reason: Mapping[str, Any]) -> str:
    """A reason or a problem of a report, in English, with what to do."""
    page = f"Page {reason['page']}: " if reason.get("page") else ""
    return f"{page}{reason['message']['en']} {reason['advice']['en']}"
