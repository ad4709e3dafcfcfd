"""What the citizen typed beside what the document says, character by character. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.review.texts import TEXTS
from api.review.viewer import box_of
from api.review.views import field_label, visible
from api.services import Services
from docqa.fields import Edit, Kind, agrees, difference
from docqa.ports import StoredDocument
from docqa.text import ARABIC_INDIC_DIGITS, WESTERN_DIGITS, western_digits

MASKED = "national_number"
_MASK_KEEPS_CHARACTERS = 2
_CROP_MARGIN_FRACTION = 0.35
"""What a crop shows around its line, as a fraction of the line's height."""
_KINDS: Mapping[str, Kind] = {
    "birth_date": "date",
    "national_number": "number",
    "passport_number": "number",
}
"""How a typed value and a reading are laid side by side; names as they stand."""
_TO_ARABIC = str.maketrans(WESTERN_DIGITS, ARABIC_INDIC_DIGITS)


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters that are shown alike."""

    text: str
    kind: str = "equal"
    """``equal``, ``replaced``, ``missing`` (only on the document), ``extra`` (only typed)."""

    @property
    def is_marked(self) -> bool:
        """Whether the other text has something else there."""
        return self.kind != "equal"


@dataclass(frozen=True, slots=True)
class Crop:
    """A line of the page; ``view`` is a viewBox in page pixels, of the page turned upright."""

    page: int
    view: str
    upright: str
    """The SVG transform that turns the page upright around the line; "" where it is."""
    width_px: int
    height_px: int
    page_width_px: int
    page_height_px: int


@dataclass(frozen=True, slots=True)
class ReadRow:
    """What one part of the document says for a claim."""

    text: tuple[Piece, ...]
    """Empty where nothing was read or it was not kept."""
    other_digits: str
    match: str
    match_label: str
    source_label: str
    differences: tuple[tuple[str, str], ...]
    """Kind and sentence of each."""
    crop: Crop | None


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One thing the citizen typed, and everything the document says for it, the weightiest first.

    What differs from the first is marked.
    """

    name: str
    label: str
    typed: tuple[Piece, ...]
    other_digits: str
    """The same in the other digits; "" where there are none."""
    had_hidden: bool
    """Whether invisible characters were taken out."""
    readings: tuple[ReadRow, ...]
    is_masked: bool


def claim_rows(
    document: StoredDocument, services: Services, language: str, *, revealed: bool = False
) -> list[ClaimRow]:
    """Everything the citizen typed beside what was read.

    The national number is masked unless ``revealed``, and so is its line on the page; of numbers
    that nearly agree the digits that differ are shown.
    """
    fields = {field["name"]: field for field in document.report["fields"]}
    rows = []
    for name, raw in document.claims.items():
        typed = visible(raw)
        masks = name == MASKED and not revealed
        field = fields.get(name, {"match": "none", "source": None})
        laid = [
            _laid_side_by_side(document, name, typed, reading, masks=masks)
            for reading in (field, *field.get("others", ()))
        ]
        shown = tuple(Piece(edit.claimed, edit.kind) for edit in laid[0][0] if edit.claimed)
        rows.append(
            ClaimRow(
                name=name,
                label=field_label(services, name, language),
                typed=shown,
                other_digits=_other_digits(shown),
                had_hidden=typed != raw,
                readings=tuple(
                    _read_row(document, reading, edits, language, masks=masks)
                    for edits, reading in laid
                ),
                is_masked=masks,
            )
        )
    return rows


def _laid_side_by_side(
    document: StoredDocument, name: str, typed: str, reading: Mapping[str, Any], *, masks: bool
) -> tuple[tuple[Edit, ...], Mapping[str, Any]]:
    read = visible(document.readings.get(name, {}).get(reading["source"] or "", ""))
    if read and not (agrees(reading["match"]) and name == "birth_date"):
        edits = difference(_KINDS.get(name, "name"), typed, read)
    else:
        edits = (Edit("equal", typed, read),)
    return (_masked_edits(edits, reading["match"]) if masks else edits), reading


def _read_row(
    document: StoredDocument,
    reading: Mapping[str, Any],
    edits: Sequence[Edit],
    language: str,
    *,
    masks: bool,
) -> ReadRow:
    texts = TEXTS[language]
    said = tuple(Piece(edit.read, edit.kind) for edit in edits if edit.read)
    return ReadRow(
        text=said,
        other_digits=_other_digits(said),
        match=reading["match"],
        match_label=texts.get(f"match_{reading['match']}", reading["match"]),
        source_label=texts.get(f"source_{reading['source']}", ""),
        differences=tuple(_told(edits, language)) if said else (),
        crop=None if masks else _crop(document.report, reading),
    )


def _told(edits: Sequence[Edit], language: str) -> Iterator[tuple[str, str]]:
    for edit in edits:
        if edit.kind != "equal":
            sentence = TEXTS[language][f"diff_{edit.kind}"]
            yield edit.kind, sentence.format(claimed=edit.claimed, read=edit.read)


def _crop(report: Mapping[str, Any], reading: Mapping[str, Any]) -> Crop | None:
    polygon, index = reading.get("polygon"), reading.get("page") or 1
    page = next((page for page in report["pages"] if page["index"] == index), None)
    if not polygon or page is None:
        return None
    x, y, width, height = box_of(polygon)
    across, down = x + width / 2, y + height / 2
    turn_deg = page["measures"].get("orientation", {}).get("outputs", {}).get("turn_deg") or 0
    if turn_deg % 180:
        width, height = height, width
    margin = height * _CROP_MARGIN_FRACTION
    width, height = width + 2 * margin, height + 2 * margin
    return Crop(
        page=index,
        view=f"{across - width / 2:.0f} {down - height / 2:.0f} {width:.0f} {height:.0f}",
        upright=f"rotate({-turn_deg} {across:.0f} {down:.0f})" if turn_deg else "",
        width_px=round(width),
        height_px=round(height),
        page_width_px=page["width_px"],
        page_height_px=page["height_px"],
    )


def _other_digits(pieces: Sequence[Piece]) -> str:
    text = "".join(piece.text for piece in pieces)
    if not any(character.isdecimal() for character in text):
        return ""
    western = western_digits(text)
    return western.translate(_TO_ARABIC) if western == text else western


def _masked_edits(edits: Sequence[Edit], match: str) -> tuple[Edit, ...]:
    """A number masked but for its ends and, where one is a slip of the other, what differs."""
    typed, read = masked("".join(e.claimed for e in edits)), masked("".join(e.read for e in edits))
    if match != "near":  # another number differs almost everywhere: all of it would be told
        return (Edit("equal", typed, read),)
    hidden, at, other_at = [], 0, 0
    for edit in edits:
        end, other_end = at + len(edit.claimed), other_at + len(edit.read)
        if edit.kind == "equal":
            edit = Edit("equal", typed[at:end], read[other_at:other_end])
        hidden.append(edit)
        at, other_at = end, other_end
    return tuple(hidden)


def masked(number: str) -> str:
    """The first two and last two characters of a number, the rest as stars."""
    hidden = len(number) - 2 * _MASK_KEEPS_CHARACTERS
    if hidden <= 0:
        return "*" * len(number)
    return number[:_MASK_KEEPS_CHARACTERS] + "*" * hidden + number[-_MASK_KEEPS_CHARACTERS:]
