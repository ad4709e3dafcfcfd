"""What a reviewer can say with a decision, and what the citizen then reads. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.review.texts import LANGUAGES
from api.review.views import reason_label, settled_advice
from api.services import Services, Texts

LONGEST_WORDS_CHARACTERS = 1000
SHORTEST_WORDS_CHARACTERS = 3
CODE_PREFIX = "code."
"""Of a form's check boxes: one name each, so that a form stays a plain mapping."""
_CITIZENS = ("capture.", "quality.", "geometry.", "page.", "field.")
"""Areas whose sentences mean something to a citizen."""
_NO_VALUE = "–"
"""How the catalogue writes a fact that is missing."""
_TWO_32 = 2**32


@dataclass(frozen=True, slots=True)
class Choice:
    """A reason that can be ticked, with what the citizen will read."""

    code: str
    label: str
    sentences: tuple[tuple[str, str], ...]
    """Language and message with advice, in each language."""
    was_found: bool
    is_ticked: bool


def choices(
    services: Services, report: Mapping[str, Any], language: str, ticked: Sequence[str] | None
) -> list[Choice]:
    """Every reason to reject for, those that were found first.

    Args:
        services: for the sentences of reasons that were not found.
        report: of the document.
        language: of the labels.
        ticked: what the reviewer ticked before; None ticks what was found and is not just unread.
    """
    sentences = _sentences(services, report)
    found = [reason["code"] for reason in report["verdict"]["reasons"]]
    first = [code for code in dict.fromkeys(found) if code in sentences]
    return [
        Choice(
            code=code,
            label=reason_label(code, language),
            sentences=tuple((name, sentences[code][name]) for name in LANGUAGES),
            was_found=code in found,
            is_ticked=code in (first if ticked is None else ticked),
        )
        for code in [*first, *sorted(set(sentences) - set(first))]
    ]


def ticked_codes(form: Mapping[str, str]) -> list[str]:
    """The reasons that were ticked in a form."""
    return [
        name.removeprefix(CODE_PREFIX)
        for name in form
        if name.startswith(CODE_PREFIX) and len(name) < 100
    ]


def offered(services: Services, report: Mapping[str, Any], codes: Sequence[str]) -> tuple[str, ...]:
    """Of ``codes``, those that the form has: a page may be older than the service that it asks."""
    sentences = _sentences(services, report)
    return tuple(code for code in codes if code in sentences)


def citizen_message(
    services: Services, report: Mapping[str, Any], codes: Sequence[str], words: str
) -> str:
    """What the citizen reads: the sentences of the reasons in every language, and the words."""
    sentences = _sentences(services, report)
    lines = [
        sentences[code][language] for language in LANGUAGES for code in codes if code in sentences
    ]
    return "\n".join([*([words] if words else []), *lines])


def is_sampled(document_id: str, fraction: float) -> bool:
    """Whether a document belongs to the sample that is decided twice; always the same answer."""
    digest = hashlib.sha256(b"second look " + document_id.encode()).digest()
    return int.from_bytes(digest[:4]) < fraction * _TWO_32


def _sentences(services: Services, report: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """By code and language: message and advice, with the values of those that were found."""
    sentences: dict[str, dict[str, str]] = {}
    for code, said in services.reason_codes.items():
        if code.startswith(_CITIZENS):
            sentences[code] = {
                language: _unmeasured(code, said, language) for language in LANGUAGES
            }
    found: dict[str, list[Mapping[str, Any]]] = {}
    for reason in report["verdict"]["reasons"]:
        if reason["code"].startswith(_CITIZENS):
            found.setdefault(reason["code"], []).append(reason)
    for code, reasons in found.items():
        sentences[code] = {
            language: _measured(services, reasons, language) for language in LANGUAGES
        }
    return sentences


def _measured(services: Services, reasons: Sequence[Mapping[str, Any]], language: str) -> str:
    """The sentences of all that was found of one code, each once, and then what to do about it."""
    messages = [reason["message"][language] for reason in reasons]
    advice = [settled_advice(services, reason, language) for reason in reasons]
    return " ".join(dict.fromkeys([*messages, *advice]))


def _unmeasured(code: str, said: Texts, language: str) -> str:
    """A sentence for a reason that was not measured: without a value there is none to tell."""
    message = said["message"][language]
    if _NO_VALUE in message:
        message = f"{reason_label(code, language)}."
    return f"{message} {said.get('advice', {}).get(language, '')}".strip()
