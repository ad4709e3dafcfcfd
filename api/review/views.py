"""Turns stored documents into what the reviewers' templates show. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from api.review.texts import LANGUAGES, TEXTS, days_left
from api.services import DocumentTitle, Services
from docqa.fields import Edit, Kind, agrees, difference
from docqa.ports import StoredDocument

PAGE_LENGTH = 50
_REASONS_SHOWN = 2
_URGENT_DAYS = 2
_MASK_KEEPS_CHARACTERS = 2
_BADGE_FRACTION = 0.016
"""Radius of a numbered badge, as a fraction of the page's longer side."""
_SHARES = ("fraction", "probability")
"""Units that people read as percent."""
_SYMBOLS = {"deg": "°", "px": " px", "ppi": " ppi", "mm": " mm"}
_KINDS: Mapping[str, Kind] = {
    "birth_date": "date",
    "national_number": "number",
    "passport_number": "number",
}
"""How a typed value and a reading are laid side by side; names as they stand."""
_NO_DEADLINE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One waiting document."""

    id: str
    title: str
    file_name: str
    booking_ref: str | None
    score: int | None
    deadline: str
    left: str
    is_urgent: bool
    reasons: tuple[str, ...]
    more_reasons: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason of the report."""

    number: int
    code: str
    decision: str
    page: int | None
    value: str | None
    limit: str | None
    message: str
    advice: str
    other_message: str
    other_advice: str
    has_mark: bool
    """Whether it is drawn on the page that is shown."""
    evidence: tuple[str, ...] = ()
    """What the measure found that speaks for and against it, in sentences."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A polygon on the page; ``points`` as SVG wants them, in page pixels."""

    points: str
    kind: str
    """``outline``, ``field``, or the decision of the finding it belongs to."""
    label: str
    number: int | None = None
    badge_x: float = 0.0
    badge_y: float = 0.0


@dataclass(frozen=True, slots=True)
class PageView:
    """The page that is shown, with everything drawn on it."""

    index: int
    width_px: int
    height_px: int
    badge_px: float
    outlines: tuple[Mark, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters that are shown alike."""

    text: str
    is_marked: bool
    """Whether the other text has something else there."""


@dataclass(frozen=True, slots=True)
class ReadRow:
    """What one part of the document says for a claim."""

    text: tuple[Piece, ...]
    """Empty where nothing was read or it was not kept."""
    match: str
    match_label: str
    source_label: str


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One thing the citizen typed, and everything the document says for it, the weightiest first.

    What differs from the first is marked.
    """

    label: str
    typed: tuple[Piece, ...]
    readings: tuple[ReadRow, ...]


def queue_page(
    waiting: Iterable[StoredDocument], after: str | None
) -> tuple[list[StoredDocument], str | None]:
    """At most PAGE_LENGTH documents that come after the cursor ``after``, and the next cursor.

    A cursor is a position in the order, not a count: nothing is skipped or shown twice when others
    rule in the meantime. One that cannot be read is the start.
    """
    start = _parse_cursor(after)
    ahead = (document for document in waiting if start is None or _position(document) > start)
    found = list(islice(ahead, PAGE_LENGTH + 1))
    if len(found) <= PAGE_LENGTH:
        return found, None
    return found[:PAGE_LENGTH], _cursor(found[PAGE_LENGTH - 1])


def queue_row(
    document: StoredDocument, services: Services, language: str, now: datetime
) -> QueueRow:
    """What the queue shows of a document."""
    reasons = [reason["message"][language] for reason in document.report["verdict"]["reasons"]]
    days = whole_days(document.deadline_at, now)
    return QueueRow(
        id=document.id,
        title=type_title(services.document_types, document.document_type, language),
        file_name=document.file_name,
        booking_ref=document.booking_ref,
        score=document.report["verdict"]["score"],
        deadline=day(document.deadline_at),
        left=days_left(days, language),
        is_urgent=is_urgent(days),
        reasons=tuple(reasons[:_REASONS_SHOWN]),
        more_reasons=max(0, len(reasons) - _REASONS_SHOWN),
    )


def findings(report: Mapping[str, Any], language: str, shown_page: int) -> list[Finding]:
    """Every reason of a report, numbered as on the page."""
    other = next(name for name in LANGUAGES if name != language)
    return [
        Finding(
            number=number,
            code=reason["code"],
            decision=reason["decision"],
            page=reason["page"],
            value=_quantity(reason["value"], reason["unit"]),
            limit=None if reason["value"] is None else _quantity(reason["limit"], reason["unit"]),
            message=reason["message"][language],
            advice=reason["advice"][language],
            other_message=reason["message"][other],
            other_advice=reason["advice"][other],
            has_mark=bool(reason["regions"]) and reason["page"] == shown_page,
            evidence=tuple(_evidence(report, reason, language)),
        )
        for number, reason in enumerate(report["verdict"]["reasons"], 1)
    ]


def _evidence(report: Mapping[str, Any], reason: Mapping[str, Any], language: str) -> Iterator[str]:
    for page in report["pages"]:
        if page["index"] == reason["page"]:
            told = page["measures"].get(reason["measure"], {}).get("evidence", ())
            yield from (sentence[language] for sentence in told)


def page_view(services: Services, report: Mapping[str, Any], index: int, language: str) -> PageView:
    """Page ``index`` of a report that has it."""
    page = next(page for page in report["pages"] if page["index"] == index)
    badge_px = max(page["width_px"], page["height_px"]) * _BADGE_FRACTION
    outline_label = TEXTS[language]["outline"]
    outlines = [
        Mark(_points(region["polygon"]), "outline", outline_label)
        for measure in page["measures"].values()
        for region in measure.get("regions", ())
        if region["kind"] == "page"
    ]
    outlines += [
        Mark(_points(field["polygon"]), "field", field_label(services, field["name"], language))
        for field in report["fields"]
        if field["polygon"] and field.get("page", 1) == index
    ]
    return PageView(
        index=index,
        width_px=page["width_px"],
        height_px=page["height_px"],
        badge_px=badge_px,
        outlines=tuple(outlines),
        marks=tuple(_reason_marks(report, index, language, badge_px)),
    )


def claim_rows(document: StoredDocument, services: Services, language: str) -> list[ClaimRow]:
    """Everything the citizen typed beside what was read; the national number is masked."""
    fields = {field["name"]: field for field in document.report["fields"]}
    rows = []
    for name, typed in document.claims.items():
        field = fields.get(name, {"match": "none", "source": None})
        laid = [
            _laid_side_by_side(document, name, typed, reading)
            for reading in (field, *field.get("others", ()))
        ]
        rows.append(
            ClaimRow(
                label=field_label(services, name, language),
                typed=laid[0][0],
                readings=tuple(_read_row(reading, read, language) for _, read, reading in laid),
            )
        )
    return rows


def _laid_side_by_side(
    document: StoredDocument, name: str, typed: str, reading: Mapping[str, Any]
) -> tuple[tuple[Piece, ...], tuple[Piece, ...], Mapping[str, Any]]:
    read = document.readings.get(name, {}).get(reading["source"] or "", "")
    if read and not (agrees(reading["match"]) and name == "birth_date"):
        edits = difference(_KINDS.get(name, "name"), typed, read)
    else:
        edits = (Edit("equal", typed, read),)
    shown = [Piece(edit.claimed, edit.kind != "equal") for edit in edits if edit.claimed]
    said = [Piece(edit.read, edit.kind != "equal") for edit in edits if edit.read]
    if name == "national_number":
        shown, said = _masked_pieces(shown), _masked_pieces(said)
    return tuple(shown), tuple(said), reading


def _read_row(reading: Mapping[str, Any], read: tuple[Piece, ...], language: str) -> ReadRow:
    texts = TEXTS[language]
    return ReadRow(
        text=read,
        match=reading["match"],
        match_label=texts.get(f"match_{reading['match']}", reading["match"]),
        source_label=texts.get(f"source_{reading['source']}", ""),
    )


def _masked_pieces(pieces: Sequence[Piece]) -> list[Piece]:
    """A number masked but for its ends and for what is marked."""
    whole = masked("".join(piece.text for piece in pieces))
    ends = [len("".join(piece.text for piece in pieces[: at + 1])) for at in range(len(pieces))]
    return [
        piece if piece.is_marked else Piece(whole[end - len(piece.text) : end], False)
        for piece, end in zip(pieces, ends, strict=True)
    ]


def masked(number: str) -> str:
    """The first two and last two characters of a number, the rest as stars."""
    hidden = len(number) - 2 * _MASK_KEEPS_CHARACTERS
    if hidden <= 0:
        return "*" * len(number)
    return number[:_MASK_KEEPS_CHARACTERS] + "*" * hidden + number[-_MASK_KEEPS_CHARACTERS:]


def type_title(types: Mapping[str, DocumentTitle], document_type: str, language: str) -> str:
    """What people call a document type; its id when it is no longer known."""
    known = types.get(document_type)
    if known is None:
        return document_type
    return known.title_ar if language == "ar" else known.title_en


def field_label(services: Services, name: str, language: str) -> str:
    """What people call a claim."""
    return services.field_names.get(language, {}).get(name, name)


def day(moment: datetime | None) -> str:
    """A date that reads the same in both languages."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d")


def whole_days(deadline: datetime | None, now: datetime) -> int | None:
    """Whole days until ``deadline``, negative once it is over; None without one."""
    return None if deadline is None else (deadline - now).days


def is_urgent(days: int | None) -> bool:
    """Whether a deadline is so near that it should catch the eye."""
    return days is not None and days <= _URGENT_DAYS


def _quantity(value: float | None, unit: str) -> str | None:
    if value is None:
        return None
    if unit in _SHARES:
        return f"{100 * value:.3g}%"
    return f"{value:.3g}{_SYMBOLS.get(unit, '')}"


def _points(polygon: Sequence[Sequence[float]]) -> str:
    return " ".join(f"{float(x):g},{float(y):g}" for x, y in polygon)


def _reason_marks(
    report: Mapping[str, Any], index: int, language: str, badge_px: float
) -> Iterator[Mark]:
    """The regions of the reasons on one page, their badges moved apart where they would cover."""
    taken: list[tuple[float, float]] = []
    for number, reason in enumerate(report["verdict"]["reasons"], 1):
        if reason["page"] != index:
            continue
        for region in reason["regions"]:
            x, y = min(region["polygon"], key=lambda point: float(point[0] + point[1]))
            x, y = max(float(x), badge_px), max(float(y), badge_px)
            while any(abs(x - a) < 2 * badge_px and abs(y - b) < 2 * badge_px for a, b in taken):
                x += 2.2 * badge_px
            taken.append((x, y))
            yield Mark(
                points=_points(region["polygon"]),
                kind=reason["decision"],
                label=reason["message"][language],
                number=number,
                badge_x=round(x, 1),
                badge_y=round(y, 1),
            )


def _position(document: StoredDocument) -> tuple[datetime, datetime, str]:
    return document.deadline_at or _NO_DEADLINE, document.received_at, document.id


def _cursor(document: StoredDocument) -> str:
    deadline, received, document_id = _position(document)
    text = json.dumps([deadline.isoformat(), received.isoformat(), document_id])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _parse_cursor(cursor: str | None) -> tuple[datetime, datetime, str] | None:
    try:
        deadline, received, document_id = json.loads(base64.urlsafe_b64decode(cursor or ""))
        start = datetime.fromisoformat(deadline), datetime.fromisoformat(received), str(document_id)
    except (ValueError, TypeError):
        return None
    return start if start[0].tzinfo and start[1].tzinfo else None
