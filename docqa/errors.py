"""Everything docqa raises on purpose.

DocqaError
├── InvalidDocument     the bytes cannot be a document (empty, encrypted, too many pages …)
├── InvalidRequest      what was asked about the document cannot be (unknown type, bad claims)
├── InvalidModel        a file in models/ is wrong: the service must not start
├── CannotAssess        one measure could not be taken on one page: the page goes to review
├── EngineFault         an outside program (Tesseract, Poppler) failed: the document goes to review
├── DamagedData         stored bytes were changed or cut, or their key is not here: nothing is shown
├── HeldDocument        a legal hold forbids to erase a document
└── MissingDependency   a program or language pack is not installed

The first two reach a citizen: they carry a ``code`` whose Arabic and English sentences stand in
``models/reasons/``, and ``facts`` that fill the sentences (limits and actual values, never text
of the document). ``str(error)`` is the internal sentence, for the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any


class DocqaError(Exception):
    """Base of every error that docqa raises on purpose."""


class _CodedError(DocqaError):
    """An error whose public sentences are looked up by code."""

    def __init__(self, code: str, /, **facts: int | float | str) -> None:
        self.code = code
        self.facts: Mapping[str, int | float | str] = facts
        listed = ", ".join(f"{name}={value}" for name, value in facts.items())
        super().__init__(f"{code} ({listed})" if listed else code)

    def __reduce__(self) -> tuple[Any, ...]:
        # Raised in a worker child, caught in its parent: the default pickling drops the facts.
        return partial(type(self), self.code, **self.facts), ()


class InvalidDocument(_CodedError):
    """The bytes cannot be a document. ``code`` starts with ``file.``."""


class InvalidRequest(_CodedError):
    """The question about the document is wrong. ``code`` starts with ``request.``."""


class InvalidModel(DocqaError):
    """A policy, document type, catalogue or trained model in ``models/`` is wrong."""


class CannotAssess(DocqaError):
    """A measure could not be taken on this page; ``str(error)`` says why, without personal data."""


class EngineFault(DocqaError):
    """An outside program failed, hung, or answered with something unreadable."""


class DamagedData(DocqaError):
    """Stored bytes were changed or cut, or the key that sealed them is not here."""


class HeldDocument(DocqaError):
    """A legal hold forbids to erase the document."""


class MissingDependency(DocqaError):
    """A program or language pack is missing; ``remedy`` is the command that installs it."""

    def __init__(self, name: str, remedy: str) -> None:
        self.name = name
        self.remedy = remedy
        super().__init__(f"{name} is not installed. Install it with: {remedy}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.remedy)
