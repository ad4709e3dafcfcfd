"""Fields read from the machine-readable zones of a page, one passport at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from docqa.dates import parse_date
from docqa.documents import FieldSpec, Kind
from docqa.fields import MATCHES, Field, agrees
from docqa.page import Page, Polygon
from docqa.reading.mrz import CHECK_DIGITS, Mrz, check_digit, lies_on, read_mrz
from docqa.reading.print_fields import Claimed
from docqa.reading.recognition import Ask
from docqa.reading.regions import Sheet, sheets
from docqa.text import canonical

NAME_CONFIDENCE = 0.9
"""For names, which have no check digit."""
MOST_PASSPORTS = 4
"""Of one page that are read: more are no upload of one person's document."""


@dataclass(frozen=True, slots=True)
class Zone:
    """What one passport's zone says of the claims."""

    polygon: Polygon
    """Both lines, on the page."""
    fields: tuple[Field, ...]


def read_zone(
    page: Page,
    size_mm: tuple[float, float],
    specs: Sequence[FieldSpec],
    claimed: Claimed,
    ask: Ask,
) -> Zone | None:
    """The zone on the page that says most of what was typed; None where there is none.

    A zone stands for one passport: what two of them say is never mixed. Of readings of one zone
    the one that most check digits prove counts, whatever was typed: upside down some hold by
    chance.

    Args:
        page: the page.
        size_mm: width and height of the passport.
        specs: the fields to read.
        claimed: what the citizen typed.
        ask: see :class:`docqa.reading.recognition.Ask`.
    """
    found: list[tuple[Mrz, tuple[Field, ...]]] = []
    for zone in _zones(page, size_mm, ask) if specs else ():
        fields = tuple(_fields(zone, specs, claimed, page.index))
        found.append((zone, fields))
        if _agreed(fields) == len(specs):
            break
    kept: list[tuple[Mrz, tuple[Field, ...]]] = []
    for zone, fields in sorted(found, key=lambda each: -each[0].valid_check_digits):
        if not any(lies_on(zone.polygon, other.polygon) for other, _ in kept):
            kept.append((zone, fields))
    if not kept:
        return None
    zone, fields = max(kept, key=lambda each: _agreement(*each))
    return Zone(zone.polygon, fields)


def _zones(page: Page, size_mm: tuple[float, float], ask: Ask) -> Iterator[Mrz]:
    """The zones on every sheet of the page. One that is proven is not read again."""
    proven: list[Polygon] = []
    upright: list[Sheet] = []
    for sheet in sheets(page, size_mm, lambda sheet: any(sheet is each for each in upright)):
        while (zone := ask(partial(read_mrz, sheet, known=tuple(proven)))) is not None:
            yield zone
            if not zone.is_proven:
                break
            proven.append(zone.polygon)
            upright.append(sheet)
            if len(proven) == MOST_PASSPORTS:
                return


def _agreement(zone: Mrz, fields: Sequence[Field]) -> tuple[int, int, int]:
    """More claims confirmed, surer, fewer readings that say something else."""
    differing = sum(field.match == "different" for field in fields)
    return _agreed(fields), zone.valid_check_digits, -differing


def _agreed(fields: Sequence[Field]) -> int:
    return sum(agrees(field.match) for field in fields)


def _fields(zone: Mrz, specs: Sequence[FieldSpec], claimed: Claimed, page: int) -> Iterator[Field]:
    for spec in specs:
        values = zone.values.get(spec.mrz_key or "", ())
        matches = [claimed.match(spec, value) for value in values]
        if not matches:
            continue
        at = min(range(len(matches)), key=lambda at: MATCHES.index(matches[at]))
        if matches[at] == "unread":
            continue
        # Readings that differ from each other say nothing against what was typed, nor does one
        # whose check digit is that of what was typed: G and 6, L and 1, S and 8 weigh the same.
        is_open = (
            len(values) > 1
            or spec.mrz_key not in zone.agreed
            or _have_one_check_digit(spec, claimed.values[spec.name], values[at])
        )
        if is_open and not agrees(matches[at]):
            continue
        confidence = zone.valid_check_digits / CHECK_DIGITS
        if spec.kind not in ("date", "number"):
            confidence *= NAME_CONFIDENCE
        yield Field(spec.name, matches[at], "mrz", confidence, zone.polygon, page, values[at])


def _have_one_check_digit(spec: FieldSpec, typed: str, read: str) -> bool:
    if spec.kind not in ("date", "number"):
        return False
    forms = [_zone_form(spec.kind, value) for value in (typed, read)]
    digits = [None if form is None else check_digit(form) for form in forms]
    return None not in digits and digits[0] == digits[1]


def _zone_form(kind: Kind, value: str) -> str | None:
    """A date or number as a zone writes it; None when it cannot."""
    if kind == "date":
        date = parse_date(value)
        return None if date is None else f"{date:%y%m%d}"
    bare = re.sub(r"[\s-]", "", canonical(value)).upper()
    return bare if re.fullmatch("[A-Z0-9<]+", bare) else None
