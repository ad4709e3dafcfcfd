"""What several of the reviewers' pages show alike: reasons, quantities, names. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.review.texts import LANGUAGES, TEXTS, days_left, hours_left
from api.services import DocumentTitle, Services
from docqa.bookings import days_left as whole_days_left
from docqa.report import digits_apart
from docqa.reviewing import ESCALATE_WITHIN
from docqa.wiring import REDACTOR

_JOINERS = "\u200c\u200d"
_SHARES = ("fraction", "probability")
"""Units that people read as percent."""
_SYMBOLS = {"deg": "°", "px": " px", "ppi": " ppi", "mm": " mm"}
_HOUR_S = 3600
FOR_A_SCANNER = frozenset(
    {"steady_letters", "exif_scanner", "pdf_producer_scanner", "exact_paper_size", "density_tag"}
)
"""Evidence that speaks for a scanner; all other speaks against it, or for neither."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason of the report."""

    number: int
    code: str
    label: str
    """In a word or two."""
    decision: str
    page: int | None
    value: str | None
    limit: str | None
    message: str
    advice: str
    has_mark: bool
    """Whether there is a place on the page to zoom to."""
    limit_name: str
    """Name of the text that says on which side of the limit is enough."""
    evidence: tuple[str, ...] = ()
    """What the measure found that speaks for and against it, in sentences."""
    evidence_against: tuple[str, ...] = ()
    """Of that, what does not speak for a scanner."""


@dataclass(frozen=True, slots=True)
class Left:
    """The time until a deadline."""

    text: str
    is_urgent: bool


def findings(report: Mapping[str, Any], language: str) -> list[Finding]:
    """Every reason of a report, the weightiest first, numbered as on the page."""
    return [
        Finding(
            number=number,
            code=reason["code"],
            label=reason_label(reason["code"], language),
            decision=reason["decision"],
            page=reason["page"],
            value=_quantity(reason["value"], reason["unit"], reason["limit"]),
            limit=None
            if reason["value"] is None
            else _quantity(reason["limit"], reason["unit"], reason["value"]),
            message=reason["message"][language],
            advice=reason["advice"][language],
            has_mark=bool(reason["regions"]) and reason["page"] is not None,
            limit_name=_limit_name(reason["value"], reason["limit"]),
            evidence=tuple(told for _, told in _evidence(report, reason, language)),
            evidence_against=tuple(
                told
                for code, told in _evidence(report, reason, language)
                if code not in FOR_A_SCANNER
            ),
        )
        for number, reason in enumerate(report["verdict"]["reasons"], 1)
    ]


def settled_advice(services: Services, reason: Mapping[str, Any], language: str) -> str:
    """What to do about a reason where no person is going to look; as reported if now unknown."""
    known = services.reason_codes.get(reason["code"], {})
    return str(known.get("advice", reason["advice"])[language])


def capture_evidence(report: Mapping[str, Any], language: str) -> list[tuple[str, tuple[str, ...]]]:
    """For each page how it was captured, in plain words, and what speaks for it."""
    told = []
    for page in report["pages"]:
        capture = page["measures"].get("capture", {})
        outputs = capture.get("outputs", {})
        if "source" in outputs:
            says = TEXTS[language]["capture_says"].format(
                source=capture_label(outputs["source"], language),
                share=_quantity(outputs.get("scanner_probability"), "probability"),
            )
            sentences = tuple(sentence[language] for sentence in capture.get("evidence", ()))
            told.append((says, sentences))
    return told


def _evidence(
    report: Mapping[str, Any], reason: Mapping[str, Any], language: str
) -> Iterator[tuple[str, str]]:
    """Codes and sentences."""
    for page in report["pages"]:
        measure = page["measures"].get(reason["measure"], {})
        if page["index"] == reason["page"] and "evidence" in measure:
            codes = measure["outputs"]["evidence"]
            for code, told in zip(codes, measure["evidence"], strict=True):
                yield code, told[language]


def _limit_name(value: float | None, limit: float | None) -> str:
    """A reason stands on the wrong side of its limit."""
    if value is None or limit is None or value == limit:
        return "limit"
    return "limit_most" if value > limit else "limit_least"


def reason_label(code: str, language: str) -> str:
    """A reason in a word or two; the code itself when nobody wrote one."""
    return TEXTS[language].get(f"reason_{code}", code)


def capture_label(source: str, language: str) -> str:
    """A capture class in a word or two."""
    return TEXTS[language].get(f"capture_{source}", source)


def known_reasons() -> list[str]:
    """Every code that has a label, by area."""
    return [
        name.removeprefix("reason_") for name in TEXTS[LANGUAGES[0]] if name.startswith("reason_")
    ]


def type_title(types: Mapping[str, DocumentTitle], document_type: str, language: str) -> str:
    """What people call a document type; its id when it is no longer known."""
    known = types.get(document_type)
    if known is None:
        return document_type
    return known.title_ar if language == "ar" else known.title_en


def field_label(services: Services, name: str, language: str) -> str:
    """What people call a claim."""
    return services.field_names.get(language, {}).get(name, name)


def visible(text: str) -> str:
    """``text`` without characters that cannot be seen or that turn the direction of others."""
    return "".join(
        character
        for character in text
        if character in _JOINERS
        or character in "\n\t "
        or unicodedata.category(character) not in ("Cf", "Cc", "Cs", "Co")
    )


def shown_name(file_name: str, *, revealed: bool = False) -> str:
    """The name of a file; a long number in it, which people name scans by, only if ``revealed``."""
    name = visible(file_name)
    return name if revealed else REDACTOR.mask(name)


def time_left(deadline: datetime | None, now: datetime, language: str) -> Left:
    """Days until a deadline, hours when it is near."""
    if deadline is None:
        return Left(days_left(None, language), False)
    ahead = deadline - now
    if ahead > ESCALATE_WITHIN:
        return Left(days_left(whole_days_left(deadline, now), language), False)
    return Left(hours_left(int(ahead.total_seconds() // _HOUR_S), language), True)


def _quantity(value: float | None, unit: str, beside: float | None = None) -> str | None:
    if value is None:
        return None
    digits = digits_apart(value, beside)
    if unit in _SHARES:
        return f"{100 * value:.{digits}g}%"
    return f"{value:.{digits}g}{_SYMBOLS.get(unit, '')}"
