"""Claims that are wrong by one stroke, and spellings that are right though they look different.

What counts as another spelling is said here again, apart from docqa: a benchmark that asked the
judged program what is wrong would never find it too lenient.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

DOT_GROUPS = ("بتثني", "جحخ", "دذ", "رز", "سش", "صض", "طظ", "عغ", "فق")
"""Letters that differ in their dots alone, in some position of a word."""
LATIN_GROUPS = ("OQ", "IL", "UV", "MN", "EF", "PR", "CG", "SZ")
DIGIT_GROUPS = ("12", "23", "69", "78", "05", "17", "46")
"""Digits that Arabic-Indic or Latin print makes look alike."""
ARABIC_LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
LATIN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

TOWN_NAMES = (
    frozenset({"البوكمال", "أبو كمال"}), frozenset({"اعزاز", "عزاز"}),
    frozenset({"السويداء", "السويدا"}), frozenset({"جنديرس", "جندريس"}),
    frozenset({"القريتين", "القريتان"}), frozenset({"الدانا", "الدانة"}),
    frozenset({"القامشلي", "القامشلية"}), frozenset({"عامودا", "عامودة"}),
    frozenset({"ديريك", "ديرك"}), frozenset({"الشدادي", "الشدادة"}),
)  # fmt: skip
"""Names of one town each: either may stand on a card, and either be typed."""

_FOLDED = str.maketrans("أإآٱىةؤئ", "ااااي" + "هوي")
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim made from the true one."""

    kind: str
    value: str


def wrong(field: str, value: str, kind: str, rng: np.random.Generator) -> Claim | None:
    """``value`` with one mistake of the kind; None where it allows none.

    Args:
        field: the claim's name.
        value: the true claim; dates are ISO.
        kind: of :func:`wrong_kinds`.
        rng: chooses the place.
    """
    for _ in range(_ATTEMPTS):
        if field == "birth_date":
            made = _wrong_date(value, kind, rng)
        elif field.endswith("_number"):
            made = _wrong_number(value, kind, rng)
        else:
            made = _wrong_text(value, kind, rng)
        if made is not None and not is_same(field, value, made):
            return Claim(kind, made)
    return None


def wrong_kinds(field: str) -> tuple[str, ...]:
    """The mistakes that a field is tried with, the commonest as often as they are named."""
    if field == "birth_date":
        return ("digit", "day off by one", "month off by one", "digits swapped", "look-alike digit",
                "day and month swapped")  # fmt: skip
    if field.endswith("_number"):
        return ("digit", "look-alike digit", "digits swapped", "digit dropped", "look-alike digit")
    return ("letter", "look-alike letter", "look-alike letter", "dropped", "doubled", "swapped",
            "letter")  # fmt: skip


def benign(field: str, value: str, rng: np.random.Generator) -> Iterator[Claim]:
    """Every spelling of the true claim that must never be called a mistake."""
    if field == "birth_date":
        year, month, day = value.split("-")
        yield Claim("Arabic-Indic digits", _in_digits(f"{int(day)}-{int(month)}-{year}", 0x660))
        yield Claim("day first", f"{int(day)}/{int(month)}/{year}")
        return
    if field.endswith("_number"):
        yield Claim("Arabic-Indic digits", _in_digits(value, 0x660))
        yield Claim("Persian digits", _in_digits(value, 0x6F0))
        if field == "national_number" and value.startswith("0"):
            yield Claim("leading zero dropped", value[1:])
        return
    if value.isascii():
        yield Claim("lower case", value.lower())
        return
    for name, old, new in (
        ("alef without hamza", "[أإآ]", "ا"), ("ه for ة", "ة", "ه"), ("ي for ى", "ى", "ي"),
        ("Persian ye and kaf", "[يك]", None), ("spaces left out", " ", ""),
    ):  # fmt: skip
        if re.search(old, value):
            yield Claim(name, re.sub(old, new, value) if new is not None else _persian(value))
    if value.startswith("عبد "):
        yield Claim("عبد joined", value.replace("عبد ", "عبد", 1))
    if field == "family_name":
        bare = value.removeprefix("ال")
        yield Claim("without or with ال", bare if bare != value else f"ال{value}")
    at = 1 + int(rng.integers(len(value) - 1))
    yield Claim("tatweel", value[:at] + "\u0640" + value[at:])
    yield Claim("vowel signs", "".join(letter + "\u064e" * (letter != " ") for letter in value))
    yield Claim("presentation forms", "".join(_PRESENTED.get(letter, letter) for letter in value))


def is_same(field: str, value: str, other: str) -> bool:
    """Whether the two are spellings of one claim."""
    return bool(_forms(field, value) & _forms(field, other))


def _forms(field: str, value: str) -> set[str]:
    if field.endswith("_number"):
        return {value.rjust(11, "0") if field == "national_number" else value}
    folded = _fold(value)
    if field == "birth_place":
        return {folded}.union(*(names for names in _TOWN_NAMES if folded in names))
    if field != "family_name":
        return {folded}
    bare = folded.removeprefix("ال")
    return {folded, bare} if len(bare) >= 3 else {folded}


def _fold(value: str) -> str:
    return value.translate(_FOLDED).replace(" ", "").casefold()


_TOWN_NAMES = tuple(frozenset(map(_fold, names)) for names in TOWN_NAMES)


def _wrong_text(value: str, kind: str, rng: np.random.Generator) -> str | None:
    letters = LATIN_LETTERS if value.isascii() else ARABIC_LETTERS
    groups = LATIN_GROUPS if value.isascii() else DOT_GROUPS
    places = [at for at, letter in enumerate(value) if letter != " "]
    if kind == "look-alike letter":
        places = [at for at in places if any(value[at] in group for group in groups)]
    elif kind == "swapped":
        places = [at for at in places if at + 1 < len(value) and value[at + 1] not in
                  (" ", value[at])]  # fmt: skip
    elif kind == "dropped" and len(value) < 3:
        return None
    if not places:
        return None
    at = places[int(rng.integers(len(places)))]
    before, letter, after = value[:at], value[at], value[at + 1 :]
    if kind == "dropped":
        return before + after
    if kind == "doubled":
        return before + letter * 2 + after
    if kind == "swapped":
        return before + after[0] + letter + after[1:]
    if kind == "look-alike letter":
        letters = next(group for group in groups if letter in group)
    others = letters.replace(letter, "")
    return before + others[int(rng.integers(len(others)))] + after


def _wrong_number(value: str, kind: str, rng: np.random.Generator) -> str | None:
    places = [at for at, digit in enumerate(value) if digit.isdigit()]
    if kind == "digits swapped":
        places = [at for at in places if value[at + 1 : at + 2].isdigit() and
                  value[at] != value[at + 1]]  # fmt: skip
    if not places:
        return None
    at = places[int(rng.integers(len(places)))]
    before, digit, after = value[:at], value[at], value[at + 1 :]
    if kind == "digit dropped":
        return before + after
    if kind == "digits swapped":
        return before + after[0] + digit + after[1:]
    alike = "".join(group for group in DIGIT_GROUPS if digit in group).replace(digit, "")
    others = alike if kind == "look-alike digit" and alike else "0123456789".replace(digit, "")
    return before + others[int(rng.integers(len(others)))] + after


def _wrong_date(value: str, kind: str, rng: np.random.Generator) -> str | None:
    date = datetime.date.fromisoformat(value)
    sign = 1 if rng.random() < 0.5 else -1
    try:
        if kind == "day off by one":
            return (date + datetime.timedelta(days=sign)).isoformat()
        if kind == "month off by one":
            return date.replace(month=date.month + sign).isoformat()
        if kind == "day and month swapped":
            return date.replace(day=date.month, month=date.day).isoformat()
        made = _wrong_number(value, kind, rng)
        # A year nobody alive was born in is refused before anything is read.
        is_likely = made is not None and 1900 <= int(made[:4]) <= 2025
        return datetime.date.fromisoformat(made).isoformat() if made and is_likely else None
    except ValueError:
        return None


def _in_digits(text: str, zero: int) -> str:
    return "".join(chr(zero + int(c)) if c.isdigit() else c for c in text)


def _persian(text: str) -> str:
    return text.replace("ي", "\u06cc").replace("ك", "\u06a9")


def _presented() -> dict[str, str]:
    """Letter to its isolated presentation form, as old programs write Arabic."""
    found = {}
    for code in range(0xFE80, 0xFEF5):
        form, _, letter = unicodedata.decomposition(chr(code)).partition(" ")
        if form == "<isolated>" and " " not in letter:
            found[chr(int(letter, 16))] = chr(code)
    return found


_PRESENTED = _presented()
