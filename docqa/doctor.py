"""What an installation lacks, and the command that mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from docqa import wiring
from docqa.errors import DocqaError, MissingDependency
from docqa.settings import Settings

ASKED_ANEW = ("database", "uploads")
"""Subjects that a service asks about itself, whenever it is asked whether it is ready."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing docqa needs."""

    subject: str
    state: str
    remedy: str | None
    """What to do about it; None where all is well."""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything docqa needs; never raises for what is missing."""
    return list(_examine(settings))


def _examine(settings: Settings) -> Iterator[Finding]:
    for subject, look in wiring.dependencies(settings).items():
        yield _look(subject, look)


def _look(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, look(), None)
    except MissingDependency as error:
        return Finding(subject, f"{error.name} is not installed", error.remedy)
    except DocqaError as error:
        return Finding(subject, str(error), "Mend what it names and run docqa doctor again.")
    except Exception as error:  # whatever it is, the report must go on
        return Finding(
            subject, f"failed ({type(error).__name__})", "See docqa's log for the cause."
        )
