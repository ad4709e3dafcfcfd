"""What the citizen typed, and whether the document says the same.

Nothing is ever corrected: a typed value and a reading either agree in their canonical form
(``equal``), are two spellings of one name (``variant``), or do not agree. A single wrong letter or
digit never counts as agreement, however alike the two look.
"""

from __future__ import annotations

import datetime
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rapidfuzz.distance import Levenshtein

from docqa.dates import parse_date
from docqa.documents import CLAIM_NAMES, Kind, Source
from docqa.errors import InvalidRequest
from docqa.page import Polygon
from docqa.places import NO_PLACES, Places
from docqa.text import canonical, graphemes, loose, unpunctuated

__all__ = [
    "CLAIM_NAMES",
    "Edit",
    "Field",
    "Kind",
    "Match",
    "Source",
    "agrees",
    "compare",
    "difference",
    "parse_claims",
    "parse_date",
    "settled",
    "spellings",
]

Match = Literal["equal", "variant", "near", "different", "unread"]
"""From best to worst. ``near``: one or two edits apart, or a place with words more, a matter for a
person to look at."""

MATCHES: tuple[Match, ...] = typing.get_args(Match)

LONGEST_CLAIM_CHARACTERS = 200
MOST_NEAR_EDITS = 2
SHORTEST_STEM_LETTERS = 3  # what must remain of a family name without its article

EXACT_SOURCES: tuple[Source, ...] = ("barcode", "mrz")
"""They carry their own check: what they say is what the document says."""

EARLIEST_BIRTH = datetime.date(1900, 1, 1)
"""Of the Gregorian calendar: what is typed before is another calendar's or a slip."""

_ARTICLE = "ال"
_ARTICLE_WRITTEN = re.compile(r"[اٱ]ل|آل\s")
"""How it, or آل, "house of", begins a name: never by a hamza, which is the name's own (إلياس)."""
_NEVER_ALONE = frozenset(map(loose, ("أم", "أمة", "ست", "بنت", "عبد", "أبو")))
"""Words that begin a name and are none without the next."""
_NUMBER_SEPARATORS = re.compile(r"[\s\-]+")


@dataclass(frozen=True, slots=True)
class Field:
    """One claim against the document."""

    name: str
    """One of CLAIM_NAMES."""
    match: Match
    source: Source | None
    """Where the reading came from; None when nothing was read."""
    confidence: float
    """0 to 1, higher is surer: how sure the reading is, whatever it says."""
    polygon: Polygon | None
    """Where on the page, in page pixels."""
    page: int | None
    """1 for the first page."""
    read: str | None
    """What was read. Personal data: the citizen-facing report leaves it out."""
    others: tuple[Field, ...] = ()
    """The same claim as read elsewhere in the same upload, such as the print of a card's front
    beside the barcode of its back. These have no others."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One run of characters in which a typed value and a reading agree or do not."""

    kind: Literal["equal", "replaced", "missing", "extra"]
    """``missing``: only on the document; ``extra``: only typed."""
    claimed: str
    """"" for what is missing."""
    read: str
    """"" for what is extra."""


def compare(
    kind: Kind, claimed: str, read: str, places: Places = NO_PLACES, *, may_be_cut: bool = False
) -> Match:
    """How well a reading agrees with what was typed.

    Args:
        kind: what is compared.
        claimed: what the citizen typed.
        read: what the document says.
        places: spellings of places, for the kind ``place``.
        may_be_cut: whether the reading may have lost words of its line, as OCR does. A mother's
            first name alone is then no reading of her full name.

    Returns:
        The match; ``unread`` when either holds nothing to compare, such as a reading that is no
        date.
    """
    if kind == "date":
        return _compare_dates(claimed, read)
    if kind == "number":
        return _compare_numbers(claimed, read)
    match = _compare_names(kind, claimed, read, may_be_cut)
    if kind == "place" and match in ("near", "different"):
        return _compare_places(claimed, read, places, match)
    return match


def _compare_places(claimed: str, read: str, places: Places, as_names: Match) -> Match:
    """Of places that are not written alike, and as names match no better than ``as_names``."""
    one, other = places.find(claimed), places.find(read)
    if one is not None and other is not None:
        return "variant" if one == other else "different"
    mine, printed = places.bare(claimed), places.bare(read)
    bare = _compare_loose(loose(mine), loose(printed))
    # A country, a district or a quarter beside the town: the same place, or one that is called so.
    words, others = (set(map(loose, name.split())) for name in (mine, printed))
    longer: Match = "near" if words <= others or words >= others else "different"
    return min(as_names, bare, longer, key=MATCHES.index)


def agrees(match: Match) -> bool:
    """Whether the document says what was typed."""
    return match in ("equal", "variant")


def settled(readings: Sequence[Field]) -> Field:
    """One field of every reading of one claim (at least one), the others kept with it.

    An exact source counts before print, then the better match, then the surer reading.
    """
    first, *others = sorted(
        readings,
        key=lambda field: (
            field.source not in EXACT_SOURCES,
            MATCHES.index(field.match),
            -field.confidence,
        ),
    )
    return replace(first, others=tuple(others))


def difference(kind: Kind, claimed: str, read: str) -> tuple[Edit, ...]:
    """Where what was typed and what was read differ, character by character, for people to see.

    Both are shown in their canonical form, dates as D-M-YYYY and numbers without gaps. The parts
    of ``claimed`` make up the typed value again, those of ``read`` the reading. A letter is one
    character with the marks that stand on it.
    """
    one, other = graphemes(_shown(kind, claimed)), graphemes(_shown(kind, read))
    kinds: dict[str, Literal["equal", "replaced", "missing", "extra"]] = {
        "equal": "equal",
        "replace": "replaced",
        "insert": "missing",
        "delete": "extra",
    }
    return tuple(
        Edit(
            kinds[step.tag],
            "".join(one[step.src_start : step.src_end]),
            "".join(other[step.dest_start : step.dest_end]),
        )
        for step in Levenshtein.opcodes(one, other)
    )


def _shown(kind: Kind, value: str) -> str:
    date = parse_date(value) if kind == "date" else None
    if date is not None:
        return f"{date.day}-{date.month}-{date.year:04}"
    return _bare_number(value) if kind == "number" else canonical(value)


def parse_claims(claims: object, today: datetime.date) -> dict[str, str]:
    """The claims of a request, checked, with surrounding spaces taken off.

    Args:
        claims: what came.
        today: nobody is born later. A passport's zone gives no century, and would confirm either.

    Raises:
        InvalidRequest: they are no object, or one of them is wrong; that names the field, never
            its value.
    """
    if not isinstance(claims, Mapping):
        raise InvalidRequest("request.claims.not_json")
    checked: dict[str, str] = {}
    for name, value in claims.items():
        if name not in CLAIM_NAMES:
            # No answer can carry half of a surrogate pair.
            shown = str(name)[:40].encode("utf-8", "replace").decode()
            raise InvalidRequest("request.claims.unknown_field", field=shown)
        if not isinstance(value, str) or not _is_sensible(name, value, today):
            raise InvalidRequest("request.claims.invalid", field=name)
        checked[name] = value.strip()
    return checked


def _is_sensible(name: str, value: str, today: datetime.date) -> bool:
    if len(value) > LONGEST_CLAIM_CHARACTERS or not canonical(value):
        return False
    if name == "national_number":
        return re.fullmatch(r"[0-9]{10,11}", _bare_number(value)) is not None
    if name == "birth_date":
        born = parse_date(value)
        return born is not None and EARLIEST_BIRTH <= born <= today
    return any(character.isalnum() for character in canonical(value))


def _compare_names(kind: Kind, typed: str, printed: str, may_be_cut: bool) -> Match:
    claimed, read = _words(typed), _words(printed)
    if not loose(claimed) or not loose(read):
        return "unread"
    if canonical(typed).casefold() == canonical(printed).casefold():
        return "equal"
    forms: dict[Kind, Callable[[str], set[str]]] = {
        "family_name": _with_and_without_article,
        "mother_name": _leading_words,
    }
    accepted = forms.get(kind, _itself)
    pairs = [(loose(claimed), form) for form in accepted(read)]
    if kind == "mother_name" and may_be_cut:
        if loose(read) in accepted(claimed) - {loose(claimed)}:
            return "unread"
    else:
        pairs += [(form, loose(read)) for form in accepted(claimed)]
    return min((_compare_loose(one, other) for one, other in pairs), key=MATCHES.index)


def _compare_loose(one: str, other: str) -> Match:
    if one == other:
        return "variant"
    letters = graphemes(one), graphemes(other)
    return _by_edits(Levenshtein.distance(*letters), max(map(len, letters)))


def spellings(kind: Kind, claimed: str, places: Places = NO_PLACES) -> tuple[str, ...]:
    """The name as typed and as a document may print it as well, in loose form.

    Of a family name that is with and without its article, of a place every name that it has.
    """
    name = loose(_words(claimed))
    if kind == "place":
        bare = loose(places.bare(claimed))
        return tuple(dict.fromkeys((name, bare, *places.forms(claimed))))
    stem = _without_article(_words(claimed))
    if kind != "family_name" or len(stem) < SHORTEST_STEM_LETTERS:
        return (name,)
    return name, _ARTICLE + name if stem == name else stem


def _words(name: str) -> str:
    """What a name is compared by: no document and no citizen means anything by its marks."""
    return unpunctuated(name).casefold()


def _itself(name: str) -> set[str]:
    return {loose(name)}


def _with_and_without_article(name: str) -> set[str]:
    whole, stem = loose(name), _without_article(name)
    return {whole, stem} if len(stem) >= SHORTEST_STEM_LETTERS else {whole}


def _without_article(name: str) -> str:
    """A canonical name without its article, loose."""
    has_article = _ARTICLE_WRITTEN.match(name) is not None
    return loose(name).removeprefix(_ARTICLE) if has_article else loose(name)


def _leading_words(name: str) -> set[str]:
    """A mother's name, her first name alone, and both with her family's name without article."""
    words = name.split()
    forms = {loose(name)}
    for count, word in enumerate(words, start=1):
        before = words[: count - 1]
        if loose(word) not in _NEVER_ALONE:
            forms.add(loose(" ".join([*before, word])))
        if before:
            forms.update(
                loose(" ".join([*before, form])) for form in _with_and_without_article(word)
            )
    return forms


def _compare_dates(claimed: str, read: str) -> Match:
    claimed_date, read_date = parse_date(claimed), parse_date(read)
    if claimed_date is None or read_date is None:
        return "unread"
    if claimed_date == read_date:
        return "equal"
    written, seen = f"{claimed_date:%Y%m%d}", f"{read_date:%Y%m%d}"
    return _by_edits(Levenshtein.distance(written, seen), len(written))


def _compare_numbers(claimed: str, read: str) -> Match:
    written, seen = _bare_number(claimed), _bare_number(read)
    if not written or not seen:
        return "unread"
    if written == seen:
        return "equal"
    # Spreadsheets and databases drop the zero that most national numbers start with.
    lengths = {len(written), len(seen)}
    if lengths == {10, 11} and written.rjust(11, "0") == seen.rjust(11, "0"):
        return "variant"
    return _by_edits(Levenshtein.distance(written, seen), max(lengths))


def normal_national_number(text: str) -> str:
    """A national number as 11 Latin digits, however it was typed: to find documents by it.

    Separators go, other digits become Latin ones, and the leading zero that spreadsheets drop
    comes back.
    """
    return _bare_number(text).rjust(11, "0")


def _bare_number(text: str) -> str:
    return _NUMBER_SEPARATORS.sub("", canonical(text)).upper()


def _by_edits(edits: int, length: int) -> Match:
    # Two edits make most three-letter names into any other: there they are no likeness.
    return "near" if edits <= MOST_NEAR_EDITS and edits * 2 <= length else "different"
